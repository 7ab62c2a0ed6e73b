// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sender.hpp>
#include <cotter/policies/audit/event_text.hpp>
#include <cotter/posix/local_socket.hpp>
#include <cotter/values/error.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace posix {

/// MESSAGE_ID of each type of event: fixed for good, 32 hexadecimal digits (systemd.journal-fields(7)).
[[nodiscard]] constexpr std::string_view journal_message_id(audit_type type) noexcept {
  switch (type) {
    case audit_type::accepted: return "f93171c8dbab45d0b54ddddf54f980ca";
    case audit_type::resumed: return "f5bc4aef3cc44caa8768f2c03ce8f4ad";
    case audit_type::would_refuse: return "b61ef036650f4b76a05c4c4b87db8687";
    case audit_type::refused: return "d19b7270d7614e27892a3be296c67102";
    case audit_type::breaker: return "88ce6ce48b9f4f21a32b2ba88a6af76b";
    case audit_type::manifest: return "c8edded9d7eb4635968bccd4b674c77e";
    case audit_type::clock: return "ffb0fd3ff86a4024977cfa2699036177";
    case audit_type::loss: break;
  }
  return "41a70d4e4bf146189c219cb5c4a76885";
}

namespace detail {

/// Appends a field as journald's native protocol has it: `NAME=value`, or, for a value with control
/// characters, the name, the size in 8 octets, little endian, and the value.
inline void append_journal_field(std::string_view name, std::string_view value, std::string& out) {
  out += name;
  if (std::none_of(value.begin(), value.end(),
                   [](char c) { return static_cast<unsigned char>(c) < ' '; })) {
    out += '=';
  } else {
    out += '\n';
    std::uint64_t size = value.size();
    for (int i = 0; i < 8; ++i, size >>= 8) out += static_cast<char>(size & 0xff);
  }
  out += value;
  out += '\n';
}

/// A file in memory that nobody can change any more; -1 and errno.
inline int sealed_memory(std::string_view octets) noexcept {
  const int file = ::memfd_create("cotter-audit", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) return -1;
  while (!octets.empty()) {
    const ssize_t wrote = ::write(file, octets.data(), octets.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) break;
    octets.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (octets.empty() &&
      ::fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0) {
    return file;
  }
  const int native = errno;
  ::close(file);
  errno = native;
  return -1;
}

}  // namespace detail

/// Sends events to systemd's journal in its native protocol, an entry each: MESSAGE for people,
/// PRIORITY, SYSLOG_IDENTIFIER, MESSAGE_ID, what is searched for as fields that begin with COTTER_, and
/// the rendered event whole as COTTER_EVENT. An event is settled when the system has taken its entry.
/// An entry too large for a datagram goes as a sealed file in memory.
///
/// @source https://systemd.io/JOURNAL_NATIVE_PROTOCOL/
template <event_renderer Render>
class journald_sender {
 public:
  /// `identifier`: SYSLOG_IDENTIFIER.
  explicit journald_sender(Render render = {}, std::string_view identifier = "cotter",
                           std::string_view path = "/run/systemd/journal/socket")
      : render_(std::move(render)), identifier_(identifier), socket_(path) {}

  /// @see audit_sender
  /// `why`: `connect_failed` (nobody listens), `timeout` (the journal takes nothing), `closed` (it hung
  /// up, twice), `message_too_big` (no memory for a large entry); each with errno as `native`
  [[nodiscard]] delivery deliver(std::span<const audit_event> events,
                                 std::chrono::steady_clock::time_point deadline) {
    delivery out;
    std::string text;
    std::string entry;
    for (const audit_event& event : events) {
      if (out.settled != 0 && std::chrono::steady_clock::now() >= deadline) {
        out.why = error{errc::timeout};
        return out;
      }
      text.clear();
      entry.clear();
      render_(event, text);
      if (!text.empty()) {
        write(event, text, entry);
        if (const result<void> sent = send(entry, deadline); !sent) {
          out.why = sent.error();
          return out;
        }
      }
      ++out.settled;
    }
    return out;
  }

 private:
  result<void> send(std::string_view entry,
                    std::chrono::steady_clock::time_point deadline) noexcept {
    const result<void> sent = socket_.send(entry, deadline);
    if (sent || sent.error().what != errc::message_too_big) return sent;
    const int file = detail::sealed_memory(entry);
    if (file < 0) return error{errc::message_too_big, 0, errno};
    const result<void> passed = socket_.send_file(file, deadline);
    ::close(file);
    return passed;
  }

  void write(const audit_event& event, std::string_view text, std::string& entry) const {
    const audit_record& what = event.what;
    const audit_type type = type_of(what);
    std::string value;
    // Each field by what appends its value; none without a value.
    const auto field = [&](std::string_view name, auto&& append) {
      value.clear();
      append(value);
      if (!value.empty()) detail::append_journal_field(name, value, entry);
    };
    const auto fixed = [&](std::string_view name, std::string_view content) {
      field(name, [&](std::string& to) { append_utf8(content, to); });
    };
    field("MESSAGE", [&](std::string& to) { append_summary(event, to); });
    fixed("PRIORITY", std::to_string(static_cast<unsigned>(severity_of(what))));
    fixed("SYSLOG_IDENTIFIER", identifier_);
    fixed("MESSAGE_ID", journal_message_id(type));
    field("COTTER_ID", [&](std::string& to) { append_id(event.id, to); });
    field("COTTER_TIME", [&](std::string& to) { append_time(what.at, to); });
    fixed("COTTER_TYPE", to_string(type));
    fixed("COTTER_CLIENT", event.client);
    if (!what.endpoint.host.empty()) {
      fixed("COTTER_HOST", what.endpoint.host);
      fixed("COTTER_PORT", std::to_string(what.endpoint.port));
    }
    fixed("COTTER_REGION", what.region);
    fixed("COTTER_BACKEND", what.backend);
    if (type == audit_type::refused) fixed("COTTER_REASON", to_string(what.outcome.reason()));
    if (type == audit_type::would_refuse) {
      fixed("COTTER_WOULD_REFUSE", to_string(what.outcome.would_refuse()));
    }
    if (what.diagnosis) fixed("COTTER_DIAGNOSIS", to_string(what.diagnosis.what));
    if (what.outcome.has_fingerprint()) {
      field("COTTER_FINGERPRINT",
            [&](std::string& to) { append_hex(what.outcome.fingerprint(), to); });
    }
    if (type == audit_type::breaker) fixed("COTTER_BREAKER", to_string(what.breaker));
    if (type == audit_type::manifest) fixed("COTTER_MANIFEST", to_string(what.manifest));
    if (type == audit_type::clock) fixed("COTTER_CLOCK", to_string(what.clock));
    if (what.suppressed_count != 0) {
      fixed("COTTER_SUPPRESSED", std::to_string(what.suppressed_count));
    }
    fixed("COTTER_EVENT", text);
  }

  Render render_;
  std::string identifier_;
  local_socket socket_;
};

}  // namespace posix
}  // namespace v0
}  // namespace cotter
