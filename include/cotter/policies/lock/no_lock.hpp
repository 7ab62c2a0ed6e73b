// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/lock.hpp>

namespace cotter {
inline namespace v0 {

/// No mutual exclusion: the guard and all its connections stay on one thread.
class no_lock {
 public:
  constexpr void lock() noexcept {}
  constexpr void unlock() noexcept {}
};

static_assert(lockable<no_lock>);

}  // namespace v0
}  // namespace cotter
