// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/session_binding.hpp>

#include <concepts>

namespace cotter {
inline namespace v0 {

/// Where TLS sessions wait to be resumed. A session is octets of the TLS library, and a secret: who
/// has it can speak as either side. A guard with such a slot resumes; one without never does.
///
///   D1  `take(whose, use)` calls `use(binding, octets)` with one session that was `put` under an
///       equal `session_key`, octets and binding as they were, and returns true; without any it
///       returns false and calls nobody.
///   D2  a session is given out at most once, whatever `use` makes of it: it is gone before `use` is
///       called, for every process that shares the store.
///   D3  what is kept is bounded, whatever is put: `put` may drop any session, this one too.
///   D4  the octets of a session that is given out or dropped are wiped where they were kept; where
///       they outlive the process they are sealed.
///   D5  what was changed, put back or left by somebody else behind the store's back is not given
///       out, as far as the place can tell.
///   D6  neither throws; neither keeps what it borrows. They may block for as long as the place
///       takes: neither is called while a full handshake is decided.
///
/// No law says that anything is given out: the guard decides anew about each session it gets. The
/// guard serialises calls with its `lock` slot; `use` must not call the store.
template <typename S>
concept session_store = requires(S& store, const session_binding& binding, bytes_view octets,
                                 const session_key& whose,
                                 void (*use)(const session_binding&, bytes_view)) {
  { store.put(binding, octets) } noexcept;
  { store.take(whose, use) } noexcept -> std::same_as<bool>;
};

}  // namespace v0
}  // namespace cotter
