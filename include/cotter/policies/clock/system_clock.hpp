// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/clock.hpp>

#include <chrono>

namespace cotter {
inline namespace v0 {

/// The operating system's clocks.
class system_clock {
 public:
  [[nodiscard]] time_reading now() const noexcept {
    using namespace std::chrono;
    return {floor<seconds>(std::chrono::system_clock::now()),
            duration_cast<milliseconds>(steady_clock::now().time_since_epoch())};
  }
};

static_assert(clock<system_clock>);

}  // namespace v0
}  // namespace cotter
