// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "audit/trail.hpp"
#include "backend_face.hpp"
#include "kept_breaker.hpp"
#include "manifest.hpp"
#include "output.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cotter::command {

/// `cotter connect` as it was typed; nothing has been checked yet.
struct connect_options {
  std::string url{};
  std::vector<std::string> pins{};
  std::vector<std::string> fallback_pins{};
  std::string manifest_file{};
  trust_options trust{};
  std::string state_file{};
  state_options breaker{};  ///< without a file: a breaker that ends with the command
  std::string network{};
  trail_options trail{};  ///< without a directory: nothing is written down
  std::string ca_file = "/etc/ssl/certs/ca-certificates.crt";
  std::string backend = "openssl";
  std::string address{};
  std::string certificate_file{};
  std::string key_file{};
  double timeout_s = 10;
  std::optional<std::string> send{};
  std::string subprotocol{};
  bool make_request = false;
  unsigned attempts = 1;
  unsigned cooldown_ms = 300'000;
  unsigned max_failures = 3;
};

/// Appends the pins that were typed. Returns what is wrong with the first that is none.
[[nodiscard]] std::optional<problem> read_pins(const std::vector<std::string>& texts, pin_role role,
                                               std::vector<pin>& out);

/// Connects, pinned, and says what came of it; never without pins.
[[nodiscard]] exit_code connect(const connect_options& options, format how);

}  // namespace cotter::command
