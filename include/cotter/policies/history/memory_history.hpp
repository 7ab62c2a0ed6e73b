// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/peer_history.hpp>
#include <cotter/values/target.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// Remembers the last accepted leaf of `Targets` targets in place, no heap. A new target takes the
/// room of the one that was remembered longest ago; a host longer than `HostBytes` is not
/// remembered. What is to outlive the process the application reads with `for_each` and gives back
/// with `remember`.
template <std::size_t Targets = 8, std::size_t HostBytes = 64>
class memory_history {
  static_assert(Targets > 0 && HostBytes > 0 && HostBytes <= 0xff);

 public:
  /// @see peer_history
  [[nodiscard]] constexpr leaf_traits recall(const target& whom) noexcept {
    const entry* known = find(whom);
    return known == nullptr ? leaf_traits{} : known->leaf;
  }

  /// @see peer_history
  constexpr void remember(const target& whom, const leaf_traits& leaf) noexcept {
    if (whom.host.empty() || whom.host.size() > HostBytes) return;
    entry* to = find(whom);
    if (to == nullptr) {
      to = &*std::min_element(entries_.begin(), entries_.end(), [](const entry& a, const entry& b) {
        return a.turn < b.turn;
      });
      std::copy(whom.host.begin(), whom.host.end(), to->host.begin());
      to->host_bytes = static_cast<std::uint8_t>(whom.host.size());
      to->port = whom.port;
    }
    to->leaf = leaf;
    to->turn = ++turns_;
  }

  /// Calls `each(target, leaf_traits)` for all that is remembered; the host is this object's.
  template <typename Each>
  constexpr void for_each(Each&& each) const {
    for (const entry& e : entries_) {
      if (e.host_bytes != 0) each(target{e.name(), e.port}, e.leaf);
    }
  }

 private:
  struct entry {
    std::array<char, HostBytes> host{};
    std::uint8_t host_bytes = 0;
    std::uint16_t port = 0;
    std::uint64_t turn = 0;
    leaf_traits leaf{};

    [[nodiscard]] constexpr std::string_view name() const noexcept {
      return {host.data(), host_bytes};
    }
  };

  constexpr entry* find(const target& whom) noexcept {
    for (entry& e : entries_) {
      if (e.host_bytes != 0 && e.port == whom.port && e.name() == whom.host) return &e;
    }
    return nullptr;
  }

  std::array<entry, Targets> entries_{};
  std::uint64_t turns_ = 0;
};

static_assert(peer_history<memory_history<>>);

}  // namespace v0
}  // namespace cotter
