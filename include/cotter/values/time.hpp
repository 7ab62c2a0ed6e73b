// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

namespace cotter {
inline namespace v0 {

/// A point in civil time, UTC, whole seconds.
using instant = std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>;

/// What a `clock` says: civil time, for validity and expiry, and a steady count that no
/// administrator and no NTP server moves, for cooldowns. The origin of `steady` is arbitrary.
struct time_reading {
  instant wall{};
  std::chrono::milliseconds steady{};
};

}  // namespace v0
}  // namespace cotter
