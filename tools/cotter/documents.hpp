// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "problem.hpp"

#include <cotter/json/envelope.hpp>
#include <cotter/json/manifest.hpp>
#include <cotter/json/trusted_keys.hpp>
#include <cotter/values/manifest.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cotter::command {

namespace documents = cotter::json;

/// What a person is told of a fault in a document.
[[nodiscard]] problem describe(const documents::document_error& fault);

/// `2026-11-21T00:00:00Z` or `2026-11-21`.
[[nodiscard]] std::optional<problem> read_time(std::string_view text, std::string_view option,
                                               instant& out);
[[nodiscard]] instant current_time();

/// A manifest's file as an author has it: the payload, or an envelope around one. Nothing is
/// verified; nothing of it is put in force.
struct manifest_file {
  documents::authored_manifest content{};
  std::string payload{};
  std::optional<documents::envelope> signed_as{};
  bool guide_shape = false;  ///< one target at the top of the document
};
[[nodiscard]] std::optional<problem> load_manifest_file(const std::string& path,
                                                        manifest_file& out);

/// `unknown_key`, if there is one: whoever reads and writes a manifest would drop it in silence.
[[nodiscard]] std::optional<problem> refuse_unknown(const documents::authored_manifest& content);

/// The exit code of a verb that ended with this: 3 where there was nothing to judge (usage, files,
/// network), else 2.
[[nodiscard]] exit_code outcome_of(const problem& fault);

/// Adds a signature under the id of its key. A key counts once: signing again replaces.
[[nodiscard]] std::optional<problem> add_signature(documents::envelope& to, std::string_view spki,
                                                   std::string signature);

/// `--trust-key`: PEM files of public keys, `threshold` of them together, or one key-set envelope.
/// `chain` are the key-set envelopes that follow it.
[[nodiscard]] std::optional<problem> load_trust(const std::vector<std::string>& files,
                                                unsigned threshold,
                                                const std::vector<std::string>& chain, instant now,
                                                documents::trusted_keys& out);

}  // namespace cotter::command
