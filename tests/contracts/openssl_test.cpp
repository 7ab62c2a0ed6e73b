// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include <cotter/testing/laws/backend.hpp>
#include <cotter/testing/laws/engine.hpp>
#include <cotter/testing/laws/hasher.hpp>
#include <cotter/testing/laws/sealer.hpp>
#include <cotter/testing/laws/verifier.hpp>

#include <backends/support/counting_malloc.hpp>
#include <support/laws.hpp>

#include "material.hpp"
#include "peer_certificate_cases.hpp"
#include "sealer_cases.hpp"
#include "verifier_cases.hpp"
#include "version_cases.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

using namespace cotter;

TEST_CASE("openssl::hasher keeps the laws of hasher") {
  require_laws(testing::check_hasher_laws<backends::openssl::hasher>(&heap::allocations));
}

static const enlisted_verifier<backends::openssl> enlisted;

TEST_CASE("openssl keeps the laws of verifier") {
  require_laws(testing::check_verifier_laws<backends::openssl>());
}

static const enlisted_sealer<backends::openssl> enlisted_to_seal;

TEST_CASE("openssl keeps the laws of sealer") {
  require_laws(testing::check_sealer_laws<backends::openssl>());
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

namespace {

/// backends::openssl with one thing wrong in how it seals.
enum class seal_fault {
  none,
  refuses_much,            // S1
  takes_any_output,        // S1
  misnames_a_bad_size,     // S1
  forgives_the_last_bit,   // S2
  forgives_what_follows,   // S2
  ignores_associated,      // S2
  shows_what_it_decrypted, // S2
  leaves_a_failed_seal,    // S2
  repeats_a_nonce,         // S3
  seals_in_another_order,  // S4
  leaves_an_octet,         // S5
  draws_the_same,          // S5
};

template <seal_fault Fault>
struct faulty_sealer {
  using good = backends::openssl;
  using out_type = std::span<std::uint8_t>;
  static constexpr bool supports_sealing = true;

  static result<void> seal(const seal_key& key, bytes_view plain, bytes_view associated,
                           out_type out) noexcept {
    const std::size_t fits = sealed_size(plain.size());
    if (Fault == seal_fault::refuses_much && plain.size() > 65'536) {
      wipe(out);
      return errc::too_large;
    }
    if (Fault == seal_fault::takes_any_output && out.size() > fits) out = out.first(fits);
    if (Fault == seal_fault::ignores_associated) associated = {};
    if (Fault == seal_fault::leaves_a_failed_seal && out.size() != fits) return errc::too_large;
    result<void> done = good::seal(key, plain, associated, out);
    if (Fault == seal_fault::misnames_a_bad_size && !done) return errc::unfit_backend;
    if (Fault == seal_fault::repeats_a_nonce) {
      static std::vector<std::uint8_t> last;
      if (last.size() == out.size() && plain.empty() && associated.empty()) {
        std::copy(last.begin(), last.end(), out.begin());
      } else if (plain.empty() && associated.empty()) {
        last.assign(out.begin(), out.end());
      }
    }
    if (Fault == seal_fault::seals_in_another_order && done) {
      std::rotate(out.begin(), out.begin() + seal_nonce_bytes, out.end());
    }
    return done;
  }
  static result<void> open(const seal_key& key, bytes_view sealed, bytes_view associated,
                           out_type out) noexcept {
    std::vector<std::uint8_t> octets(sealed.begin(), sealed.end());
    if (Fault == seal_fault::ignores_associated) associated = {};
    if (Fault == seal_fault::seals_in_another_order && octets.size() >= seal_nonce_bytes) {
      std::rotate(octets.begin(), octets.end() - seal_nonce_bytes, octets.end());
    }
    if (Fault == seal_fault::forgives_what_follows && octets.size() == sealed_size(37) + 1) {
      octets.pop_back();
      out = out.first(37);
    }
    result<void> done = good::open(key, octets, associated, out);
    if (Fault == seal_fault::forgives_the_last_bit && !done && !octets.empty()) {
      octets.back() ^= 0x80;
      done = good::open(key, octets, associated, out);
    }
    if (Fault == seal_fault::shows_what_it_decrypted && !done && !out.empty()) out[0] = 0x5a;
    return done;
  }
  static bool random_octets(out_type out) noexcept {
    if (Fault == seal_fault::draws_the_same) {
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(i | 0x10);
      return true;
    }
    if (Fault == seal_fault::leaves_an_octet && out.size() > 4096) out = out.first(out.size() - 1);
    return good::random_octets(out);
  }
};

template <seal_fault Fault>
testing::law_report sealing() {
  return testing::check_sealer_laws<faulty_sealer<Fault>>();
}

}  // namespace

TEST_CASE("the sealer suite finds a sealer that breaks any one law") {
  require_laws(sealing<seal_fault::none>());
  require_broken(sealing<seal_fault::refuses_much>(), "S1");
  CHECK(sealing<seal_fault::takes_any_output>().broken("S1"));
  require_broken(sealing<seal_fault::misnames_a_bad_size>(), "S1");
  require_broken(sealing<seal_fault::forgives_the_last_bit>(), "S2");
  require_broken(sealing<seal_fault::forgives_what_follows>(), "S2");
  CHECK(sealing<seal_fault::ignores_associated>().broken("S2"));
  require_broken(sealing<seal_fault::shows_what_it_decrypted>(), "S2");
  require_broken(sealing<seal_fault::leaves_a_failed_seal>(), "S2");
  require_broken(sealing<seal_fault::repeats_a_nonce>(), "S3");
  require_broken(sealing<seal_fault::seals_in_another_order>(), "S4");
  require_broken(sealing<seal_fault::leaves_an_octet>(), "S5");
  require_broken(sealing<seal_fault::draws_the_same>(), "S5");
}

// Deprecated, and the only way to break the default generator without a provider of one's own.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
TEST_CASE("openssl seals nothing and draws nothing when its generator fails") {
  static const RAND_METHOD failing{nullptr,
                                   [](unsigned char*, int) { return 0; },
                                   nullptr,
                                   nullptr,
                                   [](unsigned char*, int) { return 0; },
                                   [] { return 0; }};
  ERR_clear_error();
  REQUIRE(RAND_set_rand_method(&failing) == 1);
  const auto sealed =
      testing::detail::try_seal<backends::openssl>(testing::detail::seal_law_key(), {}, {});
  std::vector<std::uint8_t> drawn(40, 0xa5);
  const bool filled = backends::openssl::random_octets(drawn);
  REQUIRE(RAND_set_rand_method(nullptr) == 1);
  CHECK(sealed.what == errc::unfit_backend);
  CHECK(sealed.wiped());
  CHECK_FALSE(filled);
  CHECK(drawn == std::vector<std::uint8_t>(40));
  CHECK(ERR_peek_error() == 0);
  CHECK(backends::openssl::random_octets(drawn));
}
#pragma GCC diagnostic pop

TEST_CASE("sealing leaves what was in openssl's error queue, and adds nothing to it") {
  ERR_clear_error();
  ERR_raise(ERR_LIB_USER, 77);
  const unsigned long mark = ERR_peek_last_error();
  const seal_key key = testing::detail::seal_law_key();
  auto sealed = testing::detail::try_seal<backends::openssl>(key, {}, {});
  sealed.out.back() ^= 1;
  CHECK(testing::detail::try_open<backends::openssl>(key, sealed.out, {}).what == errc::bad_seal);
  CHECK(ERR_peek_last_error() == mark);
  ERR_clear_error();
}
