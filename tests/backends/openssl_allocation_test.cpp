// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include "support/allocation_cases.hpp"

TEST_CASE("openssl: an accepting decision takes nothing from the heap") {
  lab::the_counter_counts();
  lab::decides_without_the_heap<cotter::backends::openssl>(0x0303);
  lab::decides_without_the_heap<cotter::backends::openssl>(0x0304);
}
