// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "problem.hpp"

#include <cotter/values/pin_manifest.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>

namespace cotter::command {

/// A target's certificate is to be replaced.
struct rotation_request {
  std::string host{};
  std::uint16_t port = 0;
  std::string region{};           ///< of a target with regions; empty: its own pins
  pin successor{};                ///< of the new certificate or key
  instant start{};                ///< when the first phase is signed
  std::optional<std::chrono::days> window{};  ///< else the target's `rotationWindowDays`
  std::chrono::days in_force{90}; ///< how long each of the manifests is
};

/// The manifests of a rotation, in the order they are deployed:
///
///   1  new primary, the old primaries as fallbacks until `start` + window; before the server changes
///   2  the same pins, signed again when the server has changed; no fallback ends later for it
///   3  without the fallbacks that are over; when the window has passed
struct rotation {
  std::array<pin_manifest, 3> phases{};
  std::array<instant, 3> deploy_from{};
  instant old_ends{};  ///< the old pins are refused after it
};

/// Plans a rotation from the manifest in the field. Changes one set of pins, and no other.
///
/// Returns what went wrong: `no_pins` (no such target or region), `rotation_pointless` (the new pin
/// is a primary already), `missing_key` (no window), `invalid_value` (the window).
[[nodiscard]] std::optional<problem> plan_rotation(const pin_manifest& last,
                                                   const rotation_request& request, rotation& out);

}  // namespace cotter::command
