// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/audit_encoding.hpp>
#include <cotter/values/audit_event.hpp>
#include <cotter/values/manifest.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Events of every kind, with text that nobody should have let in.
namespace events {

using namespace cotter;

inline std::string controls() {
  std::string out;
  for (char c = 0; c < ' '; ++c) out += c;
  return out += '\x7f';
}

/// Texts of at most `max_audit_text_bytes`, as records may hold them.
inline const std::vector<std::string>& hostile_texts() {
  static const std::vector<std::string> all{
      "edge.example.com",
      "",
      "quote\" backslash\\ slash/ <b> ' ] [ = %n {}",
      std::string("nul\0 and what follows", 21),
      controls(),
      "\r\nInjected: yes\n<34>1 2026-01-01T00:00:00Z forged cotter - accepted - -",
      "\xff\xfe\xfd",
      "\xc0\x80 overlong \xe0\x80\xaf",
      "lone surrogates \xed\xa0\x80\xed\xbf\xbf",
      "beyond \xf4\x90\x80\x80 \xf8\x88\x80\x80\x80",
      "cut short \xe2\x82",
      "b\xc3\xbc"
      "cher \xe2\x86\x92 \xf0\x9f\x98\x80 \xe2\x80\xa8 \xef\xbf\xbf",
      "2001:db8::1",
      "192.0.2.7",
      std::string(max_audit_text_bytes, 'a'),
      std::string(max_audit_text_bytes, '\xff'),
      std::string(max_audit_text_bytes, '\x01'),
  };
  return all;
}

inline instant at(std::int64_t seconds) { return instant{std::chrono::seconds{seconds}}; }

inline sha256_digest digest(std::uint8_t first) {
  sha256_digest out;
  for (std::size_t i = 0; i < out.octets.size(); ++i) {
    out.octets[i] = static_cast<std::uint8_t>(first + i * 7);
  }
  return out;
}

inline const std::vector<std::uint8_t>& leaf() {
  static const std::vector<std::uint8_t> octets = [] {
    std::vector<std::uint8_t> out{0x30, 0x82, 0x03, 0x81};
    for (std::size_t i = 0; i < 897; ++i) out.push_back(static_cast<std::uint8_t>(i * 31));
    return out;
  }();
  return octets;
}

/// Primary and fallback, certificate and key, with and without an end.
inline const std::array<pin, 3>& pins() {
  static const std::array<pin, 3> all{
      pin{digest(1), pin_form::certificate, pin_role::primary, no_expiry, "2026-11"},
      pin{digest(2), pin_form::spki, pin_role::primary, no_expiry, ""},
      pin{digest(3), pin_form::spki, pin_role::fallback, at(1'790'000'000), "old \"key\""}};
  return all;
}

template <typename E>
E enumerator(std::size_t i) {
  return static_cast<E>(i);
}

inline constexpr std::size_t causes = static_cast<std::size_t>(cause::clock_wrong) + 1;
inline constexpr std::size_t reasons = static_cast<std::size_t>(last_reason) + 1;
inline constexpr std::size_t states = static_cast<std::size_t>(breaker_state::unknown) + 1;

/// Calls `f` with each event. They borrow from what lasts as long as the program.
template <typename F>
void for_each(F&& f) {
  const std::vector<std::string>& texts = hostile_texts();
  std::uint64_t number = 0;
  std::size_t turn = 0;
  const auto text = [&]() -> std::string_view { return texts[turn++ % texts.size()]; };
  const auto fresh = [&](audit_subject subject) {
    audit_event one;
    for (std::size_t i = 0; i < one.id.origin.size(); ++i) {
      one.id.origin[i] = static_cast<std::uint8_t>(0xa0 + i);
    }
    one.id.number = ++number;
    one.client = text();
    one.what.subject = subject;
    one.what.at = at(1'780'000'000 + static_cast<std::int64_t>(number));
    return one;
  };
  const auto whom = [&] {
    target out;
    out.host = text();
    out.port = static_cast<std::uint16_t>(turn * 911);
    out.kind = turn % 2 == 0 ? identity::sip : identity::host;
    return out;
  };

  // Decisions: every outcome with every diagnosis.
  std::vector<verdict> outcomes{verdict{}, verdict::accept(matched::primary),
                                verdict::accept(matched::fallback)};
  for (std::size_t r = 1; r < reasons; ++r) {
    outcomes.push_back(verdict::observe(enumerator<reason>(r)));
    outcomes.push_back(verdict::refuse(enumerator<reason>(r)));
    outcomes.push_back(verdict::refuse(
        enumerator<reason>(r),
        {enumerator<errc>(r * 5 % (std::size_t{static_cast<std::size_t>(last_errc)} + 1)),
         static_cast<std::uint32_t>(r), -static_cast<int>(r)}));
  }
  for (const verdict& outcome : outcomes) {
    for (std::size_t c = 0; c < causes; ++c) {
      audit_event one = fresh(audit_subject::decision);
      audit_record& what = one.what;
      what.endpoint = whom();
      what.outcome = outcome.with_label(outcome ? text() : std::string_view{});
      if (c % 2 == 0)
        what.outcome = what.outcome.with_fingerprint(digest(static_cast<std::uint8_t>(c)));
      what.breaker = enumerator<breaker_state>(c % states);
      what.region = text();
      if (c != 1) {
        what.backend = text();
        what.backend_version = {3, static_cast<std::uint16_t>(c), 65535};
      }
      what.resumed = c % 3 == 0;
      what.diagnosis.what = enumerator<cause>(c);
      what.diagnosis.seen.bits = static_cast<std::uint16_t>(c * 7919 + number % 3);
      if (c % 2 == 1) what.diagnosis.owner = {whom(), text()};
      if (c > 2) {
        what.leaf_not_before = at(1'700'000'000);
        what.leaf_not_after = at(1'900'000'000);
        what.leaf = bytes_view(leaf()).first(static_cast<std::size_t>(leaf().size() - c));
        what.pins = pins();
      }
      if (c == 2) what.pins = std::span<const pin>(pins()).last(1);
      if (c % 4 == 3) {
        what.suppressed_count = 0xffff'ffff;
        what.since = at(0);
      }
      what.sequence = c == 0 ? 0 : manifest_order(c, highest_sequence - c);
      f(one);
    }
  }

  for (std::size_t after = 0; after < states; ++after) {
    for (std::size_t before = 0; before < states; ++before) {
      for (const bool alert : {false, true}) {
        audit_event one = fresh(audit_subject::breaker);
        one.what.endpoint = whom();
        one.what.breaker = enumerator<breaker_state>(after);
        one.what.breaker_before = enumerator<breaker_state>(before);
        one.what.streak = static_cast<std::uint8_t>(after * 85);
        one.what.mismatches_24h = static_cast<std::uint32_t>(before) * 0x5555'5555u;
        one.what.alert = alert;
        f(one);
      }
    }
  }

  for (std::size_t e = 0; e <= static_cast<std::size_t>(last_errc); ++e) {
    audit_event one = fresh(audit_subject::manifest);
    one.what.manifest = manifest_change::rejected;
    one.what.detail = {enumerator<errc>(e), static_cast<std::uint32_t>(e % 2), 0};
    one.what.sequence = manifest_order(0, e);
    f(one);
  }
  for (std::size_t r = 0; r < reasons; ++r) {
    audit_event one = fresh(audit_subject::manifest);
    one.what.manifest = manifest_change::lapsed;
    one.what.lapsed = enumerator<reason>(r);
    f(one);
  }
  for (const manifest_change change : {manifest_change::none, manifest_change::adopted}) {
    audit_event one = fresh(audit_subject::manifest);
    one.what.manifest = change;
    one.what.sequence = manifest_order(highest_key_set_version, highest_sequence);
    f(one);
  }

  // Clocks that say what no clock should: before 1970, before year 0, after year 9999.
  constexpr auto farthest = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t says : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{-62'167'219'201},
                                  std::int64_t{253'402'300'800}, -farthest - 1, farthest}) {
    for (const clock_fault fault :
         {clock_fault::none, clock_fault::below_floor, clock_fault::set_back}) {
      audit_event one = fresh(audit_subject::clock);
      one.what.clock = fault;
      one.what.clock_says = at(says);
      f(one);
      one.id.number = ++number;
      one.what.at = at(says);
      f(one);
    }
  }

  for (const std::uint32_t lost : {0u, 1u, 0xffff'ffffu}) {
    audit_event one = fresh(audit_subject::loss);
    one.what.suppressed_count = lost;
    one.what.since = at(1'779'999'000);
    f(one);
  }
}

}  // namespace events
