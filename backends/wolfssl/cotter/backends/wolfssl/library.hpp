// SPDX-License-Identifier: BSL-1.0
#pragma once

// The build's own options come before every other header of wolfSSL: its structures differ with
// them. They also switch Asio's TLS over to wolfSSL and fortify libc; a program that includes this
// header keeps its own choice of those.
#pragma push_macro("ASIO_USE_WOLFSSL")
#pragma push_macro("BOOST_ASIO_USE_WOLFSSL")
#pragma push_macro("_FORTIFY_SOURCE")
#include <wolfssl/options.h>
#pragma pop_macro("_FORTIFY_SOURCE")
#pragma pop_macro("BOOST_ASIO_USE_WOLFSSL")
#pragma pop_macro("ASIO_USE_WOLFSSL")

#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/ssl.h>
#include <wolfssl/version.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/sha256.h>
