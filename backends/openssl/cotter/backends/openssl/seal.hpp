// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/openssl.hpp>
#include <cotter/values/sealing.hpp>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <climits>
#include <cstdint>
#include <cstring>
#include <span>

namespace cotter {
inline namespace v0 {
namespace backends {

struct openssl::gcm {
  enum class direction { open, seal };

  /// AES-256-GCM from `from` to `to`, as long. `tag` is made, or the one to be met: until that is
  /// known, what is in `to` is nobody's.
  static result<void> run(direction way, const seal_key& key,
                          std::span<const std::uint8_t, seal_nonce_bytes> nonce,
                          bytes_view associated, bytes_view from, std::span<std::uint8_t> to,
                          std::span<std::uint8_t, seal_tag_bytes> tag) noexcept {
    const bool opening = way == direction::open;
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    if (context == nullptr) return errc::out_of_memory;
    const auto take = [context](std::uint8_t* into, bytes_view octets) {
      int moved = 0;
      // Without a place to put them to, octets are associated; none at all would be the end.
      return octets.empty() || (EVP_CipherUpdate(context, into, &moved, octets.data(),
                                                 static_cast<int>(octets.size())) == 1 &&
                                moved == static_cast<int>(octets.size()));
    };
    std::array<std::uint8_t, EVP_MAX_BLOCK_LENGTH> rest{};
    int moved = 0;
    const int tag_size = static_cast<int>(tag.size());
    result<void> outcome = errc::unfit_backend;
    if (EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nullptr, key.octets.data(), nonce.data(),
                          opening ? 0 : 1) == 1 &&
        EVP_CIPHER_CTX_get_iv_length(context) == static_cast<int>(nonce.size()) &&
        take(nullptr, associated) && take(to.data(), from) &&
        (!opening ||
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) == 1)) {
      if (EVP_CipherFinal_ex(context, rest.data(), &moved) == 1) {
        outcome = opening || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag_size,
                                                 tag.data()) == 1
                      ? result<void>()
                      : errc::unfit_backend;
      } else if (opening) {
        outcome = errc::bad_seal;
      }
    }
    EVP_CIPHER_CTX_free(context);  // which wipes the key
    return outcome;
  }
};

inline result<void> openssl::seal(const seal_key& key, bytes_view plain, bytes_view associated,
                                  std::span<std::uint8_t> out) noexcept {
  result<void> outcome = check_seal_sizes(plain.size(), associated.size(), out.size());
  if (outcome) {
    const auto nonce = out.first<seal_nonce_bytes>();
    ERR_set_mark();
    // The nonce is published: it does not come from the generator that keys come from.
    outcome = RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) == 1
                  ? gcm::run(gcm::direction::seal, key, nonce, associated, plain,
                             out.subspan(nonce.size(), plain.size()), out.last<seal_tag_bytes>())
                  : errc::unfit_backend;
    ERR_pop_to_mark();
  }
  if (!outcome) wipe(out);
  return outcome;
}

inline result<void> openssl::open(const seal_key& key, bytes_view sealed, bytes_view associated,
                                  std::span<std::uint8_t> out) noexcept {
  result<void> outcome = check_open_sizes(sealed.size(), associated.size(), out.size());
  if (outcome) {
    std::array<std::uint8_t, seal_tag_bytes> tag{};  // OpenSSL wants it writable
    std::memcpy(tag.data(), sealed.data() + sealed.size() - tag.size(), tag.size());
    ERR_set_mark();
    outcome = gcm::run(gcm::direction::open, key, sealed.first<seal_nonce_bytes>(), associated,
                       sealed.subspan(seal_nonce_bytes, out.size()), out, tag);
    ERR_pop_to_mark();
  }
  if (!outcome) wipe(out);
  return outcome;
}

inline bool openssl::random_octets(std::span<std::uint8_t> out) noexcept {
  if (out.empty()) return true;
  ERR_set_mark();
  const bool filled =
      out.size() <= INT_MAX && RAND_priv_bytes(out.data(), static_cast<int>(out.size())) == 1;
  ERR_pop_to_mark();
  if (!filled) wipe(out);
  return filled;
}

}  // namespace backends
}  // namespace v0
}  // namespace cotter
