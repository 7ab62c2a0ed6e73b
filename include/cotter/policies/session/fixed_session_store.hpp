// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/session_store.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/session_binding.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace cotter {
inline namespace v0 {
namespace detail {

/// Octets in place, wiped when they go.
template <std::size_t Bytes>
class placed_session {
 public:
  placed_session() noexcept = default;
  placed_session(const placed_session&) = delete;
  placed_session& operator=(const placed_session&) = delete;
  ~placed_session() { drop(); }

  [[nodiscard]] bool keep(bytes_view octets) noexcept {
    drop();
    if (octets.size() > Bytes) return false;
    std::copy(octets.begin(), octets.end(), data_.begin());
    size_ = octets.size();
    return true;
  }
  void move_from(placed_session& other) noexcept {
    static_cast<void>(keep(other.view()));
    other.drop();
  }
  [[nodiscard]] bytes_view view() const noexcept { return {data_.data(), size_}; }
  void drop() noexcept {
    wipe({data_.data(), size_});
    size_ = 0;
  }

 private:
  std::array<std::uint8_t, Bytes> data_{};
  std::size_t size_ = 0;
};

/// `Sessions` of them, at most `PerTarget` of one target. The newest is given out first. For a new
/// one, the oldest goes of the target that was used longest ago.
template <typename Octets, std::size_t Sessions, std::size_t PerTarget>
class session_shelf {
  static_assert(Sessions > 0 && PerTarget > 0);

 public:
  session_shelf() noexcept = default;
  session_shelf(const session_shelf&) = delete;
  session_shelf& operator=(const session_shelf&) = delete;

  /// @see session_store
  void put(const session_binding& binding, bytes_view octets) noexcept {
    if (octets.empty() || octets.size() > max_session_bytes) return;
    entry* to = place_for(binding.whose);
    remove(*to);
    if (!to->octets.keep(octets)) return;
    to->binding = binding;
    to->put_at = to->used_at = ++turns_;
    refresh(binding.whose);
  }

  /// @see session_store
  template <typename Use>
  bool take(const session_key& whose, Use&& use) noexcept {
    entry* newest = nullptr;
    for (entry& e : entries_) {
      if (e.held() && e.binding.whose == whose &&
          (newest == nullptr || e.put_at > newest->put_at)) {
        newest = &e;
      }
    }
    if (newest == nullptr) return false;
    ++turns_;
    refresh(whose);
    const session_binding binding = newest->binding;
    Octets octets;
    octets.move_from(newest->octets);
    remove(*newest);
    use(binding, octets.view());
    return true;
  }

  /// Forgets everything.
  void clear() noexcept {
    for (entry& e : entries_) remove(e);
  }
  /// How many are kept.
  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(), [](const entry& e) { return e.held(); }));
  }
  /// Calls `each(binding, octets)` for all that is kept, in no order.
  template <typename Each>
  void for_each(Each&& each) const {
    for (const entry& e : entries_) {
      if (e.held()) each(e.binding, e.octets.view());
    }
  }

 private:
  struct entry {
    session_binding binding{};
    Octets octets{};
    std::uint64_t put_at = 0;
    std::uint64_t used_at = 0;  ///< when its target was used last

    [[nodiscard]] bool held() const noexcept { return put_at != 0; }
  };

  static void remove(entry& e) noexcept {
    e.octets.drop();
    e.binding = {};
    e.put_at = e.used_at = 0;
  }
  void refresh(const session_key& whose) noexcept {
    for (entry& e : entries_) {
      if (e.held() && e.binding.whose == whose) e.used_at = turns_;
    }
  }
  entry* place_for(const session_key& whose) noexcept {
    std::size_t of_target = 0;
    entry* oldest_of_target = nullptr;
    entry* empty = nullptr;
    entry* least = &entries_[0];
    for (entry& e : entries_) {
      if (!e.held()) {
        empty = &e;
        continue;
      }
      if (e.binding.whose == whose) {
        ++of_target;
        if (oldest_of_target == nullptr || e.put_at < oldest_of_target->put_at) {
          oldest_of_target = &e;
        }
      }
      if (!least->held() || e.used_at < least->used_at ||
          (e.used_at == least->used_at && e.put_at < least->put_at)) {
        least = &e;
      }
    }
    if (of_target >= PerTarget) return oldest_of_target;
    return empty != nullptr ? empty : least;
  }

  std::array<entry, Sessions> entries_{};
  std::uint64_t turns_ = 0;
};

}  // namespace detail

/// Sessions for as long as the process lives, in place: no heap. A session of more than `Bytes` octets
/// is not kept: about 300 octets and the leaf for one of Mbed TLS or OpenSSL; wolfSSL writes the whole
/// chain.
template <std::size_t Bytes = 4096, std::size_t Sessions = 2, std::size_t PerTarget = 2>
using fixed_session_store =
    detail::session_shelf<detail::placed_session<Bytes>, Sessions, PerTarget>;

static_assert(session_store<fixed_session_store<>>);

}  // namespace v0
}  // namespace cotter
