// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include "resumption_bench.hpp"

void resumption_bench::add_openssl() {
  add<cotter::backends::openssl>("openssl", 0x0303);
  add<cotter::backends::openssl>("openssl", 0x0304);
}
