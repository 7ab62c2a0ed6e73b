// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "problem.hpp"

#include <cotter/values/digest.hpp>
#include <cotter/values/time.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace cotter::command {

/// Keys stay in the order they were written.
using json = nlohmann::ordered_json;

/// How results are written: for people, or one JSON object per line.
enum class format { text, json_lines };

/// 64 lower-case digits.
[[nodiscard]] std::string hex(const sha256_digest& digest);
/// RFC 3339 in UTC, whole seconds.
[[nodiscard]] std::string rfc3339(instant at);
/// `text` as a terminal may be shown it: control characters, and what is not ASCII, as `\xHH`.
/// Certificates and servers write into it.
[[nodiscard]] std::string printable(std::string_view text);

/// `{"code","offset","seen","expected","do","native"}`, the optional ones only if there are any.
[[nodiscard]] json to_json(const problem& p);

/// One object on one line of stdout. What is not UTF-8 becomes U+FFFD.
void write_line(const json& object);
/// Text on stdout.
void write_text(std::string_view text);
/// `p` on stderr, headed by `subject`.
void write_diagnostic(std::string_view subject, const problem& p);
/// A remark on stderr.
void write_note(std::string_view text);

}  // namespace cotter::command
