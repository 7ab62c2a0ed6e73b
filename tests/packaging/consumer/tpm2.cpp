// SPDX-License-Identifier: BSL-1.0
#include <cotter/tpm2/tpm2_vault.hpp>

int main() {
  cotter::tpm2_vault_options options;
  options.tcti = "device:/dev/null";
  options.path = "/nonexistent/vault";
  options.nv_index = 0x0180'0100;
  options.pcrs = 1U << 7U;
  return cotter::tpm2_vault::open(options).error().what == cotter::errc::state_absent ? 0 : 1;
}
