// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/peer_history.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/diagnosis.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 0> peer_history_laws_by_review{};

/// Checks H1 and H2 of a history that remembers nothing yet, or nothing ever.
template <peer_history H>
[[nodiscard]] law_report check_peer_history_laws(H& history, unsigned targets = 50) {
  law_report report;
  const auto traits = [](unsigned i) {
    return leaf_traits{i + 1u, i + 2u, instant{std::chrono::seconds{i}}, i % 2 == 0};
  };
  report.check("H1", "nothing is recalled of what was never remembered",
               !history.recall({"history.law.example", 443}));
  std::vector<std::string> hosts;
  bool truthful = true;
  for (unsigned i = 0; i < targets; ++i) {
    hosts.push_back("host-" + std::to_string(i) + ".law.example");
    std::string lent = hosts.back();
    history.remember({lent, 443}, traits(i));
    lent.assign(lent.size(), '!');
    for (unsigned k = 0; k <= i; ++k) {
      const leaf_traits found = history.recall({hosts[k], 443});
      truthful = truthful && (!found || found == traits(k));
      truthful = truthful && !history.recall({hosts[k], 5061});
    }
  }
  report.check("H2", "what was lent is not kept", truthful && !history.recall({"!", 443}));
  history.remember({hosts[0], 443}, traits(777));
  const leaf_traits last = history.recall({hosts[0], 443});
  report.check("H1", "what is recalled was remembered last, for this host and port",
               truthful && (!last || last == traits(777)));
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
