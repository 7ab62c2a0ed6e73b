// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/notifier.hpp>

namespace cotter {
inline namespace v0 {

/// Tells nobody. For programs that watch the audit trail instead.
class no_notifier {
 public:
  constexpr void notify(const breaker_key&, const breaker_change&) noexcept {}
};

static_assert(notifier<no_notifier>);

}  // namespace v0
}  // namespace cotter
