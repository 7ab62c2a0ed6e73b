// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/lock.hpp>

#include <cotter/policies/lock/flag_lock.hpp>
#include <cotter/policies/lock/no_lock.hpp>

#include <support/laws.hpp>

#include <mutex>

using namespace cotter;

TEST_CASE("flag_lock keeps the laws of lock") {
  flag_lock lock;
  require_laws(testing::check_lock_laws(lock));
}

TEST_CASE("a lock made of std::mutex keeps the laws of lock") {
  struct mutex_lock {
    std::mutex mutex;
    void lock() noexcept { mutex.lock(); }
    void unlock() noexcept { mutex.unlock(); }
  };
  mutex_lock lock;
  require_laws(testing::check_lock_laws(lock));
}

TEST_CASE("the lock suite finds that no_lock does not lock: its guard stays on one thread") {
  no_lock lock;
  const auto report = testing::check_lock_laws(lock);
  CHECK(report.broken("L1"));
}
