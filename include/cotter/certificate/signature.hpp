// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/signature.hpp>
#include <cotter/values/signature_encoding.hpp>

namespace cotter {
inline namespace v0 {

/// Verifies with `V`, a model of concept `verifier`, but only what `check_signature_encoding` lets
/// pass: the answer does not depend on how much spelling V's library forgives. The way to verify a
/// signature with a verifier that the caller did not choose.
///
/// @errors `unsupported_key`, `bad_signature`, and whatever else V reports
template <typename V>
[[nodiscard]] result<void> verify_strictly(signature_scheme scheme, bytes_view key,
                                           bytes_view message, bytes_view signature) noexcept {
  if (!V::supports(scheme)) return errc::unsupported_key;
  const result<void> encoded = check_signature_encoding(scheme, key, signature);
  if (!encoded) return encoded;
  return V::verify(scheme, key, message, signature);
}

}  // namespace v0
}  // namespace cotter
