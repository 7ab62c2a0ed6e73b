// SPDX-License-Identifier: BSL-1.0
#include <cotter/cotter.hpp>
#include <cotter/testing/laws/breaker.hpp>

int main() {
  const cotter::breaker_config rules{};
  return cotter::testing::check_breaker_laws([&] { return cotter::memory_breaker<8>(rules); }, rules)
                 .holds()
             ? 0
             : 1;
}
