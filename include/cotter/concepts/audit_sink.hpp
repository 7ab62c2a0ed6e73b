// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/audit_record.hpp>
#include <cotter/values/bytes_view.hpp>

#include <concepts>

namespace cotter {
inline namespace v0 {

/// Where decisions and changes are written down.
///
///   A1  `record` is called once per decision, after the decision: nothing it does changes the
///       verdict.
///   A2  `record` neither throws nor blocks, and keeps nothing that the record borrows.
///   A3  A sink that drops records says how many.
///   A4  A sink that writes down the leaf of refusals names in `leaf_keeper` what connections keep it
///       in, from the moment it is found to be one that will be refused.
///   A5  A sink that has no use for changes of breaker, manifest and clock says so, and is given
///       decisions alone: `using decisions_only = ` its own type, so that no derived class says it
///       without knowing.
///
/// Of a refusal, `record` is called after the breaker has stored its count and before the
/// application hears of it; a sink that keeps records has the refusal on the disk when it returns, and
/// an acceptance at least where the end of the process does not take it away.
///
/// The guard serialises calls with its `lock` slot.
template <typename S>
concept audit_sink = requires(S& sink, const audit_record& what) {
  { sink.record(what) } noexcept;
};

/// Where one connection keeps one leaf. `keep` copies; what it has no room for it keeps nothing of.
template <typename L>
concept leaf_keeper = requires(L& keeper, const L& kept, bytes_view der) {
  { keeper.keep(der) } noexcept;
  { keeper.drop() } noexcept;
  { kept.octets() } noexcept -> std::same_as<bytes_view>;
};

/// A sink that keeps the leaf of refusals, see A4.
template <typename S>
concept leaf_wanting_sink = audit_sink<S> && leaf_keeper<typename S::leaf_keeper>;

/// A sink that is given decisions alone, see A5.
template <typename S>
concept decision_sink = audit_sink<S> && std::same_as<typename S::decisions_only, S>;

}  // namespace v0
}  // namespace cotter
