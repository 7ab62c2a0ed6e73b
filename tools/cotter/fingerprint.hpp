// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "output.hpp"

#include <string>
#include <vector>

namespace cotter::command {

/// `cotter fingerprint FILE...`: the pins of certificates in files, PEM or DER, `-` for stdin.
/// Offline. Refused if some file holds no certificate of form C; without verdict if some cannot be
/// read.
[[nodiscard]] exit_code fingerprint(const std::vector<std::string>& files, format how);

}  // namespace cotter::command
