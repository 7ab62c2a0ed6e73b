// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "support/servers.hpp"

#include <wolfssl/ssl.h>

using backend = cotter::backends::wolfssl;

namespace {

constexpr int versions[] = {0x0303, 0x0304};

/// A client of wolfSSL that offers a ticket of TLS 1.2 cannot be declined: none is asked for.
constexpr bool expected(int version, bool tickets) { return version != 0x0303 || !tickets; }

void offer_alone(backend::context&, backend::client& client, const lab::octets& octets) {
  wolfSSL_set_verify(client.native(), WOLFSSL_VERIFY_PEER,
                     [](int, WOLFSSL_X509_STORE_CTX*) { return 0; });
  const unsigned char* at = octets.data();
  WOLFSSL_SESSION* session =
      wolfSSL_d2i_SSL_SESSION(nullptr, &at, static_cast<long>(octets.size()));
  REQUIRE(session != nullptr);
  REQUIRE(wolfSSL_set_session(client.native(), session) == WOLFSSL_SUCCESS);
  wolfSSL_SESSION_free(session);
}

}  // namespace

#include "servers.ipp"
