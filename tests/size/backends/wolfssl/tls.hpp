// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include <cstring>

/// What a program does that knows nothing of cotter.
namespace tls {
using session = WOLFSSL*;

inline session begin() noexcept { return wolfSSL_new(wolfSSL_CTX_new(wolfSSLv23_client_method())); }
inline bool expect(session s, const char* host) noexcept {
  wolfSSL_set_verify(s, SSL_VERIFY_PEER, nullptr);
  return wolfSSL_UseSNI(s, WOLFSSL_SNI_HOST_NAME, host,
                        static_cast<unsigned short>(std::strlen(host))) == WOLFSSL_SUCCESS &&
         wolfSSL_check_domain_name(s, host) == WOLFSSL_SUCCESS;
}
inline bool handshake(session s) noexcept { return wolfSSL_connect(s) == WOLFSSL_SUCCESS; }
inline void end(session s) noexcept { wolfSSL_free(s); }
}  // namespace tls
