// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/diagnosis.hpp>
#include <cotter/values/target.hpp>

#include <concepts>

namespace cotter {
inline namespace v0 {

/// What the last accepted leaf of each target looked like. A guard that has one adds a diagnosis to
/// its refusals; nothing that it says changes a verdict.
///
///   H1  `recall` gives what was last remembered for host and port, or nothing: it may forget.
///   H2  neither throws nor blocks; `remember` keeps nothing that it borrows.
///
/// The guard serialises calls with its `lock` slot.
template <typename H>
concept peer_history = requires(H& history, const target& whom, const leaf_traits& leaf) {
  { history.recall(whom) } noexcept -> std::same_as<leaf_traits>;
  { history.remember(whom, leaf) } noexcept;
};

}  // namespace v0
}  // namespace cotter
