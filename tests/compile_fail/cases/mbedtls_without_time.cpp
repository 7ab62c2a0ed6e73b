// SPDX-License-Identifier: BSL-1.0
// library: mbedtls
// undefine: MBEDTLS_HAVE_TIME_DATE
// expect: cotter needs MBEDTLS_HAVE_TIME_DATE
#include <cotter/backends/mbedtls.hpp>

static_assert(cotter::backend<cotter::backends::mbedtls>);
