// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// How a document is signed.
enum class signature_scheme : std::uint8_t {
  ecdsa_p256_sha256,  ///< FIPS 186-5; the signature is a DER Ecdsa-Sig-Value (RFC 3279 2.2.3)
  ed25519,            ///< RFC 8032, pure; 64 octets
};

/// The stable spelling of `s`. Static storage; never empty.
[[nodiscard]] constexpr std::string_view to_string(signature_scheme s) noexcept {
  switch (s) {
    case signature_scheme::ecdsa_p256_sha256: return "ecdsa-p256-sha256";
    case signature_scheme::ed25519: return "ed25519";
  }
  return "unknown";
}

}  // namespace v0
}  // namespace cotter
