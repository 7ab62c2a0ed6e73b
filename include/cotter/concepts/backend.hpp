// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/hasher.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/handshake.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/runtime.hpp>
#include <cotter/values/target.hpp>

#include <concepts>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// A TLS library reduced to what cotter asks of it: harden one connection, hand over the leaf and
/// the library's opinion of the chain, obey the answer, and say afterwards what came of it.
///
///   B1  `attach` is the last thing before the handshake. It succeeds only on a client session that
///       has not begun one, and leaves a session on which nothing weaker than design promise 4 can
///       be negotiated. If it fails, the session's handshake cannot succeed.
///   B2  In every handshake that carries a Certificate message, `on_leaf` receives the octets of the
///       first certificate of that message and of no other, before `on_chain`.
///   B3  `on_chain` is told `trusted` only if the library found no fault at any depth, name and time
///       included. For targets whose name the library cannot judge (`identity::sip`, IP literals
///       where it is defective), the name alone is left to the pipeline.
///   B4  If `on_chain` returns false, or was not called, the peer never receives Finished from a
///       handshake that carried a Certificate message.
///   B5  `inspect` tells the truth even when the application has replaced the hooks: it may err
///       only towards refusal. It does not change the session.
///   B6  `detach` leaves nothing in the session that points into the attachment, and leaves a
///       session that was attached unable to complete another handshake unguarded.
///   B7  None of it throws, logs, starts a thread or reads the environment.
///   B8  `version` is that of the library that runs, not of the headers compiled against.
///
/// `session` is the library's own handle, borrowed; it outlives the attachment. `attachment` is
/// default-constructed by the pipeline, lives as long as the connection, and is never moved.
template <typename B>
concept backend = requires(typename B::session session, typename B::attachment& attachment,
                           const typename B::attachment& seen, const target& whom,
                           handshake_observer& observer) {
  requires hasher<typename B::hasher>;
  requires std::default_initializable<typename B::attachment>;
  { B::name } -> std::convertible_to<std::string_view>;
  { B::version() } noexcept -> std::same_as<library_version>;
  { B::attach(session, whom, observer, attachment) } noexcept -> std::same_as<result<void>>;
  { B::inspect(seen) } noexcept -> std::same_as<handshake_facts>;
  { B::detach(attachment) } noexcept;
};

/// A backend that can resume. Between `attach` and the handshake `allow_sessions` is called, once,
/// and then `offer`, any number of times, if a session is to be resumed. Without `allow_sessions`
/// the backend resumes nothing and keeps nothing.
///
///   F1  `offer` takes octets that `collect` gave, of this library, and returns whether they will be
///       offered: not, if the session's version or suite is not allowed on this connection. Of
///       whatever other octets it reads nothing that they do not hold.
///   F2  `facts.resumed` with `facts.offered` means: the last ClientHello of this handshake offered
///       the session of the last `offer` that returned true, and no ClientHello offered anything
///       else; whoever set another session, ticket or PSK in between. Early data is never sent.
///   F3  for a resumed connection `facts.authenticated` means: TLS 1.3 with (EC)DHE (never psk_ke), or
///       TLS 1.2 with an extended master secret and a suite that would do in a full handshake; and
///       `hooks_intact` what it always does.
///   F4  if the server declines, the handshake is a full one, decided as always.
///   F5  `collect` calls `each(octets)` for every session that this connection got and that it has
///       not given yet, newest last, where `facts.resumable`; of TLS 1.2 also for the one that was
///       resumed, if nothing took its place. They are wiped when the call ends. Never a session that
///       the application put in.
///   F6  `facts.resumable` needs proof: for TLS 1.2 that the ServerHello had `extended_master_secret`.
template <typename B>
concept resuming_backend = backend<B> && requires(typename B::attachment& state, bytes_view octets,
                                                  void (*each)(bytes_view)) {
  { B::allow_sessions(state) } noexcept -> std::same_as<bool>;
  { B::offer(state, octets) } noexcept -> std::same_as<bool>;
  { B::collect(state, each) } noexcept;
};

/// Finds the backend from the library's own handle. Each backend header specialises it, so that
/// `guard.attach(handle, permit)` needs no more than the handle's type.
template <typename Session>
struct backend_of;

}  // namespace v0
}  // namespace cotter
