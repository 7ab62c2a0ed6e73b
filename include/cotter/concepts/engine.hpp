// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace cotter {
inline namespace v0 {

/// What an engine needs next.
enum class want : std::uint8_t {
  nothing,  ///< the step is complete
  input,    ///< give it ciphertext from the peer, then take the same step again
  output,   ///< send its pending ciphertext, then take the same step again
  failed,   ///< the step failed for good; `step::why` says how. Pending output (an alert) remains
};

/// The outcome of one step of an engine.
struct step {
  want next = want::failed;
  std::size_t size_bytes = 0;  ///< plaintext octets moved by `read` or `write`
  error why{};                 ///< `errc::ok` unless `next` is `failed`
};

/// A TLS connection without a socket (sans-I/O): ciphertext in, ciphertext out, steps between.
///
///   E1  `handshake`, `read`, `write` and `shutdown` never block and never touch the network.
///   E2  `feed` takes a prefix of what it is given and says how long it was; 0 only if the engine
///       has unread input and no room.
///   E3  `pending` is what must go to the peer, oldest first; `sent(n)` drops its first n octets.
///       A step that returns `failed` may leave an alert there: send it.
///   E4  `read` returns `nothing` with at least one octet, or wants; after the peer's close_notify it
///       fails with `tls_closed`, and after `end_of_input()` without one with `tls_truncated`.
///   E5  `write` moves at least one octet of a non-empty buffer when it returns `nothing`. A write
///       that wanted is repeated with the same octets.
///   E6  An engine starts no handshake by itself, and `native()` stays the same handle for its life.
///
/// `native()` is what `guard::attach` takes.
template <typename E>
concept engine = requires(E& e, bytes_view in, std::span<std::uint8_t> out, std::size_t n) {
  { e.native() } noexcept;
  { e.handshake() } noexcept -> std::same_as<step>;
  { e.read(out) } noexcept -> std::same_as<step>;
  { e.write(in) } noexcept -> std::same_as<step>;
  { e.shutdown() } noexcept -> std::same_as<step>;
  { e.feed(in) } noexcept -> std::same_as<std::size_t>;
  { e.end_of_input() } noexcept;
  { e.pending() } noexcept -> std::same_as<bytes_view>;
  { e.sent(n) } noexcept;
};

}  // namespace v0
}  // namespace cotter
