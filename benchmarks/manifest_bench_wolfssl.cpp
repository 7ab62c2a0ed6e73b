// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "manifest_bench.hpp"

void manifest_bench::add_wolfssl() { add<cotter::backends::wolfssl>("wolfssl"); }
