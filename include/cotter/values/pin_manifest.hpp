// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/breaker_config.hpp>
#include <cotter/values/digest.hpp>
#include <cotter/values/manifest.hpp>
#include <cotter/values/pin.hpp>
#include <cotter/values/prefix.hpp>
#include <cotter/values/runtime.hpp>
#include <cotter/values/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cotter {
inline namespace v0 {

/// More than this is no manifest: bounds against documents made to exhaust their reader.
inline constexpr std::size_t max_manifest_targets = 10'000;
inline constexpr std::size_t max_manifest_pins = 100'000;

/// A pin as a manifest carries it, owning its text. `value.label` is empty: see `label`.
struct manifest_pin {
  pin value{};
  std::string label{};
  /// A key that is kept offline for the day on which all others are lost: a fallback without an end.
  bool offline_backup = false;
};

/// The pins of one part of a target's edges, chosen by the address connected to.
struct manifest_region {
  std::string name{};
  std::vector<ip_prefix> prefixes{};
  std::vector<manifest_pin> pins{};
  bool is_default = false;  ///< for an address in no region, and for none
};

/// A target has pins of its own, or regions; one of its pins at least is primary.
struct manifest_target {
  std::string host{};
  std::uint16_t port = 0;
  std::vector<manifest_pin> pins{};
  std::vector<manifest_region> regions{};
  /// How long a fallback of this target is good from the day it first appears; at most 366.
  std::optional<std::uint16_t> rotation_window_days{};
};

/// A `runtime_range` that owns its text.
struct manifest_runtime {
  std::string library{};
  library_version at_least{};
  library_version below{0xffff, 0xffff, 0xffff};
};

/// What a signed manifest says, read and checked. Reading it is the work of an integration.
struct pin_manifest {
  std::string version{};       ///< `pinManifestVersion`, for people
  std::uint64_t sequence = 0;  ///< 1 to `highest_sequence`
  instant issued_at{};
  instant expires_at{};
  instant observe_until = never;
  std::vector<manifest_target> targets{};
  std::vector<manifest_runtime> runtimes{};  ///< empty: every library and version
  breaker_config breaker{};
  lock_recovery recovery = lock_recovery::administrator;
  std::string reporting_endpoint{};   ///< https, or empty
  sha256_digest payload{};            ///< of the octets that were signed
  std::uint64_t key_set_version = 0;  ///< of the key set that vouched for it; 0: keys given by hand
  std::uint64_t epoch = 0;            ///< see `manifest_order`
};

}  // namespace v0
}  // namespace cotter
