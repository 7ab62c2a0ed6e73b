// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/time.hpp>

#include <concepts>

namespace cotter {
inline namespace v0 {

/// What time it is.
///
///   C1  `steady` never decreases while the process lives.
///   C2  `now` neither throws nor blocks, and may run on several threads at once.
///
/// A `clock` may be wrong about `wall`; the guard applies the floor of `manifest_standing`.
template <typename C>
concept clock = requires(const C& c) {
  { c.now() } noexcept -> std::same_as<time_reading>;
};

}  // namespace v0
}  // namespace cotter
