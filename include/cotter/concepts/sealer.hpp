// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/sealing.hpp>

#include <concepts>
#include <cstdint>
#include <span>

namespace cotter {
inline namespace v0 {

/// What seals state at rest. A backend models it if its library was built with what that takes
/// (`supports_sealing`); where it was not, a call of `seal`, `open` or `random_octets` does not
/// compile and names the switch.
///
///   S1  `seal` fills `out`, of exactly `sealed_size(plain.size())` octets, with nonce, ciphertext
///       and tag. `open`, with the same key and associated data, gives back `plain`, to an `out` of
///       exactly `opened_size(sealed.size())`. Both for 0 to `max_sealable_bytes` octets of plain
///       and of associated data. More, or another `out`, is `too_large` for `seal` and `bad_seal`
///       for `open`.
///   S2  if an octet of nonce, ciphertext, tag, associated data or key is another one, is missing
///       or is added, `open` gives `bad_seal`. Whatever `open` or `seal` fails with, `out` is then
///       wiped: nothing of the plaintext is shown before its tag was found good.
///   S3  the nonce of each `seal` is drawn from the library's random generator, freshly seeded or
///       aware of fork: none comes twice, not on several threads, not in a process and its child.
///       If the generator fails, so does `seal`.
///   S4  it is AES-256-GCM as in NIST SP 800-38D, with a nonce of 96 and a tag of 128 bits, and
///       nothing else: every model opens what any other one sealed.
///   S5  `random_octets` fills all of `out` from that generator, fit for keys; if it cannot it
///       returns false, and `out` is wiped.
///   S6  none of them throws or keeps anything (keys and plaintext in the library's own memory are
///       wiped before it returns), and all may run on several threads at once.
///
/// `out` must overlap nothing else: neither works in place. Other errors: `unfit_backend` (the
/// library, or a provider, failed) and `out_of_memory`. With random nonces a key may seal 2^32 times
/// (SP 800-38D 8.3); nobody counts that here.
template <typename S>
concept sealer = S::supports_sealing && requires(const seal_key& key, bytes_view octets,
                                                 bytes_view associated,
                                                 std::span<std::uint8_t> out) {
  { S::seal(key, octets, associated, out) } noexcept -> std::same_as<result<void>>;
  { S::open(key, octets, associated, out) } noexcept -> std::same_as<result<void>>;
  { S::random_octets(out) } noexcept -> std::same_as<bool>;
};

}  // namespace v0
}  // namespace cotter
