// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/manifest_source.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/manifest.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 1> manifest_source_laws_by_review{{
    {"M3", "the concept demands noexcept; whether it blocks, and what threads share, shows in the "
           "code, or under ThreadSanitizer"},
}};

/// Checks M1 and M2 of a source that has no genuine manifest: none was given to it, or one that its
/// rules refuse.
template <manifest_source M>
[[nodiscard]] law_report check_manifest_source_refuses(const M& source) {
  law_report report;
  const manifest_standing standing = source.current();
  report.check("M1", "without a verified manifest there is a reason to refuse",
               standing.problem != reason::none);
  report.check("M2", "the sequence stands still while nothing changes",
               source.current().sequence == standing.sequence);
  return report;
}

/// Checks M1 and M2 of a source whose verified manifest is in force. `update` takes the number of
/// the round and gives the source something to consider: newer, older, forged, nothing. It returns
/// true while a verified manifest is still in force.
template <manifest_source M, typename Update>
[[nodiscard]] law_report check_manifest_source_laws(const M& source, Update&& update,
                                                    int rounds = 4) {
  law_report report;
  report.check("M1", "a verified manifest is in force", source.current().problem == reason::none,
               std::string(to_string(source.current().problem)));
  std::uint64_t highest = source.current().sequence;
  for (int round = 0; round < rounds; ++round) {
    const bool in_force = update(round);
    const manifest_standing standing = source.current();
    const std::string at = "round " + std::to_string(round) + ": " +
                           std::string(to_string(standing.problem)) + ", sequence " +
                           std::to_string(standing.sequence) + " after " + std::to_string(highest);
    report.check("M1", "there is no reason to refuse exactly while a verified manifest is in force",
                 (standing.problem == reason::none) == in_force, at);
    report.check("M2", "the sequence never decreases", standing.sequence >= highest, at);
    if (standing.sequence > highest) highest = standing.sequence;
  }
  return report;
}

/// The same for a source that nothing changes.
template <manifest_source M>
[[nodiscard]] law_report check_manifest_source_laws(const M& source) {
  return check_manifest_source_laws(source, [](int) { return true; });
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
