// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/pin.hpp>
#include <cotter/values/prefix.hpp>
#include <cotter/values/runtime.hpp>
#include <cotter/values/target.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace json {

// What people write, and what they should have written. Suggestions are for people to read: nothing
// corrects a document by itself. An empty suggestion: there is no telling.

namespace detail {

inline std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

inline std::string hex_of(const sha256_digest& digest) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t octet : digest.octets) {
    out += digits[octet >> 4];
    out += digits[octet & 0xf];
  }
  return out;
}

}  // namespace detail

/// `cert-sha256:<hex>` or `spki-sha256:<hex>`, lower case: the spelling that says everything.
/// @throws std::bad_alloc
[[nodiscard]] inline std::string spell_pin(const pin& one) {
  return (one.form == pin_form::certificate ? "cert-sha256:" : "spki-sha256:") +
         detail::hex_of(one.digest);
}

/// Reads a pin of a manifest: any spelling of `parse_pin`, or 64 bare hex digits, which mean the
/// certificate. cotter's own spellings and bare digits are lower case.
///
/// @errors `invalid_pin`
[[nodiscard]] inline result<pin> parse_manifest_pin(std::string_view text) noexcept {
  const bool bare = text.size() == 64 && text.find(':') == std::string_view::npos;
  if (bare || text.starts_with("cert-sha256:") || text.starts_with("spki-sha256:")) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] >= 'A' && text[i] <= 'Z') return {errc::invalid_pin, i};
    }
  }
  if (!bare) return parse_pin(text);
  const auto digest = cotter::detail::digest_from_hex(text, 0);
  if (!digest) return digest.error();
  pin out;
  out.digest = *digest;
  return out;
}

/// A pin that `text` may have meant: hex in upper case or with colons, as `openssl x509
/// -fingerprint` prints it; base64 without padding or with the alphabet of URLs.
/// @throws std::bad_alloc
[[nodiscard]] inline std::string suggest_pin(std::string_view text) {
  const auto spelled = [](std::string_view candidate) -> std::string {
    const auto read = parse_manifest_pin(candidate);
    return read ? spell_pin(*read) : std::string{};
  };
  // Hex: what stands before it says the form, and nothing means the certificate.
  std::string lower = detail::lower_case(text);
  const bool key = lower.starts_with("spki-sha256:") || lower.starts_with("1 1 1 ");
  for (const std::string_view before :
       {"cert-sha256:", "spki-sha256:", "1 0 1 ", "1 1 1 ", "sha256 fingerprint=", "0x"}) {
    if (lower.starts_with(before)) {
      lower.erase(0, before.size());
      break;
    }
  }
  std::string hex;
  std::copy_if(lower.begin(), lower.end(), std::back_inserter(hex),
               [](char c) { return c != ':' && c != ' ' && c != '-'; });
  if (std::string out = spelled((key ? "spki-sha256:" : "cert-sha256:") + hex); !out.empty()) {
    return out;
  }
  for (const std::string_view before : {"sha256//", "sha256/"}) {
    if (!text.starts_with(before)) continue;
    std::string digits(text.substr(before.size()));
    std::replace(digits.begin(), digits.end(), '-', '+');
    std::replace(digits.begin(), digits.end(), '_', '/');
    if (digits.size() == 43) digits += '=';
    return spelled("sha256//" + digits);
  }
  return {};
}

/// What is wrong with a pin that was refused, as a phrase.
[[nodiscard]] inline std::string_view expected_pin(std::string_view text) noexcept {
  if (text.size() >= 6 && text[1] == ' ' && text[3] == ' ' && text[5] == ' ') {
    if (text[0] == '0' || text[0] == '2') {
      return "TLSA usage 1: usages 0 and 2 name a CA, which is no pin of a leaf";
    }
    if (text[0] == '3') {
      return "TLSA usage 1: usage 3 means a certificate that PKIX need not vouch for";
    }
    if (text[4] != '1') return "TLSA matching type 1 (SHA-256)";
  }
  if (text.starts_with("sha1/") || text.starts_with("sha1//")) return "SHA-256, not SHA-1";
  return "a pin: cert-sha256:<64 hex>, spki-sha256:<64 hex>, sha256//<base64>, sha256/<base64>, "
         "pin-sha256=\"<base64>\", TLSA 1 0 1 or 1 1 1, or 64 hex digits, lower case";
}

/// The host that `text` may have meant: lower case, without trailing dot, brackets, zone, port, or
/// the rest of a URL; an IPv6 address as RFC 5952 spells it. Empty for names beyond ASCII.
/// @throws std::bad_alloc
[[nodiscard]] inline std::string suggest_host(std::string_view text) {
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    text.remove_prefix(scheme + 3);
  } else if (text.starts_with("sips:") || text.starts_with("sip:")) {
    text.remove_prefix(text.find(':') + 1);
  }
  text = text.substr(0, text.find_first_of("/?#;"));
  if (const std::size_t user = text.rfind('@'); user != std::string_view::npos) {
    text.remove_prefix(user + 1);
  }
  if (text.starts_with('[')) {
    text =
        text.substr(1, text.find(']') == std::string_view::npos ? text.npos : text.find(']') - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  text = text.substr(0, text.find('%'));
  while (text.ends_with('.')) text.remove_suffix(1);
  std::string out = detail::lower_case(text);
  if (const ip_address address = parse_ip(out); address.size_bytes == 16) {
    char canonical[40]{};
    out.assign(canonical, cotter::detail::format_ipv6(address.octets, canonical));
  }
  return classify_host(out) ? out : std::string{};
}

/// What is wrong with a host that was refused, as a phrase.
[[nodiscard]] inline std::string_view expected_host(std::string_view text) noexcept {
  const bool ascii = std::all_of(text.begin(), text.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!ascii) return "the name written as A-label (xn--...), lower case";
  if (text.starts_with("*.")) return "one name: there are no wildcards";
  return "a host: A-labels in lower case without trailing dot, or an IP address without brackets";
}

/// An address in its one spelling.
/// @throws std::bad_alloc
[[nodiscard]] inline std::string spell_address(const ip_address& address) {
  if (address.size_bytes == 16) {
    char text[40]{};
    return std::string(text, cotter::detail::format_ipv6(address.octets, text));
  }
  std::string out;
  for (std::size_t i = 0; i < address.size_bytes; ++i) {
    if (i > 0) out += '.';
    out += std::to_string(address.octets[i]);
  }
  return out;
}

/// @throws std::bad_alloc
[[nodiscard]] inline std::string spell_prefix(const ip_prefix& block) {
  return spell_address(block.network) + "/" + std::to_string(block.length_bits);
}

/// The block that `text` may have meant: an address alone, or one with bits beyond the length.
/// @throws std::bad_alloc
[[nodiscard]] inline std::string suggest_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  ip_prefix block;
  block.network = parse_ip(text.substr(0, slash));
  if (!block.network) return {};
  const unsigned whole = block.network.size_bytes * 8u;
  unsigned length = whole;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    if (digits.empty() || digits.size() > 3) return {};
    length = 0;
    for (const char c : digits) {
      if (!cotter::detail::is_digit(c)) return {};
      length = length * 10 + static_cast<unsigned>(c - '0');
    }
    if (length > whole) return {};
  }
  for (unsigned i = length; i < whole; ++i) {
    const unsigned kept = ~(0x80u >> (i % 8));
    block.network.octets[i / 8] = static_cast<std::uint8_t>(block.network.octets[i / 8] & kept);
  }
  block.length_bits = static_cast<std::uint8_t>(length);
  return spell_prefix(block);
}

/// `3.0.17`.
/// @throws std::bad_alloc
[[nodiscard]] inline std::string spell_version(const library_version& one) {
  return std::to_string(one.major_number) + "." + std::to_string(one.minor_number) + "." +
         std::to_string(one.patch);
}

/// The one of `known` that `name` is nearest to, if it is at most two edits away.
[[nodiscard]] inline std::string_view nearest_name(
    std::string_view name, std::span<const std::string_view> known) noexcept {
  constexpr std::size_t longest = 40;
  if (name.size() >= longest) return {};
  std::string_view best;
  std::size_t least = 3;
  for (const std::string_view one : known) {
    if (one.size() >= longest) continue;
    std::array<std::size_t, longest> row{};
    for (std::size_t j = 0; j <= one.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= name.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= one.size(); ++j) {
        const std::size_t replaced = diagonal + (name[i - 1] == one[j - 1] ? 0u : 1u);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
      }
    }
    if (row[one.size()] < least) {
      least = row[one.size()];
      best = one;
    }
  }
  return best;
}

}  // namespace json
}  // namespace v0
}  // namespace cotter
