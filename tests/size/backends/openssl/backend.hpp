// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/openssl.hpp>

using backend = cotter::backends::openssl;
