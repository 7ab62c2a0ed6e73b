// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include <backends/support/expect.hpp>

using backend = cotter::backends::wolfssl;
using cotter::reason;

namespace {

constexpr int versions[] = {0x0303, 0x0304};
constexpr bool takes_huge = false;

void used_again(WOLFSSL* ssl) { (void)wolfSSL_clear(ssl); }

void list_every_suite(WOLFSSL* ssl) {
#ifdef HAVE_ANON
  (void)wolfSSL_CTX_allow_anon_cipher(wolfSSL_get_SSL_CTX(ssl));
#endif
  (void)wolfSSL_set_cipher_list(ssl, "ALL");
#ifndef NO_PSK
  wolfSSL_set_psk_client_callback(
      ssl, [](WOLFSSL*, const char*, char* name, unsigned room, unsigned char* key, unsigned) {
        std::snprintf(name, room, "somebody");
        std::memcpy(key, "0123456789abcdef", 16);
        return 16u;
      });
#endif
}

int accept_all(int, WOLFSSL_X509_STORE_CTX*) { return 1; }
int accept_chain(WOLFSSL_X509_STORE_CTX*, void*) { return 1; }

}  // namespace

#include "common_attacks.ipp"

TEST_CASE("the session's own chain shows the pinned leaf where the oversized one was sent") {
  const int version = each_version();
  INFO("version " << version);
  peer::server server(serve_with("large", {"good", "intermediate", "ca"}, version));
  backend::context context;
  REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
  backend::client bare(context);
  wolfSSL_set_verify(bare.native(), WOLFSSL_VERIFY_PEER, nullptr);
  auto there = server.accept();
  std::vector<std::uint8_t> held;
  REQUIRE(lab::shake_hands(bare, *there, held).next == cotter::want::nothing);
  WOLFSSL_X509_CHAIN* chain = wolfSSL_get_peer_chain(bare.native());
  REQUIRE(wolfSSL_get_chain_count(chain) > 0);
  const unsigned char* first = wolfSSL_get_chain_cert(chain, 0);
  const std::vector<std::uint8_t> shown(first, first + wolfSSL_get_chain_length(chain, 0));
  // Should this fail, wolfSSL has mended it: the attack above it is then a plain extra entry.
  CHECK(shown == peer::der(lab::file("good.pem")));
}

TEST_CASE("verification that the application weakened before attach is as strict, or refused") {
  const int version = each_version();
  INFO("version " << version);
  const auto weakened = [&](auto how) {
    return before_attach("foreign", version, pinned("foreign"), how);
  };
  const auto never_finished = [](const lab::outcome& seen) {
    lab::nothing_left(seen);
    CHECK_FALSE(seen.server_finished);
  };

  SECTION("VERIFY_NONE, Debian's default") {
    const auto none = [](WOLFSSL* ssl) { wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_NONE, nullptr); };
    lab::refused_in_handshake(weakened(none), reason::pkix);
    lab::refused_in_handshake(before_attach("wrong-name", version, pinned("wrong-name"), none),
                              reason::hostname);
    lab::refused_in_handshake(before_attach("other", version, pinned("good"), none),
                              reason::pin_mismatch);
  }
  SECTION("a verify callback that forgives") {
    lab::refused_in_handshake(
        weakened([](WOLFSSL* ssl) { wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_PEER, accept_all); }),
        reason::pkix);
  }
  SECTION("the context's whole-chain callback says yes to everything") {
    never_finished(weakened([](WOLFSSL* ssl) {
      wolfSSL_CTX_set_cert_verify_callback(wolfSSL_get_SSL_CTX(ssl), accept_chain, nullptr);
    }));
  }
  SECTION("the certificate manager's callback forgives") {
    never_finished(weakened([](WOLFSSL* ssl) {
      wolfSSL_CertManagerSetVerify(wolfSSL_CTX_GetCertManager(wolfSSL_get_SSL_CTX(ssl)),
                                   accept_all);
    }));
  }
#ifdef WOLFSSL_TRUST_PEER_CERT
  SECTION("the leaf is a trusted peer, under which wolfSSL skips the chain") {
    never_finished(weakened([](WOLFSSL* ssl) {
      REQUIRE(wolfSSL_CTX_trust_peer_cert(wolfSSL_get_SSL_CTX(ssl),
                                          lab::file("foreign.pem").c_str(),
                                          WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS);
    }));
  }
#endif
}

TEST_CASE("an address of the application's own that is wrong is not forgiven") {
  const int version = each_version();
  const bool after = GENERATE(false, true);
  INFO("version " << version << (after ? ", after attach" : ", before attach"));
  // wolfSSL calls the hook with preverify 1 and error -325.
  const auto ask = [](WOLFSSL* ssl) {
    REQUIRE(wolfSSL_X509_VERIFY_PARAM_set1_ip_asc(wolfSSL_get0_param(ssl), "127.0.0.9") ==
            WOLFSSL_SUCCESS);
  };
  lab::refused_in_handshake(after ? after_attach("good", version, pinned("good"), ask)
                                  : before_attach("good", version, pinned("good"), ask),
                            reason::pkix);
}

TEST_CASE("hooks replaced after attach do not pass for a verdict") {
  const int version = each_version();
  INFO("version " << version);
  const auto none = [](WOLFSSL* ssl) { wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_NONE, nullptr); };

  SECTION("VERIFY_NONE") {
    lab::refused_by_confirm(after_attach("other", version, pinned("good"), none));
  }
  SECTION("VERIFY_NONE, to another authority") {
    lab::refused_by_confirm(after_attach("foreign", version, pinned("foreign"), none));
  }
  SECTION("VERIFY_NONE, to another host") {
    const auto seen = after_attach("wrong-name", version, pinned("wrong-name"), none);
    lab::nothing_left(seen);
    if (seen.client_finished) CHECK(seen.verdict.reason() == reason::backend_unfit);
  }
  SECTION("a callback that says yes") {
    for (const char* leaf : {"other", "foreign", "wrong-name", "good"}) {
      INFO(leaf);
      lab::refused_by_confirm(after_attach(
          leaf, version, pinned(leaf == std::string_view("other") ? "good" : leaf),
          [](WOLFSSL* ssl) { wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_PEER, accept_all); }));
    }
  }
  SECTION("our callback under VERIFY_NONE") {
    const auto seen = after_attach("foreign", version, pinned("foreign"), [](WOLFSSL* ssl) {
      wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_NONE, wolfSSL_get_verify_callback(ssl));
    });
    lab::nothing_left(seen);
  }
  SECTION("the context's whole-chain callback") {
    const auto seen = after_attach("other", version, pinned("good"), [](WOLFSSL* ssl) {
      wolfSSL_CTX_set_cert_verify_callback(wolfSSL_get_SSL_CTX(ssl), accept_chain, nullptr);
    });
    lab::nothing_left(seen);
    if (seen.client_finished) CHECK(seen.verdict.reason() == reason::backend_unfit);
  }
  SECTION("another context") {
    backend::context other;
    REQUIRE(other.load_anchors_file(lab::file("ca.pem").c_str()));
    const auto seen = after_attach("other", version, pinned("good"), [&](WOLFSSL* ssl) {
      (void)wolfSSL_set_SSL_CTX(ssl, other.native());
    });
    lab::nothing_left(seen);
  }
}

#ifndef NO_PSK
TEST_CASE("an external PSK does not take the certificate's place") {
  const int version = each_version();
  INFO("version " << version);
  peer::options how = lab::serve("other", version);
  how.psk = "0123456789abcdef0123456789abcdef";
  peer::server server(how);
  const auto offer = [](WOLFSSL* ssl) {
#ifdef WOLFSSL_TLS13
    wolfSSL_set_psk_client_tls13_callback(
        ssl, [](WOLFSSL*, const char*, char* name, unsigned room, unsigned char* key, unsigned,
                const char** suite) {
          std::snprintf(name, room, "somebody");
          std::memcpy(key, "0123456789abcdef0123456789abcdef", 32);
          *suite = "TLS13-AES128-GCM-SHA256";
          return 32u;
        });
#endif
  };
  lab::refused_in_handshake(lab::run<backend>(server, pinned("good"), offer, lab::leave_alone),
                            reason::pin_mismatch);
  const auto late = lab::run<backend>(server, pinned("good"), lab::leave_alone, offer);
  lab::nothing_left(late);
  if (late.client_finished) {
    CHECK((late.verdict.reason() == reason::backend_unfit ||
           late.verdict.reason() == reason::resumption_unbound));
  }
}
#endif

TEST_CASE("a session that the application supplies is not resumed") {
  const int version = each_version();
  INFO("version " << version);
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
  const auto before = lab::run<backend>(server, {}, give, lab::leave_alone);
  lab::nothing_left(before);
  CHECK(before.verdict.reason() == reason::backend_unfit);
  CHECK(before.verdict.detail().what == cotter::errc::unfit_session);
  CHECK_FALSE(before.server_resumed);
  const auto after = lab::run<backend>(server, {}, lab::leave_alone, give);
  lab::nothing_left(after);
  CHECK(after.verdict.reason() ==
        (after.server_resumed ? reason::resumption_unbound : reason::pin_mismatch));
  wolfSSL_SESSION_free(session);
}
