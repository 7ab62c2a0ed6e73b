// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include "manifest_bench.hpp"

void manifest_bench::add_openssl() { add<cotter::backends::openssl>("openssl"); }
