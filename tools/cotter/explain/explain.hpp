// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../output.hpp"

#include <string>

namespace cotter::command {

struct explain_options {
  std::string word{};
  bool list = false;
};

/// Says what a code, reason, diagnosis, evidence or event means, how to confirm it and what to do;
/// every page, if one word is several of them. `unknown_code`, exit 3, if it is none.
[[nodiscard]] exit_code explain(const explain_options& options, format how);

}  // namespace cotter::command
