// SPDX-License-Identifier: BSL-1.0
#include <cotter/values/signature.hpp>

#include <support/catch.hpp>

using namespace cotter;

TEST_CASE("every signature scheme has one stable spelling") {
  CHECK(to_string(signature_scheme::ecdsa_p256_sha256) == "ecdsa-p256-sha256");
  CHECK(to_string(signature_scheme::ed25519) == "ed25519");
  CHECK(to_string(static_cast<signature_scheme>(2)) == "unknown");
}
