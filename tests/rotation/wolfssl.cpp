// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "guarded_phone.hpp"

rotation::phone_model rotation::wolfssl() {
  return make_model<cotter::backends::wolfssl>({0x0303, 0x0304});
}
