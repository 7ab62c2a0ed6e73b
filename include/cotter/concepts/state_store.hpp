// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/store.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace cotter {
inline namespace v0 {

/// Where a breaker's state outlives the process. A store keeps one image: octets that mean nothing to
/// it. `begin` to `commit` or `cancel` is a transaction; there is one at a time.
///
///   T1  `begin` reads the image that the last `commit` of any process wrote, whole: a crash at any
///       instruction of `commit` leaves the image before or the one after.
///   T2  when `commit` has returned without an error, the image survives the loss of power.
///   T3  while a transaction is open no other process or store object on the same state has one;
///       `begin` waits for at most `longest_lock_wait` and then gives `state_busy`.
///   T4  `begin` never makes state: without any it gives `state_absent`, and what it cannot vouch
///       for it gives as `state_damaged`, `state_foreign` or `state_rolled_back`, never as an image.
///   T5  an older image put back, and deletion, are noticed as `resistance` declares.
///   T6  a `commit` that fails leaves the old image and gives `state_unwritable`; it ends the
///       transaction all the same.
///   T7  `enter` marks one attempt of a group as in flight, if fewer than `limit` are, in all
///       processes together, and gives its slot, below 128; `leave` ends it; so does the end of the
///       process, however it comes. Both write nothing that lasts. `in_flight` counts them.
///   T8  none of it throws; `begin`, `commit`, `enter` and `leave` take nothing from the heap.
///
/// `enter` and `in_flight` are called within a transaction, `leave` at any time. A store need not be
/// thread-safe: the guard's lock serialises its calls.
template <typename S>
concept state_store = requires(S& store, std::span<std::uint8_t> into, bytes_view image,
                               std::uint16_t group, std::uint8_t limit, std::uint16_t slot) {
  { store.resistance() } noexcept -> std::same_as<rollback_resistance>;
  { store.id() } noexcept -> std::same_as<store_id>;
  { store.begin(into) } noexcept -> std::same_as<result<std::size_t>>;
  { store.commit(image) } noexcept -> std::same_as<result<void>>;
  { store.cancel() } noexcept;
  { store.enter(group, limit) } noexcept -> std::same_as<result<std::uint16_t>>;
  { store.in_flight(group, limit) } noexcept -> std::same_as<std::uint8_t>;
  { store.leave(group, slot) } noexcept;
};

}  // namespace v0
}  // namespace cotter
