// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "manifest_bench.hpp"

void manifest_bench::add_mbedtls() { add<cotter::backends::mbedtls>("mbedtls"); }
