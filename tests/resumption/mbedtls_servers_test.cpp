// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "support/servers.hpp"

#include <mbedtls/ssl.h>

using backend = cotter::backends::mbedtls;

namespace {

constexpr int versions[] = {0x0303};

constexpr bool expected(int, bool) { return true; }

void offer_alone(backend::context& context, backend::client& client, const lab::octets& octets) {
  mbedtls_ssl_conf_session_tickets(context.native(), MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
  mbedtls_ssl_set_verify(
      client.native(), [](void*, mbedtls_x509_crt*, int, std::uint32_t*) { return -1; }, nullptr);
  mbedtls_ssl_session session;
  mbedtls_ssl_session_init(&session);
  REQUIRE(mbedtls_ssl_session_load(&session, octets.data(), octets.size()) == 0);
  REQUIRE(mbedtls_ssl_set_session(client.native(), &session) == 0);
  mbedtls_ssl_session_free(&session);
}

}  // namespace

#include "servers.ipp"
