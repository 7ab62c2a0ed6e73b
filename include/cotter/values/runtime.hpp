// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/result.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// The version of a TLS library, as its makers count: OpenSSL 3.0.17, wolfSSL 5.5.4, Mbed TLS 2.28.3.
struct library_version {
  std::uint16_t major_number = 0;
  std::uint16_t minor_number = 0;
  std::uint16_t patch = 0;

  friend constexpr auto operator<=>(const library_version&, const library_version&) = default;
};

/// Reads `3`, `3.0` or `3.0.17`; what is left out is 0.
///
/// @errors `invalid_version`, with the offset of the first character at fault.
[[nodiscard]] constexpr result<library_version> parse_library_version(
    std::string_view text) noexcept {
  std::uint16_t parts[3]{};
  std::size_t at = 0;
  for (std::size_t part = 0; part < 3; ++part) {
    const std::size_t begin = at;
    unsigned value = 0;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      value = value * 10 + static_cast<unsigned>(text[at] - '0');
      if (value > 0xffff) return {errc::invalid_version, at};
      ++at;
    }
    if (at == begin || (at - begin > 1 && text[begin] == '0')) {
      return {errc::invalid_version, begin};
    }
    parts[part] = static_cast<std::uint16_t>(value);
    if (at == text.size()) return library_version{parts[0], parts[1], parts[2]};
    if (text[at] != '.' || part == 2) return {errc::invalid_version, at};
    ++at;
  }
  return {errc::invalid_version, at};
}

/// A TLS library that a manifest allows: `at_least` and what comes after it, before `below`.
struct runtime_range {
  std::string_view library{};  ///< `Backend::name`; borrowed from the manifest
  library_version at_least{};
  library_version below{0xffff, 0xffff, 0xffff};

  [[nodiscard]] constexpr bool allows(std::string_view name,
                                      const library_version& running) const noexcept {
    return name == library && running >= at_least && running < below;
  }
};

}  // namespace v0
}  // namespace cotter
