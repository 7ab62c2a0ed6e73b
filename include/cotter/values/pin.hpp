// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/digest.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/time.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// What a pin's digest was taken over. Certificate and key digests look alike; a pin without its
/// form is no pin.
enum class pin_form : std::uint8_t {
  certificate,  ///< SHA-256 over form C of the whole leaf, see certificate/form.hpp
  spki,         ///< SHA-256 over the leaf's SubjectPublicKeyInfo as received (RFC 7469 2.4)
};

/// The part a pin plays in a rotation.
enum class pin_role : std::uint8_t { primary, fallback };

/// No end: the pin is good until a newer manifest drops it.
inline constexpr instant no_expiry{std::chrono::seconds{std::numeric_limits<std::int64_t>::max()}};

/// One certificate or key that may stand at the other end.
struct pin {
  sha256_digest digest{};
  pin_form form = pin_form::certificate;
  pin_role role = pin_role::primary;
  instant not_after = no_expiry;  ///< a fallback past it is refused as `fallback_expired`
  std::string_view label{};       ///< for events; borrowed from the pin set
};

/// One target with its pins. Both members are borrowed from the pin set.
struct pinned_target {
  target endpoint{};
  std::span<const pin> pins{};

  /// True if some pin is of this form, so that its digest must be computed.
  [[nodiscard]] constexpr bool wants(pin_form form) const noexcept {
    for (const pin& p : pins) {
      if (p.form == form) return true;
    }
    return false;
  }
};

namespace detail {

constexpr int base64_value(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

constexpr result<sha256_digest> digest_from_hex(std::string_view text, std::size_t at) noexcept {
  sha256_digest digest;
  if (text.size() != 64) return {errc::invalid_pin, at + (text.size() < 64 ? text.size() : 64)};
  for (std::size_t i = 0; i < 64; ++i) {
    const int value = hex_value(text[i]);
    if (value < 0) return {errc::invalid_pin, at + i};
    digest.octets[i / 2] = static_cast<std::uint8_t>(digest.octets[i / 2] << 4 | value);
  }
  return digest;
}

/// Standard base64 (RFC 4648 4) of 32 octets: 43 digits and one `=`, the two spare bits zero.
constexpr result<sha256_digest> digest_from_base64(std::string_view text, std::size_t at) noexcept {
  sha256_digest digest;
  if (text.size() != 44) return {errc::invalid_pin, at + (text.size() < 44 ? text.size() : 44)};
  if (text[43] != '=') return {errc::invalid_pin, at + 43};
  std::uint32_t bits = 0;
  int count = 0;
  std::size_t n = 0;
  for (std::size_t i = 0; i < 43; ++i) {
    const int value = base64_value(text[i]);
    if (value < 0) return {errc::invalid_pin, at + i};
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      digest.octets[n++] = static_cast<std::uint8_t>(bits >> count);
      bits &= (1u << count) - 1;
    }
  }
  if (bits != 0) return {errc::invalid_pin, at + 42};
  return digest;
}

}  // namespace detail

/// Reads a pin from text. Accepted: `cert-sha256:<64 hex>`, `spki-sha256:<64 hex>`, and curl's
/// `sha256//<base64>`, which means the key. A bare digest is refused: it does not say its form.
///
/// @errors `invalid_pin`, with the offset of the first character at fault.
[[nodiscard]] constexpr result<pin> parse_pin(std::string_view text) noexcept {
  constexpr std::string_view certificate = "cert-sha256:";
  constexpr std::string_view key = "spki-sha256:";
  constexpr std::string_view curl = "sha256//";
  pin parsed;
  result<sha256_digest> digest{errc::invalid_pin};
  if (text.starts_with(certificate)) {
    digest = detail::digest_from_hex(text.substr(certificate.size()), certificate.size());
  } else if (text.starts_with(key)) {
    parsed.form = pin_form::spki;
    digest = detail::digest_from_hex(text.substr(key.size()), key.size());
  } else if (text.starts_with(curl)) {
    parsed.form = pin_form::spki;
    digest = detail::digest_from_base64(text.substr(curl.size()), curl.size());
  }
  if (!digest) return digest.error();
  parsed.digest = *digest;
  return parsed;
}

}  // namespace v0
}  // namespace cotter
