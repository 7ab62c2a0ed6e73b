// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "pinned.hpp"

/// A device's own driver, which is not cotter's to count.
struct flash_driver {
  bool read(unsigned slot, std::size_t offset_bytes, std::span<std::uint8_t> into) noexcept;
  bool write(unsigned slot, cotter::bytes_view octets) noexcept;
};
[[gnu::weak]] bool flash_driver::read(unsigned, std::size_t, std::span<std::uint8_t>) noexcept {
  return false;
}
[[gnu::weak]] bool flash_driver::write(unsigned, cotter::bytes_view) noexcept { return false; }

// The embedded set with its breaker in flash.
using store_type = cotter::flash_store<flash_driver, 256, 1>;
constinit flash_driver flash;
store_type store{flash};
cotter::stored_breaker<store_type, 1, 64> breaking{store};
constinit cotter::ring_audit_sink<8> audit;
cotter::guard guarding{pins, breaking, cotter::embedded_manifest{}, audit, cotter::no_lock{}};
inline void prepare() noexcept {}
