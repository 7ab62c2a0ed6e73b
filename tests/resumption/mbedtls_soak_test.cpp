// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "support/lab.hpp"

using backend = cotter::backends::mbedtls;

namespace {

constexpr int versions[] = {0x0303};

}  // namespace

#include "soak.ipp"
