// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "resumption_bench.hpp"

void resumption_bench::add_mbedtls() { add<cotter::backends::mbedtls>("mbedtls", 0x0303); }
