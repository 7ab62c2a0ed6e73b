// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace cotter {
inline namespace v0 {

/// Mutual exclusion around breaker and sink.
///
///   L1  Between `lock` and `unlock` on one thread, no other thread's `lock` returns.
///   L2  What one thread wrote before `unlock` is visible to the next after `lock`.
///
/// A lock that does nothing is legal and makes the guard single-threaded (`no_lock`).
template <typename L>
concept lockable = requires(L& l) {
  { l.lock() } noexcept;
  { l.unlock() } noexcept;
};

}  // namespace v0
}  // namespace cotter
