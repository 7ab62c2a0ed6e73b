// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "guarded_phone.hpp"

rotation::phone_model rotation::mbedtls() {
#if MBEDTLS_VERSION_MAJOR >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
  return make_model<cotter::backends::mbedtls>({0x0303, 0x0304});
#else
  return make_model<cotter::backends::mbedtls>({0x0303});
#endif
}
