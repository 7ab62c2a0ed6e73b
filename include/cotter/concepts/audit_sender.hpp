// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/audit_event.hpp>

#include <chrono>
#include <concepts>
#include <span>

namespace cotter {
inline namespace v0 {

/// Where events are delivered to, outside every handshake.
///
///   D1  `deliver` settles an event only when the receiver has said that it has it, or where it says
///       nothing (a local socket) when the system has taken it; `settled` counts from the front.
///   D2  It returns by `deadline`, or at the next moment at which nothing of it blocks.
///   D3  An event that is about the receiver's own host is settled and counted in `withheld`, and is
///       never sent: a refusal would beget another one.
///   D4  It keeps nothing of the events. It may throw `std::bad_alloc`; then nothing is settled.
///   D5  Offered again, an event is sent with the same id.
template <typename S>
concept audit_sender = requires(S& sender, std::span<const audit_event> events,
                                std::chrono::steady_clock::time_point deadline) {
  { sender.deliver(events, deadline) } -> std::same_as<delivery>;
};

}  // namespace v0
}  // namespace cotter
