// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/mbedtls.hpp>
#include <cotter/values/signature_encoding.hpp>

#include <mbedtls/bignum.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>

#if defined(MBEDTLS_USE_PSA_CRYPTO) || defined(MBEDTLS_SSL_PROTO_TLS1_3)
#include <psa/crypto.h>
#endif

#include <array>
#include <cstdint>
#include <cstring>

namespace cotter {
inline namespace v0 {
namespace backends {

struct mbedtls::signatures {
  /// Whether an error of mbedtls_pk, which may add one of a lower module to its own, is about
  /// memory.
  static constexpr bool is_out_of_memory(int native) noexcept {
    const int high = -(-native & 0xff80);
    const int low = -(-native & 0x7f);
    return high == MBEDTLS_ERR_PK_ALLOC_FAILED || high == MBEDTLS_ERR_ECP_ALLOC_FAILED ||
           low == MBEDTLS_ERR_MPI_ALLOC_FAILED;
  }
};

inline result<void> mbedtls::verify(signature_scheme scheme, bytes_view key, bytes_view message,
                                    bytes_view signature) noexcept {
  if (!supports(scheme)) return errc::unsupported_key;
  const result<void> encoded = check_signature_encoding(scheme, key, signature);
  if (!encoded) return encoded;
#if defined(MBEDTLS_USE_PSA_CRYPTO) || defined(MBEDTLS_SSL_PROTO_TLS1_3)
  if (psa_crypto_init() != PSA_SUCCESS) return errc::out_of_memory;
#endif
  std::array<std::uint8_t, 32> digest{};
  static constexpr std::uint8_t nothing = 0;
  const std::uint8_t* octets = message.empty() ? &nothing : message.data();
#if MBEDTLS_VERSION_MAJOR >= 3
  int native = mbedtls_sha256(octets, message.size(), digest.data(), 0);
#else
  int native = mbedtls_sha256_ret(octets, message.size(), digest.data(), 0);
#endif
  if (native != 0) return error{errc::out_of_memory, 0, native};

  std::array<std::uint8_t, p256_key_prefix.size() + 64> spki{};  // the parser wants it writable
  std::memcpy(spki.data(), key.data(), spki.size());
  std::uint8_t* at = spki.data();
  mbedtls_pk_context parsed;
  mbedtls_pk_init(&parsed);
  errc what = errc::unsupported_key;
  native = mbedtls_pk_parse_subpubkey(&at, spki.data() + spki.size(), &parsed);
  if (native == 0) {
    what = errc::bad_signature;
    native = mbedtls_pk_verify(&parsed, MBEDTLS_MD_SHA256, digest.data(), digest.size(),
                               signature.data(), signature.size());
  }
  mbedtls_pk_free(&parsed);
  if (native == 0) return {};
  return error{signatures::is_out_of_memory(native) ? errc::out_of_memory : what, 0, native};
}

}  // namespace backends
}  // namespace v0
}  // namespace cotter
