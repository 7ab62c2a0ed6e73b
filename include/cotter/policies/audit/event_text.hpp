// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/audit_event.hpp>
#include <cotter/values/digest.hpp>
#include <cotter/values/time.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// What writes one event as text: appends it to `out`, without a newline. Appends nothing if the
/// event has no place in its format; a sender settles such an event without sending it.
template <typename R>
concept event_renderer = requires(const R& render, const audit_event& event, std::string& out) {
  {render(event, out)};
};

/// How urgent an event is: the severities of RFC 5424 6.2.1, table 2.
enum class severity : std::uint8_t {
  emergency,
  alert,
  critical,
  error,
  warning,
  notice,
  informational,
  debug,
};

/// How urgent a refusal is: what somebody on the path may have brought about is `critical`, what
/// needs an administrator is `error`, what passes by itself is `warning`.
[[nodiscard]] constexpr severity severity_of(reason why) noexcept {
  switch (why) {
    case reason::none: return severity::informational;
    case reason::pin_mismatch:
    case reason::manifest_signature:
    case reason::manifest_rollback:
    case reason::resumption_unbound:
    case reason::backend_unfit: return severity::critical;
    case reason::breaker_cooling: return severity::warning;
    case reason::unbound:
    case reason::pkix:
    case reason::hostname:
    case reason::validity:
    case reason::malformed_certificate:
    case reason::fallback_expired:
    case reason::no_pins:
    case reason::manifest_invalid:
    case reason::manifest_expired:
    case reason::runtime_mismatch:
    case reason::clock_untrusted:
    case reason::breaker_locked:
    case reason::state_unavailable: break;
  }
  return severity::error;
}

/// How urgent an event is. A diagnosis makes none more or less so: it is a guess.
[[nodiscard]] constexpr severity severity_of(const audit_record& what) noexcept {
  switch (type_of(what)) {
    case audit_type::accepted:
    case audit_type::resumed: return severity::informational;
    case audit_type::would_refuse: return severity::warning;
    case audit_type::refused: return severity_of(what.outcome.reason());
    case audit_type::breaker:
      if (what.breaker == breaker_state::locked) return severity::alert;
      if (what.alert) return severity::critical;
      if (what.breaker == breaker_state::unknown) return severity::error;
      return what.breaker == breaker_state::cooling ? severity::warning : severity::notice;
    case audit_type::manifest:
      if (what.manifest == manifest_change::lapsed) return severity::critical;
      return what.manifest == manifest_change::rejected ? severity::error : severity::notice;
    case audit_type::clock: return severity::warning;
    case audit_type::loss: return severity::error;
  }
  return severity::error;
}

/// Appends `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339). A time outside the years 0000 to 9999, which have no
/// such spelling, becomes the nearest one that has.
/// @throws std::bad_alloc
inline void append_time(instant when, std::string& out) {
  using namespace std::chrono;
  constexpr instant first{sys_days{year{0} / 1 / 1}};
  constexpr instant last{sys_days{year{9999} / 12 / 31} + seconds{86'399}};
  when = std::clamp(when, first, last);
  const auto days_since = floor<days>(when);
  const year_month_day day{days_since};
  const hh_mm_ss time{when - days_since};
  const auto number = [&out](unsigned value, unsigned highest_power) {
    for (unsigned power = highest_power; power != 0; power /= 10) {
      out += static_cast<char>('0' + value / power % 10);
    }
  };
  number(static_cast<unsigned>(static_cast<int>(day.year())), 1000);
  out += '-';
  number(static_cast<unsigned>(day.month()), 10);
  out += '-';
  number(static_cast<unsigned>(day.day()), 10);
  out += 'T';
  number(static_cast<unsigned>(time.hours().count()), 10);
  out += ':';
  number(static_cast<unsigned>(time.minutes().count()), 10);
  out += ':';
  number(static_cast<unsigned>(time.seconds().count()), 10);
  out += 'Z';
}

/// How many octets the UTF-8 character at `at` has (RFC 3629 4); 0 if none begins there.
[[nodiscard]] constexpr std::size_t utf8_size(std::string_view text, std::size_t at) noexcept {
  const auto octet = [&](std::size_t i) -> unsigned { return static_cast<unsigned char>(text[i]); };
  const unsigned first = octet(at);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() - at < size) return 0;
  const unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (octet(at + 1) < low || octet(at + 1) > high) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((octet(at + i) & 0xc0) != 0x80) return 0;
  }
  return size;
}

/// Appends `text` as UTF-8: each octet that belongs to no character becomes U+FFFD.
/// @throws std::bad_alloc
inline void append_utf8(std::string_view text, std::string& out) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8_size(text, at);
    if (size == 0) {
      out += "\xef\xbf\xbd";
      ++at;
      continue;
    }
    out += text.substr(at, size);
    at += size;
  }
}

/// Appends `text` as printable ASCII without space, as the header of RFC 5424 6 wants its fields:
/// every other octet becomes `?`, no more than `longest` are taken, and nothing becomes `-`.
/// @throws std::bad_alloc
inline void append_token(std::string_view text, std::size_t longest, std::string& out) {
  if (text.empty()) out += '-';
  for (const char c : text.substr(0, longest)) out += c > ' ' && c < '\x7f' ? c : '?';
}

/// Appends 64 hexadecimal digits, lower case.
/// @throws std::bad_alloc
inline void append_hex(const sha256_digest& digest, std::string& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const std::uint8_t octet : digest.octets) {
    out += digits[octet >> 4];
    out += digits[octet & 15];
  }
}

/// Appends the text of an id, see `to_chars`.
/// @throws std::bad_alloc
inline void append_id(const event_id& id, std::string& out) {
  std::array<char, event_id_chars> text;
  out.append(text.data(), to_chars(id, text));
}

/// Appends `host:port`, an IPv6 address in brackets, as printable ASCII: see `append_token`.
/// @throws std::bad_alloc
inline void append_endpoint(const target& whom, std::string& out) {
  const bool brackets = whom.host.find(':') != std::string_view::npos;
  if (brackets) out += '[';
  append_token(whom.host, max_host_bytes, out);
  if (brackets) out += ']';
  out += ':';
  out += std::to_string(whom.port);
}

/// Appends the event as a line for people: what happened, to whom, why. Text that is not the
/// library's own stands in it as `append_token` leaves it, so that no event can fake another one.
/// @throws std::bad_alloc
inline void append_summary(const audit_event& event, std::string& out) {
  const audit_record& what = event.what;
  const auto endpoint = [&] {
    if (what.endpoint.host.empty()) return;
    out += ' ';
    append_endpoint(what.endpoint, out);
  };
  const auto because = [&](std::string_view why) {
    out += ": ";
    out += why;
  };
  switch (type_of(what)) {
    case audit_type::accepted:
    case audit_type::resumed:
      out += what.resumed ? "resumed" : "accepted";
      endpoint();
      because(to_string(what.outcome.matched()));
      break;
    case audit_type::would_refuse:
      out += "would refuse";
      endpoint();
      because(to_string(what.outcome.would_refuse()));
      break;
    case audit_type::refused:
      out += "refused";
      endpoint();
      because(to_string(what.outcome.reason()));
      break;
    case audit_type::breaker:
      out += "breaker of";
      endpoint();
      because(to_string(what.breaker));
      out += " after ";
      out += std::to_string(what.streak);
      out += " mismatches in a row";
      if (what.alert) out += ", alert";
      break;
    case audit_type::manifest:
      out += "manifest ";
      out += to_string(what.manifest);
      if (what.manifest == manifest_change::rejected) because(code(what.detail.what));
      if (what.manifest == manifest_change::lapsed) because(to_string(what.lapsed));
      break;
    case audit_type::clock:
      out += "clock";
      because(to_string(what.clock));
      out += ", says ";
      append_time(what.clock_says, out);
      break;
    case audit_type::loss:
      out += std::to_string(what.suppressed_count);
      out += " events lost since ";
      append_time(what.since, out);
      return;
  }
  if (what.diagnosis) {
    out += " (";
    out += to_string(what.diagnosis.what);
    out += ')';
  }
  if (what.suppressed_count != 0) {
    out += ", and ";
    out += std::to_string(what.suppressed_count);
    out += " more like it";
  }
}

/// No `append_cut` is longer, in octets: with a header it fits into what every syslog receiver takes
/// (RFC 5424 6.1).
inline constexpr std::size_t max_cut_bytes = 400;

/// Appends what is sent of an event for which there is no room: a JSON object in ASCII that says which
/// event it is, that it was cut, and how many octets it had.
/// @throws std::bad_alloc
inline void append_cut(const audit_event& event, std::size_t whole_bytes, std::string& out) {
  constexpr std::size_t longest_host = 96;
  const audit_record& what = event.what;
  const audit_type type = type_of(what);
  out += "{\"schema\":\"cotter.audit-cut/1\",\"id\":\"";
  append_id(event.id, out);
  out += "\",\"time\":\"";
  append_time(what.at, out);
  out += "\",\"type\":\"";
  out += to_string(type);
  out += '"';
  if (what.subject == audit_subject::decision || what.subject == audit_subject::breaker) {
    out += ",\"target\":{\"host\":\"";
    const std::size_t from = out.size();
    if (!what.endpoint.host.empty()) append_token(what.endpoint.host, longest_host, out);
    for (std::size_t i = from; i < out.size(); ++i) {
      if (out[i] == '"' || out[i] == '\\') out[i] = '?';
    }
    out += "\",\"port\":";
    out += std::to_string(what.endpoint.port);
    out += '}';
  }
  const auto member = [&out](std::string_view name, std::string_view value) {
    out += ",\"";
    out += name;
    out += "\":\"";
    out += value;
    out += '"';
  };
  if (type == audit_type::refused) member("reason", to_string(what.outcome.reason()));
  if (type == audit_type::would_refuse) {
    member("wouldRefuse", to_string(what.outcome.would_refuse()));
  }
  if (type == audit_type::breaker) member("state", to_string(what.breaker));
  if (type == audit_type::manifest) member("change", to_string(what.manifest));
  if (type == audit_type::clock) member("fault", to_string(what.clock));
  if (what.suppressed_count != 0) {
    out += ",\"suppressedCount\":";
    out += std::to_string(what.suppressed_count);
  }
  out += ",\"cut\":true,\"bytes\":";
  out += std::to_string(whole_bytes);
  out += '}';
}

}  // namespace v0
}  // namespace cotter
