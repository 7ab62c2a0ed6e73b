// SPDX-License-Identifier: BSL-1.0
// library: mbedtls
// undefine: MBEDTLS_SSL_SERVER_NAME_INDICATION
// expect: cotter needs MBEDTLS_SSL_SERVER_NAME_INDICATION
#include <cotter/backends/mbedtls.hpp>

static_assert(cotter::backend<cotter::backends::mbedtls>);
