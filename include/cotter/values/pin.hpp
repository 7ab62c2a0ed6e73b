// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/digest.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/time.hpp>

#include <bit>
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

/// Where to look among many pins: they are sorted by digest, and those whose digest begins with the
/// bits `b` stand from `heads[b]` to before `heads[b + 1]`. One place more than there are values of so
/// many bits, 2 to 2^31 of them. Digests are public: how long a look takes says nothing that is not.
struct pin_index {
  std::span<const std::uint32_t> heads{};
  bool certificates = false;  ///< some pin is of this form
  bool keys = false;

  [[nodiscard]] constexpr std::size_t bucket_of(const sha256_digest& digest) const noexcept {
    const auto& o = digest.octets;
    const std::uint32_t first =
        std::uint32_t{o[0]} << 24 | std::uint32_t{o[1]} << 16 | std::uint32_t{o[2]} << 8 | o[3];
    return first >> (32 - std::countr_zero(heads.size() - 1));
  }
};

/// One target with its pins. Everything is borrowed from the pin set.
struct pinned_target {
  target endpoint{};
  std::span<const pin> pins{};
  std::string_view region{};         ///< whose pins these are; empty if the target has no regions
  const pin_index* index = nullptr;  ///< null: every pin is compared

  /// Those pins that may have this digest.
  [[nodiscard]] constexpr std::span<const pin> near(const sha256_digest& digest) const noexcept {
    if (index == nullptr) return pins;
    const std::size_t bucket = index->bucket_of(digest);
    const std::size_t first = index->heads[bucket];
    return pins.subspan(first, index->heads[bucket + 1] - first);
  }

  /// True if some pin is of this form, so that its digest must be computed.
  [[nodiscard]] constexpr bool wants(pin_form form) const noexcept {
    if (index != nullptr) return form == pin_form::certificate ? index->certificates : index->keys;
    for (const pin& p : pins) {
      if (p.form == form) return true;
    }
    return false;
  }
  /// True if some pin, whatever its role and end, is the digest of its form; `key` may be null.
  [[nodiscard]] constexpr bool knows(const sha256_digest& certificate,
                                     const sha256_digest* key) const noexcept {
    for (const pin& p : near(certificate)) {
      if (p.form == pin_form::certificate && p.digest == certificate) return true;
    }
    if (key == nullptr) return false;
    for (const pin& p : near(*key)) {
      if (p.form == pin_form::spki && p.digest == *key) return true;
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
  for (std::size_t i = 0; i < 64; ++i) {
    const int value = i < text.size() ? hex_value(text[i]) : -1;
    if (value < 0) return {errc::invalid_pin, at + i};
    digest.octets[i / 2] = static_cast<std::uint8_t>(digest.octets[i / 2] << 4 | value);
  }
  if (text.size() > 64) return {errc::invalid_pin, at + 64};
  return digest;
}

/// Standard base64 (RFC 4648 4) of 32 octets: 43 digits and one `=`, the two spare bits zero.
constexpr result<sha256_digest> digest_from_base64(std::string_view text, std::size_t at) noexcept {
  sha256_digest digest;
  std::uint32_t bits = 0;
  int count = 0;
  std::size_t n = 0;
  for (std::size_t i = 0; i < 43; ++i) {
    const int value = i < text.size() ? base64_value(text[i]) : -1;
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
  if (text.size() == 43 || text[43] != '=') return {errc::invalid_pin, at + 43};
  if (text.size() > 44) return {errc::invalid_pin, at + 44};
  return digest;
}

}  // namespace detail

/// Reads a pin from text: `cert-sha256:<64 hex>` or `spki-sha256:<64 hex>`, or as others spell it:
/// `sha256//<base64>` (curl), `sha256/<base64>` (OkHttp) and `pin-sha256="<base64>"` (RFC 7469 2.1.1),
/// which mean the key, and the TLSA data `1 0 1 <64 hex>` (certificate) and `1 1 1 <64 hex>` (key) of
/// RFC 6698 2.1. A bare digest is refused: it does not say its form. So are TLSA's other usages:
/// 0 and 2 name a CA, 3 means a certificate that nobody else vouches for.
///
/// @errors `invalid_pin`, with the offset of the first character at fault.
[[nodiscard]] constexpr result<pin> parse_pin(std::string_view text) noexcept {
  struct spelling {
    std::string_view begin;
    std::string_view end;
    pin_form form;
    bool hexadecimal;
  };
  // Longer beginnings before what they begin with.
  constexpr spelling spellings[] = {
      {"cert-sha256:", "", pin_form::certificate, true},
      {"spki-sha256:", "", pin_form::spki, true},
      {"sha256//", "", pin_form::spki, false},
      {"sha256/", "", pin_form::spki, false},
      {"pin-sha256=\"", "\"", pin_form::spki, false},
      {"1 0 1 ", "", pin_form::certificate, true},
      {"1 1 1 ", "", pin_form::spki, true},
  };
  for (const spelling& one : spellings) {
    if (!text.starts_with(one.begin)) continue;
    const std::size_t begin = one.begin.size();
    const std::size_t close = one.end.empty() ? text.size() : text.find(one.end, begin);
    const std::string_view digits = text.substr(begin, close - begin);
    const auto digest = one.hexadecimal ? detail::digest_from_hex(digits, begin)
                                        : detail::digest_from_base64(digits, begin);
    if (!digest) return digest.error();
    if (close == std::string_view::npos) return {errc::invalid_pin, text.size()};
    if (close + one.end.size() != text.size()) return {errc::invalid_pin, close + one.end.size()};
    pin parsed;
    parsed.form = one.form;
    parsed.digest = *digest;
    return parsed;
  }
  return errc::invalid_pin;
}

}  // namespace v0
}  // namespace cotter
