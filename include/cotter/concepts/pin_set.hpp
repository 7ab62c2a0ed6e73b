// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/pin.hpp>
#include <cotter/values/target.hpp>

#include <concepts>

namespace cotter {
inline namespace v0 {

/// Where pins are looked up.
///
///   P1  `find` returns a handle that is true in a boolean context exactly when the set has a target
///       whose host and port equal those given, octet by octet: no wildcards, no case folding, no
///       nearest match, no default entry.
///   P2  `*handle` is a `const pinned_target&` whose endpoint equals the one asked for. It and all it
///       borrows stay valid and unchanged while the handle lives, even across a reload of the set.
///   P3  `peer` may choose among the regions of one target; it never makes a target appear.
///   P4  `find` neither throws nor writes, and may run on several threads at once.
///   P5  a set whose answers change during its life says so: `static constexpr bool reloadable = true`.
template <typename P>
concept pin_set = requires(const P& set, const target& whom, const ip_address& peer) {
  { set.find(whom, peer) } noexcept;
  { *set.find(whom, peer) } -> std::same_as<const pinned_target&>;
  static_cast<bool>(set.find(whom, peer));
};

/// A pin set whose answers may change while connections live, see P5.
template <typename P>
concept reloadable_pin_set = pin_set<P> && requires { requires P::reloadable; };

}  // namespace v0
}  // namespace cotter
