// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#if defined(MBEDTLS_USE_PSA_CRYPTO) || defined(MBEDTLS_SSL_PROTO_TLS1_3)
#include <psa/crypto.h>
#endif

#include <cstddef>
#include <cstdint>
#include <span>

#if defined(MBEDTLS_CTR_DRBG_C) && defined(MBEDTLS_ENTROPY_C)

namespace cotter {
inline namespace v0 {
namespace backends {
namespace detail {

/// The library's CTR_DRBG, seeded by its entropy sources.
struct mbedtls_random_source {
  mbedtls_random_source() noexcept {
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&drbg);
#if defined(MBEDTLS_USE_PSA_CRYPTO) || defined(MBEDTLS_SSL_PROTO_TLS1_3)
    if (psa_crypto_init() != PSA_SUCCESS) return;
#endif
    seeded = mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, nullptr, 0) == 0;
  }
  ~mbedtls_random_source() {
    mbedtls_ctr_drbg_free(&drbg);
    mbedtls_entropy_free(&entropy);
  }
  mbedtls_random_source(const mbedtls_random_source&) = delete;
  mbedtls_random_source& operator=(const mbedtls_random_source&) = delete;

  bool fill(std::span<std::uint8_t> out) noexcept {
    while (seeded && !out.empty()) {
      const std::size_t n =
          out.size() < MBEDTLS_CTR_DRBG_MAX_REQUEST ? out.size() : MBEDTLS_CTR_DRBG_MAX_REQUEST;
      if (mbedtls_ctr_drbg_random(&drbg, out.data(), n) != 0) return false;
      out = out.subspan(n);
    }
    return seeded;
  }

  int parse_key(mbedtls_pk_context& key, const std::uint8_t* data, std::size_t size) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_parse_key(&key, data, size, nullptr, 0, mbedtls_ctr_drbg_random, &drbg);
#else
    return mbedtls_pk_parse_key(&key, data, size, nullptr, 0);
#endif
  }
  int check_pair(const mbedtls_x509_crt& crt, const mbedtls_pk_context& key) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_check_pair(&crt.pk, &key, mbedtls_ctr_drbg_random, &drbg);
#else
    return mbedtls_pk_check_pair(&crt.pk, &key);
#endif
  }

  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context drbg;
  bool seeded = false;
};

}  // namespace detail
}  // namespace backends
}  // namespace v0
}  // namespace cotter

#endif
