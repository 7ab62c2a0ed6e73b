// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/mbedtls.hpp>

using backend = cotter::backends::mbedtls;
