// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/clock.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/time.hpp>

#include <array>
#include <string>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 1> clock_laws_by_review{{
    {"C2", "the concept demands noexcept; whether it blocks, and what threads share, shows in the "
           "code, or under ThreadSanitizer"},
}};

/// Checks C1. `disturb(round)` runs between readings and does to the clock what the program can: for
/// one that can be set, sets it back.
template <clock C, typename Disturb>
[[nodiscard]] law_report check_clock_laws(const C& subject, Disturb&& disturb,
                                          int rounds = 1000) {
  law_report report;
  std::string seen;
  time_reading last = subject.now();
  for (int round = 0; round < rounds; ++round) {
    disturb(round);
    const time_reading next = subject.now();
    if (next.steady < last.steady && seen.empty()) {
      seen = std::to_string(next.steady.count()) + " ms after " +
             std::to_string(last.steady.count()) + " ms";
    }
    last = next;
  }
  report.check("C1", "steady time never decreases", seen.empty(), seen);
  return report;
}

template <clock C>
[[nodiscard]] law_report check_clock_laws(const C& subject) {
  return check_clock_laws(subject, [](int) {});
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
