// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

/// Times batches and reports the median of them: whatever else the machine does in between falls on
/// few. What is prepared for each operation is outside the time.
namespace bench_timing {

using steady = std::chrono::steady_clock;

inline double ns_between(steady::time_point from, steady::time_point to) {
  return std::chrono::duration<double, std::nano>(to - from).count();
}

inline double median(std::vector<double> all) {
  if (all.empty()) return 0;
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  return *middle;
}

/// What reading the clock twice costs, which is in every sample.
inline double clock_ns() {
  static const double cost = [] {
    std::vector<double> samples(10'001);
    for (double& one : samples) {
      const auto from = steady::now();
      one = ns_between(from, steady::now());
    }
    return median(std::move(samples));
  }();
  return cost;
}

/// Calls `one(i)` for i below `batch`, timed, after `prepare(i)` for each of them. Needs
/// `UseManualTime`. Counter `ns`: the median batch, per operation.
template <typename Prepare, typename One>
void measure(benchmark::State& state, std::size_t batch, Prepare prepare, One one) {
  const double clock = clock_ns();
  std::vector<double> samples;
  while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(batch))) {
    for (std::size_t i = 0; i < batch; ++i) prepare(i);
    const auto from = steady::now();
    for (std::size_t i = 0; i < batch; ++i) one(i);
    const double spent = ns_between(from, steady::now());
    state.SetIterationTime(spent * 1e-9);
    samples.push_back((spent - clock) / static_cast<double>(batch));
  }
  state.counters["ns"] = median(std::move(samples));
}

template <typename One>
void measure(benchmark::State& state, std::size_t batch, One one) {
  measure(
      state, batch, [](std::size_t) {}, [&one](std::size_t) { one(); });
}

}  // namespace bench_timing
