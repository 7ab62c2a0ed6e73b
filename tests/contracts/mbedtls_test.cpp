// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

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

TEST_CASE("mbedtls::hasher keeps the laws of hasher") {
  require_laws(testing::check_hasher_laws<backends::mbedtls::hasher>(&heap::allocations));
}

static const enlisted_verifier<backends::mbedtls> enlisted;

TEST_CASE("mbedtls keeps the laws of verifier") {
  require_laws(testing::check_verifier_laws<backends::mbedtls>());
}

static const enlisted_sealer<backends::mbedtls> enlisted_to_seal;

TEST_CASE("mbedtls keeps the laws of sealer") {
  require_laws(testing::check_sealer_laws<backends::mbedtls>());
}

TEST_CASE("mbedtls's client speaks no version outside of its limits") {
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
  check_version_limits<backends::mbedtls>(tls_version::tls1_3);
#else
  check_version_limits<backends::mbedtls>(tls_version::tls1_2);
#endif
}

TEST_CASE("mbedtls shows what the peer presented, after a completed handshake") {
  check_peer_certificates<backends::mbedtls>(false);
}

TEST_CASE("mbedtls keeps the laws of backend") {
  const lab_material lab;
  require_laws(testing::check_backend_laws<backends::mbedtls>(lab.lend));
}

TEST_CASE("mbedtls's engines keep the laws of engine") {
  const lab_material lab;
  require_laws(testing::check_engine_laws<backends::mbedtls>(lab.lend));
}
