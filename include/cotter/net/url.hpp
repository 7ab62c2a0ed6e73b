// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/result.hpp>
#include <cotter/values/target.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// The schemes that cotter connects to; every one of them means TLS.
enum class url_scheme : std::uint8_t { wss, https, sips, tls };

/// The spelling of `s`, without the colon. Static storage; never empty.
[[nodiscard]] constexpr std::string_view to_string(url_scheme s) noexcept {
  switch (s) {
    case url_scheme::wss: return "wss";
    case url_scheme::https: return "https";
    case url_scheme::sips: return "sips";
    case url_scheme::tls: return "tls";
  }
  return "unknown";
}

/// A URL taken apart. `host` and `path` are borrowed from the text that was parsed; `path` may also
/// be static.
struct url {
  url_scheme scheme = url_scheme::wss;
  std::string_view host;         ///< canonical, see `classify_host`; without brackets
  std::uint16_t port = 0;        ///< 1 to 65535
  std::string_view path = "/";   ///< path and query as they go on the wire (RFC 9112 3.2.1)

  /// Whom to admit: RFC 5922 naming for `sips`, RFC 9525 otherwise.
  [[nodiscard]] constexpr target endpoint() const noexcept {
    return {host, port, scheme == url_scheme::sips ? identity::sip : identity::host};
  }
};

namespace detail {

constexpr char ascii_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  }
  return true;
}

/// An octet that may stand in a path or query as it is (RFC 3986 3.3, 3.4).
constexpr bool is_path_octet(char c) noexcept {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c)) return true;
  return std::string_view("-._~!$&'()*+,;=:@/?").find(c) != std::string_view::npos;
}

/// The offset of the first octet that breaks RFC 3986, or `path.size()`.
constexpr std::size_t path_fault(std::string_view path) noexcept {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (is_path_octet(path[i])) continue;
    const bool escaped = path[i] == '%' && i + 2 < path.size() && hex_value(path[i + 1]) >= 0 &&
                         hex_value(path[i + 2]) >= 0;
    if (!escaped) return i;
    i += 2;
  }
  return path.size();
}

}  // namespace detail

/// Takes a URL apart (a subset of RFC 3986): `wss://`, `https://` (port 443 if none is given),
/// `sips:` (5061, no `//`), `tls://` (the port is required, no path). The scheme may be in any
/// case; the host is never folded, completed or repaired.
///
/// A query needs a path before it (`/?q`). User information and fragments are refused: neither
/// has a meaning to a pinned client, and both mislead readers about the host.
///
/// @errors `insecure_scheme` (`ws`, `http`, `sip`), `invalid_host`, `invalid_port`, `invalid_url`;
///   with the offset of the first octet at fault.
[[nodiscard]] constexpr result<url> parse_url(std::string_view text) noexcept {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return errc::invalid_url;
  const std::string_view name = text.substr(0, colon);

  url parsed;
  std::size_t at = colon + 1;
  bool slashes = true;
  if (detail::equals_ignoring_case(name, "wss")) {
    parsed.scheme = url_scheme::wss;
    parsed.port = 443;
  } else if (detail::equals_ignoring_case(name, "https")) {
    parsed.scheme = url_scheme::https;
    parsed.port = 443;
  } else if (detail::equals_ignoring_case(name, "sips")) {
    parsed.scheme = url_scheme::sips;
    parsed.port = 5061;
    slashes = false;
  } else if (detail::equals_ignoring_case(name, "tls")) {
    parsed.scheme = url_scheme::tls;
  } else if (detail::equals_ignoring_case(name, "ws") ||
             detail::equals_ignoring_case(name, "http") ||
             detail::equals_ignoring_case(name, "sip")) {
    return errc::insecure_scheme;
  } else {
    return errc::invalid_url;
  }
  if (slashes) {
    if (!text.substr(at).starts_with("//")) return {errc::invalid_url, at};
    at += 2;
  }

  const bool has_path = parsed.scheme == url_scheme::wss || parsed.scheme == url_scheme::https;
  const std::size_t authority_end =
      has_path ? (text.find_first_of("/?#", at) == std::string_view::npos
                      ? text.size()
                      : text.find_first_of("/?#", at))
               : text.size();
  const std::string_view authority = text.substr(at, authority_end - at);
  if (const std::size_t user = authority.find('@'); user != std::string_view::npos) {
    return {errc::invalid_url, at + user};
  }

  std::size_t after_host = 0;
  if (authority.starts_with('[')) {
    const std::size_t closing = authority.find(']');
    if (closing == std::string_view::npos) return {errc::invalid_host, at};
    parsed.host = authority.substr(1, closing - 1);
    const result<host_kind> kind = classify_host(parsed.host);
    if (!kind) return {errc::invalid_host, at + 1 + kind.error().offset_bytes};
    if (*kind != host_kind::ipv6) return {errc::invalid_host, at};
    after_host = closing + 1;
  } else {
    after_host = authority.find(':') == std::string_view::npos ? authority.size()
                                                               : authority.find(':');
    parsed.host = authority.substr(0, after_host);
    const result<host_kind> kind = classify_host(parsed.host);
    if (!kind) return {errc::invalid_host, at + kind.error().offset_bytes};
  }

  if (after_host < authority.size()) {
    if (authority[after_host] != ':') return {errc::invalid_url, at + after_host};
    const std::string_view digits = authority.substr(after_host + 1);
    std::uint32_t port = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
      const bool good = detail::is_digit(digits[i]) && i < 5 && (i != 0 || digits[0] != '0');
      if (!good) return {errc::invalid_port, at + after_host + 1 + i};
      port = port * 10 + static_cast<std::uint32_t>(digits[i] - '0');
    }
    if (port == 0 || port > 65535) return {errc::invalid_port, at + after_host + 1};
    parsed.port = static_cast<std::uint16_t>(port);
  }
  if (parsed.port == 0) return {errc::invalid_port, text.size()};

  if (authority_end < text.size()) {
    parsed.path = text.substr(authority_end);
    if (parsed.path[0] != '/') return {errc::invalid_url, authority_end};
    const std::size_t fault = detail::path_fault(parsed.path);
    if (fault != parsed.path.size()) return {errc::invalid_url, authority_end + fault};
  }
  return parsed;
}

}  // namespace v0
}  // namespace cotter
