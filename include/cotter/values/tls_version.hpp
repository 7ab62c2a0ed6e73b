// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// A protocol version that a guarded connection may speak, oldest first.
enum class tls_version : std::uint8_t {
  tls1_2,  ///< RFC 5246
  tls1_3,  ///< RFC 8446
};

/// The spelling that the backends use for a session's version. Static storage; never empty.
[[nodiscard]] constexpr std::string_view to_string(tls_version v) noexcept {
  switch (v) {
    case tls_version::tls1_2: return "TLSv1.2";
    case tls_version::tls1_3: return "TLSv1.3";
  }
  return "unknown";
}

}  // namespace v0
}  // namespace cotter
