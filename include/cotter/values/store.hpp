// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// What a store can tell about state that somebody with the program's own user rights has put back
/// to an older copy, or deleted.
enum class rollback_resistance : std::uint8_t {
  none,             ///< nothing: an older copy looks like the newest
  partial,          ///< noticed unless what vouches for it is put back too
  other_principal,  ///< noticed: another user of the machine keeps it
  hardware,         ///< noticed: a counter in hardware only goes up
};

/// The stable spelling of `r`. Static storage; never empty.
[[nodiscard]] constexpr std::string_view to_string(rollback_resistance r) noexcept {
  switch (r) {
    case rollback_resistance::none: return "none";
    case rollback_resistance::partial: return "partial";
    case rollback_resistance::other_principal: return "other_principal";
    case rollback_resistance::hardware: return "hardware";
  }
  return "unknown";
}

/// How long a store waits for another process before it gives up with `state_busy`.
inline constexpr std::chrono::milliseconds longest_lock_wait{50};

/// The largest image that a store is asked to keep.
inline constexpr std::size_t max_image_bytes = 65'536;

/// A store's own name: random, made with it, so that no other store's state passes for it.
struct store_id {
  std::uint8_t octets[16]{};

  friend constexpr bool operator==(const store_id& a, const store_id& b) noexcept {
    for (std::size_t i = 0; i < sizeof a.octets; ++i) {
      if (a.octets[i] != b.octets[i]) return false;
    }
    return true;
  }
};

}  // namespace v0
}  // namespace cotter
