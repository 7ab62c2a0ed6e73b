// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include "support/common_cases.hpp"

using backend = cotter::backends::openssl;
using cotter::reason;

namespace {

constexpr int both_versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

}  // namespace

TEST_CASE("openssl: proves itself") { lab::proves_itself<backend>(); }

TEST_CASE("openssl: tells the version that runs") {
  lab::tells_the_version_that_runs<backend>();
}

TEST_CASE("openssl: what every backend does") {
  lab::does_what_every_backend_does<backend>(
      GENERATE(from_range(std::begin(both_versions), std::end(both_versions))));
}

TEST_CASE("openssl: attach refuses a session it cannot guard") {
  cotter::owned_pin_set pins;
  const auto pin = *cotter::parse_pin(peer::certificate_pin(lab::file("good.pem")));
  (void)pins.add({"localhost", 443}, {&pin, 1});
  cotter::memory_breaker<> breaking;
  cotter::guard guard(pins, breaking, cotter::embedded_manifest{}, cotter::null_audit_sink{});
  backend::context context;
  auto admission = guard.admit({"localhost", 443});
  REQUIRE(admission);

  SECTION("a server's") {
    SSL* ssl = SSL_new(context.native());
    SSL_set_accept_state(ssl);
    {
      auto connection = guard.attach(ssl, *admission);
      CHECK(connection.verdict().reason() == reason::backend_unfit);
      CHECK(connection.verdict().detail().what == cotter::errc::unfit_session);
    }
    SSL_free(ssl);
  }
  SECTION("one whose handshake has begun") {
    backend::client client(context);
    (void)client.handshake();
    auto connection = guard.attach(client.native(), *admission);
    CHECK(connection.verdict().detail().what == cotter::errc::unfit_session);
    CHECK_FALSE(connection.confirm());
  }
  SECTION("one that is gone before its connection") {
    auto* client = new backend::client(context);
    auto connection = guard.attach(client->native(), *admission);
    delete client;
    CHECK(connection.confirm().reason() == reason::unbound);
  }
}
