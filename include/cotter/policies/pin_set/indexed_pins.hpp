// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/pin.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace detail {

/// The pins of one target, with an index if there are many of them. Owns both; `index` points into
/// `heads`, so what has been indexed is not copied.
struct indexed_pins {
  /// Below it, comparing with each costs less than looking one up.
  static constexpr std::size_t few = 32;

  indexed_pins() = default;
  indexed_pins(const indexed_pins&) = delete;
  indexed_pins& operator=(const indexed_pins&) = delete;
  indexed_pins(indexed_pins&&) noexcept = default;
  indexed_pins& operator=(indexed_pins&&) noexcept = default;

  std::vector<pin> pins{};
  std::vector<std::uint32_t> heads{};
  pin_index index{};

  /// Once all pins are there. Sorts many by digest; equal ones keep their order.
  /// @throws std::bad_alloc
  void build() {
    if (pins.size() <= few) return;
    std::stable_sort(pins.begin(), pins.end(),
                     [](const pin& a, const pin& b) { return a.digest.octets < b.digest.octets; });
    const std::size_t buckets = std::bit_ceil(pins.size());
    heads.assign(buckets + 1, 0);
    index.heads = heads;
    for (const pin& one : pins) {
      ++heads[index.bucket_of(one.digest) + 1];
      (one.form == pin_form::certificate ? index.certificates : index.keys) = true;
    }
    for (std::size_t b = 0; b < buckets; ++b) heads[b + 1] += heads[b];
  }

  /// Borrowed: null if there are few.
  [[nodiscard]] const pin_index* find_index() const noexcept {
    return heads.empty() ? nullptr : &index;
  }
};

}  // namespace detail
}  // namespace v0
}  // namespace cotter
