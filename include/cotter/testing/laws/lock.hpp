// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/lock.hpp>
#include <cotter/testing/law_report.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace cotter {
inline namespace v0 {
namespace testing {

/// None. `no_lock`, which the concept allows, breaks both laws: that is its contract.
inline constexpr std::array<law_by_review, 0> lock_laws_by_review{};

/// Checks L1 and L2 with two threads, in well under a second. `lock` is unlocked.
template <lockable L>
[[nodiscard]] law_report check_lock_laws(L& lock) {
  using namespace std::chrono_literals;
  law_report report;
  {
    std::atomic<bool> waiting = false;
    std::atomic<bool> through = false;
    lock.lock();
    std::thread other([&] {
      waiting = true;
      lock.lock();
      through = true;
      lock.unlock();
    });
    while (!waiting) std::this_thread::yield();
    for (int i = 0; i < 30 && !through; ++i) std::this_thread::sleep_for(1ms);
    const bool kept_out = !through;
    lock.unlock();
    other.join();
    report.check("L1", "another thread waits for as long as the lock is held", kept_out);
  }
  {
    constexpr int rounds = 20'000;
    // Atomic, but never added to atomically: without exclusion additions are lost, and a lock that
    // does nothing is found out without undefined behaviour.
    std::atomic<int> count = 0;
    std::atomic<int> inside = 0;
    std::atomic<bool> alone = true;
    const auto work = [&] {
      for (int i = 0; i < rounds; ++i) {
        lock.lock();
        if (inside.exchange(1, std::memory_order_relaxed) != 0) alone = false;
        const int read = count.load(std::memory_order_relaxed);
        if (i % 256 == 0) std::this_thread::yield();
        count.store(read + 1, std::memory_order_relaxed);
        inside.store(0, std::memory_order_relaxed);
        lock.unlock();
      }
    };
    std::thread other(work);
    work();
    other.join();
    report.check("L1", "two threads are never inside at once", alone);
    report.check("L2", "what one thread wrote, the next one reads", count == 2 * rounds,
                 std::to_string(count) + " of " + std::to_string(2 * rounds));
  }
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
