// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "backend_face.hpp"

#include <array>
#include <string_view>

namespace cotter::command {

/// Every TLS library in this binary.
[[nodiscard]] inline std::array<const backend_face*, 3> all_backends() {
  return {&openssl_face(), &wolfssl_face(), &mbedtls_face()};
}

/// `name` is one of theirs; the command line has been checked.
[[nodiscard]] inline const backend_face& find_backend(std::string_view name) {
  for (const backend_face* each : all_backends()) {
    if (each->name() == name) return *each;
  }
  return openssl_face();
}

}  // namespace cotter::command
