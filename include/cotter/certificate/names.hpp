// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/certificate/view.hpp>
#include <cotter/der/reader.hpp>
#include <cotter/der/tag.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/target.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

namespace detail {

constexpr char ascii_lower(std::uint8_t octet) noexcept {
  return static_cast<char>(octet >= 'A' && octet <= 'Z' ? octet + 32 : octet);
}

constexpr bool equals_ignoring_case(bytes_view presented, std::string_view lower) noexcept {
  if (presented.size() != lower.size()) return false;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    if (ascii_lower(presented[i]) != lower[i]) return false;
  }
  return true;
}

}  // namespace detail

/// True if a dNSName says that the certificate speaks for `host`, a canonical DNS name (see
/// `classify_host`; the caller has checked).
///
/// Letters are compared without case, in ASCII; A-labels are labels like any other. Because `host`
/// is canonical, a presented trailing dot, NUL, or octet outside of ASCII equals nothing. A
/// wildcard is `*` as the whole leftmost label and stands for exactly one label. Stricter than RFC
/// 9525, which leaves wildcards over public suffixes to the client (7.1): below the wildcard there
/// are at least two labels, so neither `*` nor `*.com` speaks for anyone.
///
/// @source RFC 9525 6.3; RFC 4343
[[nodiscard]] constexpr bool matches_dns_id(bytes_view presented, std::string_view host) noexcept {
  if (detail::equals_ignoring_case(presented, host)) return true;
  if (presented.size() < 2 || presented[0] != '*' || presented[1] != '.') return false;
  const std::size_t dot = host.find('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view parent(host.data() + dot + 1, host.size() - dot - 1);
  return parent.find('.') != std::string_view::npos &&
         detail::equals_ignoring_case(presented.subspan(2), parent);
}

/// True if an iPAddress holds exactly these 4 or 16 octets. An IPv4-mapped IPv6 address is not the
/// IPv4 address.
///
/// @source RFC 9525 6.4; RFC 5280 4.2.1.6
[[nodiscard]] constexpr bool matches_ip_id(bytes_view presented,
                                           const ip_address& address) noexcept {
  if (address.size_bytes == 0 || presented.size() != address.size_bytes) return false;
  for (std::size_t i = 0; i < presented.size(); ++i) {
    if (presented[i] != address.octets[i]) return false;
  }
  return true;
}

/// What a uniformResourceIdentifier says about SIP.
struct sip_identity {
  bool is_domain = false;  ///< scheme `sip` and no user part: it names a SIP domain
  bytes_view host{};       ///< without port, parameters and headers; empty if there is none to read
};

/// Reads a URI of a subjectAltName. Any other scheme, `sips` included, and any `@` make it no
/// domain. A port, parameters and headers are allowed and do not matter.
///
/// @source RFC 5922 7.1; RFC 3261 25.1 (`SIP-URI`, `hostport`)
[[nodiscard]] constexpr sip_identity read_sip_identity(bytes_view uri) noexcept {
  if (uri.size() < 4 || !detail::equals_ignoring_case(uri.first(4), "sip:")) return {};
  const bytes_view rest = uri.subspan(4);
  for (const std::uint8_t octet : rest) {
    if (octet == '@') return {};
  }
  sip_identity identity;
  identity.is_domain = true;
  const bool bracketed = !rest.empty() && rest[0] == '[';
  std::size_t end = 0;
  while (end < rest.size() && rest[end] != ';' && rest[end] != '?' &&
         (bracketed ? rest[end] != ']' : rest[end] != ':')) {
    ++end;
  }
  if (bracketed) {
    if (end == rest.size() || rest[end] != ']') return identity;
    ++end;
  }
  std::size_t after = end;
  if (after < rest.size() && rest[after] == ':') {
    const std::size_t begin = ++after;
    while (after < rest.size() && rest[after] >= '0' && rest[after] <= '9') ++after;
    if (after == begin) return identity;
  }
  if (after < rest.size() && rest[after] != ';' && rest[after] != '?') return identity;
  identity.host = rest.first(end);
  return identity;
}

namespace detail {

/// The host of a SIP URI as an address; an IPv6 address stands in brackets.
constexpr ip_address read_sip_address(bytes_view host) noexcept {
  constexpr std::size_t longest = 47;  // 45 characters of IPv6 with an IPv4 tail, and brackets
  char text[longest]{};
  if (host.size() > longest) return {};
  for (std::size_t i = 0; i < host.size(); ++i) text[i] = static_cast<char>(host[i]);
  const std::string_view whole(text, host.size());
  if (!whole.starts_with('[')) {
    const ip_address address = parse_ip(whole);
    return address.size_bytes == 4 ? address : ip_address{};
  }
  if (!whole.ends_with(']')) return {};
  const ip_address address = parse_ip({text + 1, whole.size() - 2});
  return address.size_bytes == 16 ? address : ip_address{};
}

/// The context tags of GeneralName (RFC 5280 4.2.1.6).
struct general_name {
  static constexpr std::uint32_t dns = 2;
  static constexpr std::uint32_t uri = 6;
  static constexpr std::uint32_t ip = 7;
  static constexpr std::uint32_t last = 8;
};

constexpr bool is_general_name(der::tag t) noexcept {
  if (t.of() != der::tag_class::context || t.number() > general_name::last) return false;
  const bool structure = t.number() == 0 || (t.number() >= 3 && t.number() <= 5);
  return t.constructed() == structure;
}

}  // namespace detail

namespace detail {

/// `names_target` for a host that is known to be canonical, and, without `Addresses`, no IP address.
template <bool Addresses = true>
constexpr bool names_canonical(const certificate_view& view, const target& whom) noexcept {
  if (!view.located(field::san) || view.san.empty()) return false;
  bool by_address = false;
  ip_address address;
  if constexpr (Addresses) {
    by_address = is_address(whom.host);
    if (by_address) address = parse_ip(whom.host);
    if (by_address && !address) return false;
  }
  const auto is_domain = [&](bytes_view host) noexcept {
    if constexpr (Addresses) {
      if (by_address) return read_sip_address(host) == address;
    }
    return equals_ignoring_case(host, whom.host);
  };
  der::element e;
  error ignored;
  if (!take_only(der::reader(view.san), der::tags::sequence, e, ignored)) return false;

  bool dns = false;
  bool ip = false;
  bool sip_present = false;
  bool sip = false;
  der::reader names(e);
  while (!names.at_end()) {
    if (!names.take({}, e, ignored) || !is_general_name(e.tag())) return false;
    const bytes_view value = e.content();
    switch (e.tag().number()) {
      case general_name::dns:
        dns = dns || (!by_address &&
                      (whom.kind == identity::host ? matches_dns_id(value, whom.host)
                                                   : equals_ignoring_case(value, whom.host)));
        break;
      case general_name::ip: ip = ip || (by_address && matches_ip_id(value, address)); break;
      case general_name::uri: {
        if (whom.kind != identity::sip) break;
        const sip_identity domain = read_sip_identity(value);
        sip_present = sip_present || domain.is_domain;
        sip = sip || (domain.is_domain && is_domain(domain.host));
        break;
      }
      default: break;
    }
  }
  switch (whom.kind) {
    case identity::host: return by_address ? ip : dns;
    case identity::sip: return sip_present ? sip : dns;
  }
  return false;
}

}  // namespace detail

/// True if the certificate speaks for the target: its subjectAltName, never a common name.
///
/// `identity::host`: some dNSName matches (`matches_dns_id`), or, if the target is an IP address,
/// some iPAddress (`matches_ip_id`); an address never matches a dNSName.
/// `identity::sip`: some `sip:` URI without user part has the target as its host; only if there is
/// no such URI at all, some dNSName equals the target. No wildcards. An IP address is matched by
/// the host of such a URI alone.
///
/// False if there is no subjectAltName, if it cannot be located or any GeneralName in it has a tag or
/// length at fault (the inside of those that name no host is not looked at), and if `whom.host` is not canonical (see `classify_host`). Time is linear in the
/// subjectAltName; allocates nothing.
///
/// @source RFC 9525 6; RFC 5922 7.1, 7.2
[[nodiscard]] constexpr bool names_target(const certificate_view& view,
                                          const target& whom) noexcept {
  return classify_host(whom.host) && detail::names_canonical(view, whom);
}

}  // namespace v0
}  // namespace cotter
