// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/notifier.hpp>

#include <type_traits>
#include <utility>

namespace cotter {
inline namespace v0 {

/// Calls a callable of the program's own, which neither throws nor blocks.
template <typename F>
requires std::is_nothrow_invocable_v<F&, const breaker_key&, const breaker_change&>
class callback_notifier {
 public:
  constexpr explicit callback_notifier(F call) noexcept(std::is_nothrow_move_constructible_v<F>)
      : call_(std::move(call)) {}

  constexpr void notify(const breaker_key& key, const breaker_change& change) noexcept {
    call_(key, change);
  }

 private:
  F call_;
};

}  // namespace v0
}  // namespace cotter
