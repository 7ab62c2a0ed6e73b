// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/manifest.hpp>
#include <cotter/values/runtime.hpp>

#include <concepts>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// Where the standing of the pins comes from: whether the document that carries them is genuine and
/// still in force.
///
///   M1  `current` reports `reason::none` only while a manifest that the source has verified is in
///       force; otherwise the reason it is not. The guard then refuses every target.
///   M2  `sequence` never decreases over the life of a source.
///   M3  `current` neither throws nor blocks, and may run on several threads at once.
///   M4  a source that also restricts the TLS library models `runtime_restricting`: `allows` is false
///       for every library and version that the manifest in force does not allow.
template <typename M>
concept manifest_source = requires(const M& source) {
  { source.current() } noexcept -> std::same_as<manifest_standing>;
};

/// A source whose manifest may name the TLS libraries that are allowed to verify, see M4.
template <typename M>
concept runtime_restricting = manifest_source<M> &&
    requires(const M& source, std::string_view library, const library_version& running) {
      { source.allows(library, running) } noexcept -> std::same_as<bool>;
    };

}  // namespace v0
}  // namespace cotter
