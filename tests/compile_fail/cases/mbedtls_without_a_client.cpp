// SPDX-License-Identifier: BSL-1.0
// library: mbedtls
// undefine: MBEDTLS_SSL_CLI_C
// expect: cotter needs MBEDTLS_SSL_CLI_C
#include <cotter/backends/mbedtls.hpp>

static_assert(cotter::backend<cotter::backends::mbedtls>);
