// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/lock.hpp>

#include <atomic>

namespace cotter {
inline namespace v0 {

/// Mutual exclusion in one atomic flag: no heap, no exceptions, and waiters sleep.
class flag_lock {
 public:
  flag_lock() noexcept = default;
  flag_lock(const flag_lock&) = delete;
  flag_lock& operator=(const flag_lock&) = delete;

  void lock() noexcept {
    while (flag_.test_and_set(std::memory_order_acquire)) {
      flag_.wait(true, std::memory_order_relaxed);
    }
  }
  void unlock() noexcept {
    flag_.clear(std::memory_order_release);
    flag_.notify_one();
  }

 private:
  std::atomic_flag flag_{};
};

static_assert(lockable<flag_lock>);

}  // namespace v0
}  // namespace cotter
