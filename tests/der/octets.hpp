// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

// Builders of BER for tests, good or bad as the test wants it. They share nothing with der/writer,
// so that one can be held against the other.
namespace cotter_test {

/// Up to 1,024 octets by value, so that whole certificates can be made at compile time.
struct octets {
  static constexpr std::size_t capacity = 1024;

  std::uint8_t data[capacity]{};
  std::size_t size = 0;

  constexpr octets() = default;
  constexpr octets(cotter::bytes_view from) { append(from); }  // NOLINT(*-explicit-*)

  constexpr void push(std::size_t octet) { data[size++] = static_cast<std::uint8_t>(octet); }
  constexpr void append(cotter::bytes_view more) {
    for (const std::uint8_t octet : more) push(octet);
  }
  constexpr cotter::bytes_view view() const { return {data, size}; }
  constexpr operator cotter::bytes_view() const { return view(); }  // NOLINT(*-explicit-*)
};

constexpr bool same(cotter::bytes_view a, cotter::bytes_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

/// True if `part` is a piece of `whole`, by address.
constexpr bool is_inside(cotter::bytes_view part, cotter::bytes_view whole) {
  for (std::size_t i = 0; i <= whole.size(); ++i) {
    if (whole.data() + i == part.data()) return part.size() <= whole.size() - i;
  }
  return false;
}

/// Hexadecimal digits; blanks do not matter.
constexpr octets hex(std::string_view digits) {
  octets out;
  int high = -1;
  for (const char c : digits) {
    if (c == ' ') continue;
    const int value = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = value;
    } else {
      out.push(static_cast<std::size_t>(high * 16 + value));
      high = -1;
    }
  }
  return out;
}

constexpr octets text(std::string_view characters) {
  octets out;
  for (const char c : characters) out.push(static_cast<unsigned char>(c));
  return out;
}

template <typename... Parts>
constexpr octets join(const Parts&... parts) {
  octets out;
  (out.append(parts), ...);
  return out;
}

/// An element with its length in the fewest octets.
template <typename... Parts>
constexpr octets tlv(std::size_t identifier, const Parts&... parts) {
  const octets content = join(parts...);
  octets out;
  out.push(identifier);
  if (content.size > 0xff) {
    out.push(0x82);
    out.push(content.size >> 8);
  } else if (content.size > 0x7f) {
    out.push(0x81);
  }
  out.push(content.size & 0xff);
  out.append(content);
  return out;
}

/// An element with its length in so many octets after the first.
template <typename... Parts>
constexpr octets tlv_long(std::size_t identifier, std::size_t length_octets,
                          const Parts&... parts) {
  const octets content = join(parts...);
  octets out;
  out.push(identifier);
  out.push(0x80 + length_octets);
  for (std::size_t i = length_octets; i > 0; --i) {
    out.push(i > 2 ? 0 : content.size >> (8 * (i - 1)) & 0xff);
  }
  out.append(content);
  return out;
}

/// An element of indefinite length, closed.
template <typename... Parts>
constexpr octets tlv_indefinite(std::size_t identifier, const Parts&... parts) {
  octets out;
  out.push(identifier);
  out.push(0x80);
  (out.append(parts), ...);
  out.append(hex("0000"));
  return out;
}

}  // namespace cotter_test
