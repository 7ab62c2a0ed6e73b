// SPDX-License-Identifier: BSL-1.0
// Property: the fields that are located lie inside the TBSCertificate, in the order of RFC 5280;
// the others have no octets and are not valid at any time. The input is read as a TBSCertificate,
// and as a certificate.
#include "../tests/certificate/properties.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

void demand_none(std::string_view fault) {
  if (fault.empty()) return;
  std::fprintf(stderr, "%.*s\n", static_cast<int>(fault.size()), fault.data());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cotter::bytes_view input(data, size);
  demand_none(cotter_test::fault_in_view(input));
  if (const auto form = cotter::read_form(input)) {
    demand_none(cotter_test::fault_in_view(form->tbs));
  }
  return 0;
}
