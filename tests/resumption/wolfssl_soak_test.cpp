// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "support/lab.hpp"

using backend = cotter::backends::wolfssl;

namespace {

constexpr int versions[] = {0x0303, 0x0304};

}  // namespace

#include "soak.ipp"
