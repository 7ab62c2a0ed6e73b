// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/notifier.hpp>
#include <cotter/values/reservation.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

/// What a notifier was told, with text of its own.
struct recorded_alert {
  std::string host;
  std::uint16_t port = 0;
  std::string network;
  breaker_state state = breaker_state::closed;
  std::uint8_t streak = 0;
  std::uint32_t mismatches_24h = 0;

  friend bool operator==(const recorded_alert&, const recorded_alert&) = default;
};

/// Keeps every alert, copied. Uses the heap; ends the program if there is none left. A guard calls
/// its notifier outside of its lock, so a guard used by several threads needs another notifier.
class recording_notifier {
 public:
  /// @see notifier
  void notify(const breaker_key& key, const breaker_change& change) noexcept {
    alerts_.push_back({std::string(key.endpoint.host), key.endpoint.port, std::string(key.network),
                       change.state, change.streak, change.mismatches_24h});
  }

  /// Oldest first.
  [[nodiscard]] const std::vector<recorded_alert>& alerts() const noexcept { return alerts_; }

 private:
  std::vector<recorded_alert> alerts_;
};

static_assert(notifier<recording_notifier>);

}  // namespace testing
}  // namespace v0
}  // namespace cotter
