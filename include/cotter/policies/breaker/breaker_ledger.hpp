// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/breaker_config.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/reservation.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/time.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// Where one key of a breaker stands, for people and for a reset.
struct breaker_status {
  breaker_state state = breaker_state::closed;
  std::uint8_t streak = 0;
  std::uint32_t mismatches_24h = 0;
  std::uint32_t lock_epoch =
      0;                       ///< the number of the key's last lock, no other lock's in its store;
                               ///< a reset names it. 0: never locked
  std::uint64_t sequence = 0;  ///< the highest `manifest_order` seen
  std::chrono::milliseconds next_attempt_in{};  ///< 0 if an attempt may be made now
};

/// The rules of a breaker over plain data: what `memory_breaker` and `stored_breaker` share. No heap,
/// no clock, no store.
///
/// Steady time restarts with the machine. A ledger whose steady time is more than `longest_skew` later
/// than now was saved before a restart: whatever was to wait waits its whole cooldown again, and the
/// 24 hours begin anew with what they had counted. By less it is another process that read the clock
/// a little later; then the later time is the one that counts.
///
/// A key about which there is nothing to remember (no streak, no lock, no mismatch in 24 hours, no
/// attempt in flight) gives its room to a new one when there is no other: a phone meets more networks
/// than it can keep. What is remembered is never forgotten for want of room.
///
/// `Saved` is false for a ledger that no restart can outlive.
template <std::size_t Keys, std::size_t KeyBytes, bool Saved = true>
class breaker_ledger {
  static_assert(Keys > 0 && Keys < 0xffff && KeyBytes > 0 && KeyBytes < 0xffff);

 public:
  static constexpr std::size_t npos = Keys;

  /// The largest step back of steady time that is no restart.
  static constexpr std::chrono::milliseconds longest_skew = std::chrono::minutes{1};

  /// The octets that `save` writes: a bound for what a store must keep.
  static constexpr std::size_t entry_bytes = KeyBytes + 2 + 2 + 2 + 1 + 1 + 24 + 4 + 4 + 8 + 8;
  static constexpr std::size_t image_bytes = 4 + 2 + 8 + 8 + 4 + Keys * entry_bytes;

  /// A locked key that is asked for says so to the store when the civil clock has gone on by as much:
  /// whoever sets it back must not win more.
  static constexpr std::chrono::seconds longest_unsaved = std::chrono::hours{1};

  /// What may be done with a key now.
  struct decision {
    std::size_t index = npos;
    reason refused = reason::breaker_locked;  ///< `none`: may be tried
    bool probe = false;                       ///< locked, and this is the one probe of a cooldown
    bool changed = false;                     ///< the ledger must be saved before the attempt
    bool opened = false;  ///< `sequence` has just ended a lock
  };

  /// Finds or claims the key and says whether it may be tried. `in_flight` counts the others that
  /// are; it is asked with the key's index, and only if that matters.
  template <typename InFlight>
  [[nodiscard]] constexpr decision reserve(const breaker_config& config, lock_recovery recovery,
                                           const breaker_key& key, time_reading now,
                                           std::uint64_t sequence, InFlight&& in_flight) noexcept {
    decision out;
    const instant saved = latest_;
    const std::int64_t at = follow(config, now, out.changed);
    out.index = find(key);
    if (out.index == npos) {
      out.index = claim(key, at, in_flight);
      if (out.index == npos) {
        out.refused = reason::state_unavailable;
        return out;
      }
      out.changed = true;
    }
    entry& e = entries_[out.index];
    if (sequence > e.sequence) {
      out.opened = e.locked;
      if (e.locked) open(e);
      e.sequence = sequence;
      out.changed = true;
    }
    if (!e.locked && e.streak >= config.max_consecutive_failures) {
      // The maximum was higher when these were counted.
      lock(e);
      out.changed = true;
    }
    if (e.locked) {
      if (recovery != lock_recovery::verified_probe || at < e.next_attempt_ms ||
          in_flight(out.index) != 0) {
        if (Saved && latest_ - saved >= longest_unsaved) out.changed = true;
        return out;
      }
      out.probe = true;
      out.refused = reason::none;
      wait(config, e, at);
      out.changed = true;
      return out;
    }
    out.refused = reason::breaker_cooling;
    if (e.streak + in_flight(out.index) >= config.max_consecutive_failures) return out;
    if (e.streak >= config.alert_threshold) {
      if (at < e.next_attempt_ms) return out;
      wait(config, e, at);
      out.changed = true;
    }
    out.refused = reason::none;
    return out;
  }

  /// A pinned mismatch: counts, alerts, locks.
  constexpr breaker_change mismatch(const breaker_config& config, std::size_t index,
                                    time_reading now) noexcept {
    if (index >= Keys || entries_[index].host_bytes == 0) return {};
    bool ignored = false;
    const std::int64_t at = follow(config, now, ignored);
    entry& e = entries_[index];
    const breaker_state before = state_of(config, e);
    // A locked key keeps its streak: attempts that were in flight when it locked end here too.
    if (e.streak < config.max_consecutive_failures) ++e.streak;
    roll(e, at);
    std::uint8_t& count = e.hours[slot_of(e.hour)];
    if (count < 0xff) ++count;
    bool alert = false;
    if (e.streak >= config.alert_threshold) {
      wait(config, e, at);
      alert = !e.streak_alerted;
      e.streak_alerted = true;
    }
    if (e.streak >= config.max_consecutive_failures && !e.locked) {
      lock(e);
      alert = true;
    }
    if (today(e) >= config.alert_threshold && !e.total_alerted) {
      e.total_alerted = true;
      alert = true;
    }
    return change(config, e, before, alert);
  }

  /// A completed handshake; `probe` as `reserve` said. `changed` says whether there was anything to
  /// clear.
  constexpr breaker_change success(const breaker_config& config, std::size_t index, bool probe,
                                   time_reading now, bool& changed) noexcept {
    changed = false;
    if (index >= Keys || entries_[index].host_bytes == 0) return {};
    const std::int64_t at = follow(config, now, changed);
    entry& e = entries_[index];
    const breaker_state before = state_of(config, e);
    roll(e, at);
    if (e.locked && probe) {
      open(e);
      changed = true;
    } else if (!e.locked && e.streak != 0) {
      e.streak = 0;
      e.streak_alerted = false;
      changed = true;
    }
    return change(config, e, before, false);
  }

  /// Opens a locked key on a signed word that names this lock; false if it is about another.
  constexpr bool reset(const breaker_key& key, std::uint32_t lock_epoch) noexcept {
    const std::size_t index = find(key);
    if (index == npos || !entries_[index].locked || entries_[index].lock_epoch != lock_epoch) {
      return false;
    }
    open(entries_[index]);
    return true;
  }

  /// Opens a key on an administrator's word, whatever it is; false if it is not known.
  constexpr bool reset(const breaker_key& key) noexcept {
    const std::size_t index = find(key);
    if (index == npos) return false;
    open(entries_[index]);
    return true;
  }

  /// A key never seen is closed.
  [[nodiscard]] constexpr breaker_state state(const breaker_config& config,
                                              const breaker_key& key) const noexcept {
    const std::size_t index = find(key);
    return index == npos ? breaker_state::closed : state_of(config, entries_[index]);
  }

  [[nodiscard]] constexpr breaker_status status(const breaker_config& config,
                                                const breaker_key& key,
                                                time_reading now) const noexcept {
    const std::size_t index = find(key);
    if (index == npos) return {};
    entry e = entries_[index];
    std::int64_t at = count_of(now);
    if (restarted(at)) {
      restart(config, e, last_ms_, at);
    } else {
      at = std::max(at, last_ms_);
    }
    roll(e, at);
    const bool waits = e.locked || e.streak >= config.alert_threshold;
    const std::int64_t left = waits && e.next_attempt_ms > at ? e.next_attempt_ms - at : 0;
    return {state_of(config, e), e.streak,   today(e),
            e.lock_epoch,        e.sequence, std::chrono::milliseconds(left)};
  }

  /// True if any key is locked, or will be found to be when it is next asked for.
  [[nodiscard]] constexpr bool any_locked(const breaker_config& config) const noexcept {
    return std::any_of(entries_.begin(), entries_.end(), [&](const entry& e) {
      return e.locked || (e.host_bytes != 0 && e.streak >= config.max_consecutive_failures);
    });
  }

  /// The latest civil time seen: what has expired by it stays expired.
  [[nodiscard]] constexpr instant latest() const noexcept { return latest_; }

  /// Calls `each(breaker_key)` for every key known; what is borrowed is the ledger's.
  template <typename Each>
  constexpr void for_each_key(Each&& each) const noexcept {
    for (const entry& e : entries_) {
      if (e.host_bytes != 0) each(breaker_key{{e.host(), e.port}, e.network()});
    }
  }

  [[nodiscard]] constexpr std::size_t find(const breaker_key& key) const noexcept {
    for (std::size_t i = 0; i < Keys; ++i) {
      const entry& e = entries_[i];
      if (e.host_bytes != 0 && e.port == key.endpoint.port && e.host() == key.endpoint.host &&
          e.network() == key.network) {
        return i;
      }
    }
    return npos;
  }

  /// Writes the ledger; `out` has `image_bytes`. Returns what was used.
  constexpr std::size_t save(std::span<std::uint8_t> out) const noexcept {
    writer to{out};
    to.number(magic, 4);
    const auto count = static_cast<std::uint64_t>(std::count_if(
        entries_.begin(), entries_.end(), [](const entry& e) { return e.host_bytes != 0; }));
    to.number(count, 2);
    to.number(static_cast<std::uint64_t>(last_ms_), 8);
    to.number(static_cast<std::uint64_t>(latest_.time_since_epoch().count()), 8);
    to.number(locks_, 4);
    for (const entry& e : entries_) {
      if (e.host_bytes == 0) continue;
      to.number(e.host_bytes, 2);
      to.number(e.network_bytes, 2);
      for (std::size_t i = 0; i < std::size_t{e.host_bytes} + e.network_bytes; ++i) {
        to.number(static_cast<std::uint8_t>(e.text[i]), 1);
      }
      to.number(e.port, 2);
      to.number(e.streak, 1);
      to.number((e.locked ? 1u : 0u) | (e.streak_alerted ? 2u : 0u) | (e.total_alerted ? 4u : 0u),
                1);
      for (const std::uint8_t count_of_hour : e.hours) to.number(count_of_hour, 1);
      to.number(static_cast<std::uint32_t>(e.hour), 4);
      to.number(e.lock_epoch, 4);
      to.number(e.sequence, 8);
      to.number(static_cast<std::uint64_t>(e.next_attempt_ms), 8);
    }
    return to.at;
  }

  /// Reads what `save` wrote. What it says of times is believed only as far as it can be counted with.
  /// @errors `state_damaged`, `state_full` (more keys, or longer ones, than fit); the ledger is as it
  ///   was
  constexpr result<void> load(bytes_view image) noexcept {
    reader from{image};
    breaker_ledger read;
    if (from.number(4) != magic) return errc::state_damaged;
    const std::uint64_t count = from.number(2);
    read.last_ms_ = static_cast<std::int64_t>(from.number(8));
    read.latest_ = instant{std::chrono::seconds{static_cast<std::int64_t>(from.number(8))}};
    read.locks_ = static_cast<std::uint32_t>(from.number(4));
    if (count > Keys) return errc::state_full;
    for (std::uint64_t i = 0; i < count; ++i) {
      entry& e = read.entries_[static_cast<std::size_t>(i)];
      e.host_bytes = static_cast<std::uint16_t>(from.number(2));
      e.network_bytes = static_cast<std::uint16_t>(from.number(2));
      const std::size_t size = std::size_t{e.host_bytes} + e.network_bytes;
      if (e.host_bytes == 0) return errc::state_damaged;
      if (size > KeyBytes) return errc::state_full;
      for (std::size_t k = 0; k < size; ++k) {
        e.text[k] = static_cast<char>(static_cast<unsigned char>(from.number(1)));
      }
      e.port = static_cast<std::uint16_t>(from.number(2));
      e.streak = static_cast<std::uint8_t>(from.number(1));
      const std::uint64_t flags = from.number(1);
      if (flags > 7) return errc::state_damaged;
      e.locked = (flags & 1) != 0;
      e.streak_alerted = (flags & 2) != 0;
      e.total_alerted = (flags & 4) != 0;
      for (std::uint8_t& count_of_hour : e.hours) {
        count_of_hour = static_cast<std::uint8_t>(from.number(1));
      }
      e.hour = static_cast<std::int32_t>(static_cast<std::uint32_t>(from.number(4)));
      e.lock_epoch = static_cast<std::uint32_t>(from.number(4));
      e.sequence = from.number(8);
      e.next_attempt_ms = static_cast<std::int64_t>(from.number(8));
      if (from.short_of_input || e.hour < hour_of(-furthest_ms) || e.hour > hour_of(furthest_ms) ||
          !countable(e.next_attempt_ms)) {
        return errc::state_damaged;
      }
    }
    if (from.short_of_input || from.at != image.size() || !countable(read.last_ms_) ||
        !countable(read.latest_.time_since_epoch().count())) {
      return errc::state_damaged;
    }
    *this = read;
    return {};
  }

 private:
  static constexpr std::uint32_t magic = 0x31425443;  // "CTB1", little endian

  static constexpr std::int64_t hour_ms = 3'600'000;
  // Far beyond the age of any machine, and far from where sums of it overflow; its hours
  // fit 32 bits.
  static constexpr std::int64_t furthest_ms = std::int64_t{1} << 50;

  struct entry {
    std::array<char, KeyBytes> text{};  // host, then network id
    std::uint16_t host_bytes = 0;
    std::uint16_t network_bytes = 0;
    std::uint16_t port = 0;
    std::uint8_t streak = 0;
    bool locked = false;
    bool streak_alerted = false;
    bool total_alerted = false;
    std::array<std::uint8_t, 24> hours{};       // mismatches by hour, saturating
    std::int32_t hour = hour_of(-furthest_ms);  // the hour that hours[slot_of(hour)] counts
    std::uint32_t lock_epoch = 0;
    std::uint64_t sequence = 0;
    std::int64_t next_attempt_ms = 0;

    [[nodiscard]] constexpr std::string_view host() const noexcept {
      return {text.data(), host_bytes};
    }
    [[nodiscard]] constexpr std::string_view network() const noexcept {
      return {text.data() + host_bytes, network_bytes};
    }
  };

  struct writer {
    std::span<std::uint8_t> out;
    std::size_t at = 0;

    constexpr void number(std::uint64_t value, int size) noexcept {
      for (int i = 0; i < size && at < out.size(); ++i) {
        out[at++] = static_cast<std::uint8_t>(value >> (8 * i));
      }
    }
  };
  struct reader {
    bytes_view in;
    std::size_t at = 0;
    bool short_of_input = false;

    constexpr std::uint64_t number(int size) noexcept {
      std::uint64_t value = 0;
      for (int i = 0; i < size; ++i) {
        if (at == in.size()) {
          short_of_input = true;
          return 0;
        }
        value |= static_cast<std::uint64_t>(in[at++]) << (8 * i);
      }
      return value;
    }
  };

  static constexpr bool countable(std::int64_t value) noexcept {
    return value >= -furthest_ms && value <= 2 * furthest_ms;
  }
  static constexpr std::int64_t count_of(time_reading now) noexcept {
    return std::clamp(static_cast<std::int64_t>(now.steady.count()), -furthest_ms, furthest_ms);
  }
  /// Rounded down, also before the clock's origin.
  static constexpr std::int32_t hour_of(std::int64_t at) noexcept {
    return static_cast<std::int32_t>(at / hour_ms - (at % hour_ms < 0 ? 1 : 0));
  }
  static constexpr std::size_t slot_of(std::int32_t hour) noexcept {
    return static_cast<std::size_t>((hour % 24 + 24) % 24);
  }

  static constexpr void open(entry& e) noexcept {
    e.locked = false;
    e.streak = 0;
    e.streak_alerted = false;
    e.next_attempt_ms = 0;
  }

  constexpr void lock(entry& e) noexcept {
    e.locked = true;
    e.lock_epoch = ++locks_;
  }

  template <typename InFlight>
  constexpr std::size_t claim(const breaker_key& key, std::int64_t at,
                              InFlight& in_flight) noexcept {
    const std::string_view host = key.endpoint.host;
    if (host.empty() || host.size() > KeyBytes || key.network.size() > KeyBytes - host.size()) {
      return npos;
    }
    std::size_t room = npos;
    for (std::size_t i = 0; i < Keys && room == npos; ++i) {
      if (entries_[i].host_bytes == 0) room = i;
    }
    for (std::size_t i = 0; i < Keys && room == npos; ++i) {
      roll(entries_[i], at);
      if (!entries_[i].locked && entries_[i].streak == 0 && today(entries_[i]) == 0 &&
          in_flight(i) == 0) {
        room = i;
      }
    }
    if (room == npos) return npos;
    entry& e = entries_[room];
    e = {};
    std::copy(host.begin(), host.end(), e.text.begin());
    std::copy(key.network.begin(), key.network.end(),
              e.text.begin() + static_cast<std::ptrdiff_t>(host.size()));
    e.host_bytes = static_cast<std::uint16_t>(host.size());
    e.network_bytes = static_cast<std::uint16_t>(key.network.size());
    e.port = key.endpoint.port;
    return room;
  }

  [[nodiscard]] constexpr bool restarted(std::int64_t at) const noexcept {
    return Saved && last_ms_ - at > longest_skew.count();
  }

  /// The time that counts now. After a restart of the machine nothing that was to wait waits less;
  /// `changed`, because it must not begin to wait anew each time.
  constexpr std::int64_t follow(const breaker_config& config, time_reading now,
                                bool& changed) noexcept {
    const std::int64_t at = count_of(now);
    if constexpr (Saved) {
      if (countable(now.wall.time_since_epoch().count())) latest_ = std::max(latest_, now.wall);
    }
    if (restarted(at)) {
      for (entry& e : entries_) restart(config, e, last_ms_, at);
      last_ms_ = at;
      changed = true;
    }
    last_ms_ = std::max(last_ms_, at);
    return last_ms_;
  }

  static constexpr void restart(const breaker_config& config, entry& e, std::int64_t before,
                                std::int64_t at) noexcept {
    roll(e, before);
    const bool waits = e.locked || e.streak >= config.alert_threshold;
    e.next_attempt_ms = waits ? at + config.cooldown.count() : at;
    const std::uint32_t sum = today(e);
    e.hours.fill(0);
    e.hour = hour_of(at);
    e.hours[slot_of(e.hour)] = static_cast<std::uint8_t>(std::min<std::uint32_t>(sum, 0xff));
  }

  static constexpr void wait(const breaker_config& config, entry& e, std::int64_t at) noexcept {
    std::int64_t pause = config.cooldown.count();
    if (config.max_jitter.count() > 0) {
      // Spreads a fleet that lost one server at the same moment; no secret depends on it.
      std::uint64_t mixed = (static_cast<std::uint64_t>(at) + e.streak) * 0x9e3779b97f4a7c15u;
      mixed ^= mixed >> 29;
      pause += static_cast<std::int64_t>(
          mixed % (static_cast<std::uint64_t>(config.max_jitter.count()) + 1));
    }
    e.next_attempt_ms = at + pause;
  }

  /// Drops the hours that are more than a day past.
  static constexpr void roll(entry& e, std::int64_t at) noexcept {
    const std::int32_t hour = hour_of(at);
    if (hour - e.hour >= 24) {
      e.hours.fill(0);
    } else {
      for (std::int32_t h = e.hour + 1; h <= hour; ++h) e.hours[slot_of(h)] = 0;
    }
    if (hour > e.hour) e.hour = hour;
    if (today(e) == 0) e.total_alerted = false;
  }

  static constexpr std::uint32_t today(const entry& e) noexcept {
    std::uint32_t sum = 0;
    for (const std::uint8_t count : e.hours) sum += count;
    return sum;
  }

  static constexpr breaker_state state_of(const breaker_config& config, const entry& e) noexcept {
    if (e.locked) return breaker_state::locked;
    return e.streak >= config.alert_threshold ? breaker_state::cooling : breaker_state::closed;
  }

  static constexpr breaker_change change(const breaker_config& config, const entry& e,
                                         breaker_state before, bool alert) noexcept {
    return {state_of(config, e), e.streak, today(e), alert, before};
  }

  std::int64_t last_ms_ = -furthest_ms;  // the latest steady time seen
  instant latest_{};
  std::uint32_t locks_ = 0;  // made so far
  std::array<entry, Keys> entries_{};
};

}  // namespace v0
}  // namespace cotter
