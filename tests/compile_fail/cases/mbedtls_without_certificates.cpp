// SPDX-License-Identifier: BSL-1.0
// library: mbedtls
// undefine: MBEDTLS_X509_CRT_PARSE_C
// expect: cotter needs MBEDTLS_X509_CRT_PARSE_C
#include <cotter/backends/mbedtls.hpp>

static_assert(cotter::backend<cotter::backends::mbedtls>);
