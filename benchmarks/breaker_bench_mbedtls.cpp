// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "breaker_bench.hpp"

breaker_bench::arm breaker_bench::mbedtls_arm() {
  return key_file_arm<cotter::backends::mbedtls>("file (mbedTLS), key file; tmpfs", in_memory);
}
