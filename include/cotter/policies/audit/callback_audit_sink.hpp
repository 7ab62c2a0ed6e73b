// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sink.hpp>

#include <type_traits>
#include <utility>

namespace cotter {
inline namespace v0 {

/// Hands every record to a callable of the program's own, which neither throws nor blocks and
/// copies what it wants to keep. It runs inside the guard's lock: it must not call the guard.
template <typename F>
requires std::is_nothrow_invocable_v<F&, const audit_record&>
class callback_audit_sink {
 public:
  constexpr explicit callback_audit_sink(F call) noexcept(std::is_nothrow_move_constructible_v<F>)
      : call_(std::move(call)) {}

  constexpr void record(const audit_record& what) noexcept { call_(what); }

 private:
  F call_;
};

}  // namespace v0
}  // namespace cotter
