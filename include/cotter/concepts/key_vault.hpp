// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/result.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/store.hpp>

#include <concepts>
#include <cstdint>

namespace cotter {
inline namespace v0 {

/// Where the key of a sealed store is kept, and, if it can, a counter that vouches for the newest
/// state. A vault holds only these two: never the state, never the pins.
///
///   V1  `key` gives the same key for the life of the state; it never makes one. Without one it gives
///       `state_absent`, and a vault that does not answer gives `state_unwritable` or `state_busy`.
///   V2  where `resistance` is not `none`, `counter` gives the highest value that `advance` was ever
///       given, also after the machine has restarted.
///   V3  `advance(to)` makes the counter `to`, durably, before it returns, if that is one more than it
///       is; for anything else it gives `state_rolled_back`. Two that saw the same counter cannot both
///       have advanced it. After any other error it may have been made `to`: `counter` says.
///   V4  somebody with the program's own user rights cannot make the counter go back where
///       `resistance` is `other_principal` or `hardware`; where it is `partial` he can, if he puts back
///       the vault too.
///   V5  none of it throws. It may block for as long as the vault takes; it is called outside the
///       accepting path.
///
/// Where `resistance` is `none`, `counter` gives 0 and `advance` does nothing.
template <typename V>
concept key_vault = requires(V& vault, seal_key& key, std::uint64_t to) {
  { vault.resistance() } noexcept -> std::same_as<rollback_resistance>;
  { vault.key(key) } noexcept -> std::same_as<result<void>>;
  { vault.counter() } noexcept -> std::same_as<result<std::uint64_t>>;
  { vault.advance(to) } noexcept -> std::same_as<result<void>>;
};

}  // namespace v0
}  // namespace cotter
