// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/breaker.hpp>
#include <cotter/values/breaker_config.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// A breaker that lives as long as the process: closed, then cooling from the alert threshold on,
/// then locked at the maximum.
///
/// `Keys` is how many different keys it can hold, `KeyBytes` how long host and network id may be
/// together. What does not fit is refused with `state_unavailable`, never forgotten. No heap.
template <std::size_t Keys = 16, std::size_t KeyBytes = 288>
class memory_breaker {
  static_assert(Keys > 0 && Keys < 0xffff && KeyBytes > 0 && KeyBytes < 0xffff);

 public:
  constexpr memory_breaker() noexcept = default;
  constexpr explicit memory_breaker(const breaker_config& config) noexcept : config_(config) {}

  /// @see breaker
  [[nodiscard]] constexpr reservation reserve(const breaker_key& key, time_reading now,
                                              std::uint64_t sequence) noexcept {
    if (!config_.valid()) return reservation::refuse(reason::state_unavailable);
    entry* e = find(key);
    if (e == nullptr) e = claim(key);
    if (e == nullptr) return reservation::refuse(reason::state_unavailable);

    if (sequence > e->sequence) {
      if (e->locked) {
        e->locked = false;
        e->streak = 0;
        e->streak_alerted = false;
      }
      e->sequence = sequence;
    }
    if (e->locked) return reservation::refuse(reason::breaker_locked);
    if (e->streak + e->in_flight >= config_.max_consecutive_failures) {
      return reservation::refuse(reason::breaker_cooling);
    }
    if (e->streak >= config_.alert_threshold) {
      if (now.steady < e->next_attempt_at) return reservation::refuse(reason::breaker_cooling);
      e->next_attempt_at = now.steady + pause(now);
    }
    ++e->in_flight;
    return reservation::grant(static_cast<std::uint16_t>(e - entries_.data()));
  }

  /// @see breaker
  constexpr breaker_change mismatch(reservation& held, time_reading now) noexcept {
    entry* e = end(held);
    if (e == nullptr) return {};
    // A locked key keeps its streak: attempts that were in flight when it locked end here too.
    if (e->streak < config_.max_consecutive_failures) ++e->streak;
    count_today(*e, now);
    bool alert = false;
    if (e->streak >= config_.alert_threshold) {
      e->next_attempt_at = now.steady + pause(now);
      alert = !e->streak_alerted;
      e->streak_alerted = true;
    }
    if (e->streak >= config_.max_consecutive_failures && !e->locked) {
      e->locked = true;
      alert = true;
    }
    if (today(*e) >= config_.alert_threshold && !e->total_alerted) {
      e->total_alerted = true;
      alert = true;
    }
    return change(*e, alert);
  }

  /// @see breaker
  constexpr breaker_change success(reservation& held, time_reading now) noexcept {
    entry* e = end(held);
    if (e == nullptr) return {};
    roll(*e, now);
    if (!e->locked) {
      e->streak = 0;
      e->streak_alerted = false;
    }
    return change(*e, false);
  }

  /// @see breaker
  constexpr void release(reservation& held) noexcept { end(held); }

  /// @see breaker. A key never seen is closed.
  [[nodiscard]] constexpr breaker_state state(const breaker_key& key) const noexcept {
    for (const entry& e : entries_) {
      if (e.matches(key)) return state_of(e);
    }
    return breaker_state::closed;
  }

  /// Opens a key again, on an administrator's word; true if it was known. Attempts in flight and
  /// the 24 h total stay as they are.
  constexpr bool reset(const breaker_key& key) noexcept {
    entry* e = find(key);
    if (e == nullptr) return false;
    e->locked = false;
    e->streak = 0;
    e->streak_alerted = false;
    e->next_attempt_at = {};
    return true;
  }

 private:
  struct entry {
    std::array<char, KeyBytes> text{};  // host, then network id
    std::uint16_t host_bytes = 0;
    std::uint16_t network_bytes = 0;
    std::uint16_t port = 0;
    std::uint8_t streak = 0;
    std::uint8_t in_flight = 0;
    bool locked = false;
    bool streak_alerted = false;
    bool total_alerted = false;
    std::array<std::uint8_t, 24> hours{};  // mismatches by hour, saturating
    std::int64_t hour = 0;                 // the hour that hours[hour % 24] counts
    std::uint64_t sequence = 0;
    std::chrono::milliseconds next_attempt_at{};

    [[nodiscard]] constexpr bool matches(const breaker_key& key) const noexcept {
      const std::string_view all(text.data(), std::size_t{host_bytes} + network_bytes);
      return host_bytes != 0 && port == key.endpoint.port &&
             all.substr(0, host_bytes) == key.endpoint.host &&
             all.substr(host_bytes) == key.network;
    }
  };

  constexpr entry* find(const breaker_key& key) noexcept {
    for (entry& e : entries_) {
      if (e.matches(key)) return &e;
    }
    return nullptr;
  }

  constexpr entry* claim(const breaker_key& key) noexcept {
    const std::string_view host = key.endpoint.host;
    if (host.empty() || host.size() > KeyBytes || key.network.size() > KeyBytes - host.size()) {
      return nullptr;
    }
    for (entry& e : entries_) {
      if (e.host_bytes != 0) continue;
      std::copy(host.begin(), host.end(), e.text.begin());
      std::copy(key.network.begin(), key.network.end(),
                e.text.begin() + static_cast<std::ptrdiff_t>(host.size()));
      e.host_bytes = static_cast<std::uint16_t>(host.size());
      e.network_bytes = static_cast<std::uint16_t>(key.network.size());
      e.port = key.endpoint.port;
      return &e;
    }
    return nullptr;
  }

  constexpr entry* end(reservation& held) noexcept {
    if (!held.spend() || held.slot() >= Keys) return nullptr;
    entry& e = entries_[held.slot()];
    if (e.in_flight == 0) return nullptr;
    --e.in_flight;
    return &e;
  }

  constexpr std::chrono::milliseconds pause(time_reading now) noexcept {
    if (config_.max_jitter.count() == 0) return config_.cooldown;
    // Spreads a fleet that lost one server at the same moment; no secret depends on it.
    mixed_ = (mixed_ ^ static_cast<std::uint64_t>(now.steady.count())) * 0x9e3779b97f4a7c15u;
    mixed_ ^= mixed_ >> 29;
    const auto range = static_cast<std::uint64_t>(config_.max_jitter.count()) + 1;
    return config_.cooldown + std::chrono::milliseconds(static_cast<std::int64_t>(mixed_ % range));
  }

  static constexpr std::int64_t hour_of(time_reading now) noexcept {
    return now.steady.count() / 3'600'000;
  }

  /// Drops the hours that are more than a day past.
  static constexpr void roll(entry& e, time_reading now) noexcept {
    const std::int64_t hour = hour_of(now);
    if (hour - e.hour >= 24) {
      e.hours.fill(0);
    } else {
      for (std::int64_t h = e.hour + 1; h <= hour; ++h)
        e.hours[static_cast<std::size_t>(h % 24)] = 0;
    }
    if (hour > e.hour) e.hour = hour;
    if (today(e) == 0) e.total_alerted = false;
  }

  static constexpr void count_today(entry& e, time_reading now) noexcept {
    roll(e, now);
    std::uint8_t& count = e.hours[static_cast<std::size_t>(e.hour % 24)];
    if (count < 0xff) ++count;
  }

  static constexpr std::uint32_t today(const entry& e) noexcept {
    std::uint32_t sum = 0;
    for (const std::uint8_t count : e.hours) sum += count;
    return sum;
  }

  constexpr breaker_state state_of(const entry& e) const noexcept {
    if (e.locked) return breaker_state::locked;
    return e.streak >= config_.alert_threshold ? breaker_state::cooling : breaker_state::closed;
  }

  constexpr breaker_change change(const entry& e, bool alert) const noexcept {
    return {state_of(e), e.streak, today(e), alert};
  }

  breaker_config config_{};
  std::array<entry, Keys> entries_{};
  std::uint64_t mixed_ = 0x243f6a8885a308d3u;
};

static_assert(breaker<memory_breaker<>>);

}  // namespace v0
}  // namespace cotter
