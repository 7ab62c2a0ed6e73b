// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include "support/lab.hpp"

#include <openssl/ssl.h>

using backend = cotter::backends::openssl;

namespace {

struct kind_of_session {
  int version;
  bool tickets;
};
/// Whether the library can resume after a HelloRetryRequest (RFC 8446 4.1.4).
constexpr bool survives_retry = true;
/// Whether it completes a resumption without a key exchange.
constexpr bool knows_psk_ke = true;
/// Whether a session that the application puts in after attach takes the place of the stored one.
constexpr bool gives_way = false;
/// How many octets of a session are forged, one handshake each.
constexpr std::size_t octets_to_forge = 4096;
constexpr kind_of_session ways[] = {
    {0x0303, true}, {0x0303, false}, {0x0304, true}, {0x0304, false}};

int reject_everything(X509_STORE_CTX*, void*) { return 0; }

SSL_CTX* bare_context() {
  SSL_CTX* ctx = SSL_CTX_new(TLS_client_method());
  SSL_CTX_load_verify_file(ctx, lab::file("ca.pem").c_str());
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  return ctx;
}

/// An SSL of the application's own, over memory; drives both sides.
struct bare_client {
  explicit bare_client(SSL_CTX* ctx) : ssl(SSL_new(ctx)) {
    in = BIO_new(BIO_s_mem());
    out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  }
  ~bare_client() { SSL_free(ssl); }
  bare_client(const bare_client&) = delete;
  bare_client& operator=(const bare_client&) = delete;

  bool shake_hands(peer::connection& there) {
    int done = 0;
    for (int i = 0; i < 20; ++i) {
      done = SSL_do_handshake(ssl);
      char* data = nullptr;
      const long size = BIO_get_mem_data(out, &data);
      (void)there.feed(
          {reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)});
      (void)BIO_reset(out);
      there.drive();
      const auto answer = there.take_pending();
      if (!answer.empty()) BIO_write(in, answer.data(), static_cast<int>(answer.size()));
    }
    std::array<char, 16> plain{};
    (void)SSL_read(ssl, plain.data(), plain.size());  // takes in the tickets
    return done == 1;
  }
  void close(peer::connection& there) {
    SSL_shutdown(ssl);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    (void)there.feed({reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)});
    there.drive();
  }

  std::string name = "localhost";
  SSL* ssl;
  BIO* in = nullptr;
  BIO* out = nullptr;
};

bool resumes_alone(peer::server& server, const lab::octets& octets) {
  SSL_CTX* ctx = bare_context();
  SSL_CTX_set_cert_verify_callback(ctx, reject_everything, nullptr);
  bool resumed = false;
  {
    bare_client client(ctx);
    const unsigned char* at = octets.data();
    SSL_SESSION* session = d2i_SSL_SESSION(nullptr, &at, static_cast<long>(octets.size()));
    REQUIRE(session != nullptr);
    REQUIRE(SSL_set_session(client.ssl, session) == 1);
    SSL_SESSION_free(session);
    auto there = server.accept();
    resumed = client.shake_hands(*there) && there->resumed();
    client.close(*there);
  }
  SSL_CTX_free(ctx);
  return resumed;
}

class user_session {
 public:
  explicit user_session(peer::server& server) {
    SSL_CTX* ctx = bare_context();
    shake_hands(server, ctx);
    SSL_CTX_free(ctx);
  }
  ~user_session() { SSL_SESSION_free(session_); }
  user_session(const user_session&) = delete;
  user_session& operator=(const user_session&) = delete;

  void give(SSL* ssl) { (void)SSL_set_session(ssl, session_); }
  [[nodiscard]] SSL_SESSION* get() const { return session_; }
  [[nodiscard]] bool is(const lab::octets& kept) const {
    unsigned char* octets = nullptr;
    const int size = i2d_SSL_SESSION(session_, &octets);
    const bool same = size > 0 && std::equal(kept.begin(), kept.end(), octets, octets + size);
    OPENSSL_free(octets);
    return same;
  }

 private:
  void shake_hands(peer::server& server, SSL_CTX* ctx) {
    bare_client client(ctx);
    auto there = server.accept();
    REQUIRE(client.shake_hands(*there));
    session_ = SSL_get1_session(client.ssl);
    REQUIRE(SSL_SESSION_is_resumable(session_) == 1);
    client.close(*there);
  }
  SSL_SESSION* session_ = nullptr;
};

/// The only group of the client's is one that the server will not know.
const char* no_group_of(backend::context& context) {
  REQUIRE(SSL_CTX_set1_groups_list(context.native(), "P-256") == 1);
  return "P-521";
}
/// What an application might do that knows no better: attach has forbidden it.
void accept_psk_alone(SSL* ssl) { SSL_set_options(ssl, SSL_OP_ALLOW_NO_DHE_KEX); }

/// As Mbed TLS 2.28 begins one.
lab::octets another_librarys_session() {
  lab::octets made{2, 28, 3, 0, 0x3f, 0, 0, 1, 0, 0, 0, 0, 0x65, 0, 0, 0, 0xc0, 0x2c, 0, 32};
  made.resize(260, 0x5a);
  return made;
}

}  // namespace

#include "common_cases.ipp"

namespace {

/// A guarded connection of the application's own SSL.
struct guarded_bare {
  phone& one;
  SSL_CTX* ctx;
  cotter::anchors_identity anchors{{{42}}, true};

  lab::resumption_outcome call(peer::server& server, void (*after)(SSL*) = nullptr) {
    lab::resumption_outcome seen;
    auto admission = one.guard->admit({"localhost", 443});
    REQUIRE(admission);
    bare_client client(ctx);
    auto there = server.accept();
    auto connection = one.guard->attach(client.ssl, *admission, anchors);
    if (after != nullptr) after(client.ssl);
    seen.client_finished = client.shake_hands(*there);
    seen.verdict = connection.confirm().with_label({});
    connection.keep_sessions();
    seen.server_finished = there->finished();
    seen.server_resumed = there->finished() && there->resumed();
    seen.application_bytes = there->application_bytes();
    client.close(*there);
    return seen;
  }
};

}  // namespace

TEST_CASE(
    "an SSL of the application's own is resumed by its last ticket, if its anchors are named") {
  const way how = each_way();
  INFO(spelled(how));
  peer::server server(serving(how));
  open_store store;
  phone one(store);
  SSL_CTX* ctx = bare_context();
  guarded_bare bare{one, ctx};
  CHECK(bare.call(server).verdict);
  CHECK(store.size() == 1);
  for (int i = 0; i < 3; ++i) {
    const auto again = bare.call(server);
    CHECK(again.verdict);
    CHECK(again.server_resumed);
    CHECK(store.size() == 1);
  }
  bare.anchors.known = false;
  const auto unnamed = bare.call(server);
  CHECK(unnamed.verdict);
  CHECK_FALSE(unnamed.server_resumed);
  CHECK(store.size() == 1);
  SSL_CTX_free(ctx);
}

TEST_CASE("what the bare library keeps for itself is not resumed") {
  const way how = each_way();
  INFO(spelled(how));
  peer::server server(serving(how));
  open_store store;
  phone one(store);
  SSL_CTX* ctx = bare_context();
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
  {
    bare_client alone(ctx);
    auto there = server.accept();
    REQUIRE(alone.shake_hands(*there));
    alone.close(*there);
  }
  REQUIRE(SSL_CTX_sess_number(ctx) > 0);
  const auto seen = guarded_bare{one, ctx}.call(server);
  CHECK(seen.verdict);
  CHECK_FALSE(seen.server_resumed);
  SSL_CTX_free(ctx);
}

TEST_CASE("a PSK that the application slips in beside the offered session is not resumed") {
  established e;
  if (e.how.version != 0x0304) return;
  const auto seen = e.one.call_after_attach(e.server, [](SSL* ssl) {
    SSL_set_psk_use_session_callback(ssl, [](SSL* asked, const EVP_MD*, const unsigned char** id,
                                             std::size_t* id_bytes, SSL_SESSION** session) {
      static constexpr unsigned char name[] = "somebody";
      *id = name;
      *id_bytes = sizeof name;
      *session = SSL_SESSION_new();
      static constexpr std::array<unsigned char, 32> key{1, 2, 3};
      SSL_SESSION_set1_master_key(*session, key.data(), key.size());
      static constexpr unsigned char suite[] = {0x13, 0x02};
      SSL_SESSION_set_cipher(*session, SSL_CIPHER_find(asked, suite));
      SSL_SESSION_set_protocol_version(*session, TLS1_3_VERSION);
      return 1;
    });
  });
  if (seen.verdict) CHECK_FALSE(seen.server_resumed);
  if (seen.server_resumed) CHECK(seen.verdict.reason() == reason::resumption_unbound);
}

TEST_CASE("a session that the application slips in as a PSK is not resumed") {
  established e;
  if (e.how.version != 0x0304) return;
  // What is stored no server knows; what the application has, this one does, for another leaf.
  peer::server here(serving(e.how, "other"));
  static SSL_SESSION* slipped = nullptr;
  user_session own(here);
  slipped = own.get();
  const auto seen = e.one.call_after_attach(here, [](SSL* ssl) {
    SSL_set_psk_use_session_callback(ssl, [](SSL*, const EVP_MD*, const unsigned char** id,
                                             std::size_t* id_bytes, SSL_SESSION** session) {
      SSL_SESSION_get0_ticket(slipped, id, id_bytes);
      SSL_SESSION_up_ref(slipped);
      *session = slipped;
      return 1;
    });
  });
  // OpenSSL 3.0 signs it as an external PSK, which the server does not take for a ticket.
  CHECK_FALSE(seen.verdict);
  CHECK(seen.application_bytes == 0);
}

TEST_CASE("no early data leaves, whatever the application writes") {
  const auto how = kind_of_session{0x0304, true};
  auto eager = serving(how);
  eager.early_data = true;
  peer::server server(eager);
  open_store store;
  phone one(store);
  lab::full(one.call(server));
  REQUIRE(store.size() > 0);
  const auto sessions = store.all();
  const auto seen = one.call_after_attach(server, [](SSL* ssl) {
    std::size_t written = 0;
    CHECK(SSL_write_early_data(ssl, "early", 5, &written) != 1);
  });
  CHECK(seen.application_bytes % 7 == 0);
}

TEST_CASE("a message callback of the application's own: nothing was seen, nothing is resumed") {
  established e;
  INFO(spelled(e.how));
  const auto seen = e.one.call_after_attach(e.server, [](SSL* ssl) {
    SSL_set_msg_callback(ssl, [](int, int, int, const void*, std::size_t, SSL*, void*) {});
  });
  CHECK_FALSE(seen.verdict);
  CHECK(seen.application_bytes == 0);
  if (seen.server_resumed) CHECK(seen.verdict.reason() == reason::resumption_unbound);
}
