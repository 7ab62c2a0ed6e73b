// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/openssl.hpp>
#include <cotter/values/signature_encoding.hpp>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>

namespace cotter {
inline namespace v0 {
namespace backends {

struct openssl::signatures {
  static result<void> verify_encoded(signature_scheme scheme, bytes_view spki, bytes_view message,
                                     bytes_view signature) noexcept {
    const std::uint8_t* at = spki.data();
    EVP_PKEY* key = d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size()));
    if (key == nullptr) return errc::unsupported_key;
    result<void> outcome = errc::out_of_memory;
    if (EVP_MD_CTX* context = EVP_MD_CTX_new()) {
      static constexpr std::uint8_t nothing = 0;
      const EVP_MD* md = scheme == signature_scheme::ed25519 ? nullptr : EVP_sha256();
      outcome = errc::unsupported_key;
      if (EVP_DigestVerifyInit(context, nullptr, md, nullptr, key) == 1) {
        const int good =
            EVP_DigestVerify(context, signature.data(), signature.size(),
                             message.empty() ? &nothing : message.data(), message.size());
        outcome = good == 1 ? result<void>() : errc::bad_signature;
      }
      EVP_MD_CTX_free(context);
    }
    EVP_PKEY_free(key);
    return outcome;
  }
};

inline bool openssl::supports(signature_scheme scheme) noexcept {
  if (scheme != signature_scheme::ed25519) return scheme == signature_scheme::ecdsa_p256_sha256;
  ERR_set_mark();
  EVP_SIGNATURE* found = EVP_SIGNATURE_fetch(nullptr, "ED25519", nullptr);
  EVP_SIGNATURE_free(found);
  ERR_pop_to_mark();
  return found != nullptr;
}

inline result<void> openssl::verify(signature_scheme scheme, bytes_view key, bytes_view message,
                                    bytes_view signature) noexcept {
  if (!supports(scheme)) return errc::unsupported_key;
  const result<void> encoded = check_signature_encoding(scheme, key, signature);
  if (!encoded) return encoded;
  ERR_set_mark();
  const result<void> outcome = signatures::verify_encoded(scheme, key, message, signature);
  ERR_pop_to_mark();
  return outcome;
}

}  // namespace backends
}  // namespace v0
}  // namespace cotter
