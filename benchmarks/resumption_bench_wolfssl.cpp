// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "resumption_bench.hpp"

void resumption_bench::add_wolfssl() {
  add<cotter::backends::wolfssl>("wolfssl", 0x0303);
  add<cotter::backends::wolfssl>("wolfssl", 0x0304);
}
