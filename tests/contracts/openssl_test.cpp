// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include <cotter/testing/laws/backend.hpp>
#include <cotter/testing/laws/engine.hpp>
#include <cotter/testing/laws/hasher.hpp>
#include <cotter/testing/laws/verifier.hpp>

#include <backends/support/counting_malloc.hpp>
#include <support/laws.hpp>

#include "material.hpp"
#include "peer_certificate_cases.hpp"
#include "verifier_cases.hpp"
#include "version_cases.hpp"

#include <functional>
#include <utility>

using namespace cotter;

TEST_CASE("openssl::hasher keeps the laws of hasher") {
  require_laws(testing::check_hasher_laws<backends::openssl::hasher>(&heap::allocations));
}

static const enlisted_verifier<backends::openssl> enlisted;

TEST_CASE("openssl keeps the laws of verifier") {
  require_laws(testing::check_verifier_laws<backends::openssl>());
}

TEST_CASE("openssl's client speaks no version outside of its limits") {
  check_version_limits<backends::openssl>(tls_version::tls1_3);

  // A client that may speak TLS 1.3 alone turns down a server that cannot, and the other way round.
  const lab_material lab;
  for (const bool newest : {true, false}) {
    backends::openssl::context context;
    REQUIRE(context.load_anchors(lab.lend.anchors));
    const tls_version only = newest ? tls_version::tls1_3 : tls_version::tls1_2;
    REQUIRE(context.limit_versions(only, only));
    backends::openssl::client client(context);
    CHECK(SSL_get_min_proto_version(client.native()) == SSL_get_max_proto_version(client.native()));
    backends::openssl::server server(lab.lend.good.leaf_der, lab.lend.good.key_der);
    SSL_set_min_proto_version(server.native(), newest ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_set_max_proto_version(server.native(), newest ? TLS1_2_VERSION : TLS1_3_VERSION);
    testing::recording_observer observer;
    backends::openssl::attachment attachment;
    REQUIRE(backends::openssl::attach(client.native(), lab.lend.whom, observer, attachment));
    CHECK(client.handshake().next == want::output);
    testing::carry(client, server);
    CHECK(server.handshake().next != want::nothing);
    testing::carry(server, client);
    CHECK(client.handshake().next == want::failed);
    CHECK(observer.calls() == "s");
    backends::openssl::detach(attachment);
  }
}

TEST_CASE("openssl shows what the peer presented, even after a refusal") {
  check_peer_certificates<backends::openssl>(true);
}

TEST_CASE("openssl keeps the laws of backend") {
  const lab_material lab;
  require_laws(testing::check_backend_laws<backends::openssl>(lab.lend));
}

TEST_CASE("openssl's engines keep the laws of engine") {
  const lab_material lab;
  require_laws(testing::check_engine_laws<backends::openssl>(lab.lend));
}

namespace {

/// openssl with a fault of its own, for showing that the suites see it.
enum class fault {
  none,
  says_yes_to_attach,
  drops_a_leaf,
  swallows_refusals,
  believes_everything,
  never_detaches,
};

template <fault Fault>
struct faulty_openssl : backends::openssl {
  struct attachment final : handshake_observer {
    backends::openssl::attachment inner;
    handshake_observer* observer = nullptr;

    ~attachment() { backends::openssl::detach(inner); }
    void on_start() noexcept override { observer->on_start(); }
    void on_leaf(bytes_view der) noexcept override {
      if (Fault != fault::drops_a_leaf) observer->on_leaf(der);
    }
    bool on_chain(chain_outcome outcome) noexcept override {
      if (Fault == fault::believes_everything) outcome = {true, 0};
      return observer->on_chain(outcome) || Fault == fault::swallows_refusals;
    }
  };
  static result<void> attach(SSL* ssl, const target& whom, handshake_observer& observer,
                             attachment& state) noexcept {
    state.observer = &observer;
    const result<void> attached = backends::openssl::attach(ssl, whom, state, state.inner);
    return Fault == fault::says_yes_to_attach ? result<void>() : attached;
  }
  static library_version version() noexcept { return backends::openssl::version(); }
  static handshake_facts inspect(const attachment& state) noexcept {
    handshake_facts facts = backends::openssl::inspect(state.inner);
    if (Fault == fault::believes_everything) facts = {true, false, true, true, 0};
    return facts;
  }
  static void detach(attachment& state) noexcept {
    if (Fault != fault::never_detaches) backends::openssl::detach(state.inner);
  }
};

template <fault Fault>
bool breaks(std::string_view law) {
  const lab_material lab;
  return testing::check_backend_laws<faulty_openssl<Fault>>(lab.lend).broken(law);
}

}  // namespace

TEST_CASE("the backend suite finds a backend that breaks any one law") {
  CHECK_FALSE(breaks<fault::none>("B2"));
  CHECK(breaks<fault::says_yes_to_attach>("B1"));
  CHECK(breaks<fault::drops_a_leaf>("B2"));
  CHECK(breaks<fault::swallows_refusals>("B4"));
  CHECK(breaks<fault::believes_everything>("B3"));
  CHECK(breaks<fault::believes_everything>("B5"));
  CHECK(breaks<fault::never_detaches>("B6"));
}

TEST_CASE("openssl accepts nothing it would refuse, whatever is replaced behind its back") {
  const lab_material lab;
  SSL_CTX* other = SSL_CTX_new(TLS_client_method());
  const auto yes = [](X509_STORE_CTX*, void*) { return 1; };
  const auto yes_callback = [](int, X509_STORE_CTX*) { return 1; };
  const std::pair<const char*, std::function<void(SSL*)>> ways[] = {
      {"verify mode", [&](SSL* ssl) { SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr); }},
      {"verify callback", [&](SSL* ssl) { SSL_set_verify(ssl, SSL_VERIFY_PEER, yes_callback); }},
      {"info callback", [&](SSL* ssl) { SSL_set_info_callback(ssl, nullptr); }},
      {"message callback", [&](SSL* ssl) { SSL_set_msg_callback(ssl, nullptr); }},
      {"certificate hook",
       [&](SSL* ssl) {
         SSL_CTX_set_cert_verify_callback(SSL_get_SSL_CTX(ssl), yes, nullptr);
         SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
       }},
      {"context", [&](SSL* ssl) { SSL_set_SSL_CTX(ssl, other); }},
  };
  for (const auto& [what, tamper] : ways) {
    INFO(what);
    require_laws(testing::check_backend_tampering<backends::openssl>(lab.lend, tamper));
  }
  SSL_CTX_free(other);
}

TEST_CASE("the tampering check finds a backend that is blind to it") {
  const lab_material lab;
  const auto yes = [](X509_STORE_CTX*, void*) { return 1; };
  const auto replace = [&](SSL* ssl) {
    SSL_CTX_set_cert_verify_callback(SSL_get_SSL_CTX(ssl), yes, nullptr);
  };
  using blind = faulty_openssl<fault::believes_everything>;
  CHECK(testing::check_backend_tampering<blind>(lab.lend, replace).broken("B5"));
}

namespace {

struct deaf_to_pieces : backends::openssl {
  class client : public backends::openssl::client {
   public:
    using backends::openssl::client::client;
    // Takes all it is given and forgets what came in pieces too small for a record.
    std::size_t feed(bytes_view in) noexcept {
      return in.size() == 1 ? 1 : backends::openssl::client::feed(in);
    }
    void sent(std::size_t size) noexcept { backends::openssl::client::sent(size == 3 ? 0 : size); }
    step read(std::span<std::uint8_t> out) noexcept {
      step done = backends::openssl::client::read(out);
      if (done.why.what == errc::tls_truncated) done.why.what = errc::tls_closed;
      return done;
    }
    step write(bytes_view in) noexcept {
      step done = backends::openssl::client::write(in);
      return done.next == want::nothing && in.size() > 1000 ? step{want::nothing, 0, {}} : done;
    }
  };
};

}  // namespace

TEST_CASE("the engine suite finds an engine that breaks any one law") {
  const lab_material lab;
  const auto report = testing::check_engine_laws<deaf_to_pieces>(lab.lend);
  for (const char* law : {"E2", "E3", "E4", "E5"}) {
    INFO(law);
    CHECK(report.broken(law));
  }
}
