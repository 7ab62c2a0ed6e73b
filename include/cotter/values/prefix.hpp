// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/target.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// A block of addresses (RFC 4632, RFC 4291 2.3): the first `length_bits` of `network`; the others
/// are zero.
struct ip_prefix {
  ip_address network{};
  std::uint8_t length_bits = 0;

  /// True if `address` lies in the block. An address of the other family never does, and none lies
  /// in a block whose length is beyond its family's.
  [[nodiscard]] constexpr bool contains(const ip_address& address) const noexcept {
    if (!network || address.size_bytes != network.size_bytes) return false;
    if (length_bits > network.size_bytes * 8u) return false;
    for (std::size_t i = 0; i < length_bits; ++i) {
      const unsigned mask = 0x80u >> (i % 8);
      if (((network.octets[i / 8] ^ address.octets[i / 8]) & mask) != 0) return false;
    }
    return true;
  }
  friend constexpr bool operator==(const ip_prefix&, const ip_prefix&) noexcept = default;
};

/// Reads `192.0.2.0/24` or `2001:db8::/32`.
///
/// @errors `invalid_prefix`, with the offset of the first character at fault; of the address if it
///   has bits beyond the length.
[[nodiscard]] constexpr result<ip_prefix> parse_prefix(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  ip_prefix block;
  block.network = parse_ip(text.substr(0, slash));
  if (!block.network) return errc::invalid_prefix;
  if (slash == std::string_view::npos) return {errc::invalid_prefix, text.size()};
  const std::string_view digits = text.substr(slash + 1);
  if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) {
    return {errc::invalid_prefix, slash + 1};
  }
  unsigned length = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (!detail::is_digit(digits[i])) return {errc::invalid_prefix, slash + 1 + i};
    length = length * 10 + static_cast<unsigned>(digits[i] - '0');
  }
  if (length > block.network.size_bytes * 8u) return {errc::invalid_prefix, slash + 1};
  for (unsigned i = length; i < block.network.size_bytes * 8u; ++i) {
    if ((block.network.octets[i / 8] & (0x80u >> (i % 8))) != 0) return errc::invalid_prefix;
  }
  block.length_bits = static_cast<std::uint8_t>(length);
  return block;
}

}  // namespace v0
}  // namespace cotter
