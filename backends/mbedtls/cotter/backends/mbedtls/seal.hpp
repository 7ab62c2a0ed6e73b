// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/mbedtls.hpp>
#include <cotter/backends/mbedtls/random.hpp>
#include <cotter/values/sealing.hpp>

#include <mbedtls/cipher.h>
#include <mbedtls/gcm.h>

#if defined(MBEDTLS_USE_PSA_CRYPTO) || defined(MBEDTLS_SSL_PROTO_TLS1_3)
#include <psa/crypto.h>
#endif

#include <cstdint>
#include <span>

namespace cotter {
inline namespace v0 {
namespace backends {

#if defined(MBEDTLS_GCM_C) && defined(MBEDTLS_AES_C) &&                             \
    !defined(MBEDTLS_AES_ONLY_128_BIT_KEY_LENGTH) && defined(MBEDTLS_CTR_DRBG_C) && \
    defined(MBEDTLS_ENTROPY_C)

struct mbedtls::gcm {
  /// What `run(mbedtls_gcm_context&)` returns, 0 or the library's own code, with the key set.
  template <typename Run>
  static result<void> with_key(const seal_key& key, Run run) noexcept {
#if defined(MBEDTLS_USE_PSA_CRYPTO) || defined(MBEDTLS_SSL_PROTO_TLS1_3)
    if (psa_crypto_init() != PSA_SUCCESS) return errc::out_of_memory;
#endif
    mbedtls_gcm_context gcm;
    mbedtls_gcm_init(&gcm);
    int native = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key.octets.data(),
                                    8 * static_cast<unsigned>(key.octets.size()));
    if (native == 0) native = run(gcm);
    mbedtls_gcm_free(&gcm);  // which wipes the key
    switch (native) {
      case 0: return {};
      case MBEDTLS_ERR_GCM_AUTH_FAILED: return error{errc::bad_seal, 0, native};
      case MBEDTLS_ERR_CIPHER_ALLOC_FAILED: return error{errc::out_of_memory, 0, native};
      default: return error{errc::unfit_backend, 0, native};
    }
  }
};

inline result<void> mbedtls::seal(const seal_key& key, bytes_view plain, bytes_view associated,
                                  std::span<std::uint8_t> out) noexcept {
  result<void> outcome = check_seal_sizes(plain.size(), associated.size(), out.size());
  if (outcome) {
    const auto nonce = out.first<seal_nonce_bytes>();
    if (random_octets(nonce)) {
      outcome = gcm::with_key(key, [&](mbedtls_gcm_context& gcm) {
        return mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, plain.size(), nonce.data(),
                                         nonce.size(), associated.data(), associated.size(),
                                         plain.data(), out.data() + nonce.size(), seal_tag_bytes,
                                         out.data() + nonce.size() + plain.size());
      });
    } else {
      outcome = errc::unfit_backend;
    }
  }
  if (!outcome) wipe(out);
  return outcome;
}

inline result<void> mbedtls::open(const seal_key& key, bytes_view sealed, bytes_view associated,
                                  std::span<std::uint8_t> out) noexcept {
  result<void> outcome = check_open_sizes(sealed.size(), associated.size(), out.size());
  if (outcome) {
    outcome = gcm::with_key(key, [&](mbedtls_gcm_context& gcm) {
      return mbedtls_gcm_auth_decrypt(&gcm, out.size(), sealed.data(), seal_nonce_bytes,
                                      associated.data(), associated.size(),
                                      sealed.last(seal_tag_bytes).data(), seal_tag_bytes,
                                      sealed.data() + seal_nonce_bytes, out.data());
    });
  }
  if (!outcome) wipe(out);
  return outcome;
}

inline bool mbedtls::random_octets(std::span<std::uint8_t> out) noexcept {
  detail::mbedtls_random_source source;
  const bool filled = source.fill(out);
  if (!filled) wipe(out);
  return filled;
}

#endif

}  // namespace backends
}  // namespace v0
}  // namespace cotter
