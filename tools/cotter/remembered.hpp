// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "problem.hpp"

#include <cotter/values/diagnosis.hpp>
#include <cotter/values/manifest.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cotter::command {

/// A file that `--state` names keeps two things: of manifests, the newest one that was accepted; of
/// each target, what its last accepted leaf looked like.

/// What was remembered of manifests, nothing if there is no such file yet.
[[nodiscard]] std::optional<problem> load_memory(const std::string& path, manifest_memory& out);
/// Keeps what is highest: another process may have remembered a newer manifest in the meantime.
///
/// Returns what went wrong: `unwritable`, `sequence_rollback` (another process has a newer manifest;
/// that one stays), `sequence_reused`, and those of `load_memory`.
[[nodiscard]] std::optional<problem> store_memory(const std::string& path,
                                                  const manifest_memory& memory);

/// The last accepted leaf of one target.
struct known_leaf {
  std::string host{};
  std::uint16_t port = 0;
  leaf_traits traits{};
};

/// So many targets are remembered, those that were accepted last.
inline constexpr std::size_t most_known_leaves = 64;

/// What was remembered of leaves, the latest last; nothing if there is no such file yet.
[[nodiscard]] std::optional<problem> load_leaves(const std::string& path,
                                                 std::vector<known_leaf>& out);
/// Adds to what another process may have remembered in the meantime, or replaces it.
[[nodiscard]] std::optional<problem> store_leaf(const std::string& path, const known_leaf& leaf);

}  // namespace cotter::command
