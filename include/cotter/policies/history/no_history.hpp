// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/peer_history.hpp>

namespace cotter {
inline namespace v0 {

/// Remembers nothing: diagnoses rest on the refused leaf and the pins alone.
class no_history {
 public:
  [[nodiscard]] constexpr leaf_traits recall(const target&) noexcept { return {}; }
  constexpr void remember(const target&, const leaf_traits&) noexcept {}
};

static_assert(peer_history<no_history>);

}  // namespace v0
}  // namespace cotter
