// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../problem.hpp"
#include "audit_verbs.hpp"
#include "collector.hpp"

#include <memory>
#include <optional>
#include <string>

namespace cotter::command {

/// Where `--to` leads, opened as far as that takes no network; `name` is what the output is called.
struct audit_output {
  std::string name{};
  std::string about{};                             ///< for people, without what may be secret
  std::unique_ptr<collector_request> collector{};  ///< that the sender borrows from
  std::unique_ptr<event_sender> sender{};
};

[[nodiscard]] std::optional<problem> open_output(const audit_drain_options& options,
                                                 audit_output& out);

}  // namespace cotter::command
