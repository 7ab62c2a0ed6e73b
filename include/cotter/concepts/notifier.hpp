// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/reservation.hpp>

namespace cotter {
inline namespace v0 {

/// Who is told, once per episode, that a person should look.
///
///   N1  `notify` neither throws nor blocks, and keeps nothing it is lent.
///   N2  It is called outside the guard's lock, so it may call the guard.
template <typename N>
concept notifier = requires(N& n, const breaker_key& key, const breaker_change& change) {
  { n.notify(key, change) } noexcept;
};

}  // namespace v0
}  // namespace cotter
