// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "support/common_cases.hpp"

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>

#ifndef MBEDTLS_PRIVATE  // 2.28 has none
#define MBEDTLS_PRIVATE(member) member
#endif

using backend = cotter::backends::mbedtls;
using cotter::reason;

namespace {

#if MBEDTLS_VERSION_MAJOR >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
constexpr int versions[] = {0x0303, 0x0304};
#else
constexpr int versions[] = {0x0303};
#endif

int accept_all(void*, mbedtls_x509_crt*, int, std::uint32_t* flags) {
  *flags = 0;
  return 0;
}

/// The configuration an application has made, which attach must not rely on.
mbedtls_ssl_config* configuration(mbedtls_ssl_context* ssl) {
  return const_cast<mbedtls_ssl_config*>(ssl->MBEDTLS_PRIVATE(conf));  // NOLINT(*-const-cast)
}

}  // namespace

TEST_CASE("mbedtls: proves itself") { lab::proves_itself<backend>(); }

TEST_CASE("mbedtls: what every backend does") {
  lab::does_what_every_backend_does<backend>(
      GENERATE(from_range(std::begin(versions), std::end(versions))));
}

TEST_CASE("mbedtls: suites without a certificate are not negotiated, though the user listed them") {
  static constexpr int listed[] = {
      MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256, MBEDTLS_TLS_PSK_WITH_AES_128_CBC_SHA,
      MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256, MBEDTLS_TLS_RSA_WITH_AES_256_GCM_SHA384,
      MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA,    0};
  lab::nothing_without_certificate_or_forward_secrecy<backend>([](mbedtls_ssl_context* ssl) {
    static constexpr unsigned char key[] = "0123456789abcdef";
    mbedtls_ssl_conf_ciphersuites(configuration(ssl), listed);
    REQUIRE(mbedtls_ssl_conf_psk(configuration(ssl), key, 16, key, 8) == 0);
  });
}

TEST_CASE("mbedtls: a session that the user supplies is not resumed") {
  const bool tickets = GENERATE(false, true);
  const bool after_attach = GENERATE(false, true);
  INFO((tickets ? "ticket" : "session id")
       << (after_attach ? ", after attach" : ", before attach"));
  auto how = lab::serve("other", 0x0303);
  how.tickets = tickets;
  peer::server server(how);
  mbedtls_ssl_session session;
  mbedtls_ssl_session_init(&session);
  bool saved = false;

  const auto bare_handshake = [&](auto prepare) {
    backend::context context;
    REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
    backend::client bare(context);
    mbedtls_ssl_set_hostname(bare.native(), "localhost");
    prepare(bare.native());
    auto there = server.accept();
    std::vector<std::uint8_t> held;
    const cotter::step step = lab::shake_hands(bare, *there, held);
    REQUIRE(step.next == cotter::want::nothing);
    if (!std::exchange(saved, true)) {
      REQUIRE(mbedtls_ssl_get_session(bare.native(), &session) == 0);
    }
    (void)bare.shutdown();
    lab::carry(bare, *there);
    there->drive();
    return there->resumed();
  };
  const auto tolerant = [](mbedtls_ssl_context* ssl) {
    mbedtls_ssl_conf_authmode(configuration(ssl), MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_session_tickets(configuration(ssl), MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
  };
  REQUIRE_FALSE(bare_handshake(tolerant));
  // Control: without a guard the session does resume, although the hook rejects everything.
  REQUIRE(bare_handshake([&](mbedtls_ssl_context* ssl) {
    tolerant(ssl);
    mbedtls_ssl_set_verify(
        ssl, [](void*, mbedtls_x509_crt*, int, std::uint32_t*) { return -1; }, nullptr);
    REQUIRE(mbedtls_ssl_set_session(ssl, &session) == 0);
  }));

  const auto give = [&](mbedtls_ssl_context* ssl) { (void)mbedtls_ssl_set_session(ssl, &session); };
  if (after_attach) {
    const auto seen = lab::run<backend>(server, {}, lab::leave_alone, give);
    CHECK_FALSE(seen.verdict);
    CHECK(seen.application_bytes == 0);
    if (seen.server_resumed) CHECK(seen.verdict.reason() != reason::none);
  } else {
    const auto seen = lab::run<backend>(server, {}, give, lab::leave_alone);
    CHECK_FALSE(seen.server_resumed);
    lab::refused_in_handshake(seen, reason::pin_mismatch);
  }
  mbedtls_ssl_session_free(&session);
}

TEST_CASE("mbedtls: what weakened PKIX before attach is undone") {
  lab::request wanted;
  wanted.pin = peer::certificate_pin(lab::file("foreign.pem"));
  peer::server server(lab::serve("foreign"));
  const int mode = GENERATE(MBEDTLS_SSL_VERIFY_NONE, MBEDTLS_SSL_VERIFY_OPTIONAL);

  SECTION("the authentication mode") {
    const auto seen = lab::run<backend>(
        server, wanted,
        [&](mbedtls_ssl_context* ssl) { mbedtls_ssl_conf_authmode(configuration(ssl), mode); },
        lab::leave_alone);
    lab::refused_in_handshake(seen, reason::pkix);
  }
  SECTION("the application's own configuration, after attach") {
    mbedtls_ssl_config* theirs = nullptr;
    const auto seen = lab::run<backend>(
        server, wanted, [&](mbedtls_ssl_context* ssl) { theirs = configuration(ssl); },
        [&](mbedtls_ssl_context*) { mbedtls_ssl_conf_authmode(theirs, mode); });
    lab::refused_in_handshake(seen, reason::pkix);
  }
  SECTION("the configuration in force, after attach") {
    const auto seen = lab::run<backend>(
        server, wanted, lab::leave_alone,
        [&](mbedtls_ssl_context* ssl) { mbedtls_ssl_conf_authmode(configuration(ssl), mode); });
    CHECK_FALSE(seen.verdict);
    CHECK(seen.application_bytes == 0);
  }
  SECTION("a verify callback that forgives") {
    const auto seen = lab::run<backend>(
        server, wanted,
        [](mbedtls_ssl_context* ssl) {
          mbedtls_ssl_conf_verify(configuration(ssl), accept_all, nullptr);
          mbedtls_ssl_set_verify(ssl, accept_all, nullptr);
        },
        lab::leave_alone);
    lab::refused_in_handshake(seen, reason::pkix);
  }
}

TEST_CASE("mbedtls: hooks replaced after attach do not pass for a verdict") {
  peer::server server(lab::serve("other"));
  SECTION("the connection's verify callback") {
    const auto seen = lab::run<backend>(server, {}, lab::leave_alone, [](mbedtls_ssl_context* ssl) {
      mbedtls_ssl_set_verify(ssl, accept_all, nullptr);
    });
    CHECK_FALSE(seen.verdict);
    CHECK_FALSE(seen.server_finished);
    CHECK(seen.application_bytes == 0);
  }
  SECTION("another name") {
    peer::server elsewhere(lab::serve("wrong-name"));
    lab::request wanted;
    wanted.pin = peer::certificate_pin(lab::file("wrong-name.pem"));
    const auto seen = lab::run<backend>(
        elsewhere, wanted, lab::leave_alone,
        [](mbedtls_ssl_context* ssl) { mbedtls_ssl_set_hostname(ssl, "elsewhere.example"); });
    lab::refused_in_handshake(seen, reason::hostname);
  }
}

TEST_CASE("mbedtls: attach refuses a session whose handshake has begun") {
  cotter::owned_pin_set pins;
  const auto pin = *cotter::parse_pin(peer::certificate_pin(lab::file("good.pem")));
  REQUIRE(pins.add({"localhost", 443}, {&pin, 1}));
  cotter::memory_breaker<> breaking;
  cotter::guard guard(pins, breaking, cotter::embedded_manifest{}, cotter::null_audit_sink{});
  auto admission = guard.admit({"localhost", 443});
  backend::context context;
  REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
  backend::client client(context);
  (void)client.handshake();
  auto connection = guard.attach(client.native(), *admission);
  CHECK(connection.verdict().reason() == reason::backend_unfit);
  CHECK(connection.verdict().detail().what == cotter::errc::unfit_session);
  CHECK_FALSE(connection.confirm());
}
