// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include <cotter/testing/laws/backend.hpp>
#include <cotter/testing/laws/engine.hpp>
#include <cotter/testing/laws/hasher.hpp>

#include <backends/support/counting_malloc.hpp>
#include <support/laws.hpp>

#include "material.hpp"

using namespace cotter;

TEST_CASE("wolfssl::hasher keeps the laws of hasher") {
  require_laws(testing::check_hasher_laws<backends::wolfssl::hasher>(&heap::allocations));
}

TEST_CASE("wolfssl keeps the laws of backend") {
  const lab_material lab;
  require_laws(testing::check_backend_laws<backends::wolfssl>(lab.lend));
}

TEST_CASE("wolfssl's engines keep the laws of engine") {
  const lab_material lab;
  require_laws(testing::check_engine_laws<backends::wolfssl>(lab.lend));
}
