// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include <backends/support/expect.hpp>

#include <ctime>

using backend = cotter::backends::openssl;
using cotter::reason;

namespace {

constexpr int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
constexpr bool takes_huge = true;

void used_again(SSL* ssl) { SSL_clear(ssl); }

template <unsigned Octets>
unsigned give_psk(SSL*, const char*, char* name, unsigned room, unsigned char* key, unsigned) {
  std::snprintf(name, room, "somebody");
  std::memcpy(key, "0123456789abcdef0123456789abcdef", Octets);
  return Octets;
}
void list_every_suite(SSL* ssl) {
  SSL_set_security_level(ssl, 0);
  REQUIRE(SSL_set_cipher_list(ssl, "ALL:aNULL:eNULL:PSK:kRSA:@SECLEVEL=0") == 1);
  SSL_set_psk_client_callback(ssl, give_psk<16>);
}

int accept_all(X509_STORE_CTX*, void*) { return 1; }
int reject_all(X509_STORE_CTX*, void*) { return 0; }
int verify_only(X509_STORE_CTX* store, void*) { return X509_verify_cert(store); }
int forgive(int, X509_STORE_CTX* store) {
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}
X509_STORE* anchors_of(SSL* ssl) { return SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)); }

/// What an application may have done to PKIX, and a pinned leaf that would then be accepted.
struct weakening {
  const char* what;
  const char* leaf;
  const char* anchors;
  void (*apply)(SSL*);
};

constexpr weakening weakenings[] = {
    {"VERIFY_NONE", "foreign", "ca.pem",
     [](SSL* ssl) { SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr); }},
    {"a verify callback that forgives", "foreign", "ca.pem",
     [](SSL* ssl) { SSL_set_verify(ssl, SSL_VERIFY_PEER, forgive); }},
    {"VERIFY_NONE and a verify callback that forgives", "expired-intermediate", "ca.pem",
     [](SSL* ssl) { SSL_set_verify(ssl, SSL_VERIFY_NONE, forgive); }},
    {"the store's verify callback forgives", "foreign", "ca.pem",
     [](SSL* ssl) { X509_STORE_set_verify_cb(anchors_of(ssl), forgive); }},
    {"the store's verification is replaced", "foreign", "ca.pem",
     [](SSL* ssl) { X509_STORE_set_verify(anchors_of(ssl), [](X509_STORE_CTX*) { return 1; }); }},
    {"the store's issuer check is replaced", "good", "ca.pem",
     [](SSL* ssl) {
       X509_STORE_set_check_issued(anchors_of(ssl),
                                   [](X509_STORE_CTX*, X509*, X509*) { return 1; });
     }},
    {"the store's policy check is replaced", "good", "ca.pem",
     [](SSL* ssl) {
       X509_STORE_set_check_policy(anchors_of(ssl), [](X509_STORE_CTX*) { return 1; });
     }},
    {"NO_CHECK_TIME", "expired-intermediate", "ca.pem",
     [](SSL* ssl) { X509_VERIFY_PARAM_set_flags(SSL_get0_param(ssl), X509_V_FLAG_NO_CHECK_TIME); }},
    {"NO_CHECK_TIME of the store", "expired-intermediate", "ca.pem",
     [](SSL* ssl) {
       X509_VERIFY_PARAM_set_flags(X509_STORE_get0_param(anchors_of(ssl)),
                                   X509_V_FLAG_NO_CHECK_TIME);
     }},
    {"a check time of the application's own", "expired-intermediate", "ca.pem",
     [](SSL* ssl) {
       X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), std::time(nullptr) - 450 * 86'400);
     }},
    {"partial chains", "chained", "intermediate.pem",
     [](SSL* ssl) { X509_VERIFY_PARAM_set_flags(SSL_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN); }},
    {"DANE-EE, under which OpenSSL skips PKIX", "foreign", "ca.pem",
     [](SSL* ssl) {
       const auto leaf =
           (*cotter::parse_pin(peer::certificate_pin(lab::file("foreign.pem")))).digest;
       REQUIRE(SSL_CTX_dane_enable(SSL_get_SSL_CTX(ssl)) == 1);
       REQUIRE(SSL_dane_enable(ssl, "localhost") == 1);
       REQUIRE(SSL_dane_tlsa_add(ssl, 3, 0, 1, leaf.octets.data(), leaf.octets.size()) == 1);
     }},
};

}  // namespace

#include "common_attacks.ipp"

TEST_CASE("verification that the application weakened, before attach or after, is as strict") {
  const int version = each_version();
  for (const weakening& one : weakenings) {
    INFO(one.what << ", version " << version);
    lab::request wanted = pinned(one.leaf);
    wanted.anchors = one.anchors;
    lab::refused_in_handshake(before_attach(one.leaf, version, wanted, one.apply), reason::pkix);
    lab::refused_in_handshake(after_attach(one.leaf, version, wanted, one.apply), reason::pkix);
    // However the chain is judged, the pin is asked.
    const auto unpinned = after_attach("other", version, pinned("good"), one.apply);
    lab::nothing_left(unpinned);
    CHECK_FALSE(unpinned.server_finished);
  }
}

TEST_CASE("another name than the target's, asked for after attach, replaces nothing") {
  const int version = each_version();
  INFO("version " << version);
  lab::refused_in_handshake(
      after_attach("wrong-name", version, pinned("wrong-name"),
                   [](SSL* ssl) { REQUIRE(SSL_set1_host(ssl, "elsewhere.example") == 1); }),
      reason::hostname);
  lab::refused_in_handshake(
      after_attach("wrong-name", version, pinned("wrong-name"),
                   [](SSL* ssl) { REQUIRE(SSL_set1_host(ssl, nullptr) == 1); }),
      reason::hostname);
}

TEST_CASE("TLS 1.0 and 1.1 are not spoken, though allowed") {
  const auto old = [](SSL* ssl) {
    SSL_set_security_level(ssl, 0);
    SSL_set_min_proto_version(ssl, TLS1_VERSION);
    SSL_set_max_proto_version(ssl, TLS1_1_VERSION);
  };
  const auto seen = before_attach("good", 0, pinned("good"), old);
  lab::nothing_left(seen);
  CHECK_FALSE(seen.server_finished);
}

TEST_CASE("an application's own context whose certificate hook says yes is taken over") {
  const int version = each_version();
  INFO("version " << version);
  SSL_CTX* own = SSL_CTX_new(TLS_client_method());
  REQUIRE(SSL_CTX_load_verify_file(own, lab::file("ca.pem").c_str()) == 1);
  SSL_CTX_set_cert_verify_callback(own, accept_all, nullptr);
  SSL_CTX_set_verify(own, SSL_VERIFY_NONE, nullptr);
  const auto use_it = [&](SSL* ssl) { REQUIRE(SSL_set_SSL_CTX(ssl, own) == own); };
  lab::refused_in_handshake(before_attach("other", version, pinned("good"), use_it),
                            reason::pin_mismatch);
  lab::refused_in_handshake(before_attach("foreign", version, pinned("foreign"), use_it),
                            reason::pkix);
  lab::accepted(before_attach("good", version, pinned("good"), use_it));
  SSL_CTX_free(own);
}

TEST_CASE("hooks replaced after attach do not pass for a verdict") {
  const int version = each_version();
  INFO("version " << version);
  const auto replaced = [&](auto how) {
    return after_attach("other", version, pinned("good"), how);
  };

  SECTION("the context's certificate hook says yes to everything") {
    lab::refused_by_confirm(replaced([](SSL* ssl) {
      SSL_CTX_set_cert_verify_callback(SSL_get_SSL_CTX(ssl), accept_all, nullptr);
    }));
  }
  SECTION("the same to another host and another authority") {
    for (const char* leaf : {"wrong-name", "foreign", "good"}) {
      INFO(leaf);
      lab::refused_by_confirm(after_attach(leaf, version, pinned(leaf), [](SSL* ssl) {
        SSL_CTX_set_cert_verify_callback(SSL_get_SSL_CTX(ssl), accept_all, nullptr);
      }));
    }
  }
  SECTION("the context's certificate hook verifies, and knows no pins") {
    const auto seen = replaced([](SSL* ssl) {
      SSL_CTX_set_cert_verify_callback(SSL_get_SSL_CTX(ssl), verify_only, nullptr);
    });
    lab::nothing_left(seen);
    CHECK_FALSE(seen.server_finished);
  }
  SECTION("another context") {
    backend::context other;
    REQUIRE(other.load_anchors_file(lab::file("ca.pem").c_str()));
    SSL_CTX_set_cert_verify_callback(other.native(), accept_all, nullptr);
    lab::refused_by_confirm(replaced([&](SSL* ssl) { SSL_set_SSL_CTX(ssl, other.native()); }));
  }
  SECTION("the info callback") {
    const auto seen = after_attach("good", version, pinned("good"), [](SSL* ssl) {
      SSL_set_info_callback(ssl, [](const SSL*, int, int) {});
    });
    lab::refused_in_handshake(seen, reason::backend_unfit);
  }
  SECTION("the message callback, without which there are no octets as they came") {
    lab::refused_in_handshake(after_attach("good", version, pinned("good"),
                                           [](SSL* ssl) { SSL_set_msg_callback(ssl, nullptr); }),
                              reason::backend_unfit);
    lab::refused_in_handshake(
        after_attach("good", version, pinned("good"),
                     [](SSL* ssl) {
                       SSL_set_msg_callback(
                           ssl, [](int, int, int, const void*, std::size_t, SSL*, void*) {});
                     }),
        reason::backend_unfit);
  }
}

TEST_CASE("an external PSK does not take the certificate's place") {
  const int version = each_version();
  INFO("version " << version);
  peer::options how = lab::serve("other", version);
  how.psk = "0123456789abcdef0123456789abcdef";
  peer::server server(how);
  const auto offer = [](SSL* ssl) { SSL_set_psk_client_callback(ssl, give_psk<32>); };
  lab::refused_in_handshake(lab::run<backend>(server, pinned("good"), offer, lab::leave_alone),
                            reason::pin_mismatch);
  const auto late = lab::run<backend>(server, pinned("good"), lab::leave_alone, offer);
  lab::nothing_left(late);
  CHECK(late.verdict.reason() ==
        (late.client_finished ? reason::resumption_unbound : reason::pin_mismatch));
}

namespace {

/// A session as an application without cotter would have made it.
SSL_SESSION* session_with(peer::server& server) {
  backend::context context;
  REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
  SSL_CTX_set_cert_verify_callback(context.native(), verify_only, nullptr);
  backend::client bare(context);
  auto there = server.accept();
  std::vector<std::uint8_t> held;
  (void)lab::shake_hands(bare, *there, held);
  std::array<std::uint8_t, 16> plain{};
  (void)bare.read(plain);  // takes in the TLS 1.3 tickets
  SSL_SESSION* session = SSL_get1_session(bare.native());
  (void)bare.shutdown();  // else OpenSSL makes the session unusable
  REQUIRE(session != nullptr);
  REQUIRE(SSL_SESSION_is_resumable(session) == 1);
  return session;
}

}  // namespace

TEST_CASE("a session that the application supplies is not resumed") {
  const int version = each_version();
  INFO("version " << version);
  peer::server server(lab::serve("other", version));
  SSL_SESSION* session = session_with(server);

  {  // control: without a guard it does resume, although the hook rejects everything
    backend::context context;
    SSL_CTX_set_cert_verify_callback(context.native(), reject_all, nullptr);
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
  for (const auto& seen : {lab::run<backend>(server, {}, give, lab::leave_alone),
                           lab::run<backend>(server, {}, lab::leave_alone, give)}) {
    CHECK_FALSE(seen.server_resumed);
    lab::refused_in_handshake(seen, reason::pin_mismatch);
  }
  SSL_SESSION_free(session);
}

TEST_CASE("early data does not leave ahead of the verdict") {
  peer::options how = lab::serve("other", TLS1_3_VERSION);
  how.early_data = true;
  peer::server server(how);
  SSL_SESSION* session = session_with(server);
  REQUIRE(SSL_SESSION_get_max_early_data(session) > 0);
  const auto write_early = [&](SSL* ssl) {
    SSL_SESSION* copy = SSL_SESSION_dup(session);
    SSL_set_session(ssl, copy);
    SSL_SESSION_free(copy);
    std::size_t written = 0;
    return SSL_write_early_data(ssl, "secret", 6, &written) == 1 ? written : 0;
  };

  {  // control: without a guard the server reads it
    backend::context context;
    SSL_CTX_set_cert_verify_callback(context.native(), reject_all, nullptr);
    backend::client bare(context);
    REQUIRE(write_early(bare.native()) == 6);
    auto there = server.accept();
    lab::carry(bare, *there);
    there->drive();
    REQUIRE(there->application_bytes() == 6);
  }

  std::size_t accepted_by_openssl = 0;
  const auto seen = lab::run<backend>(server, {}, lab::leave_alone,
                                      [&](SSL* ssl) { accepted_by_openssl = write_early(ssl); });
  CHECK(accepted_by_openssl == 0);
  lab::nothing_left(seen);
  CHECK_FALSE(seen.server_finished);
  SSL_SESSION_free(session);
}

TEST_CASE("a renegotiation that the application allows after attach takes the verdict back") {
  for (const char* second : {"good", "other"}) {
    INFO("then " << second);
    cotter::owned_pin_set pins;
    const auto pin = *cotter::parse_pin(pinned("good").pin);
    REQUIRE(pins.add({"localhost", 443}, {&pin, 1}));
    cotter::memory_breaker<> breaking;
    cotter::guard guard(pins, breaking, cotter::embedded_manifest{}, cotter::null_audit_sink{});
    backend::context context;
    REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
    auto admission = guard.admit({"localhost", 443});
    backend::client client(context);
    peer::server server(lab::serve("good", TLS1_2_VERSION));
    auto there = server.accept();
    auto connection = guard.attach(client.native(), *admission);
    SSL_clear_options(client.native(), SSL_OP_NO_RENEGOTIATION);
    std::vector<std::uint8_t> held;
    (void)lab::shake_hands(client, *there, held);
    REQUIRE(connection.confirm());

    REQUIRE(there->ask_again(lab::file(std::string(second) + ".pem"),
                             lab::file(std::string(second) + ".key")));
    std::array<std::uint8_t, 64> plain{};
    for (int flight = 0; flight < 10; ++flight) {
      lab::carry_back(*there, client, held);
      (void)client.read(plain);
      lab::carry(client, *there);
      there->drive();
    }
    CHECK(there->handshakes() == 1);
    CHECK_FALSE(connection.confirm());
  }
}

TEST_CASE("a session of a guarded context that was not attached is refused") {
  const int version = each_version();
  INFO("version " << version);
  peer::server server(lab::serve("good", version));
  backend::context context;
  REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
  backend::client client(context);
  auto there = server.accept();
  std::vector<std::uint8_t> held;
  const cotter::step step = lab::shake_hands(client, *there, held);
  CHECK(step.next == cotter::want::failed);
  CHECK_FALSE(there->finished());
}

TEST_CASE("compressed certificates, which come in another message, are not asked for") {
  backend::context context;
  backend::client client(context);
  witness says;
  backend::attachment held;
  REQUIRE(backend::attach(client.native(), {"localhost", 443}, says, held));
  (void)client.handshake();
  const auto hello = client.pending();
  REQUIRE(hello.size() > 100);
  // Extension 27 with its list of algorithms, RFC 8879 3.
  static constexpr std::uint8_t extension[] = {0, 27, 0};
  CHECK(std::search(hello.begin(), hello.end(), std::begin(extension), std::end(extension)) ==
        hello.end());
  backend::detach(held);
}
