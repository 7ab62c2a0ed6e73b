// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/notifier.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/reservation.hpp>

#include <array>
#include <string>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 1> notifier_laws_by_review{{
    {"N2", "that it is called outside the lock is the guard's doing: tests/pipeline calls the guard "
           "from a notifier"},
}};

/// Checks N1. `contents(subject)` is everything it would tell, in anything that compares by value.
template <notifier N, typename Contents>
[[nodiscard]] law_report check_notifier_laws(N& subject, Contents&& contents) {
  law_report report;
  std::string host = "notifier.law.example";
  std::string network = "a network id, longer than any small string that is kept in place";
  subject.notify({{host, 443}, network}, {breaker_state::cooling, 2, 2, true});
  const auto before = contents(subject);
  for (std::string* lent : {&host, &network}) lent->assign(lent->size(), '!');
  report.check("N1", "nothing that was lent is kept", contents(subject) == before);
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
