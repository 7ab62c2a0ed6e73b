// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include "guarded_phone.hpp"

rotation::phone_model rotation::openssl() {
  return make_model<cotter::backends::openssl>({0x0303, 0x0304});
}
