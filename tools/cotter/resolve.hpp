// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "problem.hpp"

#include <cotter/values/target.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace cotter::command {

/// The addresses of a canonical host, in the resolver's order. Returns by `deadline`, although the
/// system's resolver does not: its thread is then left behind.
///
/// Returns what went wrong: `resolve_failed`, `timeout`.
[[nodiscard]] std::optional<problem> resolve(const std::string& host,
                                             std::chrono::steady_clock::time_point deadline,
                                             std::vector<ip_address>& out);

}  // namespace cotter::command
