// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/breaker_state.hpp>
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

/// One attempt that a breaker has let through, or its refusal. Whoever holds it ends it with
/// `breaker::mismatch`, `success` or `release`; moved or ended, it holds nothing.
class reservation {
 public:
  /// Refused, `breaker_locked`.
  constexpr reservation() noexcept = default;
  [[nodiscard]] static constexpr reservation refuse(reason why) noexcept {
    reservation r;
    r.refused_ = why == reason::none ? reason::breaker_locked : why;
    return r;
  }
  /// `slot` is the breaker's own book-keeping. `probe`: the key is locked, and this handshake may
  /// only show whether it can be opened. `opened`: it was locked, and a manifest of higher sequence
  /// has just opened it.
  [[nodiscard]] static constexpr reservation grant(std::uint16_t slot, bool probe = false,
                                                   bool opened = false) noexcept {
    reservation r;
    r.probe_ = probe;
    r.opened_ = opened;
    r.refused_ = reason::none;
    r.slot_ = slot;
    r.held_ = true;
    return r;
  }

  constexpr reservation(reservation&& other) noexcept
      : refused_(other.refused_),
        slot_(other.slot_),
        probe_(other.probe_),
        opened_(other.opened_),
        held_(other.spend()) {}
  constexpr reservation& operator=(reservation&& other) noexcept {
    refused_ = other.refused_;
    slot_ = other.slot_;
    probe_ = other.probe_;
    opened_ = other.opened_;
    held_ = other.spend();
    return *this;
  }
  reservation(const reservation&) = delete;
  reservation& operator=(const reservation&) = delete;
  constexpr ~reservation() = default;

  /// `none` if it was granted.
  [[nodiscard]] constexpr reason refused() const noexcept { return refused_; }
  [[nodiscard]] constexpr std::uint16_t slot() const noexcept { return slot_; }
  [[nodiscard]] constexpr bool probe() const noexcept { return probe_; }
  [[nodiscard]] constexpr bool opened() const noexcept { return opened_; }
  /// True until it is ended or moved from.
  [[nodiscard]] constexpr bool held() const noexcept { return held_; }
  /// Ends it; true if it was held. For breakers.
  constexpr bool spend() noexcept {
    const bool was = held_;
    held_ = false;
    return was;
  }

 private:
  reason refused_ = reason::breaker_locked;
  std::uint16_t slot_ = 0;
  bool probe_ = false;
  bool opened_ = false;
  bool held_ = false;
};

/// What an outcome did to a breaker.
struct breaker_change {
  breaker_state state = breaker_state::closed;  ///< afterwards
  std::uint8_t streak = 0;                      ///< consecutive mismatches, afterwards
  std::uint32_t mismatches_24h = 0;             ///< all mismatches of the last 24 hours
  /// The streak or the 24 h total has just reached the alert threshold, or the key was just locked:
  /// once per episode.
  bool alert = false;
  breaker_state before = breaker_state::closed;
};

}  // namespace v0
}  // namespace cotter
