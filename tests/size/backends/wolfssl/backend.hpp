// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/wolfssl.hpp>

using backend = cotter::backends::wolfssl;
