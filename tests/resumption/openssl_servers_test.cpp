// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include "support/servers.hpp"

#include <openssl/ssl.h>

using backend = cotter::backends::openssl;

namespace {

constexpr int versions[] = {0x0303, 0x0304};

constexpr bool expected(int, bool) { return true; }

void offer_alone(backend::context& context, backend::client& client, const lab::octets& octets) {
  SSL_CTX_set_cert_verify_callback(
      context.native(), [](X509_STORE_CTX*, void*) { return 0; }, nullptr);
  const unsigned char* at = octets.data();
  SSL_SESSION* session = d2i_SSL_SESSION(nullptr, &at, static_cast<long>(octets.size()));
  REQUIRE(session != nullptr);
  REQUIRE(SSL_set_session(client.native(), session) == 1);
  SSL_SESSION_free(session);
}

}  // namespace

#include "servers.ipp"
