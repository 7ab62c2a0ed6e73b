// SPDX-License-Identifier: BSL-1.0
// library: wolfssl
// without: wolfssl/options.h WOLFSSL_ALWAYS_VERIFY_CB
// expect: build wolfSSL with WOLFSSL_ALWAYS_VERIFY_CB
#include <cotter/backends/wolfssl.hpp>

static_assert(cotter::backend<cotter::backends::wolfssl>);
