// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/digest.hpp>
#include <cotter/values/pin.hpp>
#include <cotter/values/time.hpp>
#include <cotter/values/verdict.hpp>

#include <cstdint>

namespace cotter {
inline namespace v0 {

/// When this version of the library was made: a clock that says less is wrong.
inline constexpr instant library_made_at{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1}};

/// No observation: before every clock.
inline constexpr instant never{std::chrono::seconds{std::numeric_limits<std::int64_t>::min()}};

/// The longest that a manifest may ask for observation, counted from `issued_at`.
inline constexpr std::chrono::days longest_observation{30};

/// The highest sequence of a manifest, and the highest version of a key set.
inline constexpr std::uint64_t highest_sequence = (std::uint64_t{1} << 40) - 1;
inline constexpr std::uint64_t highest_key_set_version = (std::uint64_t{1} << 23) - 1;

/// Where a manifest stands in the order of all manifests. `epoch` is the version of the key set that
/// last took the right to sign from so many keys that the rest could not reach the threshold: from
/// there on sequences may begin anew, which is the way back after a stolen key signed a manifest
/// with the highest sequence there is (TUF 5.3.11).
[[nodiscard]] constexpr std::uint64_t manifest_order(std::uint64_t epoch,
                                                     std::uint64_t sequence) noexcept {
  return epoch << 40 | sequence;
}

/// The standing of the document that carries the pins. The pins themselves are a `pin_set`.
struct manifest_standing {
  reason problem = reason::manifest_invalid;  ///< `none` while it is in force
  std::uint64_t sequence = 0;                 ///< `manifest_order`: grows with every manifest
  instant issued_at{};  ///< a floor for the clock: it is not earlier than this
  instant expires_at = no_expiry;
  instant observe_until = never;  ///< up to here a guard that allows it lets a mismatch pass
};

/// What a device remembers of the manifests it has accepted, so that no older one comes back. Kept
/// by the application wherever it keeps state, read-only to everybody else.
struct manifest_memory {
  std::uint64_t order = 0;            ///< `manifest_order` of the last one; 0: none yet
  sha256_digest payload{};            ///< of the octets that were signed as that one
  std::uint64_t key_set_version = 0;  ///< 0: no key set has been accepted
  std::uint64_t epoch = 0;            ///< see `manifest_order`
  instant latest = library_made_at;   ///< the highest time known: clock or `issued_at`

  friend constexpr bool operator==(const manifest_memory&, const manifest_memory&) = default;
};

}  // namespace v0
}  // namespace cotter
