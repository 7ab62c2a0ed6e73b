// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/error.hpp>
#include <cotter/values/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace cotter {
inline namespace v0 {

/// What is sealed: nonce, ciphertext as long as the plaintext, tag (NIST SP 800-38D).
inline constexpr std::size_t seal_nonce_bytes = 12;
inline constexpr std::size_t seal_tag_bytes = 16;

/// The most octets that are sealed at once, and the most that are associated with them.
inline constexpr std::size_t max_sealable_bytes = std::size_t{1} << 20;

/// What `plain_bytes` octets take when they are sealed.
[[nodiscard]] constexpr std::size_t sealed_size(std::size_t plain_bytes) noexcept {
  return seal_nonce_bytes + plain_bytes + seal_tag_bytes;
}
/// How many octets are in `sealed_bytes` of them; 0 for what is too short to be a seal.
[[nodiscard]] constexpr std::size_t opened_size(std::size_t sealed_bytes) noexcept {
  return sealed_bytes < sealed_size(0) ? 0 : sealed_bytes - sealed_size(0);
}

/// Sets `octets` to zero, although nothing may read them again: the compiler cannot leave it out.
inline void wipe(std::span<std::uint8_t> octets) noexcept {
  volatile std::uint8_t* at = octets.data();
  for (std::size_t left = octets.size(); left != 0; --left) *at++ = 0;
}

/// A key of AES-256, wiped when it goes. It moves, and what it moved from is wiped; a copy is made
/// on purpose only, from its octets. All zero until it is given something.
struct seal_key {
  static constexpr std::size_t size_bytes = 32;

  seal_key() noexcept = default;
  explicit seal_key(std::span<const std::uint8_t, size_bytes> from) noexcept {
    for (std::size_t i = 0; i < size_bytes; ++i) octets[i] = from[i];
  }
  seal_key(seal_key&& other) noexcept : octets(other.octets) { wipe(other.octets); }
  seal_key& operator=(seal_key&& other) noexcept {
    if (this != &other) {
      octets = other.octets;
      wipe(other.octets);
    }
    return *this;
  }
  seal_key(const seal_key&) = delete;
  seal_key& operator=(const seal_key&) = delete;
  ~seal_key() { wipe(octets); }

  std::array<std::uint8_t, size_bytes> octets{};
};

/// What every `sealer` asks before it seals.
/// @errors `too_large`
[[nodiscard]] constexpr result<void> check_seal_sizes(std::size_t plain_bytes,
                                                      std::size_t associated_bytes,
                                                      std::size_t out_bytes) noexcept {
  const bool fit = plain_bytes <= max_sealable_bytes && associated_bytes <= max_sealable_bytes &&
                   out_bytes == sealed_size(plain_bytes);
  return fit ? result<void>() : errc::too_large;
}
/// What every `sealer` asks before it opens.
/// @errors `bad_seal`
[[nodiscard]] constexpr result<void> check_open_sizes(std::size_t sealed_bytes,
                                                      std::size_t associated_bytes,
                                                      std::size_t out_bytes) noexcept {
  const bool fit = sealed_bytes >= sealed_size(0) &&
                   sealed_bytes <= sealed_size(max_sealable_bytes) &&
                   associated_bytes <= max_sealable_bytes && out_bytes == opened_size(sealed_bytes);
  return fit ? result<void>() : errc::bad_seal;
}

}  // namespace v0
}  // namespace cotter
