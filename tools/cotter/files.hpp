// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "problem.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cotter::command {

/// A bundle of certificates, or the largest manifest; what is larger is neither.
inline constexpr std::size_t max_file_bytes = std::size_t{16} << 20;

/// Reads a whole file; `-` is stdin.
///
/// Returns what went wrong: `unreadable`, `too_large` (with the bound as its offset).
[[nodiscard]] std::optional<problem> read_file(const std::string& path, std::string& out);

/// Writes a whole file in one step: whoever reads it sees the old text or the new one, also after a
/// power cut. `-` or nothing is stdout. `permissions` as chmod takes them.
///
/// Returns what went wrong: `unwritable`.
[[nodiscard]] std::optional<problem> write_file(const std::string& path, std::string_view text,
                                                unsigned permissions = 0644);

}  // namespace cotter::command
