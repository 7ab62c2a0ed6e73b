// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/audit_record.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/result.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// How many pins of a record are encoded; the rest is counted.
inline constexpr std::size_t max_audit_pins = 8;
/// A longer leaf is left out.
inline constexpr std::size_t max_audit_leaf_bytes = 24'576;
/// No text of a record is longer; a longer one is cut.
inline constexpr std::size_t max_audit_text_bytes = 288;
/// No encoded record is longer.
inline constexpr std::size_t max_audit_record_bytes = 32'768;

namespace detail {

struct audit_writer {
  std::span<std::uint8_t> out;
  std::size_t at = 0;
  bool full = false;

  constexpr void number(std::uint64_t value, int size) noexcept {
    for (int i = 0; i < size; ++i) {
      if (at == out.size()) {
        full = true;
        return;
      }
      out[at++] = static_cast<std::uint8_t>(value >> (8 * i));
    }
  }
  constexpr void time(instant t) noexcept {
    number(static_cast<std::uint64_t>(t.time_since_epoch().count()), 8);
  }
  constexpr void octets(bytes_view some) noexcept {
    if (out.size() - at < some.size()) {
      full = true;
      return;
    }
    for (const std::uint8_t octet : some) out[at++] = octet;
  }
  constexpr void text(std::string_view some) noexcept {
    some = some.substr(0, max_audit_text_bytes);
    number(some.size(), 2);
    for (const char c : some) number(static_cast<unsigned char>(c), 1);
  }
  constexpr void whom(const target& t) noexcept {
    text(t.host);
    number(t.port, 2);
    number(static_cast<std::uint8_t>(t.kind), 1);
  }
  constexpr void problem(const error& e) noexcept {
    number(static_cast<std::uint8_t>(e.what), 1);
    number(e.offset_bytes, 4);
    number(static_cast<std::uint32_t>(e.native), 4);
  }
};

struct audit_reader {
  bytes_view in;
  std::size_t at = 0;
  bool bad = false;

  constexpr std::uint64_t number(int size) noexcept {
    std::uint64_t value = 0;
    for (int i = 0; i < size; ++i) {
      if (at == in.size()) {
        bad = true;
        return 0;
      }
      value |= static_cast<std::uint64_t>(in[at++]) << (8 * i);
    }
    return value;
  }
  /// An enumerator not above `last`.
  template <typename E>
  constexpr E one_of(E last) noexcept {
    const std::uint64_t value = number(1);
    if (value > static_cast<std::uint64_t>(last)) bad = true;
    return bad ? E{} : static_cast<E>(value);
  }
  constexpr bool flag() noexcept {
    const std::uint64_t value = number(1);
    if (value > 1) bad = true;
    return value == 1;
  }
  constexpr instant time() noexcept {
    return instant{std::chrono::seconds{static_cast<std::int64_t>(number(8))}};
  }
  constexpr bytes_view octets(std::size_t size) noexcept {
    if (in.size() - at < size) {
      bad = true;
      return {};
    }
    at += size;
    return in.subspan(at - size, size);
  }
  std::string_view text() noexcept {
    const auto size = static_cast<std::size_t>(number(2));
    if (size > max_audit_text_bytes) bad = true;
    const bytes_view some = bad ? bytes_view{} : octets(size);
    return {reinterpret_cast<const char*>(some.data()), some.size()};
  }
  target whom() noexcept {
    target t;
    t.host = text();
    t.port = static_cast<std::uint16_t>(number(2));
    t.kind = one_of(identity::sip);
    return t;
  }
  constexpr error problem() noexcept {
    error e;
    e.what = one_of(last_errc);
    e.offset_bytes = static_cast<std::uint32_t>(number(4));
    e.native = static_cast<std::int32_t>(static_cast<std::uint32_t>(number(4)));
    return e;
  }
};

}  // namespace detail

/// Writes a record as octets, for keeping: little endian, version 1 of a form of our own. Text above
/// `max_audit_text_bytes` is cut, pins above `max_audit_pins` and a leaf above `max_audit_leaf_bytes`
/// are left out. No heap. Returns what was used; 0 if `out` is too small, never with
/// `max_audit_record_bytes`.
[[nodiscard]] constexpr std::size_t encode(const audit_record& what,
                                           std::span<std::uint8_t> out) noexcept {
  detail::audit_writer to{out};
  const verdict& outcome = what.outcome;
  to.number(1, 1);
  to.number(static_cast<std::uint8_t>(what.subject), 1);
  to.time(what.at);
  to.whom(what.endpoint);
  to.text(what.backend);
  to.number(static_cast<std::uint8_t>(outcome.reason()), 1);
  to.number(static_cast<std::uint8_t>(outcome.matched()), 1);
  to.number(static_cast<std::uint8_t>(outcome.would_refuse()), 1);
  to.problem(outcome.detail());
  to.number(outcome.has_fingerprint() ? 1 : 0, 1);
  to.octets(outcome.fingerprint().octets);
  to.text(outcome.pin_label());
  to.number(static_cast<std::uint8_t>(what.breaker), 1);
  to.number(what.backend_version.major_number, 2);
  to.number(what.backend_version.minor_number, 2);
  to.number(what.backend_version.patch, 2);
  to.number(what.resumed ? 1 : 0, 1);
  to.text(what.region);
  to.number(static_cast<std::uint8_t>(what.diagnosis.what), 1);
  to.number(what.diagnosis.seen.bits, 2);
  to.whom(what.diagnosis.owner.endpoint);
  to.text(what.diagnosis.owner.region);
  to.time(what.leaf_not_before);
  to.time(what.leaf_not_after);
  to.number(static_cast<std::uint8_t>(what.breaker_before), 1);
  to.number(what.streak, 1);
  to.number(what.mismatches_24h, 4);
  to.number(what.alert ? 1 : 0, 1);
  to.number(static_cast<std::uint8_t>(what.manifest), 1);
  to.number(what.sequence, 8);
  to.number(static_cast<std::uint8_t>(what.lapsed), 1);
  to.problem(what.detail);
  to.number(static_cast<std::uint8_t>(what.clock), 1);
  to.time(what.clock_says);
  to.number(what.suppressed_count, 4);
  to.time(what.since);
  const std::size_t pins = std::min(what.pins.size(), max_audit_pins);
  to.number(pins, 1);
  std::size_t left = pins;
  const auto put = [&to, &left](const pin& one) {
    if (left == 0) return;
    --left;
    to.octets(one.digest.octets);
    to.number(static_cast<std::uint8_t>(one.form), 1);
    to.number(static_cast<std::uint8_t>(one.role), 1);
    to.time(one.not_after);
    to.text(one.label);
  };
  // Where some are left out, no primary is left out for a fallback.
  const bool all = pins == what.pins.size();
  for (const pin& one : what.pins) {
    if (all || one.role == pin_role::primary) put(one);
  }
  for (const pin& one : what.pins) {
    if (!all && one.role == pin_role::fallback) put(one);
  }
  const bool keeps_leaf = what.leaf.size() <= max_audit_leaf_bytes;
  to.number(keeps_leaf ? what.leaf.size() : 0, 2);
  if (keeps_leaf) to.octets(what.leaf);
  return to.full ? 0 : to.at;
}

/// A record read from octets, with the room that its pins need. Not copied: the record points into it.
struct decoded_audit_record {
  decoded_audit_record() noexcept = default;
  decoded_audit_record(const decoded_audit_record&) = delete;
  decoded_audit_record& operator=(const decoded_audit_record&) = delete;

  audit_record what{};
  std::array<pin, max_audit_pins> pins{};
};

/// Reads what `encode` wrote; all of `in` and nothing more. What is borrowed is borrowed from `in`
/// and `into`.
/// @errors `state_damaged`; then `into` holds nothing that means anything
[[nodiscard]] inline result<void> decode(bytes_view in, decoded_audit_record& into) noexcept {
  detail::audit_reader from{in};
  audit_record& what = into.what;
  what = {};
  if (from.number(1) != 1) return errc::state_damaged;
  what.subject = from.one_of(audit_subject::loss);
  what.at = from.time();
  what.endpoint = from.whom();
  what.backend = from.text();
  const auto why = from.one_of(last_reason);
  const auto by = from.one_of(matched::observed);
  const auto would = from.one_of(last_reason);
  const error under = from.problem();
  if (why != reason::none) {
    what.outcome = verdict::refuse(why, under);
    if (by != matched::none || would != reason::none) from.bad = true;
  } else {
    what.outcome = by == matched::observed ? verdict::observe(would) : verdict::accept(by);
    if (!what.outcome || what.outcome.would_refuse() != would || under != error{}) from.bad = true;
  }
  const bool has_fingerprint = from.flag();
  sha256_digest fingerprint;
  const bytes_view octets = from.octets(fingerprint.octets.size());
  std::copy(octets.begin(), octets.end(), fingerprint.octets.begin());
  if (!has_fingerprint && fingerprint != sha256_digest{}) from.bad = true;
  if (has_fingerprint) what.outcome = what.outcome.with_fingerprint(fingerprint);
  what.outcome = what.outcome.with_label(from.text());
  what.breaker = from.one_of(breaker_state::unknown);
  what.backend_version.major_number = static_cast<std::uint16_t>(from.number(2));
  what.backend_version.minor_number = static_cast<std::uint16_t>(from.number(2));
  what.backend_version.patch = static_cast<std::uint16_t>(from.number(2));
  what.resumed = from.flag();
  what.region = from.text();
  what.diagnosis.what = from.one_of(cause::clock_wrong);
  what.diagnosis.seen.bits = static_cast<std::uint16_t>(from.number(2));
  what.diagnosis.owner.endpoint = from.whom();
  what.diagnosis.owner.region = from.text();
  what.leaf_not_before = from.time();
  what.leaf_not_after = from.time();
  what.breaker_before = from.one_of(breaker_state::unknown);
  what.streak = static_cast<std::uint8_t>(from.number(1));
  what.mismatches_24h = static_cast<std::uint32_t>(from.number(4));
  what.alert = from.flag();
  what.manifest = from.one_of(manifest_change::lapsed);
  what.sequence = from.number(8);
  what.lapsed = from.one_of(last_reason);
  what.detail = from.problem();
  what.clock = from.one_of(clock_fault::set_back);
  what.clock_says = from.time();
  what.suppressed_count = static_cast<std::uint32_t>(from.number(4));
  what.since = from.time();
  const std::uint64_t pins = from.number(1);
  if (pins > max_audit_pins) return errc::state_damaged;
  for (std::size_t i = 0; i < pins; ++i) {
    pin& one = into.pins[i];
    const bytes_view digest = from.octets(one.digest.octets.size());
    std::copy(digest.begin(), digest.end(), one.digest.octets.begin());
    one.form = from.one_of(pin_form::spki);
    one.role = from.one_of(pin_role::fallback);
    one.not_after = from.time();
    one.label = from.text();
  }
  what.pins = std::span<const pin>(into.pins).first(static_cast<std::size_t>(pins));
  const auto leaf = static_cast<std::size_t>(from.number(2));
  what.leaf = from.octets(leaf);
  if (leaf > max_audit_leaf_bytes || from.bad || from.at != in.size()) return errc::state_damaged;
  return {};
}

}  // namespace v0
}  // namespace cotter
