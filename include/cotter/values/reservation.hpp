// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/audit_record.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/verdict.hpp>

#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// What a breaker counts by: host, port, and a network id that only the application knows (an SSID,
/// a VPN name), so that one hostile network cannot lock the others. Never the region.
struct breaker_key {
  target endpoint{};
  std::string_view network{};
};

/// One attempt that a breaker has let through, or its refusal. A plain token: whoever holds it ends
/// it with `breaker::mismatch`, `success` or `release`.
struct reservation {
  reason refused = reason::breaker_locked;  ///< `none` if granted
  std::uint16_t slot = 0;                   ///< the breaker's own book-keeping
  std::uint32_t ticket = 0;                 ///< 0: nothing is held

  [[nodiscard]] constexpr bool held() const noexcept {
    return refused == reason::none && ticket != 0;
  }
};

/// What an outcome did to a breaker.
struct breaker_change {
  breaker_state state = breaker_state::closed;  ///< afterwards
  std::uint8_t streak = 0;                      ///< consecutive mismatches, afterwards
  std::uint32_t mismatches_24h = 0;             ///< all mismatches of the last 24 hours
  bool alert = false;  ///< the streak or the 24 h total has just reached the alert threshold, or the
                       ///< key was just locked: once per episode
};

}  // namespace v0
}  // namespace cotter
