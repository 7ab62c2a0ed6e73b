// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/signature.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace cotter {
inline namespace v0 {

/// The first octets of a SubjectPublicKeyInfo under `ecdsa_p256_sha256`: id-ecPublicKey, the named
/// curve prime256v1, a BIT STRING without unused bits, and the mark of an uncompressed point. DER
/// has one spelling for each of them (RFC 5480 2.1.1, 2.2; SEC 1 2.3.3).
inline constexpr std::array<std::uint8_t, 27> p256_key_prefix{
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

/// The same under `ed25519`: id-Ed25519 without parameters, a BIT STRING (RFC 8410 3, 4).
inline constexpr std::array<std::uint8_t, 12> ed25519_key_prefix{
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

namespace detail {

/// Big-endian, 256 bits.
using number256 = std::array<std::uint8_t, 32>;

/// The prime of P-256 (SP 800-186 3.2.1.3).
inline constexpr number256 p256_prime{
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
/// The order of its base point (SP 800-186 3.2.1.3).
inline constexpr number256 p256_order{
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
/// 2^255 - 19 (RFC 8032 5.1).
inline constexpr number256 ed25519_prime{
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xed};
/// L of RFC 8032 5.1.
inline constexpr number256 ed25519_order{
    0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x14, 0xde, 0xf9, 0xde, 0xa2, 0xf7, 0x9c, 0xd6, 0x58, 0x12, 0x63, 0x1a, 0x5c, 0xf5, 0xd3, 0xed};

/// The second coordinates of the points whose order divides 8: with such a key, one signature is
/// good for many messages.
inline constexpr std::array<number256, 5> ed25519_small_orders{{
    {},
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01},
    {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xec},
    {0x05, 0xfc, 0x53, 0x6d, 0x88, 0x02, 0x38, 0xb1, 0x39, 0x33, 0xc6,
     0xd3, 0x05, 0xac, 0xdf, 0xd5, 0xf0, 0x98, 0xef, 0xf2, 0x89, 0xf4,
     0xc3, 0x45, 0xb0, 0x27, 0xb2, 0xc2, 0x8f, 0x95, 0xe8, 0x26},
    {0x7a, 0x03, 0xac, 0x92, 0x77, 0xfd, 0xc7, 0x4e, 0xc6, 0xcc, 0x39,
     0x2c, 0xfa, 0x53, 0x20, 0x2a, 0x0f, 0x67, 0x10, 0x0d, 0x76, 0x0b,
     0x3c, 0xba, 0x4f, 0xd8, 0x4d, 0x3d, 0x70, 0x6a, 0x17, 0xc7},
}};

/// `magnitude` is big-endian, without leading zero octets or of exactly 32.
constexpr bool is_below(bytes_view magnitude, const number256& limit) noexcept {
  if (magnitude.size() != limit.size()) return magnitude.size() < limit.size();
  return std::lexicographical_compare(magnitude.begin(), magnitude.end(), limit.begin(),
                                      limit.end());
}

constexpr number256 from_little_endian(bytes_view octets) noexcept {
  number256 number{};
  for (std::size_t i = 0; i < number.size(); ++i) number[i] = octets[number.size() - 1 - i];
  return number;
}

template <std::size_t Size>
constexpr bool begins_with(bytes_view octets, const std::array<std::uint8_t, Size>& prefix) {
  return octets.size() >= Size && std::equal(prefix.begin(), prefix.end(), octets.begin());
}

/// Takes an INTEGER from 1 to n - 1 off the front of `rest`, in DER (X.690 8.3.2).
constexpr bool take_scalar(bytes_view& rest) noexcept {
  if (rest.size() < 3 || rest[0] != 0x02 || rest[1] == 0 || rest[1] > rest.size() - 2) return false;
  bytes_view value = rest.subspan(2, rest[1]);
  rest = rest.subspan(2 + value.size());
  if (value[0] >= 0x80) return false;
  if (value[0] == 0) {
    if (value.size() == 1 || value[1] < 0x80) return false;
    value = value.subspan(1);
  }
  return is_below(value, p256_order);
}

constexpr bool is_p256_key(bytes_view spki) noexcept {
  constexpr std::size_t prefix = p256_key_prefix.size();
  return spki.size() == prefix + 64 && begins_with(spki, p256_key_prefix) &&
         is_below(spki.subspan(prefix, 32), p256_prime) &&
         is_below(spki.subspan(prefix + 32, 32), p256_prime);
}

constexpr bool is_ed25519_key(bytes_view spki) noexcept {
  constexpr std::size_t prefix = ed25519_key_prefix.size();
  if (spki.size() != prefix + 32 || !begins_with(spki, ed25519_key_prefix)) return false;
  number256 y = from_little_endian(spki.subspan(prefix, 32));
  y[0] &= 0x7f;  // without the sign of x
  return is_below(y, ed25519_prime) &&
         std::find(ed25519_small_orders.begin(), ed25519_small_orders.end(), y) ==
             ed25519_small_orders.end();
}

constexpr bool is_p256_signature(bytes_view signature) noexcept {
  // Two INTEGERs of at most 35 octets: the length is one octet.
  if (signature.size() < 2 || signature[0] != 0x30 || signature[1] != signature.size() - 2 ||
      signature[1] >= 0x80) {
    return false;
  }
  bytes_view rest = signature.subspan(2);
  return take_scalar(rest) && take_scalar(rest) && rest.empty();
}

constexpr bool is_ed25519_signature(bytes_view signature) noexcept {
  return signature.size() == 64 &&
         is_below(from_little_endian(signature.subspan(32)), ed25519_order);
}

}  // namespace detail

/// Whether `key` and `signature` are spelled as `scheme` prescribes, which libraries judge
/// differently: what passes here reads alike to all of them. Says nothing about whose signature it
/// is. Constant time and space but for the lengths.
///
/// `key` is a SubjectPublicKeyInfo in DER with nothing after it: for P-256 a named curve and an
/// uncompressed point with both coordinates below the prime; for Ed25519 a second coordinate below
/// the prime, and not of one of the points of small order. That the point is on its curve is left
/// to the library.
///
/// `signature`, under `ecdsa_p256_sha256`, is a DER Ecdsa-Sig-Value (RFC 3279 2.2.3), r and s from
/// 1 to n - 1, nothing after it. A high s is legitimate: anyone can turn (r, s) into (r, n - s), so
/// a signature identifies neither a document nor an act of signing. Under `ed25519` it is 64 octets
/// with S below L (RFC 8032 5.1.7).
///
/// @errors `unsupported_key`, judged first; `bad_signature`
[[nodiscard]] constexpr result<void> check_signature_encoding(signature_scheme scheme,
                                                              bytes_view key,
                                                              bytes_view signature) noexcept {
  switch (scheme) {
    case signature_scheme::ecdsa_p256_sha256:
      if (!detail::is_p256_key(key)) return errc::unsupported_key;
      return detail::is_p256_signature(signature) ? result<void>() : errc::bad_signature;
    case signature_scheme::ed25519:
      if (!detail::is_ed25519_key(key)) return errc::unsupported_key;
      return detail::is_ed25519_signature(signature) ? result<void>() : errc::bad_signature;
  }
  return errc::unsupported_key;
}

}  // namespace v0
}  // namespace cotter
