// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// Which rules say that a certificate speaks for a target.
enum class identity : std::uint8_t {
  host,  ///< RFC 9525: DNS-ID, one leftmost wildcard label allowed, or IP-ID
  sip,   ///< RFC 5922 7: a `sip:` URI without user part, else DNS, and no wildcards
};

/// Whom the program means to talk to: the URL's host or the SIP URI's domain, never an SRV target
/// and never a resolved address. It is SNI, reference identity, pin key and breaker key at once.
///
/// `host` is borrowed. `guard::admit` replaces it by the pin set's own spelling, which is equal
/// octet by octet, so that nothing after `admit` depends on the caller's string.
struct target {
  std::string_view host;
  std::uint16_t port = 0;
  identity kind = identity::host;

  /// Pins are keyed by host and port; the kind only chooses the naming rules.
  [[nodiscard]] constexpr bool same_endpoint(const target& other) const noexcept {
    return port == other.port && host == other.host;
  }
};

/// What the text of a host turned out to be.
enum class host_kind : std::uint8_t { dns_name, ipv4, ipv6 };

/// An IP address as octets in network order.
struct ip_address {
  std::uint8_t octets[16]{};
  std::uint8_t size_bytes = 0;  ///< 0 (none), 4 or 16

  [[nodiscard]] constexpr explicit operator bool() const noexcept { return size_bytes != 0; }
  friend constexpr bool operator==(const ip_address& a, const ip_address& b) noexcept {
    if (a.size_bytes != b.size_bytes) return false;
    for (std::size_t i = 0; i < a.size_bytes; ++i) {
      if (a.octets[i] != b.octets[i]) return false;
    }
    return true;
  }
};

/// The longest name that DNS can carry, in its text form without the trailing dot (RFC 1035 2.3.4).
inline constexpr std::size_t max_host_bytes = 253;

namespace detail {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Dotted decimal, four parts, no leading zeros. Moves nothing on failure.
constexpr bool parse_ipv4(std::string_view text, std::uint8_t* out) noexcept {
  std::uint8_t parts[4]{};
  std::size_t at = 0;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) {
      if (at >= text.size() || text[at] != '.') return false;
      ++at;
    }
    const std::size_t begin = at;
    unsigned value = 0;
    while (at < text.size() && is_digit(text[at]) && at - begin < 3) {
      value = value * 10 + static_cast<unsigned>(text[at] - '0');
      ++at;
    }
    if (at == begin || value > 255 || (at - begin > 1 && text[begin] == '0')) return false;
    parts[i] = static_cast<std::uint8_t>(value);
  }
  if (at != text.size()) return false;
  for (int i = 0; i < 4; ++i) out[i] = parts[i];
  return true;
}

/// RFC 4291 2.2, without zone.
constexpr bool parse_ipv6(std::string_view text, std::uint8_t* out) noexcept {
  std::uint8_t octets[16]{};
  std::size_t count = 0;
  constexpr std::size_t nowhere = 17;
  std::size_t gap = nowhere;  // where `::` stands
  std::size_t at = 0;
  if (text.starts_with("::")) {
    gap = 0;
    at = 2;
  }
  while (at < text.size()) {
    if (count == 16) return false;
    const std::size_t begin = at;
    unsigned value = 0;
    for (; at < text.size() && at - begin < 4; ++at) {
      const int digit = hex_value(text[at]);
      if (digit < 0) break;
      value = value * 16 + static_cast<unsigned>(digit);
    }
    if (at < text.size() && text[at] == '.') {
      if (count > 12 || !parse_ipv4({text.data() + begin, text.size() - begin}, octets + count)) return false;
      count += 4;
      break;
    }
    if (at == begin) return false;
    octets[count++] = static_cast<std::uint8_t>(value >> 8);
    octets[count++] = static_cast<std::uint8_t>(value & 0xff);
    if (at == text.size()) break;
    if (text[at++] != ':' || at == text.size()) return false;
    if (text[at] == ':') {
      if (gap != nowhere) return false;
      gap = count;
      ++at;
    }
  }
  if (gap == nowhere ? count != 16 : count > 14) return false;
  for (std::size_t i = 0; i < 16; ++i) {
    const std::size_t from = i < gap ? i : i + count - 16;  // wraps inside the gap
    out[i] = i >= gap && i < gap + 16 - count ? std::uint8_t{0} : octets[from];
  }
  return true;
}

/// RFC 5952 4: the one spelling of an IPv6 address. `out` holds at least 39 characters.
constexpr std::size_t format_ipv6(const std::uint8_t* octets, char* out) noexcept {
  std::uint16_t groups[8]{};
  for (int i = 0; i < 8; ++i) {
    groups[i] = static_cast<std::uint16_t>(octets[i * 2] << 8 | octets[i * 2 + 1]);
  }
  int best = -1;
  int best_length = 1;  // 4.2.2: a single zero group is not shortened
  for (int i = 0; i < 8; ++i) {
    int length = 0;
    while (i + length < 8 && groups[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
  }
  std::size_t n = 0;
  for (int i = 0; i < 8;) {
    if (i == best) {
      out[n++] = ':';
      out[n++] = ':';
      i += best_length;
      continue;
    }
    if (i > 0 && out[n - 1] != ':') out[n++] = ':';
    bool started = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
      const unsigned nibble = (static_cast<unsigned>(groups[i]) >> shift) & 0xf;
      if (nibble != 0 || started || shift == 0) {
        out[n++] = "0123456789abcdef"[nibble];
        started = true;
      }
    }
    ++i;
  }
  return n;
}

}  // namespace detail

/// Reads an IPv4 or IPv6 literal (RFC 4291 2.2), without brackets and without zone.
/// The result is empty (`size_bytes == 0`) if `text` is neither.
[[nodiscard]] constexpr ip_address parse_ip(std::string_view text) noexcept {
  ip_address address;
  if (detail::parse_ipv4(text, address.octets)) {
    address.size_bytes = 4;
  } else if (detail::parse_ipv6(text, address.octets)) {
    address.size_bytes = 16;
  }
  return address;
}

/// Takes the IPv4 address out of an IPv4-mapped (`::ffff:0:0/96`, RFC 4291 2.5.5.2) or a well-known
/// NAT64 (`64:ff9b::/96`, RFC 6052 2.1) address; returns any other address as it is.
[[nodiscard]] constexpr ip_address unwrap(const ip_address& address) noexcept {
  if (address.size_bytes != 16) return address;
  constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
  bool is_mapped = true;
  bool is_nat64 = true;
  for (int i = 0; i < 12; ++i) {
    is_mapped = is_mapped && address.octets[i] == mapped[i];
    is_nat64 = is_nat64 && address.octets[i] == nat64[i];
  }
  if (!is_mapped && !is_nat64) return address;
  ip_address v4;
  v4.size_bytes = 4;
  for (int i = 0; i < 4; ++i) v4.octets[i] = address.octets[12 + i];
  return v4;
}

namespace detail {

/// True if a canonical host is an IP address: nothing else ends in a label of digits or has a colon.
constexpr bool is_address(std::string_view host) noexcept {
  bool numeric = true;
  for (std::size_t i = host.size(); i-- > 0 && host[i] != '.';) {
    if (host[i] == ':') return true;
    numeric = numeric && is_digit(host[i]);
  }
  return numeric;
}

/// What a canonical host is. Not the check of `classify_host`: refused is only what could mean
/// another host to a library, octets that no host has and empty labels. For whoever is given hosts
/// that were classified before, and has no room to do it again.
///
/// @errors `invalid_host`
constexpr result<host_kind> kind_of_canonical(std::string_view host) noexcept {
  bool numeric = true;
  bool colons = false;
  char before = '.';
  for (const char c : host) {
    if (c == '.') {
      if (before == '.') return errc::invalid_host;
      numeric = true;
    } else if (!is_digit(c)) {
      numeric = false;
      colons = colons || c == ':';
      if (c != ':' && c != '-' && c != '_' && (c < 'a' || c > 'z')) return errc::invalid_host;
    }
    before = c;
  }
  if (before == '.' || host.size() > max_host_bytes) return errc::invalid_host;
  if (colons) return host_kind::ipv6;
  return numeric ? host_kind::ipv4 : host_kind::dns_name;
}

}  // namespace detail

/// Says what `host` is, provided it is spelled the one way cotter accepts.
///
/// Canonical is: A-labels (RFC 5890) of letters, digits, hyphen and underscore, lower case, 1 to 63
/// octets each, 253 in all, no trailing dot, the last label not numeric; or an IPv4 address in
/// dotted decimal; or an IPv6 address as RFC 5952 spells it, without brackets and zone.
///
/// @errors `invalid_host`, with the offset of the first octet at fault.
[[nodiscard]] constexpr result<host_kind> classify_host(std::string_view host) noexcept {
  if (host.empty()) return errc::invalid_host;
  if (const ip_address address = parse_ip(host)) {
    if (address.size_bytes == 4) return host_kind::ipv4;
    char text[40]{};
    const std::size_t n = detail::format_ipv6(address.octets, text);
    const std::string_view canonical(text, n);
    for (std::size_t i = 0; i < host.size(); ++i) {
      if (i >= n || host[i] != canonical[i]) return {errc::invalid_host, i};
    }
    return host.size() == n ? result<host_kind>(host_kind::ipv6)
                            : result<host_kind>(errc::invalid_host, host.size());
  }
  if (host.size() > max_host_bytes) return {errc::invalid_host, max_host_bytes};
  std::size_t label = 0;
  bool numeric = true;
  for (std::size_t i = 0; i <= host.size(); ++i) {
    if (i == host.size() || host[i] == '.') {
      // The octet that ends an empty label, or the dot before the end.
      if (i == label) return {errc::invalid_host, i == host.size() ? i - 1 : i};
      if (i - label > 63) return {errc::invalid_host, label + 63};
      if (host[label] == '-') return {errc::invalid_host, label};
      if (host[i - 1] == '-') return {errc::invalid_host, i - 1};
      if (i == host.size()) {
        if (numeric) return {errc::invalid_host, label};
        break;
      }
      label = i + 1;
      numeric = true;
      continue;
    }
    const char c = host[i];
    const bool letter = (c >= 'a' && c <= 'z') || c == '-' || c == '_';
    if (!letter && !detail::is_digit(c)) return {errc::invalid_host, i};
    numeric = numeric && !letter;
  }
  return host_kind::dns_name;
}

}  // namespace v0
}  // namespace cotter
