// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>

namespace cotter {
inline namespace v0 {

/// The longest cooldown, and the longest jitter: what is longer is meant to lock.
inline constexpr std::chrono::milliseconds longest_cooldown = std::chrono::hours{24 * 366};

/// What ends a lock besides an administrator's reset and a manifest of higher sequence.
enum class lock_recovery : std::uint8_t {
  administrator,   ///< nothing
  verified_probe,  ///< one handshake per cooldown, without application data, by a primary pin
};

/// When a breaker alerts, waits and locks. 1 <= alert_threshold <= max_consecutive_failures <= 100,
/// and neither cooldown nor jitter is negative or above `longest_cooldown`; a configuration outside
/// these bounds is not `valid()` and makes its breaker refuse everything.
struct breaker_config {
  std::uint8_t max_consecutive_failures = 3;
  std::uint8_t alert_threshold = 2;
  std::chrono::milliseconds cooldown{300'000};
  std::chrono::milliseconds max_jitter{0};  ///< added to a cooldown, never taken from it

  [[nodiscard]] constexpr bool valid() const noexcept {
    return alert_threshold >= 1 && alert_threshold <= max_consecutive_failures &&
           max_consecutive_failures <= 100 && cooldown.count() >= 0 &&
           cooldown <= longest_cooldown && max_jitter.count() >= 0 &&
           max_jitter <= longest_cooldown;
  }
};

}  // namespace v0
}  // namespace cotter
