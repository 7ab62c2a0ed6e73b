// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/reservation.hpp>
#include <cotter/values/time.hpp>

#include <concepts>
#include <cstdint>

namespace cotter {
inline namespace v0 {

/// Withholds attempts after pin mismatches. It can refuse; it can permit nothing that the pins refuse.
///
///   K1  `reserve` grants an attempt or gives `breaker_cooling`, `breaker_locked` or
///       `state_unavailable`. Attempts in flight plus consecutive mismatches never exceed the maximum.
///   K2  Every granted reservation is ended by exactly one of `mismatch`, `success`, `release`, which
///       spend it; ending one that was never granted, or twice, changes nothing.
///   K3  Only `mismatch` adds to a streak. `release` leaves the streak as it is: network errors, PKIX
///       failures, expired fallbacks and refusals while cooling never count.
///   K4  `success` clears the streak while closed or cooling, never the 24 h total, and never unlocks,
///       but by a probe.
///   K5  From the alert threshold on, attempts are at least the cooldown apart, measured on the
///       steady clock; at the maximum the key is locked until an administrator acts.
///   K6  One key's mismatches never affect another key.
///   K7  A locked key opens for a `sequence` higher than any it has seen, and for nothing else here;
///       only if its configuration asks for `verified_probe` also for the `success` of a reservation
///       that says `probe`, of which there is at most one per key at a time and one per cooldown.
///
/// The guard serialises calls with its `lock` slot; a breaker need not be thread-safe by itself.
template <typename B>
concept breaker = requires(B& b, const breaker_key& key, reservation& held, time_reading now,
                           std::uint64_t sequence) {
  { b.reserve(key, now, sequence) } noexcept -> std::same_as<reservation>;
  { b.mismatch(held, now) } noexcept -> std::same_as<breaker_change>;
  { b.success(held, now) } noexcept -> std::same_as<breaker_change>;
  { b.release(held) } noexcept;
  { b.state(key) } noexcept -> std::same_as<breaker_state>;
};

}  // namespace v0
}  // namespace cotter
