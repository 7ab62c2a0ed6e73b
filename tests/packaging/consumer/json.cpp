// SPDX-License-Identifier: BSL-1.0
#include <cotter/json/manifest.hpp>

int main() {
  const auto read = cotter::json::read_authored_manifest(
      R"({"circuitBreakerConfig":{"maxConsecutiveFailures":3,"alertThreshold":2}})");
  return read && cotter::json::write_manifest(*read) ? 0 : 1;
}
