// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "support/lab.hpp"

#include <wolfssl/ssl.h>

using backend = cotter::backends::wolfssl;

namespace {

struct kind_of_session {
  int version;
  bool tickets;
};
/// Whether the library can resume after a HelloRetryRequest (RFC 8446 4.1.4).
constexpr bool survives_retry = false;
/// Whether it completes a resumption without a key exchange.
constexpr bool knows_psk_ke = false;
/// Whether a session that the application puts in after attach takes the place of the stored one.
constexpr bool gives_way = true;
/// How many octets of a session are forged, one handshake each.
constexpr std::size_t octets_to_forge = 300;
constexpr kind_of_session ways[] = {
    {0x0303, true}, {0x0303, false}, {0x0304, true}, {0x0304, false}};

/// A client of the library alone.
struct alone {
  backend::context context{};
  backend::client client{context};

  alone() {
    REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
    wolfSSL_set_verify(client.native(), WOLFSSL_VERIFY_PEER, nullptr);
    (void)wolfSSL_UseSessionTicket(client.native());
  }
  bool shake_hands(peer::connection& there) {
    std::vector<std::uint8_t> held;
    const bool done = lab::shake_hands(client, there, held).next == cotter::want::nothing;
    std::array<std::uint8_t, 16> plain{};
    (void)client.read(plain);  // takes in the tickets
    return done;
  }
  void close(peer::connection& there) {
    (void)client.shutdown();
    lab::carry(client, there);
    there.drive();
  }
};

bool resumes_alone(peer::server& server, const lab::octets& octets) {
  alone one;
  wolfSSL_set_verify(one.client.native(), WOLFSSL_VERIFY_PEER,
                     [](int, WOLFSSL_X509_STORE_CTX*) { return 0; });
  const unsigned char* at = octets.data();
  WOLFSSL_SESSION* session =
      wolfSSL_d2i_SSL_SESSION(nullptr, &at, static_cast<long>(octets.size()));
  REQUIRE(session != nullptr);
  REQUIRE(wolfSSL_set_session(one.client.native(), session) == WOLFSSL_SUCCESS);
  wolfSSL_SESSION_free(session);
  auto there = server.accept();
  const bool resumed = one.shake_hands(*there) && there->resumed();
  one.close(*there);
  return resumed;
}

class user_session {
 public:
  explicit user_session(peer::server& server) {
    alone one;
    auto there = server.accept();
    REQUIRE(one.shake_hands(*there));
    session_ = wolfSSL_get1_session(one.client.native());
    REQUIRE(session_ != nullptr);
    one.close(*there);
  }
  ~user_session() { wolfSSL_SESSION_free(session_); }
  user_session(const user_session&) = delete;
  user_session& operator=(const user_session&) = delete;

  void give(WOLFSSL* ssl) { (void)wolfSSL_set_session(ssl, session_); }
  [[nodiscard]] bool is(const lab::octets& kept) const {
    unsigned char* octets = nullptr;
    const int size = wolfSSL_i2d_SSL_SESSION(session_, &octets);
    const bool same = size > 0 && std::equal(kept.begin(), kept.end(), octets, octets + size);
    wolfSSL_OPENSSL_free(octets);
    return same;
  }

 private:
  WOLFSSL_SESSION* session_ = nullptr;
};

/// wolfSSL has no such group, and always says that the server may do without. It cannot go on then.
const char* no_group_of(backend::context&) { return "ffdhe6144"; }
void accept_psk_alone(WOLFSSL*) {}

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
  static constexpr std::array<unsigned char, 4> id{1, 2, 3, 4};
  const auto own_cache = [&](WOLFSSL* ssl) {
    (void)wolfSSL_SetServerID(ssl, id.data(), static_cast<int>(id.size()), 0);
  };
  for (int i = 0; i < 3; ++i) {
    store.clear();
    const auto seen =
        one.call(server, {"localhost", 443}, own_cache, lab::leave_alone, lab::leave_alone);
    CHECK_FALSE(seen.server_resumed);
  }
}

TEST_CASE("a WOLFSSL of the application's own is neither resumed nor its session kept") {
  const way how = each_way();
  INFO(spelled(how));
  peer::server server(serving(how));
  open_store store;
  phone one(store);
  const auto own_engine = [](WOLFSSL* ssl) {
    // What a WOLFSSL that is no `client` has there.
    for (int i = 0; i < 5; ++i) {
      if (i != 1) (void)wolfSSL_set_ex_data(ssl, i, nullptr);
    }
  };
  lab::full(one.call(server, {"localhost", 443}, own_engine, lab::leave_alone, lab::leave_alone));
  CHECK(store.size() == 0);
}

TEST_CASE("wolfSSL's own reader is never given what is not one of its sessions") {
  const way how = each_way();
  INFO(spelled(how));
  established e;
  const auto whole = e.sessions.back().session;
  cotter::backends::detail::wolfssl_session_view seen;
  REQUIRE(cotter::backends::detail::read_wolfssl_session(whole, seen));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    auto cut = whole;
    cut.resize(size);
    CHECK_FALSE(cotter::backends::detail::read_wolfssl_session(cut, seen));
  }
  auto longer = whole;
  longer.push_back(0);
  CHECK_FALSE(cotter::backends::detail::read_wolfssl_session(longer, seen));
  // One octet more than wolfSSL has room for, and all else in its place: 5.5.4 copies it.
  auto long_id = whole;
  const std::size_t size = long_id[9];
  long_id.insert(long_id.begin() + 10, 33 - size, std::uint8_t{1});
  long_id[9] = 33;
  CHECK_FALSE(cotter::backends::detail::read_wolfssl_session(long_id, seen));
}

TEST_CASE(
    "no ticket is asked for in TLS 1.2, and none is offered: a server that declines is no error") {
  auto how = serving(ways[0]);
  peer::server server(how);
  open_store store;
  phone one(store);
  lab::full(one.call(server));
  cotter::backends::detail::wolfssl_session_view seen;
  REQUIRE(store.size() == 1);
  REQUIRE(cotter::backends::detail::read_wolfssl_session(store.all()[0].session, seen));
  CHECK(seen.ticket.empty());
}

TEST_CASE("wolfSSL keeps a session of TLS 1.2 for a day, not for its own 500 seconds") {
  peer::server server(serving(ways[0]));
  open_store store;
  phone one(store);
  lab::full(one.call(server));
  REQUIRE(store.size() == 1);
  const auto session = store.all()[0].session;
  std::size_t seconds = 0;
  for (std::size_t i = 5; i < 9; ++i) seconds = seconds << 8 | session[i];
  CHECK(seconds == 86'400);
}
