// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include "resumption_bench.hpp"

namespace resumption_bench {

bool run_openssl(int rounds) {
  return run<cotter::backends::openssl>(0x0303, rounds) &&
         run<cotter::backends::openssl>(0x0304, rounds);
}

}  // namespace resumption_bench
