// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/clock.hpp>
#include <cotter/values/time.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace cotter {
inline namespace v0 {
namespace testing {

/// A clock that stands until it is told to move. Lend it to a guard as an lvalue; it may be set
/// while other threads read it.
class manual_clock {
 public:
  explicit manual_clock(instant wall = {}, std::chrono::milliseconds steady = {}) noexcept
      : wall_(wall.time_since_epoch().count()), steady_(steady.count()) {}

  /// @see clock
  [[nodiscard]] time_reading now() const noexcept {
    return {instant{std::chrono::seconds{wall_.load()}}, std::chrono::milliseconds{steady_.load()}};
  }

  /// Sets civil time, to whatever an administrator or an NTP server might.
  void set_wall(instant wall) noexcept { wall_.store(wall.time_since_epoch().count()); }

  /// Time passes, on both counts; civil time in whole seconds of what has passed so far. A negative
  /// `by` does nothing: `steady` never decreases.
  void advance(std::chrono::milliseconds by) noexcept {
    if (by.count() <= 0) return;
    const std::int64_t before = steady_.fetch_add(by.count());
    wall_.fetch_add((before + by.count()) / 1000 - before / 1000);
  }

 private:
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> steady_;
};

static_assert(clock<manual_clock>);

}  // namespace testing
}  // namespace v0
}  // namespace cotter
