// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/policies/audit/event_text.hpp>
#include <cotter/values/audit_event.hpp>
#include <cotter/values/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// The facilities of RFC 5424 6.2.1, table 1, that an audit trail may have.
enum class syslog_facility : std::uint8_t {
  user = 1,
  daemon = 3,
  auth = 4,
  authpriv = 10,
  log_audit = 13,
  local0 = 16,
  local1,
  local2,
  local3,
  local4,
  local5,
  local6,
  local7,
};

/// What the header of every message of one program says.
struct syslog_origin {
  syslog_facility facility = syslog_facility::authpriv;
  std::string_view hostname{};           ///< FQDN or address of this machine; empty: unknown
  std::string_view app_name = "cotter";  ///< 48 octets at most are sent
  std::string_view process{};            ///< PROCID; empty: unknown
  /// The private enterprise number (RFC 5612) under which STRUCTURED-DATA is sent. The library has
  /// none of its own; 0: there is no STRUCTURED-DATA, and what it would say stands in the text.
  std::uint32_t enterprise = 0;
};

/// PRI of an event: facility times 8 and severity (RFC 5424 6.2.1).
[[nodiscard]] constexpr unsigned syslog_priority(const audit_event& event,
                                                 syslog_facility facility) noexcept {
  return static_cast<unsigned>(facility) * 8 + static_cast<unsigned>(severity_of(event.what));
}

namespace detail {

/// A parameter of STRUCTURED-DATA: `"`, `\` and `]` escaped (RFC 5424 6.3.3), control characters,
/// which would break lines, replaced.
inline void append_parameter(std::string_view name, std::string_view value, std::string& out) {
  if (value.empty()) return;
  out += ' ';
  out += name;
  out += "=\"";
  std::string sound;
  append_utf8(value, sound);
  for (const char c : sound) {
    if (c == '"' || c == '\\' || c == ']') out += '\\';
    out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
  }
  out += '"';
}

inline void append_structured_data(const audit_event& event, std::uint32_t enterprise,
                                   std::string& out) {
  if (enterprise == 0) {
    out += '-';
    return;
  }
  const audit_record& what = event.what;
  const audit_type type = type_of(what);
  std::string id;
  append_id(event.id, id);
  out += "[cotter@";
  out += std::to_string(enterprise);
  append_parameter("id", id, out);
  append_parameter("type", to_string(type), out);
  append_parameter("client", event.client, out);
  if (!what.endpoint.host.empty()) {
    append_parameter("host", what.endpoint.host, out);
    append_parameter("port", std::to_string(what.endpoint.port), out);
  }
  append_parameter("region", what.region, out);
  if (type == audit_type::refused)
    append_parameter("reason", to_string(what.outcome.reason()), out);
  if (type == audit_type::would_refuse) {
    append_parameter("wouldRefuse", to_string(what.outcome.would_refuse()), out);
  }
  if (what.diagnosis) append_parameter("diagnosis", to_string(what.diagnosis.what), out);
  if (what.outcome.has_fingerprint()) {
    std::string fingerprint;
    append_hex(what.outcome.fingerprint(), fingerprint);
    append_parameter("fingerprint", fingerprint, out);
  }
  out += ']';
}

}  // namespace detail

/// Appends a message of RFC 5424: VERSION 1, the event's own time, MSGID its type, MSG `text`. A text
/// beyond ASCII is preceded by the byte order mark that 6.4 asks for, and must be UTF-8. A time before
/// 1970, or in the year 9999, is NILVALUE.
/// @throws std::bad_alloc
inline void append_syslog_message(const audit_event& event, const syslog_origin& from,
                                  std::string_view text, std::string& out) {
  constexpr std::size_t longest_hostname = 255;
  constexpr std::size_t longest_app_name = 48;
  constexpr std::size_t longest_process = 128;
  constexpr instant beyond{std::chrono::sys_days{std::chrono::year{9999} / 1 / 1}};
  out += '<';
  out += std::to_string(syslog_priority(event, from.facility));
  out += ">1 ";
  // A receiver that does not read the year does not read the rest either.
  if (event.what.at >= instant{} && event.what.at < beyond) {
    append_time(event.what.at, out);
  } else {
    out += '-';
  }
  out += ' ';
  append_token(from.hostname, longest_hostname, out);
  out += ' ';
  append_token(from.app_name, longest_app_name, out);
  out += ' ';
  append_token(from.process, longest_process, out);
  out += ' ';
  out += to_string(type_of(event.what));
  out += ' ';
  detail::append_structured_data(event, from.enterprise, out);
  if (text.empty()) return;
  out += ' ';
  const bool ascii = std::all_of(text.begin(), text.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!ascii) out += "\xef\xbb\xbf";
  out += text;
}

/// Appends a message as syslog(3) writes it to the local socket, for readers that know no RFC 5424:
/// PRI, a tag, the text. The time is the text's own; readers add that of arrival.
/// @throws std::bad_alloc
inline void append_local_message(const audit_event& event, const syslog_origin& from,
                                 std::string_view text, std::string& out) {
  constexpr std::size_t longest_tag = 32;  // RFC 3164 4.1.3
  out += '<';
  out += std::to_string(syslog_priority(event, from.facility));
  out += '>';
  const std::size_t tag = out.size();
  append_token(from.app_name, longest_tag, out);
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(tag), out.end(), ':', '?');
  if (!from.process.empty()) {
    out += '[';
    append_token(from.process, longest_tag, out);
    out += ']';
  }
  out += ": ";
  out += text;
}

/// Appends a message in the frame of a stream: its length in octets, a space, the message (RFC 5425
/// 4.3, RFC 6587 3.4.1).
/// @throws std::bad_alloc
inline void append_framed(std::string_view message, std::string& out) {
  out += std::to_string(message.size());
  out += ' ';
  out += message;
}

}  // namespace v0
}  // namespace cotter
