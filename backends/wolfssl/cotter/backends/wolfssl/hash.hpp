// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/wolfssl.hpp>

#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <climits>
#include <cstdint>
#include <span>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace backends {

inline bool wolfssl::hasher::prepare() noexcept {
  release();
  ready_ = held_ = wc_InitSha256(&context_) == 0;
  return ready_;
}

inline void wolfssl::hasher::update(bytes_view octets) noexcept {
  while (ready_ && !octets.empty()) {
    const auto piece = octets.first(octets.size() < INT_MAX ? octets.size() : INT_MAX);
    ready_ = wc_Sha256Update(&context_, piece.data(), static_cast<word32>(piece.size())) == 0;
    octets = octets.subspan(piece.size());
  }
}

inline bool wolfssl::hasher::finish(sha256_digest& out) noexcept {
  if (!std::exchange(ready_, false)) return false;
  sha256_digest digest;
  if (wc_Sha256Final(&context_, digest.octets.data()) != 0) return false;
  out = digest;
  return true;
}

inline void wolfssl::hasher::release() noexcept {
  if (std::exchange(held_, false)) wc_Sha256Free(&context_);
}

inline bool wolfssl::sha1(bytes_view in, std::span<std::uint8_t, 20> out) noexcept {
  return in.size() <= INT_MAX &&
         wc_ShaHash(in.data(), static_cast<word32>(in.size()), out.data()) == 0;
}

}  // namespace backends
}  // namespace v0
}  // namespace cotter
