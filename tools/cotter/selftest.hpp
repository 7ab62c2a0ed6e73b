// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "output.hpp"

#include <string>

namespace cotter::command {

/// `cotter selftest`: lets each TLS library in this binary, or `backend` alone if not empty, prove
/// that it enforces. Refused if one does not; without verdict if one cannot be its own peer.
[[nodiscard]] exit_code selftest(const std::string& backend, format how);

}  // namespace cotter::command
