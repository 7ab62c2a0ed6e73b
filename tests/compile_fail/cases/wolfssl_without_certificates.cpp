// SPDX-License-Identifier: BSL-1.0
// library: wolfssl
// define: NO_CERTS
// expect: wolfSSL was built without certificates
#include <cotter/backends/wolfssl.hpp>

static_assert(cotter::backend<cotter::backends::wolfssl>);
