// SPDX-License-Identifier: BSL-1.0
// library: openssl
// define: LIBRESSL_VERSION_NUMBER=0x3060000fL
// expect: this header is for OpenSSL 3
#include <cotter/backends/openssl.hpp>

static_assert(cotter::backend<cotter::backends::openssl>);
