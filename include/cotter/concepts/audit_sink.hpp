// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/audit_record.hpp>

namespace cotter {
inline namespace v0 {

/// Where decisions are written down.
///
///   A1  `record` is called once per decision, after the decision: nothing it does changes the
///       verdict.
///   A2  `record` neither throws nor blocks, and keeps nothing that the record borrows.
///   A3  A sink that drops records says how many.
///
/// The guard serialises calls with its `lock` slot.
template <typename S>
concept audit_sink = requires(S& sink, const audit_record& what) {
  { sink.record(what) } noexcept;
};

}  // namespace v0
}  // namespace cotter
