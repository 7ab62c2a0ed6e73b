// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "resumption_bench.hpp"

namespace resumption_bench {

bool run_wolfssl(int rounds) {
  return run<cotter::backends::wolfssl>(0x0303, rounds) &&
         run<cotter::backends::wolfssl>(0x0304, rounds);
}

}  // namespace resumption_bench
