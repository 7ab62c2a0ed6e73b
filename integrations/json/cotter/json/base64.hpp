// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/pin.hpp>
#include <cotter/values/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace json {

/// The octets of a text, borrowed.
[[nodiscard]] inline bytes_view octets_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// base64 of RFC 4648 4, with padding.
/// @throws std::bad_alloc
[[nodiscard]] inline std::string encode_base64(std::string_view octets) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((octets.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < octets.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const bool there = at + i < octets.size();
      group = group << 8 | (there ? std::uint32_t{static_cast<unsigned char>(octets[at + i])} : 0u);
    }
    const std::size_t digits = octets.size() - at >= 3 ? 4 : octets.size() - at + 1;
    for (std::size_t i = 0; i < 4; ++i) {
      out += i < digits ? alphabet[(group >> (18 - 6 * i)) & 0x3f] : '=';
    }
  }
  return out;
}

/// Decodes base64 of RFC 4648 4 and nothing else: padding there, spare bits zero, no white space.
/// Each sequence of octets has one spelling.
///
/// @errors `invalid_base64`, with the offset of the first character at fault
/// @throws std::bad_alloc
[[nodiscard]] inline result<std::string> decode_base64(std::string_view text) {
  std::string out;
  if (text.size() % 4 != 0) return {errc::invalid_base64, text.size()};
  out.reserve(text.size() / 4 * 3);
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const std::size_t digits = text.size() - padding;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const int digit = cotter::detail::base64_value(text[i]);
    if (digit < 0) return {errc::invalid_base64, i};
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(static_cast<unsigned char>(bits >> count & 0xff));
      bits &= (1u << count) - 1;
    }
  }
  if (bits != 0) return {errc::invalid_base64, digits - 1};
  return out;
}

}  // namespace json
}  // namespace v0
}  // namespace cotter
