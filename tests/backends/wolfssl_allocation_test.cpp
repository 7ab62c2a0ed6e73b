// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "support/allocation_cases.hpp"

TEST_CASE("wolfssl: an accepting decision takes nothing from the heap") {
  lab::the_counter_counts();
  lab::decides_without_the_heap<cotter::backends::wolfssl>(0x0303);
  lab::decides_without_the_heap<cotter::backends::wolfssl>(0x0304);
}
