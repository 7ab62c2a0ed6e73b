// SPDX-License-Identifier: BSL-1.0
// library: wolfssl
// define: NO_ASN_TIME
// expect: wolfSSL was built without validity checks
#include <cotter/backends/wolfssl.hpp>

static_assert(cotter::backend<cotter::backends::wolfssl>);
