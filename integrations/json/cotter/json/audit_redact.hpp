// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace json {

/// A URL for people to read: scheme, host, port and path. A query becomes `?...`; user, password and
/// fragment are left out; what is not printable ASCII becomes `?`. Of a URL whose parts cannot be told
/// apart for certain (no host, a port that is no number, an `@` behind the host) only the scheme is
/// shown.
/// @throws std::bad_alloc
[[nodiscard]] inline std::string redacted(std::string_view url) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos || colon == 0 ||
      !std::all_of(url.begin(), url.begin() + static_cast<std::ptrdiff_t>(colon), [&](char c) {
        return letter(c) || digit(c) || c == '+' || c == '-' || c == '.';
      })) {
    return "...";
  }
  std::string out(url.substr(0, colon + 3));
  const std::string_view rest = url.substr(colon + 3);
  const std::string_view before_query = rest.substr(0, rest.find_first_of("?#"));
  const std::string_view authority = before_query.substr(0, before_query.find_first_of("/\\"));
  const std::string_view path = before_query.substr(authority.size());
  const std::size_t user = authority.rfind('@');
  const std::string_view endpoint =
      user == std::string_view::npos ? authority : authority.substr(user + 1);
  const bool address = endpoint.starts_with('[');
  const std::size_t end = address ? endpoint.find(']') : endpoint.find(':');
  const std::size_t after =
      end == std::string_view::npos ? endpoint.size() : end + (address ? 1 : 0);
  const std::string_view host = endpoint.substr(0, after);
  const std::string_view port = endpoint.substr(after);
  const bool sound_host = !host.empty() && (!address || end != std::string_view::npos) &&
                          std::all_of(host.begin(), host.end(), [&](char c) {
                            return letter(c) || digit(c) || c == '.' || c == '-' || c == '_' ||
                                   (address && (c == ':' || c == '[' || c == ']'));
                          });
  const bool sound_port = port.empty() || (port.size() > 1 && port.front() == ':' &&
                                           std::all_of(port.begin() + 1, port.end(), digit));
  // An `@` further on: what stands before it may be a password with a slash in it.
  if (!sound_host || !sound_port || rest.substr(authority.size()).find('@') != rest.npos) {
    return out += "...";
  }
  out += endpoint;
  for (const char c : path) out += c > ' ' && c < '\x7f' ? c : '?';
  if (rest.substr(before_query.size()).starts_with('?')) out += "?...";
  return out;
}

}  // namespace json
}  // namespace v0
}  // namespace cotter
