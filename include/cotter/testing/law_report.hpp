// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

/// One check of one law.
struct law_finding {
  std::string_view law;          ///< its number in cotter/concepts, "K3"
  std::string_view description;  ///< what was checked, as a sentence
  bool ok = false;
  std::string detail;            ///< what was seen instead; empty if ok
};

/// A law that no program can check from outside, and what stands for the check.
struct law_by_review {
  std::string_view law;
  std::string_view why;
};

/// What a law suite found. No test framework is needed: assert `holds()`, and print `summary()` or
/// the findings if it does not.
class law_report {
 public:
  /// Adds a check. Returns `ok`.
  bool check(std::string_view law, std::string_view description, bool ok, std::string detail = {}) {
    findings_.push_back({law, description, ok, ok ? std::string() : std::move(detail)});
    return ok;
  }

  [[nodiscard]] const std::vector<law_finding>& findings() const noexcept { return findings_; }

  /// True if something was checked and nothing was found broken.
  [[nodiscard]] bool holds() const noexcept {
    return !findings_.empty() && std::all_of(findings_.begin(), findings_.end(),
                                             [](const law_finding& f) { return f.ok; });
  }
  /// True if some check of `law` failed.
  [[nodiscard]] bool broken(std::string_view law) const noexcept {
    return std::any_of(findings_.begin(), findings_.end(),
                       [law](const law_finding& f) { return f.law == law && !f.ok; });
  }
  /// True if some check was of `law`.
  [[nodiscard]] bool checked(std::string_view law) const noexcept {
    return std::any_of(findings_.begin(), findings_.end(),
                       [law](const law_finding& f) { return f.law == law; });
  }
  /// A line for each check that failed.
  [[nodiscard]] std::string summary() const {
    std::string text;
    for (const law_finding& f : findings_) {
      if (f.ok) continue;
      text.append(f.law).append(": not so: ").append(f.description);
      if (!f.detail.empty()) text.append(" (").append(f.detail).append(")");
      text.append("\n");
    }
    return text;
  }

 private:
  std::vector<law_finding> findings_;
};

}  // namespace testing
}  // namespace v0
}  // namespace cotter
