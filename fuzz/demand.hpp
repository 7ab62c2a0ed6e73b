// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

/// Ends the process, and says why, unless `holds`.
inline void demand(bool holds, std::string_view why) {
  if (holds) return;
  std::fprintf(stderr, "%.*s\n", static_cast<int>(why.size()), why.data());
  std::abort();
}
