// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <openssl/ssl.h>

/// What a program does that knows nothing of cotter.
namespace tls {
using session = SSL*;

inline session begin() noexcept { return SSL_new(SSL_CTX_new(TLS_client_method())); }
inline bool expect(session s, const char* host) noexcept {
  SSL_set_verify(s, SSL_VERIFY_PEER, nullptr);
  return SSL_set_tlsext_host_name(s, host) == 1 && SSL_set1_host(s, host) == 1;
}
inline bool handshake(session s) noexcept { return SSL_connect(s) == 1; }
inline void end(session s) noexcept { SSL_free(s); }
}  // namespace tls
