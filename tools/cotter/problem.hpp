// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/error.hpp>
#include <cotter/values/verdict.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cotter::command {

/// What a person is told of a stable code; static storage. Errors say the first three, `cotter
/// explain` the last three.
struct advice {
  std::string_view seen{};
  std::string_view expected{};
  std::string_view action{};   ///< what to do next; `do` in JSON
  std::string_view meaning{};  ///< a paragraph
  std::string_view confirm{};  ///< what to run or to look at
};

/// The one place where codes become advice: explain/errors.cpp, explain/reasons.cpp.
[[nodiscard]] advice advise(errc what) noexcept;
/// @copydoc advise(errc)
[[nodiscard]] advice advise(reason why) noexcept;

/// A code with what it means here. Never holds a secret: no key, no text to be sent.
struct problem {
  std::string code;
  std::string seen;
  std::string expected;
  std::string action;
  std::optional<std::uint32_t> offset_bytes{};  ///< into the input, where that is octets or text
  std::int32_t native = 0;                      ///< the TLS library's own code; 0 if none
  std::string pointer{};                        ///< RFC 6901, where the input is JSON
  std::string suggestion{};                     ///< what to write instead, where that can be told
  bool in_command_line = false;                 ///< what was typed is at fault, no document
};

/// `detail` is appended to what was seen, if not empty.
[[nodiscard]] problem describe(errc what, std::string_view detail = {});
/// @copydoc describe(errc, std::string_view)
[[nodiscard]] problem describe(reason why, std::string_view detail = {});
/// A command line that cannot be obeyed; code `usage`.
[[nodiscard]] problem describe_usage(std::string_view seen, std::string_view verb = {});

/// The exit codes, the same for every verb.
enum class exit_code : int {
  ok = 0,
  warning = 1,     ///< accepted, but something else went wrong
  refused = 2,     ///< refused, or critical
  no_verdict = 3,  ///< usage, unreadable input, DNS, TCP, timeout, TLS failure without a verdict
};

/// The one to end with after both: a refusal outweighs no verdict, that a warning, that success.
[[nodiscard]] exit_code worse(exit_code a, exit_code b) noexcept;

}  // namespace cotter::command
