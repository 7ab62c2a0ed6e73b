// SPDX-License-Identifier: BSL-1.0
#include "problem.hpp"

namespace cotter::command {

namespace {

problem make(std::string_view code, const advice& text, std::string_view detail) {
  problem p{std::string(code), std::string(text.seen), std::string(text.expected),
            std::string(text.action)};
  if (!detail.empty()) p.seen.append(": ").append(detail);
  return p;
}

}  // namespace

problem describe(errc what, std::string_view detail) {
  return make(code(what), advise(what), detail);
}

problem describe(reason why, std::string_view detail) {
  return make(to_string(why), advise(why), detail);
}

problem describe_usage(std::string_view seen, std::string_view verb) {
  const std::string help =
      verb.empty() ? "cotter --help" : "cotter " + std::string(verb) + " --help";
  problem p{"usage", std::string(seen), "a command line as `" + help + "` describes it",
            "run `" + help + "`"};
  p.in_command_line = true;
  return p;
}

exit_code worse(exit_code a, exit_code b) noexcept {
  constexpr auto rank = [](exit_code c) noexcept {
    switch (c) {
      case exit_code::ok:
        return 0;
      case exit_code::warning:
        return 1;
      case exit_code::no_verdict:
        return 2;
      case exit_code::refused:
        return 3;
    }
    return 3;
  };
  return rank(a) >= rank(b) ? a : b;
}

}  // namespace cotter::command
