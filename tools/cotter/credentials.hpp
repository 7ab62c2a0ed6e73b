// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "problem.hpp"

#include <optional>
#include <string>

namespace cotter::command {

/// Whether a client's PEM chain and PEM key belong together, the same for every backend: wolfSSL
/// does not notice a wrong EC key, and OpenSSL would ask a terminal for a passphrase.
///
/// Returns what is wrong: `unfit_credentials`.
[[nodiscard]] std::optional<problem> check_credentials(const std::string& certificate_file,
                                                       const std::string& key_file);

}  // namespace cotter::command
