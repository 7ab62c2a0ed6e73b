// SPDX-License-Identifier: BSL-1.0
// Property: form C keeps TBSCertificate verbatim, has a shell that a second, strict reader accepts,
// is not longer than its input, and is its own form C; a minimal shell is not copied.
#include "../tests/certificate/properties.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view fault = cotter_test::fault_in_form({data, size});
  if (!fault.empty()) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(fault.size()), fault.data());
    std::abort();
  }
  return 0;
}
