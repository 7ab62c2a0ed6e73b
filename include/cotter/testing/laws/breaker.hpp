// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/breaker.hpp>
#include <cotter/values/breaker_config.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/reservation.hpp>
#include <cotter/values/time.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

/// None: every law of `breaker` can be seen from outside.
inline constexpr std::array<law_by_review, 0> breaker_laws_by_review{};

namespace detail {

/// One breaker and one key, driven at a time of its own.
template <typename B>
class breaker_bench {
 public:
  breaker_bench(B& subject, const breaker_config& promised)
      : subject_(subject), promised_(promised) {}

  reservation reserve() { return reserve(key); }
  reservation reserve(const breaker_key& of) { return subject_.reserve(of, now, sequence); }
  /// An attempt that was let through, waiting as long as it must.
  reservation patient_reserve() {
    reservation one = reserve();
    if (one.refused() != reason::breaker_cooling) return one;
    now.steady += longest_pause();
    return reserve();
  }
  breaker_change fail_once() {
    reservation one = patient_reserve();
    return subject_.mismatch(one, now);
  }
  breaker_change succeed_once() {
    reservation one = patient_reserve();
    return subject_.success(one, now);
  }
  void fail(unsigned times) {
    for (unsigned i = 0; i < times; ++i) fail_once();
  }
  std::chrono::milliseconds longest_pause() const {
    return promised_.cooldown + promised_.max_jitter;
  }

  breaker_key key{{"breaker.law.example", 443}, "net"};
  time_reading now{instant{std::chrono::seconds{1'800'000'000}}, std::chrono::hours{1000}};
  std::uint64_t sequence = 7;

 private:
  B& subject_;
  const breaker_config& promised_;
};

inline std::string outcome(const reservation& r) {
  return r.held() ? "granted" : std::string(to_string(r.refused()));
}

template <breaker B>
void check_in_flight(law_report& report, B&& subject, const breaker_config& promised) {
  breaker_bench<B> bench(subject, promised);
  const unsigned maximum = promised.max_consecutive_failures;
  report.check("K1", "a key that was never seen is closed",
               subject.state(bench.key) == breaker_state::closed);
  std::vector<reservation> held;
  for (unsigned i = 0; i < maximum; ++i) held.push_back(bench.reserve());
  bool all = true;
  for (const reservation& one : held) all = all && one.held() && one.refused() == reason::none;
  report.check("K1", "as many attempts as the maximum may be in flight", all);
  const reservation excess = bench.reserve();
  report.check("K1", "one attempt more is refused while the others are in flight",
               !excess.held() && excess.refused() == reason::breaker_cooling, outcome(excess));
  for (reservation& one : held) subject.release(one);
  reservation again = bench.reserve();
  report.check("K2", "an attempt that ended makes room for another", again.held(), outcome(again));
  subject.release(again);
}

template <breaker B>
void check_in_flight_and_streak(law_report& report, B&& subject, const breaker_config& promised) {
  breaker_bench<B> bench(subject, promised);
  const unsigned maximum = promised.max_consecutive_failures;
  bool within = true;
  std::string seen;
  for (unsigned streak = 0; streak < maximum; ++streak) {
    std::vector<reservation> held;
    for (unsigned i = 0; i < maximum + 2; ++i) {
      reservation one = bench.patient_reserve();
      if (one.held()) held.push_back(std::move(one));
    }
    if (held.size() + streak > maximum || held.empty()) {
      within = false;
      seen = std::to_string(held.size()) + " in flight with a streak of " + std::to_string(streak);
    }
    for (reservation& one : held) subject.release(one);
    bench.fail_once();
  }
  report.check("K1", "attempts in flight and consecutive mismatches stay within the maximum",
               within, seen);
  const reservation locked = bench.patient_reserve();
  report.check("K1", "a locked key is refused as locked",
               !locked.held() && locked.refused() == reason::breaker_locked, outcome(locked));
}

template <breaker B>
void check_ending(law_report& report, B&& subject, const breaker_config& promised) {
  breaker_bench<B> bench(subject, promised);
  for (int kind = 0; kind < 3; ++kind) {
    reservation one = bench.reserve();
    reservation moved = std::move(one);
    const auto end = [&](reservation& r) {
      if (kind == 0) subject.release(r);
      if (kind == 1) subject.success(r, bench.now);
      if (kind == 2) subject.mismatch(r, bench.now);
    };
    end(moved);
    report.check("K2", "whatever ends a reservation spends it", !moved.held());
    // Had any of these counted, the next mismatch would not be the first or the second.
    reservation never;
    reservation refused = reservation::refuse(reason::breaker_cooling);
    for (reservation* spent : {&one, &moved, &never, &refused}) {
      subject.mismatch(*spent, bench.now);
      subject.success(*spent, bench.now);
      subject.release(*spent);
    }
  }
  if (promised.max_consecutive_failures >= 2) {
    const breaker_change next = bench.fail_once();
    report.check("K2", "a reservation that is spent, moved from or was never granted ends nothing",
                 next.streak == 2, "streak " + std::to_string(next.streak));
  } else {
    report.check("K2", "a reservation that is spent, moved from or was never granted ends nothing",
                 subject.state(bench.key) == breaker_state::locked);
  }
}

template <breaker B>
void check_what_counts(law_report& report, B&& subject, const breaker_config& promised) {
  breaker_bench<B> bench(subject, promised);
  for (unsigned i = 0; i < 3u * promised.max_consecutive_failures; ++i) {
    reservation one = bench.reserve();
    subject.release(one);
  }
  report.check("K3", "attempts given back leave a key closed",
               subject.state(bench.key) == breaker_state::closed);
  std::string seen;
  for (unsigned streak = 1; streak <= promised.max_consecutive_failures; ++streak) {
    reservation one = bench.patient_reserve();
    subject.release(one);
    reservation another = bench.reserve();  // refused if cooling
    subject.release(another);
    const breaker_change change = bench.fail_once();
    if (change.streak != streak) {
      seen = "mismatch " + std::to_string(streak) + " made a streak of " +
             std::to_string(change.streak);
    }
  }
  report.check("K3", "each mismatch adds one, and nothing between them adds or takes any",
               seen.empty(), seen);
}

template <breaker B>
void check_success(law_report& report, B&& subject, const breaker_config& promised) {
  breaker_bench<B> bench(subject, promised);
  const unsigned maximum = promised.max_consecutive_failures;
  if (maximum > 1) {
    bench.fail(maximum - 1);
    const breaker_change after = bench.succeed_once();
    report.check("K4", "success clears the streak, closed or cooling",
                 after.streak == 0 && after.state == breaker_state::closed,
                 "streak " + std::to_string(after.streak));
    report.check("K4", "success leaves the total of 24 hours",
                 after.mismatches_24h == maximum - 1,
                 std::to_string(after.mismatches_24h) + " of " + std::to_string(maximum - 1));
    const breaker_change next = bench.fail_once();
    report.check("K4", "after a success the streak begins anew", next.streak == 1,
                 "streak " + std::to_string(next.streak));
    bench.fail(maximum - 1);
  } else {
    bench.fail(maximum);
  }
  reservation late;
  subject.success(late, bench.now);
  const reservation refused = bench.patient_reserve();
  report.check("K4", "success never unlocks",
               subject.state(bench.key) == breaker_state::locked &&
                   refused.refused() == reason::breaker_locked,
               outcome(refused));
}

template <breaker B>
void check_cooldown(law_report& report, B&& subject, const breaker_config& promised) {
  using namespace std::chrono_literals;
  breaker_bench<B> bench(subject, promised);
  const unsigned maximum = promised.max_consecutive_failures;
  const unsigned threshold = promised.alert_threshold;
  for (unsigned i = 1; i < threshold; ++i) {
    reservation one = bench.reserve();
    report.check("K5", "below the alert threshold no attempt waits", one.held(), outcome(one));
    subject.mismatch(one, bench.now);
  }
  if (threshold < maximum) {
    bench.fail_once();
    report.check("K5", "at the alert threshold the key is cooling",
                 subject.state(bench.key) == breaker_state::cooling);
    for (int round = 0; round < 3; ++round) {
      if (promised.cooldown > 0ms) {
        bench.now.steady += promised.cooldown - 1ms;
        bench.now.wall += std::chrono::hours{24 * 365};
        reservation early = bench.reserve();
        report.check("K5", "no attempt comes sooner than the cooldown, whatever civil time does",
                     !early.held() && early.refused() == reason::breaker_cooling, outcome(early));
        subject.release(early);
        bench.now.steady += 1ms;
      }
      bench.now.steady += promised.max_jitter;
      bench.now.wall -= std::chrono::hours{24 * 700};
      reservation due = bench.reserve();
      report.check("K5", "an attempt is let through once cooldown and jitter have passed",
                   due.held(), outcome(due));
      // Given back: the attempt itself, not its outcome, begins the next cooldown.
      subject.release(due);
    }
    bench.fail(maximum - threshold);
  } else {
    bench.fail_once();
  }
  report.check("K5", "at the maximum the key is locked",
               subject.state(bench.key) == breaker_state::locked);
  bench.now.steady += std::chrono::hours{24 * 365 * 10};
  bench.now.wall += std::chrono::hours{24 * 365 * 10};
  const reservation refused = bench.reserve();
  report.check("K5", "time does not unlock",
               !refused.held() && refused.refused() == reason::breaker_locked, outcome(refused));
}

template <breaker B>
void check_keys(law_report& report, B&& subject, const breaker_config& promised) {
  breaker_bench<B> bench(subject, promised);
  bench.fail(promised.max_consecutive_failures);
  const breaker_key others[] = {
      {{"breaker.law.example", 444}, "net"},
      {{"other.law.example", 443}, "net"},
      {{"breaker.law.example", 443}, "net2"},
      {{"breaker.law.example", 443}, ""},
      {{"breaker.law.examplene", 443}, "t"},  // the same letters, cut elsewhere
  };
  for (const breaker_key& other : others) {
    const std::string name = std::string(other.endpoint.host) + ":" +
                             std::to_string(other.endpoint.port) + " " + std::string(other.network);
    reservation one = bench.reserve(other);
    report.check("K6", "another host, port or network is not affected",
                 one.held() && subject.state(other) == breaker_state::closed, name);
    const breaker_change change = subject.mismatch(one, bench.now);
    report.check("K6", "another host, port or network counts from one",
                 change.streak == 1 && change.mismatches_24h == 1, name);
  }
  report.check("K6", "the first key is as it was",
               subject.state(bench.key) == breaker_state::locked);
}

template <breaker B>
void check_sequence(law_report& report, B&& subject, const breaker_config& promised) {
  breaker_bench<B> bench(subject, promised);
  reservation first = bench.reserve();  // sequence 7
  subject.release(first);
  bench.sequence = 9;
  bench.fail(promised.max_consecutive_failures);
  for (const std::uint64_t not_newer : {std::uint64_t{9}, std::uint64_t{8}, std::uint64_t{0}}) {
    bench.sequence = not_newer;
    const reservation one = bench.patient_reserve();
    report.check("K7", "a sequence that was seen before, or an older one, opens nothing",
                 !one.held() && one.refused() == reason::breaker_locked,
                 std::to_string(not_newer) + ": " + outcome(one));
  }
  bench.sequence = 10;
  reservation one = bench.reserve();
  report.check("K7", "a higher sequence opens a locked key", one.held(), outcome(one));
  const breaker_change change = subject.mismatch(one, bench.now);
  report.check("K7", "what a higher sequence opened counts from one", change.streak == 1,
               "streak " + std::to_string(change.streak));
}

}  // namespace detail

/// Checks K1 to K7 of the breakers that `make()` returns, each fresh, with room for eight keys, and
/// configured as `promised`, which is `valid()`.
template <typename Make>
[[nodiscard]] law_report check_breaker_laws(Make&& make, const breaker_config& promised) {
  law_report report;
  if (!report.check("K1", "the suite was given a valid configuration", promised.valid())) {
    return report;
  }
  detail::check_in_flight(report, make(), promised);
  detail::check_in_flight_and_streak(report, make(), promised);
  detail::check_ending(report, make(), promised);
  detail::check_what_counts(report, make(), promised);
  detail::check_success(report, make(), promised);
  detail::check_cooldown(report, make(), promised);
  detail::check_keys(report, make(), promised);
  detail::check_sequence(report, make(), promised);
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
