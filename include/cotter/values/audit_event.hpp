// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/audit_record.hpp>
#include <cotter/values/error.hpp>

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// What tells one event from every other one, and from nothing else: the same octets each time the
/// event is delivered. A receiver that has seen an id drops the event.
struct event_id {
  std::array<std::uint8_t, 16> origin{};  ///< random, made once by whoever writes events down
  std::uint64_t number = 0;               ///< 1 for the first event of `origin`, and so on

  friend constexpr auto operator<=>(const event_id&, const event_id&) = default;
};

/// Room for `to_chars`.
inline constexpr std::size_t event_id_chars = 32 + 1 + 20;

/// 32 hexadecimal digits, a hyphen, the number in decimal; returns how many of `out` are used.
constexpr std::size_t to_chars(const event_id& id, std::array<char, event_id_chars>& out) noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  std::size_t n = 0;
  for (const std::uint8_t octet : id.origin) {
    out[n++] = digits[octet >> 4];
    out[n++] = digits[octet & 15];
  }
  out[n++] = '-';
  std::size_t end = n;
  for (std::uint64_t rest = id.number; end == n || rest != 0; rest /= 10) ++end;
  std::uint64_t rest = id.number;
  for (std::size_t i = end; i > n; rest /= 10) out[--i] = static_cast<char>('0' + rest % 10);
  return end;
}

/// A record on its way to somebody else. Everything is borrowed.
struct audit_event {
  event_id id{};
  std::string_view client{};  ///< who says so: what the program calls this installation
  audit_record what{};
};

/// What came of offering events to a receiver, in order.
struct delivery {
  std::size_t settled = 0;  ///< this many from the front need not be offered again
  std::size_t withheld =
      0;        ///< of those, never sent, because they are about the receiver's own host
  error why{};  ///< why the rest was not taken; `ok` if there is no rest
  std::uint32_t status = 0;            ///< the receiver's own code, e.g. of HTTP; 0 if it has none
  std::chrono::seconds retry_after{};  ///< the receiver's wish, 0 if it has none
};

}  // namespace v0
}  // namespace cotter
