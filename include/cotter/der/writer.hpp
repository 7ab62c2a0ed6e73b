// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/der/tag.hpp>
#include <cotter/values/bytes_view.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace cotter {
inline namespace v0 {
namespace der {

/// Identifier and length octets as DER spells them. Owns its few octets.
class encoded_header {
 public:
  /// 1 + 4 identifier octets for `max_tag_number`, 1 + sizeof(std::size_t) length octets.
  static constexpr std::size_t max_bytes = 6 + sizeof(std::size_t);

  /// The octets; borrowed from this object.
  [[nodiscard]] constexpr bytes_view octets() const& noexcept {
    return bytes_view(octets_).first(size_bytes_);
  }
  bytes_view octets() const&& = delete;
  [[nodiscard]] constexpr std::size_t size_bytes() const noexcept { return size_bytes_; }

  constexpr void append(std::uint8_t octet) noexcept { octets_[size_bytes_++] = octet; }

 private:
  std::array<std::uint8_t, max_bytes> octets_{};
  std::size_t size_bytes_ = 0;
};

/// The one header that DER has for an element of this tag and so much content.
///
/// @source X.690 8.1.2.2, 8.1.2.4 (tag in the fewest octets), 10.1 (definite length, fewest octets)
[[nodiscard]] constexpr encoded_header encode_header(tag t, std::size_t content_bytes) noexcept {
  encoded_header out;
  const auto leading = static_cast<std::uint8_t>(static_cast<unsigned>(t.of()) << 6 |
                                                 (t.constructed() ? 0x20u : 0u));
  if (t.number() < 31) {
    out.append(static_cast<std::uint8_t>(leading | t.number()));
  } else {
    out.append(static_cast<std::uint8_t>(leading | 0x1f));
    int shift = 21;
    while (t.number() >> shift == 0) shift -= 7;
    for (; shift > 0; shift -= 7) {
      out.append(static_cast<std::uint8_t>(0x80 | (t.number() >> shift & 0x7f)));
    }
    out.append(static_cast<std::uint8_t>(t.number() & 0x7f));
  }
  if (content_bytes < 0x80) {
    out.append(static_cast<std::uint8_t>(content_bytes));
    return out;
  }
  int shift = std::numeric_limits<std::size_t>::digits - 8;
  while (content_bytes >> shift == 0) shift -= 8;
  out.append(static_cast<std::uint8_t>(0x80 | (shift / 8 + 1)));
  for (; shift >= 0; shift -= 8) {
    out.append(static_cast<std::uint8_t>(content_bytes >> shift & 0xff));
  }
  return out;
}

/// How many octets `encode_header` yields.
[[nodiscard]] constexpr std::size_t header_size_bytes(tag t, std::size_t content_bytes) noexcept {
  std::size_t bytes = 2;
  if (t.number() > 30) {
    for (std::uint32_t rest = t.number(); rest != 0; rest >>= 7) ++bytes;
  }
  if (content_bytes > 0x7f) {
    for (std::size_t rest = content_bytes; rest != 0; rest >>= 8) ++bytes;
  }
  return bytes;
}

/// Gives one element to `sink`, header first, then the content as it is. `sink` is called with a
/// `bytes_view` that lives for the call only, and does not throw.
template <typename Sink>
constexpr void write_element(tag t, bytes_view content, Sink&& sink) noexcept {
  const encoded_header header = encode_header(t, content.size());
  sink(header.octets());
  if (!content.empty()) sink(content);
}

}  // namespace der
}  // namespace v0
}  // namespace cotter
