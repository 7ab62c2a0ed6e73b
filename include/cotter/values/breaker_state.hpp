// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// Where a breaker stands for one key.
enum class breaker_state : std::uint8_t {
  closed,
  cooling,
  locked,
  unknown,  ///< its state could not be read
};

/// The stable spelling of `s`. Static storage; never empty.
[[nodiscard]] constexpr std::string_view to_string(breaker_state s) noexcept {
  switch (s) {
    case breaker_state::closed: return "closed";
    case breaker_state::cooling: return "cooling";
    case breaker_state::locked: return "locked";
    case breaker_state::unknown: return "unknown";
  }
  return "unknown";
}

}  // namespace v0
}  // namespace cotter
