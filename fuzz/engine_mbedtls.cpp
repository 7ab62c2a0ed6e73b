// SPDX-License-Identifier: BSL-1.0
// Input: what a server sends in place of TLS. Properties: see garbage_records.hpp.
#include <cotter/backends/mbedtls.hpp>

#include "garbage_records.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  garbage_is_no_server<cotter::backends::mbedtls>({data, size});
  return 0;
}
