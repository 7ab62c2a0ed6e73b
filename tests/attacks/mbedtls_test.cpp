// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include <backends/support/expect.hpp>

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
constexpr bool takes_huge =
    false;  // a message of at most MBEDTLS_SSL_IN_CONTENT_LEN, 16,384 octets

void used_again(mbedtls_ssl_context* ssl) { (void)mbedtls_ssl_session_reset(ssl); }

/// The configuration in force: the application's before attach, the backend's after it.
mbedtls_ssl_config* configuration(mbedtls_ssl_context* ssl) {
  return const_cast<mbedtls_ssl_config*>(ssl->MBEDTLS_PRIVATE(conf));  // NOLINT(*-const-cast)
}

void list_every_suite(mbedtls_ssl_context* ssl) {
  static constexpr int listed[] = {
      MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256, MBEDTLS_TLS_PSK_WITH_AES_128_CBC_SHA,
      MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256, MBEDTLS_TLS_RSA_WITH_AES_256_GCM_SHA384,
      MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA,    0};
  static constexpr unsigned char key[] = "0123456789abcdef";
  mbedtls_ssl_conf_ciphersuites(configuration(ssl), listed);
  REQUIRE(mbedtls_ssl_conf_psk(configuration(ssl), key, 16, key, 8) == 0);
}

int accept_all(void*, mbedtls_x509_crt*, int, std::uint32_t* flags) {
  *flags = 0;
  return 0;
}

}  // namespace

#include "common_attacks.ipp"

TEST_CASE("verification that the application weakened before attach is as strict") {
  const int version = each_version();
  const int mode = GENERATE(MBEDTLS_SSL_VERIFY_NONE, MBEDTLS_SSL_VERIFY_OPTIONAL);
  const char* leaf = GENERATE("foreign", "expired-intermediate");
  INFO(leaf << ", mode " << mode << ", version " << version);
  const lab::request wanted = pinned(leaf);

  SECTION("the authentication mode") {
    const auto weaken = [&](mbedtls_ssl_context* ssl) {
      mbedtls_ssl_conf_authmode(configuration(ssl), mode);
    };
    lab::refused_in_handshake(before_attach(leaf, version, wanted, weaken), reason::pkix);
    lab::refused_in_handshake(before_attach("wrong-name", version, pinned("wrong-name"), weaken),
                              reason::hostname);
    lab::refused_in_handshake(before_attach("other", version, pinned("good"), weaken),
                              reason::pin_mismatch);
  }
  SECTION("the application's own configuration, after attach") {
    mbedtls_ssl_config* theirs = nullptr;
    peer::server server(lab::serve(leaf, version));
    const auto seen = lab::run<backend>(
        server, wanted, [&](mbedtls_ssl_context* ssl) { theirs = configuration(ssl); },
        [&](mbedtls_ssl_context*) {
          mbedtls_ssl_conf_authmode(theirs, mode);
          mbedtls_ssl_conf_verify(theirs, accept_all, nullptr);
        });
    lab::refused_in_handshake(seen, reason::pkix);
  }
  SECTION("verify callbacks that forgive") {
    lab::refused_in_handshake(before_attach(leaf, version, wanted,
                                            [&](mbedtls_ssl_context* ssl) {
                                              mbedtls_ssl_conf_authmode(configuration(ssl), mode);
                                              mbedtls_ssl_conf_verify(configuration(ssl),
                                                                      accept_all, nullptr);
                                              mbedtls_ssl_set_verify(ssl, accept_all, nullptr);
                                            }),
                              reason::pkix);
  }
}

TEST_CASE("hooks replaced after attach do not pass for a verdict") {
  const int version = each_version();
  INFO("version " << version);

  SECTION("the connection's verify callback") {
    for (const char* leaf : {"other", "foreign", "wrong-name", "good"}) {
      INFO(leaf);
      const auto seen = after_attach(
          leaf, version, pinned(leaf == std::string_view("other") ? "good" : leaf),
          [](mbedtls_ssl_context* ssl) { mbedtls_ssl_set_verify(ssl, accept_all, nullptr); });
      lab::nothing_left(seen);
      // TLS 1.2 asks the configuration for randomness once more and gets none.
      CHECK(seen.server_finished == (version == 0x0304));
      if (seen.client_finished) CHECK(seen.verdict.reason() == reason::backend_unfit);
    }
  }
  SECTION("no verify callback") {
    const auto seen = after_attach("good", version, pinned("good"), [](mbedtls_ssl_context* ssl) {
      mbedtls_ssl_set_verify(ssl, nullptr, nullptr);
    });
    lab::nothing_left(seen);
  }
  SECTION("the authentication mode of the configuration in force") {
    const int mode = GENERATE(MBEDTLS_SSL_VERIFY_NONE, MBEDTLS_SSL_VERIFY_OPTIONAL);
    for (const char* leaf : {"other", "foreign"}) {
      INFO(leaf << ", mode " << mode);
      const auto seen = after_attach(
          leaf, version, pinned(leaf == std::string_view("other") ? "good" : leaf),
          [&](mbedtls_ssl_context* ssl) { mbedtls_ssl_conf_authmode(configuration(ssl), mode); });
      lab::nothing_left(seen);
      CHECK_FALSE(seen.server_finished);
    }
  }
  SECTION("the authentication mode of this handshake") {
    const int mode = GENERATE(MBEDTLS_SSL_VERIFY_NONE, MBEDTLS_SSL_VERIFY_OPTIONAL);
    for (const char* leaf : {"other", "foreign"}) {
      INFO(leaf << ", mode " << mode);
      const auto seen =
          after_attach(leaf, version, pinned(leaf == std::string_view("other") ? "good" : leaf),
                       [&](mbedtls_ssl_context* ssl) { mbedtls_ssl_set_hs_authmode(ssl, mode); });
      lab::nothing_left(seen);
      if (version == 0x0303) CHECK_FALSE(seen.server_finished);
    }
  }
  SECTION("another name") {
    lab::refused_in_handshake(
        after_attach("wrong-name", version, pinned("wrong-name"),
                     [](mbedtls_ssl_context* ssl) {
                       REQUIRE(mbedtls_ssl_set_hostname(ssl, "elsewhere.example") == 0);
                     }),
        reason::hostname);
  }
  SECTION("no name") {
    const auto seen = after_attach(
        "wrong-name", version, pinned("wrong-name"),
        [](mbedtls_ssl_context* ssl) { REQUIRE(mbedtls_ssl_set_hostname(ssl, nullptr) == 0); });
    lab::refused_in_handshake(seen, reason::hostname);
  }
}

TEST_CASE("a session that the application supplies is not resumed") {
  const bool tickets = GENERATE(false, true);
  INFO((tickets ? "ticket" : "session id"));
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
  const auto before = lab::run<backend>(server, {}, give, lab::leave_alone);
  CHECK_FALSE(before.server_resumed);
  lab::refused_in_handshake(before, reason::pin_mismatch);
  const auto after = lab::run<backend>(server, {}, lab::leave_alone, give);
  lab::nothing_left(after);
  CHECK_FALSE(after.server_resumed);
  CHECK_FALSE(after.server_finished);
  CHECK(after.verdict.reason() == reason::unbound);  // the handshake fails before ClientHello
  mbedtls_ssl_session_free(&session);
}
