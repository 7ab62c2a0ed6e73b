// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sink.hpp>
#include <cotter/concepts/breaker.hpp>
#include <cotter/concepts/clock.hpp>
#include <cotter/concepts/hasher.hpp>
#include <cotter/concepts/lock.hpp>
#include <cotter/concepts/manifest_source.hpp>
#include <cotter/concepts/notifier.hpp>
#include <cotter/concepts/peer_history.hpp>
#include <cotter/concepts/pin_set.hpp>
#include <cotter/concepts/session_store.hpp>

#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace cotter {
inline namespace v0 {

/// The slot that makes a guard hash with `H` instead of the backend's own SHA-256: for processors
/// whose SHA instructions the TLS library does not use.
template <hasher H>
struct use_hasher {
  using type = H;
};

/// The slot that lets a guard observe: while a signed manifest's `observeUntil` lasts, a connection
/// whose chain, name and validity are good is accepted even if no pin matches, and reported as
/// `would_refuse`. Without this slot `observeUntil` means nothing.
struct allow_observation {};

/// The slot that lets guards share sessions: all that have the same name, in this process and, with a
/// store that outlives it, in later ones. Without this slot a guard resumes only what it stored
/// itself. The name is borrowed until the guard's first attach.
struct share_sessions {
  std::string_view name;
};

namespace detail {

template <typename T>
struct is_pin_set : std::bool_constant<pin_set<T>> {};
template <typename T>
struct is_manifest_source : std::bool_constant<manifest_source<T>> {};
template <typename T>
struct is_breaker : std::bool_constant<breaker<T>> {};
template <typename T>
struct is_audit_sink : std::bool_constant<audit_sink<T>> {};
template <typename T>
struct is_clock : std::bool_constant<clock<T>> {};
template <typename T>
struct is_lock : std::bool_constant<lockable<T>> {};
template <typename T>
struct is_notifier : std::bool_constant<notifier<T>> {};
template <typename T>
struct is_peer_history : std::bool_constant<peer_history<T>> {};
template <typename T>
struct is_use_hasher : std::false_type {};
template <typename H>
struct is_use_hasher<use_hasher<H>> : std::true_type {};

template <typename T>
struct is_allow_observation : std::is_same<T, allow_observation> {};
template <typename T>
struct is_session_store : std::bool_constant<session_store<T>> {};
template <typename T>
struct is_share_sessions : std::is_same<T, share_sessions> {};

template <typename T>
concept any_slot = is_pin_set<T>::value || is_manifest_source<T>::value || is_breaker<T>::value ||
    is_audit_sink<T>::value || is_clock<T>::value || is_lock<T>::value || is_notifier<T>::value ||
    is_peer_history<T>::value || is_use_hasher<T>::value || is_allow_observation<T>::value ||
    is_session_store<T>::value || is_share_sessions<T>::value;

template <template <typename> typename Is, typename... Slots>
inline constexpr std::size_t slot_count = (std::size_t{0} + ... +
                                           (Is<std::remove_cvref_t<Slots>>::value ? 1u : 0u));

template <template <typename> typename Is, typename... Slots>
consteval std::size_t slot_index() {
  constexpr bool fits[] = {Is<std::remove_cvref_t<Slots>>::value..., false};
  for (std::size_t i = 0; i < sizeof...(Slots); ++i) {
    if (fits[i]) return i;
  }
  return sizeof...(Slots);
}

/// The slots a program gave, lvalues borrowed and rvalues owned, and a default for what it left out.
template <template <typename> typename Is, typename Default, typename... Slots>
using slot_type = std::remove_reference_t<
    std::tuple_element_t<slot_index<Is, Slots...>(), std::tuple<Slots..., Default>>>;

/// What takes the place of a member that is not needed.
struct nothing {};

struct no_leaf {};
template <typename Sink>
struct keeper_or_none {
  using type = no_leaf;
};
template <leaf_wanting_sink Sink>
struct keeper_or_none<Sink> {
  using type = typename Sink::leaf_keeper;
};

template <typename... Slots>
struct chosen_hasher {
  template <typename Backend>
  using type = typename Backend::hasher;
};
template <hasher H, typename... Rest>
struct chosen_hasher<use_hasher<H>, Rest...> {
  template <typename Backend>
  using type = H;
};
template <typename First, typename... Rest>
requires(!is_use_hasher<std::remove_cvref_t<First>>::value) struct chosen_hasher<First, Rest...>
    : chosen_hasher<std::remove_cvref_t<Rest>...> {
};

}  // namespace detail

}  // namespace v0
}  // namespace cotter
