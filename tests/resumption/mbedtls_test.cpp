// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "support/lab.hpp"

#include <mbedtls/ssl.h>

#ifndef MBEDTLS_PRIVATE  // 2.28 has none
#define MBEDTLS_PRIVATE(member) member
#endif

using backend = cotter::backends::mbedtls;

namespace {

struct kind_of_session {
  int version;
  bool tickets;
};
/// Whether the library can resume after a HelloRetryRequest (RFC 8446 4.1.4).
constexpr bool survives_retry = true;
/// Whether it completes a resumption without a key exchange.
constexpr bool knows_psk_ke = false;
/// Whether a session that the application puts in after attach takes the place of the stored one.
constexpr bool gives_way = true;
/// How many octets of a session are forged, one handshake each.
constexpr std::size_t octets_to_forge = 300;
constexpr kind_of_session ways[] = {{0x0303, true}, {0x0303, false}};

mbedtls_ssl_config* configuration(mbedtls_ssl_context* ssl) {
  return const_cast<mbedtls_ssl_config*>(ssl->MBEDTLS_PRIVATE(conf));  // NOLINT(*-const-cast)
}

/// A client of the library alone.
struct alone {
  backend::context context{};
  backend::client client{context};

  alone() {
    REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
    mbedtls_ssl_set_hostname(client.native(), "localhost");
    mbedtls_ssl_conf_session_tickets(configuration(client.native()),
                                     MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
  }
  bool shake_hands(peer::connection& there) {
    std::vector<std::uint8_t> held;
    return lab::shake_hands(client, there, held).next == cotter::want::nothing;
  }
  void close(peer::connection& there) {
    (void)client.shutdown();
    lab::carry(client, there);
    there.drive();
  }
};

bool resumes_alone(peer::server& server, const lab::octets& octets) {
  alone one;
  mbedtls_ssl_set_verify(
      one.client.native(), [](void*, mbedtls_x509_crt*, int, std::uint32_t*) { return -1; },
      nullptr);
  mbedtls_ssl_session session;
  mbedtls_ssl_session_init(&session);
  REQUIRE(mbedtls_ssl_session_load(&session, octets.data(), octets.size()) == 0);
  REQUIRE(mbedtls_ssl_set_session(one.client.native(), &session) == 0);
  mbedtls_ssl_session_free(&session);
  auto there = server.accept();
  const bool resumed = one.shake_hands(*there) && there->resumed();
  one.close(*there);
  return resumed;
}

class user_session {
 public:
  explicit user_session(peer::server& server) {
    mbedtls_ssl_session_init(&session_);
    alone one;
    auto there = server.accept();
    REQUIRE(one.shake_hands(*there));
    REQUIRE(mbedtls_ssl_get_session(one.client.native(), &session_) == 0);
    one.close(*there);
  }
  ~user_session() { mbedtls_ssl_session_free(&session_); }
  user_session(const user_session&) = delete;
  user_session& operator=(const user_session&) = delete;

  void give(mbedtls_ssl_context* ssl) { (void)mbedtls_ssl_set_session(ssl, &session_); }
  [[nodiscard]] bool is(const lab::octets& kept) const {
    std::vector<unsigned char> octets(65536);
    std::size_t size = 0;
    REQUIRE(mbedtls_ssl_session_save(&session_, octets.data(), octets.size(), &size) == 0);
    octets.resize(size);
    return kept == octets;
  }

 private:
  mbedtls_ssl_session session_;
};

const char* no_group_of(backend::context&) { return ""; }
void accept_psk_alone(mbedtls_ssl_context*) {}

/// As OpenSSL begins one.
lab::octets another_librarys_session() {
  lab::octets made{0x30, 0x82, 0x01, 0x00, 0x02, 0x01, 0x01, 0x02, 0x02, 0x03, 0x03, 0x04, 0x02};
  made.resize(260, 0x5a);
  return made;
}

}  // namespace

#include "common_cases.ipp"

TEST_CASE("what the bare library keeps for itself is not resumed") {
  const way how = each_way();
  INFO(spelled(how));
  peer::server server(serving(how));
  open_store store;
  phone one(store);
  {
    backend::client bare(one.context);  // Mbed TLS keeps sessions nowhere but in their connection
    mbedtls_ssl_set_hostname(bare.native(), "localhost");
    auto there = server.accept();
    std::vector<std::uint8_t> held;
    REQUIRE(lab::shake_hands(bare, *there, held).next == cotter::want::nothing);
  }
  lab::full(one.call(server));
}

TEST_CASE("a session whose transport is the application's own is neither resumed nor kept") {
  const way how = each_way();
  INFO(spelled(how));
  peer::server server(serving(how));
  open_store store;
  phone one(store);
  struct own_transport {
    mbedtls_ssl_send_t* send;
    mbedtls_ssl_recv_t* receive;
    void* context;
  } own{};
  const auto wrap = [&](mbedtls_ssl_context* ssl) {
    own = {ssl->MBEDTLS_PRIVATE(f_send), ssl->MBEDTLS_PRIVATE(f_recv), ssl->MBEDTLS_PRIVATE(p_bio)};
    mbedtls_ssl_set_bio(
        ssl, &own,
        [](void* c, const unsigned char* octets, std::size_t size) {
          auto& to = *static_cast<own_transport*>(c);
          return to.send(to.context, octets, size);
        },
        [](void* c, unsigned char* octets, std::size_t size) {
          auto& from = *static_cast<own_transport*>(c);
          return from.receive(from.context, octets, size);
        },
        nullptr);
  };
  lab::full(one.call(server, {"localhost", 443}, wrap, lab::leave_alone, lab::leave_alone));
  CHECK(store.size() == 0);
}

TEST_CASE("a session put in beside the stored one is not even sent") {
  established e;
  INFO(spelled(e.how));
  user_session own(e.server);
  const auto seen = e.one.call_after_attach(e.server, [&](auto ssl) { own.give(ssl); });
  CHECK_FALSE(seen.client_finished);
  CHECK_FALSE(seen.server_finished);
  CHECK(seen.verdict.reason() == reason::unbound);
  CHECK(e.one.breaker.mismatches == 0);
}
