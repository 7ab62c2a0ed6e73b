// SPDX-License-Identifier: BSL-1.0
// library: openssl
// define: OPENSSL_IS_BORINGSSL
// expect: this header is for OpenSSL 3
#include <cotter/backends/openssl.hpp>

static_assert(cotter::backend<cotter::backends::openssl>);
