// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace cotter {
inline namespace v0 {

/// Attempts in flight, for stores that only one process uses. They end with it.
template <std::size_t Groups>
class attempt_marks {
 public:
  /// @errors `state_full`: as many as `limit` already, or no such group
  [[nodiscard]] constexpr result<std::uint16_t> enter(std::uint16_t group,
                                                      std::uint8_t limit) noexcept {
    if (group >= Groups || taken_[group] >= limit) return errc::state_full;
    ++taken_[group];
    return std::uint16_t{0};
  }
  /// 255 where there is no such group: nothing can be granted there.
  [[nodiscard]] constexpr std::uint8_t in_flight(std::uint16_t group) const noexcept {
    return group < Groups ? taken_[group] : std::uint8_t{0xff};
  }
  constexpr void leave(std::uint16_t group) noexcept {
    if (group < Groups && taken_[group] > 0) --taken_[group];
  }

 private:
  std::array<std::uint8_t, Groups> taken_{};
};

}  // namespace v0
}  // namespace cotter
