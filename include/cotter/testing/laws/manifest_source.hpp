// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/manifest_source.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/manifest.hpp>
#include <cotter/values/runtime.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 1> manifest_source_laws_by_review{{
    {"M3",
     "the concept demands noexcept; whether it blocks, and what threads share, shows in the "
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

/// A TLS library as it runs: `Backend::name` and `Backend::version()`.
struct running_library {
  std::string_view name{};
  library_version version{};
};

/// Checks M4 of a source whose manifest in force names the libraries that may verify: those of
/// `allowed`, at least one, and not those of `forbidden`.
template <manifest_source M>
[[nodiscard]] law_report check_manifest_source_restricts(
    const M& source, std::span<const running_library> allowed,
    std::span<const running_library> forbidden) {
  law_report report;
  if (!report.check("M4", "a source that restricts the library models runtime_restricting",
                    runtime_restricting<M>)) {
    return report;
  }
  if constexpr (runtime_restricting<M>) {
    report.check("M4", "the suite was told of a library that is allowed", !allowed.empty());
    for (const running_library& one : allowed) {
      const std::string name(one.name);
      report.check("M4", "what the manifest names is allowed", source.allows(name, one.version),
                   name);
      std::string upper = name;
      for (char& c : upper) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
      }
      for (const std::string& near :
           {std::string(), name + "x", " " + name, upper, name.substr(0, name.size() - 1)}) {
        const bool is_named =
            std::any_of(allowed.begin(), allowed.end(),
                        [&near](const running_library& other) { return other.name == near; });
        report.check("M4", "a library is allowed by its own name only",
                     is_named || !source.allows(near, one.version), near);
      }
    }
    for (const running_library& one : forbidden) {
      report.check("M4", "what the manifest does not name is not allowed",
                   !source.allows(one.name, one.version), std::string(one.name));
    }
  }
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
