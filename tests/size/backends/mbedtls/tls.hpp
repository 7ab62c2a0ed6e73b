// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <mbedtls/ssl.h>

/// What a program does that knows nothing of cotter.
namespace tls {
using session = mbedtls_ssl_context*;
inline mbedtls_ssl_context context;
inline mbedtls_ssl_config config;

inline session begin() noexcept {
  mbedtls_ssl_init(&context);
  return mbedtls_ssl_setup(&context, &config) == 0 ? &context : nullptr;
}
inline bool expect(session s, const char* host) noexcept {
  return mbedtls_ssl_set_hostname(s, host) == 0;
}
inline bool handshake(session s) noexcept { return mbedtls_ssl_handshake(s) == 0; }
inline void end(session s) noexcept { mbedtls_ssl_free(s); }
}  // namespace tls
