// SPDX-License-Identifier: BSL-1.0
#include "selftest.hpp"

#include "backends.hpp"

#include <algorithm>
#include <string_view>

namespace cotter::command {

namespace {

std::string_view outcome_text(reason why) {
  return why == reason::none ? "accepted" : to_string(why);
}

json object(const backend_face& backend, const self_test_outcome& outcome) {
  json cases = json::array();
  for (const self_test_line& one : outcome.lines) {
    cases.push_back({{"name", one.name},
                     {"passed", one.passed},
                     {"seen", outcome_text(one.seen)},
                     {"expected", outcome_text(one.expected)}});
  }
  json line{{"backend", backend.name()},
            {"build", backend.build()},
            {"passed", outcome.passed},
            {"server_side_available", outcome.server_side_available},
            {"cases", cases}};
  if (!outcome.passed) line["do"] = outcome.advice;
  return line;
}

std::string text(const backend_face& backend, const self_test_outcome& outcome) {
  std::size_t width = 0;
  for (const self_test_line& one : outcome.lines) width = std::max(width, one.name.size());
  std::string out = std::string(backend.name()) + "  " + printable(backend.build()) + "\n";
  for (const self_test_line& one : outcome.lines) {
    out += one.passed ? "  pass  " : "  FAIL  ";
    out += std::string(one.name) + std::string(width - one.name.size() + 2, ' ');
    out += outcome_text(one.seen);
    if (!one.passed) out += ", expected " + std::string(outcome_text(one.expected));
    out += "\n";
  }
  if (!outcome.passed) out += "  do    " + std::string(outcome.advice) + "\n";
  return out;
}

}  // namespace

exit_code selftest(const std::string& backend, format how) {
  exit_code worst = exit_code::ok;
  for (const backend_face* each : all_backends()) {
    if (!backend.empty() && each->name() != backend) continue;
    const self_test_outcome outcome = each->self_test();
    if (how == format::json_lines) {
      write_line(object(*each, outcome));
    } else {
      write_text(text(*each, outcome));
    }
    if (outcome.passed) continue;
    worst =
        worse(worst, outcome.server_side_available ? exit_code::refused : exit_code::no_verdict);
  }
  return worst;
}

}  // namespace cotter::command
