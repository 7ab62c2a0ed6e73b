// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/manifest.hpp>

#include <concepts>

namespace cotter {
inline namespace v0 {

/// Where the standing of the pins comes from: whether the document that carries them is genuine and
/// still in force.
///
///   M1  `current` reports `reason::none` only while a manifest that the source has verified is in
///       force; otherwise the reason it is not. The guard then refuses every target.
///   M2  `sequence` never decreases over the life of a source.
///   M3  `current` neither throws nor blocks, and may run on several threads at once.
template <typename M>
concept manifest_source = requires(const M& source) {
  { source.current() } noexcept -> std::same_as<manifest_standing>;
};

}  // namespace v0
}  // namespace cotter
