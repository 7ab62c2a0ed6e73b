// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/diagnosis.hpp>
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
///   P6  a set that can say whose pins a leaf matches models `owner_telling_pin_set`: `owner_of` gives
///       another target than `asked`, or another region of it, one of whose pins matches, whatever
///       its role and its end. It serves a diagnosis and permits nothing. `key` is null if it is not
///       known. The handle is as in P2.
///   P7  a set that is compiled in, its hosts found canonical by the compiler, may say so:
///       `using canonical = ` its own type, so that no derived class says it without knowing. A host
///       that it does not have is then refused without a word on its spelling, and what was found
///       once is not looked up again. It is not reloadable.
///   P8  a set that ignores `peer` may say so: `using regionless = ` its own type.
///   P9  a set whose hosts are names, none of them an IP address, may say so: `using names_only = `
///       its own type.
template <typename P>
concept pin_set = requires(const P& set, const target& whom, const ip_address& peer) {
  { set.find(whom, peer) } noexcept;
  { *set.find(whom, peer) } -> std::same_as<const pinned_target&>;
  static_cast<bool>(set.find(whom, peer));
};

/// A pin set that can say whose pins a leaf matches, see P6.
template <typename P>
concept owner_telling_pin_set = pin_set<P> &&
    requires(const P& set, const pinned_target& asked, const sha256_digest& certificate,
             const sha256_digest* key) {
      { set.owner_of(asked, certificate, key) } noexcept;
      { *set.owner_of(asked, certificate, key) } -> std::same_as<const pin_owner&>;
      static_cast<bool>(set.owner_of(asked, certificate, key));
    };

/// A pin set that was checked by the compiler, see P7.
template <typename P>
concept canonical_pin_set = pin_set<P> && (!requires { requires P::reloadable; }) &&
    std::same_as<typename P::canonical, P>;

/// A pin set without IP addresses, see P9.
template <typename P>
concept name_pin_set = pin_set<P> && std::same_as<typename P::names_only, P>;

/// A pin set in which the peer's address chooses nothing, see P8.
template <typename P>
concept regionless_pin_set = pin_set<P> && std::same_as<typename P::regionless, P>;

/// A pin set whose answers may change while connections live, see P5.
template <typename P>
concept reloadable_pin_set = pin_set<P> && requires { requires P::reloadable; };

}  // namespace v0
}  // namespace cotter
