// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/breaker_config.hpp>
#include <cotter/values/reservation.hpp>
#include <cotter/values/time.hpp>
#include <cotter/values/verdict.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The breaker as design has it, written for reading: what is stored, and what each event makes of
/// it. Nothing here is shared with the breaker under test but its vocabulary.
namespace model {

using milliseconds = std::chrono::milliseconds;
using hours = std::chrono::hours;

/// One host, port and network.
struct name {
  std::string host;
  std::uint16_t port = 0;
  std::string network;

  friend bool operator==(const name&, const name&) = default;
};

struct key {
  name of{};
  unsigned streak = 0;
  bool locked = false;
  unsigned lock_number = 0;  // of its last lock
  std::uint64_t highest_sequence = 0;
  milliseconds waits_until{0};      // by the machine's uptime
  std::vector<hours> mismatches{};  // when, in whole hours of uptime
  bool alerted_for_streak = false;
  bool alerted_for_day = false;
};

struct outcome {
  cotter::breaker_state state = cotter::breaker_state::closed;
  unsigned streak = 0;
  unsigned in_24h = 0;
  bool alert = false;
};

struct answer {
  cotter::reason refused = cotter::reason::none;
  std::size_t at = 0;        // which key
  unsigned probes_lock = 0;  // 0: no probe
  bool writes = false;
};

/// What is on the disk.
struct stored {
  cotter::breaker_config config;
  cotter::lock_recovery recovery;
  std::size_t room;
  std::vector<key> keys{};
  unsigned locks_made = 0;
  milliseconds last_uptime{0};
  std::chrono::seconds latest_day{0};  // the civil clock's highest
  bool ever_used = false;

  static hours hour_of(milliseconds uptime) { return std::chrono::floor<hours>(uptime); }

  unsigned in_24h(const key& k, milliseconds now) const {
    unsigned count = 0;
    for (const hours at : k.mismatches) count += hour_of(now) - at < hours{24} ? 1u : 0u;
    return count;
  }
  cotter::breaker_state state_of(const key& k) const {
    if (k.locked) return cotter::breaker_state::locked;
    return k.streak >= config.alert_threshold ? cotter::breaker_state::cooling
                                              : cotter::breaker_state::closed;
  }
  bool any_locked() const {
    for (const key& k : keys) {
      if (k.locked) return true;
    }
    return false;
  }

  /// The machine's uptime as it counts; true if the machine was started anew since the last event.
  bool look(milliseconds& now, const cotter::time_reading& when) {
    now = when.steady;
    latest_day = std::max(latest_day, when.wall.time_since_epoch());
    const bool restarted = ever_used && last_uptime - now > std::chrono::minutes{1};
    if (restarted) {
      for (key& k : keys) {
        k.mismatches.assign(in_24h(k, last_uptime), hour_of(now));
        k.waits_until = now + config.cooldown;
      }
      last_uptime = now;
    }
    if (!ever_used || now > last_uptime) last_uptime = now;
    ever_used = true;
    now = last_uptime;
    return restarted;
  }

  std::optional<std::size_t> find(const name& of) const {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (keys[i].of == of) return i;
    }
    return std::nullopt;
  }

  template <typename Flying>
  std::optional<std::size_t> make_room(milliseconds now, const Flying& flying) {
    if (keys.size() < room) {
      keys.emplace_back();
      return keys.size() - 1;
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const bool nothing_to_remember =
          !keys[i].locked && keys[i].streak == 0 && in_24h(keys[i], now) == 0 && flying(i) == 0;
      if (nothing_to_remember) return i;
    }
    return std::nullopt;
  }

  static void open(key& k) {
    k.locked = false;
    k.streak = 0;
    k.alerted_for_streak = false;
  }

  /// `flying(i)`: attempts of key i under way, in all processes.
  template <typename Flying>
  answer reserve(const name& of, const cotter::time_reading& when, std::uint64_t sequence,
                 const Flying& flying) {
    answer out;
    milliseconds now{};
    const auto day_before = latest_day;
    out.writes = look(now, when);
    auto known = find(of);
    if (!known) {
      known = make_room(now, flying);
      if (!known) {
        out.refused = cotter::reason::state_unavailable;
        return out;
      }
      keys[*known] = {};
      keys[*known].of = of;
      out.writes = true;
    }
    out.at = *known;
    key& k = keys[*known];
    if (sequence > k.highest_sequence) {
      if (k.locked) open(k);
      k.highest_sequence = sequence;
      out.writes = true;
    }
    if (k.locked) {
      const bool may_probe = recovery == cotter::lock_recovery::verified_probe &&
                             now >= k.waits_until && flying(*known) == 0;
      if (!may_probe) {
        if (latest_day - day_before >= hours{1}) out.writes = true;
        out.refused = cotter::reason::breaker_locked;
        return out;
      }
      out.probes_lock = k.lock_number;
    } else {
      if (flying(*known) + k.streak >= config.max_consecutive_failures) {
        out.refused = cotter::reason::breaker_cooling;
        return out;
      }
      if (k.streak < config.alert_threshold) return out;
      if (now < k.waits_until) {
        out.refused = cotter::reason::breaker_cooling;
        return out;
      }
    }
    k.waits_until = now + config.cooldown;
    out.writes = true;
    return out;
  }

  outcome mismatch(std::size_t at, const cotter::time_reading& when) {
    milliseconds now{};
    look(now, when);
    key& k = keys[at];
    if (in_24h(k, now) == 0) k.alerted_for_day = false;
    k.mismatches.push_back(hour_of(now));
    if (k.streak < config.max_consecutive_failures) ++k.streak;
    if (k.streak >= config.alert_threshold) k.waits_until = now + config.cooldown;

    const bool new_streak = k.streak >= config.alert_threshold && !k.alerted_for_streak;
    const bool new_lock = k.streak >= config.max_consecutive_failures && !k.locked;
    const bool new_day = in_24h(k, now) >= config.alert_threshold && !k.alerted_for_day;
    k.alerted_for_streak = k.alerted_for_streak || new_streak;
    k.alerted_for_day = k.alerted_for_day || new_day;
    if (new_lock) {
      k.locked = true;
      k.lock_number = ++locks_made;
    }
    return {state_of(k), k.streak, in_24h(k, now), new_streak || new_lock || new_day};
  }

  outcome success(std::size_t at, unsigned probes_lock, const cotter::time_reading& when,
                  bool& writes) {
    milliseconds now{};
    writes = look(now, when);
    key& k = keys[at];
    if (k.locked && probes_lock != 0 && probes_lock == k.lock_number) {
      open(k);
      writes = true;
    } else if (!k.locked && k.streak > 0) {
      k.streak = 0;
      k.alerted_for_streak = false;
      writes = true;
    }
    return {state_of(k), k.streak, in_24h(k, now), false};
  }

  bool reset(const name& of, unsigned lock_number) {
    const auto known = find(of);
    if (!known || !keys[*known].locked || keys[*known].lock_number != lock_number) return false;
    open(keys[*known]);
    return true;
  }
};

}  // namespace model
