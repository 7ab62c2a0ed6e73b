// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/audit_event.hpp>
#include <cotter/values/pin.hpp>
#include <cotter/values/verdict.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace cotter::command {

/// How events are written for whom they go to; docs/audit.md has the schemas.
enum class event_format : std::uint8_t {
  cotter,  ///< our own JSON
  hpkp,    ///< the report of RFC 7469 with TrustKit's keys; refusals only
  ecs,     ///< ECS fields in a CloudEvent
};

/// An `audit_sender`, whichever it is.
class event_sender {
 public:
  event_sender(const event_sender&) = delete;
  event_sender& operator=(const event_sender&) = delete;
  virtual ~event_sender() = default;

  [[nodiscard]] virtual delivery deliver(std::span<const audit_event> events,
                                         std::chrono::steady_clock::time_point deadline) = 0;
  /// Why the collector did not prove who it is; `reason::none` or `unbound` if that was not it.
  [[nodiscard]] virtual reason refused() const noexcept { return reason::none; }

 protected:
  event_sender() = default;
};

/// Any `audit_sender` as an `event_sender`.
template <typename Sender>
class sender_face final : public event_sender {
 public:
  template <typename... Arguments>
  explicit sender_face(Arguments&&... arguments) : sender_(std::forward<Arguments>(arguments)...) {}

  [[nodiscard]] delivery deliver(std::span<const audit_event> events,
                                 std::chrono::steady_clock::time_point deadline) override {
    return sender_.deliver(events, deadline);
  }
  [[nodiscard]] reason refused() const noexcept override {
    if constexpr (requires { sender_.verdict(); }) return sender_.verdict().reason();
    return reason::none;
  }

  [[nodiscard]] const Sender& get() const noexcept { return sender_; }

 private:
  Sender sender_;
};

/// A collector that is reached over TLS.
struct collector_request {
  std::string url{};   ///< https; empty: syslog
  std::string host{};  ///< of syslog over TLS (RFC 5425)
  std::uint16_t port = 0;
  std::string hostname{};  ///< of this machine, for syslog
  std::string process{};   ///< this process's id, for syslog
  event_format format = event_format::cotter;
  std::string ca_file{};
  std::vector<pin> pins{};
  std::string authorization{};  ///< the field's value; a secret
};

}  // namespace cotter::command
