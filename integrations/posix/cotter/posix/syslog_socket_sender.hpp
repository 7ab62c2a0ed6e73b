// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sender.hpp>
#include <cotter/policies/audit/syslog_message.hpp>
#include <cotter/posix/local_socket.hpp>
#include <cotter/values/error.hpp>

#include <sys/socket.h>

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

/// How a `syslog_socket_sender` writes its messages.
enum class syslog_form : std::uint8_t {
  rfc5424,  ///< `append_syslog_message`
  local,    ///< `append_local_message`: what journald's and BusyBox's readers of /dev/log expect
};

struct syslog_socket_options {
  std::string_view path = "/dev/log";  ///< read during construction only
  syslog_form form = syslog_form::rfc5424;
  /// A longer message is cut: receivers cut by themselves, and say nothing. 8 KiB is what rsyslog and
  /// syslog-ng take where nobody has set another bound.
  std::size_t longest_bytes = 8192;
};

/// Sends events to the syslog of this machine, over a Unix socket: a datagram each, or, where the
/// socket is a stream, a line each. An event is settled when the system has taken its message.
///
/// One that is too long, for `longest_bytes` or for the socket, is sent as `append_cut` writes it.
/// `render` must append neither newline nor NUL.
template <event_renderer Render>
class syslog_socket_sender {
 public:
  /// `from` borrows; it must outlive the sender.
  explicit syslog_socket_sender(Render render = {}, syslog_origin from = {},
                                syslog_socket_options options = {})
      : render_(std::move(render)),
        from_(from),
        form_(options.form),
        longest_(options.longest_bytes),
        socket_(options.path) {}

  /// @see audit_sender
  /// `why`: `connect_failed` (nobody listens), `timeout` (the receiver takes nothing), `closed` (it hung
  /// up, twice), `message_too_big` (the socket does not even take what is left of a cut message); each
  /// with errno as `native`
  [[nodiscard]] delivery deliver(std::span<const audit_event> events,
                                 std::chrono::steady_clock::time_point deadline) {
    delivery out;
    std::string text;
    std::string message;
    for (const audit_event& event : events) {
      if (out.settled != 0 && std::chrono::steady_clock::now() >= deadline) {
        out.why = error{errc::timeout};
        return out;
      }
      text.clear();
      render_(event, text);
      if (!text.empty()) {
        if (const result<void> sent = send(event, text, message, deadline); !sent) {
          out.why = sent.error();
          return out;
        }
      }
      ++out.settled;
    }
    return out;
  }

 private:
  result<void> send(const audit_event& event, const std::string& text, std::string& message,
                    std::chrono::steady_clock::time_point deadline) {
    write(event, text, message);
    if (message.size() <= longest_) {
      const result<void> sent = socket_.send(message, deadline);
      if (sent || sent.error().what != errc::message_too_big) return sent;
    }
    std::string cut;
    append_cut(event, text.size(), cut);
    write(event, cut, message);
    return socket_.send(message, deadline);
  }

  void write(const audit_event& event, std::string_view text, std::string& message) const {
    message.clear();
    if (form_ == syslog_form::rfc5424) {
      append_syslog_message(event, from_, text, message);
    } else {
      append_local_message(event, from_, text, message);
    }
  }

  Render render_;
  syslog_origin from_;
  syslog_form form_;
  std::size_t longest_;
  local_socket socket_;
};

}  // namespace posix
}  // namespace v0
}  // namespace cotter
