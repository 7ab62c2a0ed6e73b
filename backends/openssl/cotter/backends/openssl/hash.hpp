// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/openssl.hpp>

#include <openssl/evp.h>

#include <cstdint>
#include <span>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace backends {

inline bool openssl::hasher::prepare() noexcept {
  if (context_ == nullptr) context_ = EVP_MD_CTX_new();
  ready_ = context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1;
  return ready_;
}

inline void openssl::hasher::update(bytes_view octets) noexcept {
  ready_ = ready_ && EVP_DigestUpdate(context_, octets.data(), octets.size()) == 1;
}

inline bool openssl::hasher::finish(sha256_digest& out) noexcept {
  if (!std::exchange(ready_, false)) return false;
  sha256_digest digest;
  if (EVP_DigestFinal_ex(context_, digest.octets.data(), nullptr) != 1) return false;
  out = digest;
  return true;
}

inline bool openssl::sha1(bytes_view in, std::span<std::uint8_t, 20> out) noexcept {
  return EVP_Digest(in.data(), in.size(), out.data(), nullptr, EVP_sha1(), nullptr) == 1;
}

}  // namespace backends
}  // namespace v0
}  // namespace cotter
