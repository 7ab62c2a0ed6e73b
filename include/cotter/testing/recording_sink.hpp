// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sink.hpp>
#include <cotter/policies/audit/heap_leaf.hpp>
#include <cotter/values/audit_record.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

/// An `audit_record` with text of its own.
struct recorded_decision {
  instant at{};
  std::string host;
  std::uint16_t port = 0;
  identity kind = identity::host;
  std::string backend;
  reason why = reason::unbound;
  matched by = matched::none;
  reason would_refuse = reason::none;
  error detail{};
  bool has_fingerprint = false;
  sha256_digest fingerprint{};
  std::string pin_label;
  breaker_state breaker = breaker_state::closed;
  bool resumed = false;
  std::string region;
  cause diagnosis = cause::none;
  evidence_set evidence{};
  std::string owner;         ///< `pin_owner`'s host
  std::string owner_region;
  library_version backend_version{};
  std::vector<std::uint8_t> leaf;

  friend bool operator==(const recorded_decision&, const recorded_decision&) = default;
};

/// Of an `audit_record` about anything but a decision.
struct recorded_change {
  audit_subject subject = audit_subject::decision;
  instant at{};
  std::string host;
  breaker_state before = breaker_state::closed;
  breaker_state after = breaker_state::closed;
  std::uint8_t streak = 0;
  bool alert = false;
  manifest_change manifest = manifest_change::none;
  std::uint64_t sequence = 0;
  reason lapsed = reason::none;
  error detail{};
  clock_fault clock = clock_fault::none;
  instant clock_says{};

  friend bool operator==(const recorded_change&, const recorded_change&) = default;
};

/// Keeps every record, copied. Uses the heap; ends the program if there is none left.
class recording_sink {
 public:
  using leaf_keeper = heap_leaf;

  /// @see audit_sink
  void record(const audit_record& what) noexcept {
    if (what.subject != audit_subject::decision) {
      changes_.push_back({what.subject, what.at, std::string(what.endpoint.host),
                          what.breaker_before, what.breaker, what.streak, what.alert,
                          what.manifest, what.sequence, what.lapsed, what.detail, what.clock,
                          what.clock_says});
      return;
    }
    const verdict& outcome = what.outcome;
    decisions_.push_back({what.at, std::string(what.endpoint.host), what.endpoint.port,
                          what.endpoint.kind, std::string(what.backend), outcome.reason(),
                          outcome.matched(), outcome.would_refuse(), outcome.detail(),
                          outcome.has_fingerprint(), outcome.fingerprint(),
                          std::string(outcome.pin_label()), what.breaker, what.resumed,
                          std::string(what.region), what.diagnosis.what, what.diagnosis.seen,
                          std::string(what.diagnosis.owner.endpoint.host),
                          std::string(what.diagnosis.owner.region), what.backend_version,
                          {what.leaf.begin(), what.leaf.end()}});
  }

  /// Oldest first.
  [[nodiscard]] const std::vector<recorded_decision>& decisions() const noexcept {
    return decisions_;
  }
  /// Of breaker, manifest and clock, oldest first.
  [[nodiscard]] const std::vector<recorded_change>& changes() const noexcept { return changes_; }

 private:
  std::vector<recorded_decision> decisions_;
  std::vector<recorded_change> changes_;
};

static_assert(audit_sink<recording_sink>);

}  // namespace testing
}  // namespace v0
}  // namespace cotter
