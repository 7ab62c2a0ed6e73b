// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

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

using namespace cotter;

TEST_CASE("wolfssl::hasher keeps the laws of hasher") {
  require_laws(testing::check_hasher_laws<backends::wolfssl::hasher>(&heap::allocations));
}

static const enlisted_verifier<backends::wolfssl> enlisted;

TEST_CASE("wolfssl keeps the laws of verifier") {
  require_laws(testing::check_verifier_laws<backends::wolfssl>());
}

static const enlisted_sealer<backends::wolfssl> enlisted_to_seal;

TEST_CASE("wolfssl keeps the laws of sealer") {
  require_laws(testing::check_sealer_laws<backends::wolfssl>());
}

TEST_CASE("wolfssl's client speaks no version outside of its limits") {
  check_version_limits<backends::wolfssl>(tls_version::tls1_3);

  // A client that may speak TLS 1.3 alone turns down a server that cannot.
  const lab_material lab;
  backends::wolfssl::context context;
  REQUIRE(context.load_anchors(lab.lend.anchors));
  REQUIRE(context.limit_versions(tls_version::tls1_3, tls_version::tls1_3));
  backends::wolfssl::client client(context);
  backends::wolfssl::server server(lab.lend.good.leaf_der, lab.lend.good.key_der);
  wolfSSL_set_options(server.native(), WOLFSSL_OP_NO_TLSv1_3);
  testing::recording_observer observer;
  backends::wolfssl::attachment attachment;
  REQUIRE(backends::wolfssl::attach(client.native(), lab.lend.whom, observer, attachment));
  CHECK(client.handshake().next == want::output);
  testing::carry(client, server);
  CHECK(server.handshake().next != want::nothing);
  testing::carry(server, client);
  CHECK(client.handshake().next == want::failed);
  CHECK(observer.calls() == "s");
  backends::wolfssl::detach(attachment);
}

TEST_CASE("wolfssl shows what the peer presented, even after a refusal") {
  check_peer_certificates<backends::wolfssl>(true);
}

TEST_CASE("wolfssl keeps the laws of backend") {
  const lab_material lab;
  require_laws(testing::check_backend_laws<backends::wolfssl>(lab.lend));
}

TEST_CASE("wolfssl's engines keep the laws of engine") {
  const lab_material lab;
  require_laws(testing::check_engine_laws<backends::wolfssl>(lab.lend));
}
