// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cotter {
inline namespace v0 {

/// Borrowed, read-only octets. Never owns; valid as long as what it was taken from.
using bytes_view = std::span<const std::uint8_t>;

}  // namespace v0
}  // namespace cotter
