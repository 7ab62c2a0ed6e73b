// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sink.hpp>
#include <cotter/values/bytes_view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace cotter {
inline namespace v0 {

/// Keeps a leaf of any size on the heap; without memory it keeps none.
class heap_leaf {
 public:
  void keep(bytes_view der) noexcept {
    octets_.reset(new (std::nothrow) std::uint8_t[der.size()]);
    size_ = octets_ ? der.size() : 0;
    std::copy_n(der.begin(), size_, octets_.get());
  }
  void drop() noexcept {
    octets_.reset();
    size_ = 0;
  }
  [[nodiscard]] bytes_view octets() const noexcept { return {octets_.get(), size_}; }

 private:
  std::unique_ptr<std::uint8_t[]> octets_{};
  std::size_t size_ = 0;
};

static_assert(leaf_keeper<heap_leaf>);

}  // namespace v0
}  // namespace cotter
