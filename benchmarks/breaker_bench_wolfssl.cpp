// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "breaker_bench.hpp"

breaker_bench::arm breaker_bench::wolfssl_arm() {
  return key_file_arm<cotter::backends::wolfssl>("file (wolfSSL), key file; tmpfs", in_memory);
}
