// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../problem.hpp"

#include <cotter/values/audit_record.hpp>
#include <cotter/values/diagnosis.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/verdict.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace cotter::command {

/// What a word is. One word may be several: each has a page.
enum class word_kind : std::uint8_t { error, reason, diagnosis, evidence, event, finding };

[[nodiscard]] std::string_view to_string(word_kind kind) noexcept;

/// Whether an attempt that ended so counts in the breaker.
enum class counting : std::uint8_t {
  none,  ///< not about an attempt
  never,
  always,
  with_the_pins,  ///< if the pins alone refused it: chain, name and time were good
};

/// All that is said of one word, one paragraph each; static storage.
struct page {
  std::string_view word{};
  word_kind kind = word_kind::error;
  std::string_view meaning{};
  std::string_view confirm{};
  std::string_view action{};  ///< what to do next; `do` in JSON
  counting counts = counting::none;
  std::string_view phone{};  ///< what the program on the device does; empty if not about an attempt
};

[[nodiscard]] page explain(errc what) noexcept;
[[nodiscard]] page explain(reason why) noexcept;
[[nodiscard]] page explain(cause what) noexcept;
[[nodiscard]] page explain(evidence what) noexcept;
[[nodiscard]] page explain(audit_type what) noexcept;

/// Codes of the command itself: of the linter, of `extract`, of command lines.
[[nodiscard]] const std::vector<page>& command_pages();

/// Every page there is: reasons, diagnoses, evidence, events, errors, findings.
[[nodiscard]] std::vector<page> all_pages();

/// The spellings nearest to `word`, the best first, at most three, none that is far from it.
[[nodiscard]] std::vector<std::string_view> nearest(std::string_view word,
                                                    const std::vector<page>& pages);

}  // namespace cotter::command
