// SPDX-License-Identifier: BSL-1.0
#include <cotter/der/limits.hpp>

#include <support/catch.hpp>

// A bound that moves is a change of what the library promises; whoever moves one meets this test.
TEST_CASE("the bounds are the documented ones") {
  STATIC_REQUIRE(cotter::max_certificate_bytes == 65'535);
  STATIC_REQUIRE(cotter::der::max_content_bytes == 65'535);
  STATIC_REQUIRE(cotter::der::max_nesting_depth == 16);
  STATIC_REQUIRE(cotter::der::max_tag_number == 0x0fff'ffff);
}
