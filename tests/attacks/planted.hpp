// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdlib>
#include <cstring>

/// True if `fault` is the one that COTTER_PLANTED_FAULT names. What plant_faults.py writes into
/// copies of our headers asks it; included by the compiler's command line, ahead of them.
[[nodiscard]] inline bool planted(const char* fault) noexcept {
  const char* chosen = std::getenv("COTTER_PLANTED_FAULT");
  return chosen != nullptr && std::strcmp(chosen, fault) == 0;
}
