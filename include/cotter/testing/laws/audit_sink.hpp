// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sink.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/audit_record.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 3> audit_sink_laws_by_review{{
    {"A1", "when and how often a sink is called is the guard's doing: tests/pipeline counts"},
    {"A4", "the concept demands it; when a leaf is kept is the connection's doing: tests/pipeline"},
    {"A5", "what a sink is given is the guard's doing: tests/pipeline counts"},
}};

/// Checks A2 and A3.
///
/// `contents(sink)` is everything the sink would tell, in anything that compares by value (a
/// string, a vector); `kept(sink)` how many records it has, `dropped(sink)` how many it says it has
/// lost. A sink that passes records on keeps what it passed on.
template <audit_sink S, typename Contents, typename Kept, typename Dropped>
[[nodiscard]] law_report check_audit_sink_laws(S& sink, Contents&& contents, Kept&& kept,
                                               Dropped&& dropped, unsigned records = 100) {
  law_report report;
  std::string host = "sink.law.example";
  std::string backend = "some-library";
  std::string label = "some label, longer than any small string that is kept in place";
  const auto outcome = verdict::accept(matched::primary).with_label(label);
  sink.record({instant{std::chrono::seconds{1'800'000'000}}, {host, 443}, backend, outcome,
               breaker_state::closed});
  const auto before = contents(sink);
  for (std::string* lent : {&host, &backend, &label}) lent->assign(lent->size(), '!');
  report.check("A2", "a record is kept without what it borrows", contents(sink) == before);

  for (unsigned i = 1; i < records; ++i) {
    const std::string each = "host-" + std::to_string(i) + ".law.example";
    sink.record({instant{std::chrono::seconds{i}}, {each, 443}, {}, verdict{},
                 breaker_state::closed});
  }
  const auto total = static_cast<std::uint64_t>(kept(sink)) + dropped(sink);
  report.check("A3", "what was recorded is kept, or counted as dropped", total == records,
               std::to_string(kept(sink)) + " kept and " + std::to_string(dropped(sink)) +
                   " dropped of " + std::to_string(records));
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
