// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/breaker.hpp>
#include <cotter/policies/breaker/breaker_ledger.hpp>
#include <cotter/values/breaker_config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace cotter {
inline namespace v0 {

/// A breaker that lives as long as the process: closed, then cooling from the alert threshold on,
/// then locked at the maximum.
///
/// `Keys` is how many different keys it can hold, `KeyBytes` how long host and network id may be
/// together. What does not fit is refused with `state_unavailable`; only a key about which there is
/// nothing to remember makes room. No heap.
template <std::size_t Keys = 16, std::size_t KeyBytes = 288>
class memory_breaker {
 public:
  constexpr memory_breaker() noexcept = default;
  constexpr explicit memory_breaker(const breaker_config& config,
                                    lock_recovery recovery = lock_recovery::administrator) noexcept
      : config_(config), recovery_(recovery) {}

  /// @see breaker
  [[nodiscard]] constexpr reservation reserve(const breaker_key& key, time_reading now,
                                              std::uint64_t sequence) noexcept {
    if (!config_.valid()) return reservation::refuse(reason::state_unavailable);
    const auto decided = ledger_.reserve(config_, recovery_, key, now, sequence,
                                         [this](std::size_t index) { return in_flight_[index]; });
    if (decided.refused != reason::none) return reservation::refuse(decided.refused);
    ++in_flight_[decided.index];
    return reservation::grant(static_cast<std::uint16_t>(decided.index), decided.probe,
                              decided.opened);
  }

  /// @see breaker
  constexpr breaker_change mismatch(reservation& held, time_reading now) noexcept {
    return end(held) ? ledger_.mismatch(config_, held.slot(), now) : breaker_change{};
  }

  /// @see breaker
  constexpr breaker_change success(reservation& held, time_reading now) noexcept {
    if (!end(held)) return {};
    bool changed = false;
    return ledger_.success(config_, held.slot(), held.probe(), now, changed);
  }

  /// @see breaker
  constexpr void release(reservation& held) noexcept { end(held); }

  /// @see breaker. A key never seen is closed.
  [[nodiscard]] constexpr breaker_state state(const breaker_key& key) const noexcept {
    return ledger_.state(config_, key);
  }

  /// Opens a key again, on an administrator's word; true if it was known. Attempts in flight and
  /// the 24 h total stay as they are.
  constexpr bool reset(const breaker_key& key) noexcept { return ledger_.reset(key); }

  /// For an application that locks itself whole when any target is locked.
  [[nodiscard]] constexpr bool any_locked() const noexcept { return ledger_.any_locked(config_); }

 private:
  constexpr bool end(reservation& held) noexcept {
    if (!held.spend() || held.slot() >= Keys || in_flight_[held.slot()] == 0) return false;
    --in_flight_[held.slot()];
    return true;
  }

  breaker_config config_{};
  lock_recovery recovery_ = lock_recovery::administrator;
  std::array<std::uint8_t, Keys> in_flight_{};
  breaker_ledger<Keys, KeyBytes, false> ledger_{};
};

static_assert(breaker<memory_breaker<>>);

}  // namespace v0
}  // namespace cotter
