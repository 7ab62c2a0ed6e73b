// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/wolfssl.hpp>
#include <cotter/values/sealing.hpp>

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/random.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace cotter {
inline namespace v0 {
namespace backends {

#if defined(HAVE_AESGCM) && defined(HAVE_AES_DECRYPT) && defined(WOLFSSL_AES_256) && \
    !defined(WC_NO_RNG)

struct wolfssl::gcm {
  /// 0, or the library's own code.
  static int draw(std::span<std::uint8_t> out) noexcept {
    if (!started()) return MEMORY_E;
    WC_RNG generator;
    int native = wc_InitRng(&generator);
    if (native != 0) return native;
    while (native == 0 && !out.empty()) {
      constexpr std::size_t most = 0x1000;
      const std::size_t n = out.size() < most ? out.size() : most;
      native = wc_RNG_GenerateBlock(&generator, out.data(), static_cast<word32>(n));
      out = out.subspan(n);
    }
    wc_FreeRng(&generator);
    return native;
  }

  /// What `run(Aes&)` returns, 0 or the library's own code, with the key set.
  template <typename Run>
  static result<void> with_key(const seal_key& key, Run run) noexcept {
    if (!started()) return errc::out_of_memory;
    Aes aes{};
    int native = wc_AesInit(&aes, nullptr, INVALID_DEVID);
    if (native == 0) {
      native = wc_AesGcmSetKey(&aes, key.octets.data(), static_cast<word32>(key.octets.size()));
      if (native == 0) native = run(aes);
      wc_AesFree(&aes);
    }
    // It does not always wipe.
    wipe({reinterpret_cast<std::uint8_t*>(&aes), sizeof aes});
    return judge_seal(native);
  }

  static result<void> judge_seal(int native) noexcept {
    switch (native) {
      case 0: return {};
      case AES_GCM_AUTH_E: return error{errc::bad_seal, 0, native};
      case MEMORY_E: return error{errc::out_of_memory, 0, native};
      default: return error{errc::unfit_backend, 0, native};
    }
  }

  static result<void> seal_sized(const seal_key& key, bytes_view plain, bytes_view associated,
                                 std::span<std::uint8_t> out) noexcept {
    const auto nonce = out.first<seal_nonce_bytes>();
    const result<void> drawn = judge_seal(draw(nonce));
    if (!drawn) return drawn;
    return with_key(key, [&](Aes& aes) {
      return wc_AesGcmEncrypt(&aes, out.data() + seal_nonce_bytes, plain.data(),
                              static_cast<word32>(plain.size()), nonce.data(), seal_nonce_bytes,
                              out.data() + seal_nonce_bytes + plain.size(), seal_tag_bytes,
                              associated.data(), static_cast<word32>(associated.size()));
    });
  }
};

inline result<void> wolfssl::seal(const seal_key& key, bytes_view plain, bytes_view associated,
                                  std::span<std::uint8_t> out) noexcept {
  result<void> outcome = check_seal_sizes(plain.size(), associated.size(), out.size());
  if (outcome) outcome = gcm::seal_sized(key, plain, associated, out);
  if (!outcome) wipe(out);
  return outcome;
}

inline result<void> wolfssl::open(const seal_key& key, bytes_view sealed, bytes_view associated,
                                  std::span<std::uint8_t> out) noexcept {
  result<void> outcome = check_open_sizes(sealed.size(), associated.size(), out.size());
  if (outcome) {
    outcome = gcm::with_key(key, [&](Aes& aes) {
      const bytes_view tag = sealed.last(seal_tag_bytes);
      return wc_AesGcmDecrypt(&aes, out.data(), sealed.data() + seal_nonce_bytes,
                              static_cast<word32>(out.size()), sealed.data(), seal_nonce_bytes,
                              tag.data(), seal_tag_bytes, associated.data(),
                              static_cast<word32>(associated.size()));
    });
  }
  if (!outcome) wipe(out);
  return outcome;
}

inline bool wolfssl::random_octets(std::span<std::uint8_t> out) noexcept {
  const bool filled = gcm::draw(out) == 0;
  if (!filled) wipe(out);
  return filled;
}

#endif

}  // namespace backends
}  // namespace v0
}  // namespace cotter
