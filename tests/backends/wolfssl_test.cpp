// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "support/common_cases.hpp"

using backend = cotter::backends::wolfssl;
using cotter::reason;

namespace {

constexpr int both_versions[] = {0x0303, 0x0304};

int accept_all(int, WOLFSSL_X509_STORE_CTX*) { return 1; }

lab::request pinned(const char* name) {
  lab::request wanted;
  wanted.pin = peer::certificate_pin(lab::file(std::string(name) + ".pem"));
  return wanted;
}

}  // namespace

TEST_CASE("wolfssl: proves itself") { lab::proves_itself<backend>(); }

TEST_CASE("wolfssl: what every backend does") {
  lab::does_what_every_backend_does<backend>(
      GENERATE(from_range(std::begin(both_versions), std::end(both_versions))));
}

TEST_CASE("wolfssl: suites without a certificate are not negotiated, though the user listed them") {
  lab::nothing_without_certificate_or_forward_secrecy<backend>([](WOLFSSL* ssl) {
#ifdef HAVE_ANON
    (void)wolfSSL_CTX_allow_anon_cipher(wolfSSL_get_SSL_CTX(ssl));
#endif
    (void)wolfSSL_set_cipher_list(ssl, "ALL");
  });
}

TEST_CASE("wolfssl: a session that the user supplies is not resumed") {
  const int version = GENERATE(from_range(std::begin(both_versions), std::end(both_versions)));
  const bool after_attach = GENERATE(false, true);
  INFO("version " << version << (after_attach ? ", after attach" : ", before attach"));
  peer::server server(lab::serve("other", version));
  WOLFSSL_SESSION* session = nullptr;

  const auto bare_handshake = [&](auto prepare) {
    backend::context context;
    REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
    backend::client bare(context);
    wolfSSL_set_verify(bare.native(), WOLFSSL_VERIFY_PEER, nullptr);
    prepare(bare.native());
    auto there = server.accept();
    std::vector<std::uint8_t> held;
    const cotter::step step = lab::shake_hands(bare, *there, held);
    REQUIRE(step.next == cotter::want::nothing);
    std::array<std::uint8_t, 16> plain{};
    (void)bare.read(plain);  // takes in the TLS 1.3 tickets
    if (session == nullptr) session = wolfSSL_get1_session(bare.native());
    (void)bare.shutdown();
    return there->resumed();
  };
  REQUIRE_FALSE(bare_handshake([](WOLFSSL* ssl) { (void)wolfSSL_UseSessionTicket(ssl); }));
  REQUIRE(session != nullptr);
  // Control: without a guard the session does resume, although the hook rejects everything.
  REQUIRE(bare_handshake([&](WOLFSSL* ssl) {
    (void)wolfSSL_UseSessionTicket(ssl);
    wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_PEER, [](int, WOLFSSL_X509_STORE_CTX*) { return 0; });
    REQUIRE(wolfSSL_set_session(ssl, session) == WOLFSSL_SUCCESS);
  }));

  const auto give = [&](WOLFSSL* ssl) { (void)wolfSSL_set_session(ssl, session); };
  const auto seen = after_attach ? lab::run<backend>(server, {}, lab::leave_alone, give)
                                 : lab::run<backend>(server, {}, give, lab::leave_alone);
  CHECK_FALSE(seen.verdict);
  CHECK(seen.application_bytes == 0);
  if (seen.server_resumed) CHECK(seen.verdict.reason() == reason::resumption_unbound);
  if (!after_attach) CHECK_FALSE(seen.server_resumed);
  wolfSSL_SESSION_free(session);
}

TEST_CASE("wolfssl: what weakened PKIX before attach is undone, or attach refuses") {
  peer::server server(lab::serve("foreign"));
  const auto never_accepted = [](const lab::outcome& seen) {
    CHECK_FALSE(seen.verdict);
    CHECK_FALSE(seen.server_finished);
    CHECK(seen.application_bytes == 0);
  };

  SECTION("VERIFY_NONE, Debian's default") {
    lab::refused_in_handshake(
        lab::run<backend>(
            server, pinned("foreign"),
            [](WOLFSSL* ssl) { wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_NONE, nullptr); },
            lab::leave_alone),
        reason::pkix);
  }
  SECTION("a verify callback that forgives") {
    lab::refused_in_handshake(
        lab::run<backend>(
            server, pinned("foreign"),
            [](WOLFSSL* ssl) { wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_PEER, accept_all); },
            lab::leave_alone),
        reason::pkix);
  }
  SECTION("the context's whole-chain callback says yes to everything") {
    never_accepted(lab::run<backend>(
        server, pinned("foreign"),
        [](WOLFSSL* ssl) {
          wolfSSL_CTX_set_cert_verify_callback(
              wolfSSL_get_SSL_CTX(ssl), [](WOLFSSL_X509_STORE_CTX*, void*) { return 1; }, nullptr);
        },
        lab::leave_alone));
  }
  SECTION("the certificate manager's callback forgives") {
    never_accepted(lab::run<backend>(
        server, pinned("foreign"),
        [](WOLFSSL* ssl) {
          wolfSSL_CertManagerSetVerify(wolfSSL_CTX_GetCertManager(wolfSSL_get_SSL_CTX(ssl)),
                                       accept_all);
        },
        lab::leave_alone));
  }
#ifdef WOLFSSL_TRUST_PEER_CERT
  SECTION("the leaf is a trusted peer, under which wolfSSL skips the chain") {
    never_accepted(lab::run<backend>(
        server, pinned("foreign"),
        [](WOLFSSL* ssl) {
          REQUIRE(wolfSSL_CTX_trust_peer_cert(wolfSSL_get_SSL_CTX(ssl),
                                              lab::file("foreign.pem").c_str(),
                                              WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS);
        },
        lab::leave_alone));
  }
#endif
}

TEST_CASE("wolfssl: hooks replaced after attach do not pass for a verdict") {
  peer::server server(lab::serve("other"));
  const auto no_verdict = [](const lab::outcome& seen) {
    CHECK_FALSE(seen.verdict);
    if (seen.client_finished) CHECK(seen.verdict.reason() == reason::backend_unfit);
    CHECK(seen.application_bytes == 0);
  };
  SECTION("VERIFY_NONE") {
    no_verdict(lab::run<backend>(server, {}, lab::leave_alone, [](WOLFSSL* ssl) {
      wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_NONE, nullptr);
    }));
  }
  SECTION("a callback that says yes") {
    no_verdict(lab::run<backend>(server, {}, lab::leave_alone, [](WOLFSSL* ssl) {
      wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_PEER, accept_all);
    }));
  }
  SECTION("VERIFY_NONE, to another host") {
    peer::server elsewhere(lab::serve("wrong-name"));
    no_verdict(lab::run<backend>(
        elsewhere, pinned("wrong-name"), lab::leave_alone,
        [](WOLFSSL* ssl) { wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_NONE, nullptr); }));
  }
  SECTION("the context's whole-chain callback") {
    no_verdict(lab::run<backend>(server, {}, lab::leave_alone, [](WOLFSSL* ssl) {
      wolfSSL_CTX_set_cert_verify_callback(
          wolfSSL_get_SSL_CTX(ssl), [](WOLFSSL_X509_STORE_CTX*, void*) { return 1; }, nullptr);
    }));
  }
}

TEST_CASE("wolfssl: attach refuses a session whose handshake has begun") {
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
