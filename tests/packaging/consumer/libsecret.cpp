// SPDX-License-Identifier: BSL-1.0
#include <cotter/libsecret/secret_vault.hpp>

int main() {
  cotter::secret_vault none;
  return none.advance(1).error().what == cotter::errc::state_absent &&
                 !cotter::secret_vault::open({})
             ? 0
             : 1;
}
