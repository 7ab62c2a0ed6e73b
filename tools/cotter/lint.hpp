// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "certificates.hpp"

#include <cotter/values/pin_manifest.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cotter::command {

enum class severity : std::uint8_t { note, warning, error };

/// What is wrong with a manifest that can be read, and why it hurts.
struct finding {
  std::string code{};
  severity weight = severity::error;
  std::string pointer{};  ///< RFC 6901, into the manifest
  std::string seen{};
  std::string why{};     ///< what will happen, to whom
  std::string action{};  ///< what to do; `do` in JSON
};

/// A certificate that somebody showed to the linter: from a file, or as an edge presented it.
struct known_certificate {
  certificate_facts facts{};
  /// Chained to an anchor of the public bundle; none if nobody looked.
  std::optional<bool> publicly_trusted{};
};

/// What the linter knows besides the manifest.
struct lint_context {
  instant now{};
  std::chrono::days deployment{30};  ///< how long until every device has a new manifest
  std::vector<known_certificate> certificates{};
  std::vector<sha256_digest> ca_digests{};    ///< of intermediates known by digest only
  std::vector<sha256_digest> signing_keys{};  ///< SHA-256 of the SPKI of those who sign
  std::optional<pin_manifest> previous{};     ///< the manifest in the field
  std::vector<std::string> accepted{};        ///< codes that the author takes upon himself
  bool guide_shape = false;                   ///< one target at the top of the document
};

/// The longest life of a publicly trusted certificate issued at `when` (CA/Browser Forum ballot
/// SC-081v3, Baseline Requirements 6.3.2).
[[nodiscard]] std::chrono::days longest_public_life(instant when) noexcept;

/// Everything that is wrong, in the order of the targets. Pure: reads no clock, no file, no network.
/// A finding whose code is accepted is a note.
[[nodiscard]] std::vector<finding> lint(const pin_manifest& manifest, const lint_context& context);

}  // namespace cotter::command
