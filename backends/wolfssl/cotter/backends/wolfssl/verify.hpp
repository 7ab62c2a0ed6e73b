// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/wolfssl.hpp>
#include <cotter/values/signature_encoding.hpp>

#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <array>
#include <limits>

namespace cotter {
inline namespace v0 {
namespace backends {

struct wolfssl::signatures {
  /// `verified` is 1 if the library found the signature good, and `native` 0 if it met no error.
  static result<void> judge(int native, int verified) noexcept {
    if (native == 0 && verified == 1) return {};
    return error{native == MEMORY_E ? errc::out_of_memory : errc::bad_signature, 0, native};
  }

  static result<void> verify_p256(bytes_view spki, bytes_view message,
                                  bytes_view signature) noexcept {
    std::array<byte, 32> digest{};
    static constexpr byte nothing = 0;
    const int hashed = wc_Sha256Hash(message.empty() ? &nothing : message.data(),
                                     static_cast<word32>(message.size()), digest.data());
    if (hashed != 0) return error{errc::out_of_memory, 0, hashed};

    const bytes_view point = spki.subspan(p256_key_prefix.size() - 1);
    ecc_key key;
    int native = wc_ecc_init(&key);
    if (native != 0) return error{errc::out_of_memory, 0, native};
    native =
        wc_ecc_import_x963_ex(point.data(), static_cast<word32>(point.size()), &key, ECC_SECP256R1);
    if (native == 0) native = wc_ecc_check_key(&key);  // importing does not
    result<void> outcome =
        error{native == MEMORY_E ? errc::out_of_memory : errc::unsupported_key, 0, native};
    if (native == 0) {
      int verified = 0;
      native =
          wc_ecc_verify_hash(signature.data(), static_cast<word32>(signature.size()), digest.data(),
                             static_cast<word32>(digest.size()), &verified, &key);
      outcome = judge(native, verified);
    }
    wc_ecc_free(&key);
    return outcome;
  }

#if defined(HAVE_ED25519_VERIFY) && defined(HAVE_ED25519_KEY_IMPORT)
  static result<void> verify_ed25519(bytes_view spki, bytes_view message,
                                     bytes_view signature) noexcept {
    const bytes_view point = spki.subspan(ed25519_key_prefix.size());
    static constexpr byte nothing = 0;
    ed25519_key key;
    int native = wc_ed25519_init(&key);
    if (native != 0) return error{errc::out_of_memory, 0, native};
    int verified = 0;
    native = wc_ed25519_import_public(point.data(), static_cast<word32>(point.size()), &key);
    if (native == 0) {
      native = wc_ed25519_verify_msg(signature.data(), static_cast<word32>(signature.size()),
                                     message.empty() ? &nothing : message.data(),
                                     static_cast<word32>(message.size()), &verified, &key);
    }
    wc_ed25519_free(&key);
    return judge(native, verified);
  }
#endif
};

inline result<void> wolfssl::verify(signature_scheme scheme, bytes_view key, bytes_view message,
                                    bytes_view signature) noexcept {
  if (!supports(scheme)) return errc::unsupported_key;
  const result<void> encoded = check_signature_encoding(scheme, key, signature);
  if (!encoded) return encoded;
  if (message.size() > std::numeric_limits<word32>::max()) return errc::too_large;
  if (!started()) return errc::out_of_memory;
  detail::free_points_with_thread();
#if defined(HAVE_ED25519_VERIFY) && defined(HAVE_ED25519_KEY_IMPORT)
  if (scheme == signature_scheme::ed25519)
    return signatures::verify_ed25519(key, message, signature);
#endif
  return signatures::verify_p256(key, message, signature);
}

}  // namespace backends
}  // namespace v0
}  // namespace cotter
