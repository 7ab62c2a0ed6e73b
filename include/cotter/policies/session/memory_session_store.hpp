// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/session_store.hpp>
#include <cotter/policies/session/fixed_session_store.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/sealing.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>

namespace cotter {
inline namespace v0 {
namespace detail {

/// Octets on the heap, wiped when they go.
class heap_session {
 public:
  heap_session() noexcept = default;
  heap_session(const heap_session&) = delete;
  heap_session& operator=(const heap_session&) = delete;
  ~heap_session() { drop(); }

  [[nodiscard]] bool keep(bytes_view octets) noexcept {
    drop();
    data_ = new (std::nothrow) std::uint8_t[octets.size()];
    if (data_ == nullptr) return false;
    std::copy(octets.begin(), octets.end(), data_);
    size_ = octets.size();
    return true;
  }
  void move_from(heap_session& other) noexcept {
    drop();
    data_ = other.data_;
    size_ = other.size_;
    other.data_ = nullptr;
    other.size_ = 0;
  }
  [[nodiscard]] bytes_view view() const noexcept { return {data_, size_}; }
  void drop() noexcept {
    if (data_ == nullptr) return;
    wipe({data_, size_});
    delete[] data_;
    data_ = nullptr;
    size_ = 0;
  }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace detail

/// Sessions for as long as the process lives, their octets on the heap.
template <std::size_t Sessions = 32, std::size_t PerTarget = 4>
using memory_session_store = detail::session_shelf<detail::heap_session, Sessions, PerTarget>;

static_assert(session_store<memory_session_store<>>);

}  // namespace v0
}  // namespace cotter
