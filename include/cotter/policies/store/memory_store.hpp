// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/state_store.hpp>
#include <cotter/policies/store/attempt_marks.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace cotter {
inline namespace v0 {

/// A store without a disk: one process, and it dies with it. For tests, and for devices whose state
/// lives elsewhere. It has no image until `create`.
template <std::size_t Bytes = 8192, std::size_t Groups = 16>
class memory_store {
 public:
  /// Makes the state. @errors `too_large`
  result<void> create(const store_id& id, bytes_view image) noexcept {
    if (image.size() > Bytes) return errc::too_large;
    id_ = id;
    std::copy(image.begin(), image.end(), image_.begin());
    size_ = image.size();
    exists_ = true;
    return {};
  }

  /// @see state_store
  [[nodiscard]] rollback_resistance resistance() const noexcept {
    return rollback_resistance::none;
  }
  [[nodiscard]] store_id id() const noexcept { return id_; }

  [[nodiscard]] result<std::size_t> begin(std::span<std::uint8_t> into) noexcept {
    if (open_) return errc::state_busy;
    if (!exists_) return errc::state_absent;
    if (into.size() < size_) return errc::state_full;
    std::copy_n(image_.begin(), size_, into.begin());
    open_ = true;
    return size_;
  }
  result<void> commit(bytes_view image) noexcept {
    if (!open_) return errc::state_unwritable;
    open_ = false;
    if (image.size() > Bytes) return errc::state_unwritable;
    std::copy(image.begin(), image.end(), image_.begin());
    size_ = image.size();
    return {};
  }
  void cancel() noexcept { open_ = false; }

  [[nodiscard]] result<std::uint16_t> enter(std::uint16_t group, std::uint8_t limit) noexcept {
    return marks_.enter(group, limit);
  }
  [[nodiscard]] std::uint8_t in_flight(std::uint16_t group, std::uint8_t) noexcept {
    return marks_.in_flight(group);
  }
  void leave(std::uint16_t group, std::uint16_t) noexcept { marks_.leave(group); }

 private:
  std::array<std::uint8_t, Bytes> image_{};
  std::size_t size_ = 0;
  store_id id_{};
  attempt_marks<Groups> marks_{};
  bool exists_ = false;
  bool open_ = false;
};

static_assert(state_store<memory_store<>>);

}  // namespace v0
}  // namespace cotter
