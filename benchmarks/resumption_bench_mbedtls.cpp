// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "resumption_bench.hpp"

namespace resumption_bench {

bool run_mbedtls(int rounds) { return run<cotter::backends::mbedtls>(0x0303, rounds); }

}  // namespace resumption_bench
