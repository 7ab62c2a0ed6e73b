// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include "support/common_cases.hpp"

using backend = cotter::backends::openssl;
using cotter::reason;

namespace {

constexpr int both_versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

int accept_all(X509_STORE_CTX*, void*) { return 1; }
int verify_only(X509_STORE_CTX* store, void*) { return X509_verify_cert(store); }
int forgive(int, X509_STORE_CTX* store) {
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

}  // namespace

TEST_CASE("openssl: proves itself") { lab::proves_itself<backend>(); }

TEST_CASE("openssl: what every backend does") {
  lab::does_what_every_backend_does<backend>(
      GENERATE(from_range(std::begin(both_versions), std::end(both_versions))));
}

TEST_CASE("openssl: suites without a certificate are not negotiated, though the user listed them") {
  lab::nothing_without_certificate_or_forward_secrecy<backend>([](SSL* ssl) {
    SSL_set_security_level(ssl, 0);
    REQUIRE(SSL_set_cipher_list(ssl, "ALL:aNULL:eNULL:PSK:kRSA:@SECLEVEL=0") == 1);
    SSL_set_psk_client_callback(
        ssl, [](SSL*, const char*, char* name, unsigned room, unsigned char* key, unsigned) {
          std::snprintf(name, room, "somebody");
          std::memcpy(key, "0123456789abcdef", 16);
          return 16u;
        });
  });
}

TEST_CASE("openssl: an external PSK does not take the certificate's place") {
  peer::options how = lab::serve("other");
  how.psk = "0123456789abcdef0123456789abcdef";
  peer::server server(how);
  const auto seen = lab::run<backend>(
      server, {},
      [](SSL* ssl) {
        SSL_set_psk_client_callback(
            ssl, [](SSL*, const char*, char* name, unsigned room, unsigned char* key, unsigned) {
              std::snprintf(name, room, "somebody");
              std::memcpy(key, "0123456789abcdef0123456789abcdef", 32);
              return 32u;
            });
      },
      lab::leave_alone);
  lab::refused_in_handshake(seen, reason::pin_mismatch);
}

TEST_CASE("openssl: a session that the user supplies is not resumed") {
  const int version = GENERATE(from_range(std::begin(both_versions), std::end(both_versions)));
  const bool after_attach = GENERATE(false, true);
  INFO("version " << version << (after_attach ? ", after attach" : ", before attach"));
  peer::server server(lab::serve("other", version));
  SSL_SESSION* session = nullptr;

  {  // a bare client, as an application without cotter would make the session
    backend::context context;
    REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
    SSL_CTX_set_cert_verify_callback(context.native(), verify_only, nullptr);
    backend::client bare(context);
    auto there = server.accept();
    std::vector<std::uint8_t> held;
    (void)lab::shake_hands(bare, *there, held);
    std::array<std::uint8_t, 16> plain{};
    (void)bare.read(plain);  // takes in the TLS 1.3 tickets
    session = SSL_get1_session(bare.native());
    (void)bare.shutdown();  // else OpenSSL makes the session unusable
    REQUIRE(session != nullptr);
    REQUIRE(SSL_SESSION_is_resumable(session) == 1);
  }

  {  // control: the same session, without a guard, does resume
    backend::context context;
    REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
    SSL_CTX_set_cert_verify_callback(
        context.native(), [](X509_STORE_CTX*, void*) { return 0; }, nullptr);
    backend::client bare(context);
    SSL_SESSION* copy = SSL_SESSION_dup(session);
    SSL_set_session(bare.native(), copy);
    SSL_SESSION_free(copy);
    auto there = server.accept();
    std::vector<std::uint8_t> held;
    const cotter::step step = lab::shake_hands(bare, *there, held);
    REQUIRE(step.next == cotter::want::nothing);
    REQUIRE(SSL_session_reused(bare.native()) == 1);
  }

  const auto give = [&](SSL* ssl) { REQUIRE(SSL_set_session(ssl, session) == 1); };
  const auto seen = after_attach ? lab::run<backend>(server, {}, lab::leave_alone, give)
                                 : lab::run<backend>(server, {}, give, lab::leave_alone);
  CHECK_FALSE(seen.server_resumed);
  lab::refused_in_handshake(seen, reason::pin_mismatch);
  SSL_SESSION_free(session);
}

TEST_CASE("openssl: what weakened PKIX before attach is undone") {
  const auto pinned = [](const char* name) {
    lab::request wanted;
    wanted.pin = peer::certificate_pin(lab::file(std::string(name) + ".pem"));
    return wanted;
  };

  SECTION("VERIFY_NONE") {
    peer::server server(lab::serve("foreign"));
    const auto seen = lab::run<backend>(
        server, pinned("foreign"), [](SSL* ssl) { SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr); },
        lab::leave_alone);
    lab::refused_in_handshake(seen, reason::pkix);
  }
  SECTION("VERIFY_NONE after attach") {
    peer::server server(lab::serve("other"));
    const auto seen = lab::run<backend>(server, {}, lab::leave_alone, [](SSL* ssl) {
      SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
    });
    lab::refused_in_handshake(seen, reason::pin_mismatch);
  }
  SECTION("a verify callback that forgives") {
    peer::server server(lab::serve("foreign"));
    const auto seen = lab::run<backend>(
        server, pinned("foreign"), [](SSL* ssl) { SSL_set_verify(ssl, SSL_VERIFY_PEER, forgive); },
        lab::leave_alone);
    lab::refused_in_handshake(seen, reason::pkix);
  }
  SECTION("the store's verify callback forgives") {
    peer::server server(lab::serve("foreign"));
    const auto seen = lab::run<backend>(
        server, pinned("foreign"),
        [](SSL* ssl) {
          X509_STORE_set_verify_cb(SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)), forgive);
        },
        lab::leave_alone);
    lab::refused_in_handshake(seen, reason::pkix);
  }
  SECTION("the store's signature check is replaced") {
    peer::server server(lab::serve("foreign"));
    const auto seen = lab::run<backend>(
        server, pinned("foreign"),
        [](SSL* ssl) {
          X509_STORE* store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
          X509_STORE_set_verify(store, [](X509_STORE_CTX*) { return 1; });
        },
        lab::leave_alone);
    lab::refused_in_handshake(seen, reason::pkix);
  }
  SECTION("the store's issuer check is replaced") {
    peer::server server(lab::serve("good"));
    const auto seen = lab::run<backend>(
        server, {},
        [](SSL* ssl) {
          X509_STORE* store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
          X509_STORE_set_check_issued(store, [](X509_STORE_CTX*, X509*, X509*) { return 1; });
        },
        lab::leave_alone);
    lab::refused_in_handshake(seen, reason::pkix);
  }
  SECTION("time checks switched off") {
    peer::server server(lab::serve("expired-intermediate"));
    const auto seen = lab::run<backend>(
        server, pinned("expired-intermediate"),
        [](SSL* ssl) {
          X509_VERIFY_PARAM_set_flags(SSL_get0_param(ssl), X509_V_FLAG_NO_CHECK_TIME);
        },
        lab::leave_alone);
    lab::refused_in_handshake(seen, reason::pkix);
  }
  SECTION("a check time of the user's own") {
    peer::server server(lab::serve("expired-intermediate"));
    const auto seen = lab::run<backend>(
        server, pinned("expired-intermediate"),
        [](SSL* ssl) {
          X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), std::time(nullptr) - 450 * 86'400);
        },
        lab::leave_alone);
    lab::refused_in_handshake(seen, reason::pkix);
  }
  SECTION("partial chains") {
    auto wanted = pinned("chained");
    wanted.anchors = "intermediate.pem";
    peer::server server(lab::serve("chained"));
    const auto seen = lab::run<backend>(
        server, wanted,
        [](SSL* ssl) {
          X509_VERIFY_PARAM_set_flags(SSL_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN);
        },
        lab::leave_alone);
    lab::refused_in_handshake(seen, reason::pkix);
  }
  SECTION("DANE-EE, under which OpenSSL skips PKIX") {
    const auto wanted = pinned("foreign");
    const auto leaf = (*cotter::parse_pin(wanted.pin)).digest;
    peer::server server(lab::serve("foreign"));
    const auto seen = lab::run<backend>(
        server, wanted,
        [&](SSL* ssl) {
          REQUIRE(SSL_CTX_dane_enable(SSL_get_SSL_CTX(ssl)) == 1);
          REQUIRE(SSL_dane_enable(ssl, "localhost") == 1);
          REQUIRE(SSL_dane_tlsa_add(ssl, 3, 0, 1, leaf.octets.data(), leaf.octets.size()) == 1);
        },
        lab::leave_alone);
    lab::refused_in_handshake(seen, reason::pkix);
  }
  SECTION("another host than the target's") {
    peer::server server(lab::serve("wrong-name"));
    const auto seen = lab::run<backend>(server, pinned("wrong-name"), lab::leave_alone,
                                        [](SSL* ssl) { SSL_set1_host(ssl, "elsewhere.example"); });
    lab::refused_in_handshake(seen, reason::hostname);
  }
  SECTION("TLS 1.0 and 1.1 allowed") {
    peer::server server(lab::serve("good"));
    const auto seen = lab::run<backend>(
        server, {},
        [](SSL* ssl) {
          SSL_set_min_proto_version(ssl, TLS1_VERSION);
          SSL_set_max_proto_version(ssl, TLS1_1_VERSION);
        },
        lab::leave_alone);
    CHECK_FALSE(seen.verdict);
    CHECK_FALSE(seen.server_finished);
  }
}

TEST_CASE("openssl: hooks replaced after attach do not pass for a verdict") {
  SECTION("the context's certificate hook says yes to everything") {
    peer::server server(lab::serve("other"));
    const auto seen = lab::run<backend>(server, {}, lab::leave_alone, [](SSL* ssl) {
      SSL_CTX_set_cert_verify_callback(SSL_get_SSL_CTX(ssl), accept_all, nullptr);
    });
    CHECK_FALSE(seen.verdict);
    CHECK(seen.verdict.reason() == reason::backend_unfit);
    CHECK(seen.application_bytes == 0);
  }
  SECTION("the context's certificate hook verifies, and knows no pins") {
    peer::server server(lab::serve("other"));
    const auto seen = lab::run<backend>(server, {}, lab::leave_alone, [](SSL* ssl) {
      SSL_CTX_set_cert_verify_callback(SSL_get_SSL_CTX(ssl), verify_only, nullptr);
    });
    CHECK_FALSE(seen.verdict);
    CHECK_FALSE(seen.server_finished);
    CHECK(seen.application_bytes == 0);
  }
  SECTION("another context") {
    backend::context other;
    REQUIRE(other.load_anchors_file(lab::file("ca.pem").c_str()));
    SSL_CTX_set_cert_verify_callback(other.native(), accept_all, nullptr);
    peer::server server(lab::serve("other"));
    const auto seen = lab::run<backend>(server, {}, lab::leave_alone,
                                        [&](SSL* ssl) { SSL_set_SSL_CTX(ssl, other.native()); });
    CHECK_FALSE(seen.verdict);
    CHECK(seen.application_bytes == 0);
  }
  SECTION("the info callback") {
    peer::server server(lab::serve("good"));
    const auto seen = lab::run<backend>(server, {}, lab::leave_alone, [](SSL* ssl) {
      SSL_set_info_callback(ssl, [](const SSL*, int, int) {});
    });
    CHECK_FALSE(seen.verdict);
    CHECK_FALSE(seen.server_finished);
    CHECK(seen.application_bytes == 0);
  }
  SECTION("the message callback, without which there are no octets as they came") {
    const int version = GENERATE(from_range(std::begin(both_versions), std::end(both_versions)));
    peer::server server(lab::serve("good", version));
    const auto seen = lab::run<backend>(server, {}, lab::leave_alone,
                                        [](SSL* ssl) { SSL_set_msg_callback(ssl, nullptr); });
    lab::refused_in_handshake(seen, reason::backend_unfit);
  }
}

TEST_CASE("openssl: an SSL that is cleared and used again does not inherit the verdict") {
  const int version = GENERATE(from_range(std::begin(both_versions), std::end(both_versions)));
  const char* second = GENERATE("good", "other");
  INFO("version " << version << ", then " << second);
  cotter::owned_pin_set pins;
  const auto pin = *cotter::parse_pin(peer::certificate_pin(lab::file("good.pem")));
  REQUIRE(pins.add({"localhost", 443}, {&pin, 1}));
  cotter::memory_breaker<> breaking;
  cotter::guard guard(pins, breaking, cotter::embedded_manifest{}, cotter::null_audit_sink{});
  backend::context context;
  REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
  auto admission = guard.admit({"localhost", 443});
  backend::client client(context);
  auto connection = guard.attach(client.native(), *admission);
  const auto handshake = [&](peer::server& server) {
    auto there = server.accept();
    std::vector<std::uint8_t> held;
    (void)lab::shake_hands(client, *there, held);
    return there->finished();
  };
  peer::server first(lab::serve("good", version));
  REQUIRE(handshake(first));
  REQUIRE(connection.confirm());
  (void)client.shutdown();
  client.sent(client.pending().size());
  SSL_clear(client.native());
  peer::server again(lab::serve(second, version));
  CHECK_FALSE(handshake(again));
  CHECK_FALSE(connection.confirm());
}

TEST_CASE("openssl: a session of a guarded context that was not attached is refused") {
  peer::server server(lab::serve("good"));
  backend::context context;
  REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
  backend::client client(context);
  auto there = server.accept();
  std::vector<std::uint8_t> held;
  const cotter::step step = lab::shake_hands(client, *there, held);
  CHECK(step.next == cotter::want::failed);
  CHECK_FALSE(there->finished());
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
