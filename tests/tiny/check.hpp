// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdio>

/// Tests without a framework, exceptions or RTTI: a phone's build has none.
struct checks {
  int failed = 0;

  void that(bool ok, const char* what) noexcept {
    if (ok) return;
    ++failed;
    std::fprintf(stderr, "not so: %s\n", what);
  }
  /// For `return` from main.
  [[nodiscard]] int status() const noexcept { return failed == 0 ? 0 : 1; }
};
