// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/manifest_source.hpp>

#include <cstdint>

namespace cotter {
inline namespace v0 {

/// The standing of pins that are compiled in: genuine because the program is, in force from
/// `issued_at` to `expires_at`.
class embedded_manifest {
 public:
  constexpr embedded_manifest() noexcept = default;
  constexpr embedded_manifest(std::uint64_t sequence, instant issued_at,
                              instant expires_at = no_expiry) noexcept
      : standing_{reason::none, sequence, issued_at, expires_at, never} {}

  /// @see manifest_source
  [[nodiscard]] constexpr manifest_standing current() const noexcept { return standing_; }

 private:
  manifest_standing standing_{reason::none, 0, library_made_at, no_expiry, never};
};

static_assert(manifest_source<embedded_manifest>);

}  // namespace v0
}  // namespace cotter
