// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/signature.hpp>

#include <concepts>

namespace cotter {
inline namespace v0 {

/// What verifies the signatures of documents. Every backend models it.
///
///   V1  `verify` succeeds only if `signature` is the key's signature, under `scheme`, of exactly
///       `message`. `key` is a SubjectPublicKeyInfo in DER (RFC 5480, RFC 8410) with nothing after it.
///   V2  it fails with `bad_signature` if the signature is not the key's or is not encoded as the
///       scheme prescribes (DER without octets to spare), and with `unsupported_key` if the key is
///       not of the scheme or the library lacks it. What that means to the octet, alike for every
///       model, is in `check_signature_encoding`; a key of P-256 that is no point of the curve is
///       not of the scheme, and one of Ed25519 that is none has no signatures. It never succeeds
///       because of an error.
///   V3  `supports` says which schemes `verify` can carry out; `ecdsa_p256_sha256` always.
///   V4  neither throws, nor keeps anything, and both may run on several threads at once.
template <typename V>
concept verifier = requires(signature_scheme scheme, bytes_view key, bytes_view message,
                            bytes_view signature) {
  { V::supports(scheme) } noexcept -> std::same_as<bool>;
  { V::verify(scheme, key, message, signature) } noexcept -> std::same_as<result<void>>;
};

}  // namespace v0
}  // namespace cotter
