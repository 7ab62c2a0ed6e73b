// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/target.hpp>

#include <cstdint>
#include <string>

namespace cotter::command {

/// Where to connect in place of what the name resolves to.
struct tcp_address {
  ip_address ip{};
  std::uint16_t port = 0;
};

/// `1.2.3.4:443` or `[2001:db8::1]:443`.
[[nodiscard]] std::string text_of(const tcp_address& address);
}  // namespace cotter::command
