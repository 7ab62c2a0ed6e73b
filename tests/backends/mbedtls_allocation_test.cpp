// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "support/allocation_cases.hpp"

TEST_CASE("mbedtls: an accepting decision takes nothing from the heap") {
  lab::the_counter_counts();
  lab::decides_without_the_heap<cotter::backends::mbedtls>(0x0303);
#if MBEDTLS_VERSION_MAJOR >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
  lab::decides_without_the_heap<cotter::backends::mbedtls>(0x0304);
#endif
}
