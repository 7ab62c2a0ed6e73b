// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace cotter {
inline namespace v0 {

/// A SHA-256 digest (FIPS 180-4), 32 octets.
///
/// Equality takes the same time wherever the digests differ.
struct sha256_digest {
  static constexpr std::size_t size_bytes = 32;

  std::array<std::uint8_t, size_bytes> octets{};

  friend constexpr bool operator==(const sha256_digest& a, const sha256_digest& b) noexcept {
    std::uint32_t difference = 0;
    for (std::size_t i = 0; i < size_bytes; ++i) {
      difference |= static_cast<std::uint32_t>(a.octets[i] ^ b.octets[i]);
    }
    return ((difference - 1) >> 31) != 0;
  }
};

}  // namespace v0
}  // namespace cotter
