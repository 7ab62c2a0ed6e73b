// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/mbedtls.hpp>

#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>

#include <cstdint>
#include <span>

namespace cotter {
inline namespace v0 {
namespace backends {

inline bool mbedtls::hasher::prepare() noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
  ready_ = mbedtls_sha256_starts(&state_, 0) == 0;
#else
  ready_ = mbedtls_sha256_starts_ret(&state_, 0) == 0;
#endif
  return ready_;
}

inline void mbedtls::hasher::update(bytes_view octets) noexcept {
  if (!ready_ || octets.empty()) return;
#if MBEDTLS_VERSION_MAJOR >= 3
  ready_ = mbedtls_sha256_update(&state_, octets.data(), octets.size()) == 0;
#else
  ready_ = mbedtls_sha256_update_ret(&state_, octets.data(), octets.size()) == 0;
#endif
}

inline bool mbedtls::hasher::finish(sha256_digest& out) noexcept {
  if (!ready_) return false;
  ready_ = false;
  sha256_digest digest;
#if MBEDTLS_VERSION_MAJOR >= 3
  if (mbedtls_sha256_finish(&state_, digest.octets.data()) != 0) return false;
#else
  if (mbedtls_sha256_finish_ret(&state_, digest.octets.data()) != 0) return false;
#endif
  out = digest;
  return true;
}

inline bool mbedtls::sha1([[maybe_unused]] bytes_view octets,
                          [[maybe_unused]] std::span<std::uint8_t, 20> out) noexcept {
#if !defined(MBEDTLS_SHA1_C)
  return false;
#elif MBEDTLS_VERSION_MAJOR >= 3
  return mbedtls_sha1(octets.data(), octets.size(), out.data()) == 0;
#else
  return mbedtls_sha1_ret(octets.data(), octets.size(), out.data()) == 0;
#endif
}

}  // namespace backends
}  // namespace v0
}  // namespace cotter
