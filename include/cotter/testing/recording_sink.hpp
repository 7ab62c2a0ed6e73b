// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sink.hpp>
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

  friend bool operator==(const recorded_decision&, const recorded_decision&) = default;
};

/// Keeps every record, copied. Uses the heap; ends the program if there is none left.
class recording_sink {
 public:
  /// @see audit_sink
  void record(const audit_record& what) noexcept {
    const verdict& outcome = what.outcome;
    decisions_.push_back({what.at, std::string(what.endpoint.host), what.endpoint.port,
                          what.endpoint.kind, std::string(what.backend), outcome.reason(),
                          outcome.matched(), outcome.would_refuse(), outcome.detail(),
                          outcome.has_fingerprint(), outcome.fingerprint(),
                          std::string(outcome.pin_label()), what.breaker});
  }

  /// Oldest first.
  [[nodiscard]] const std::vector<recorded_decision>& decisions() const noexcept {
    return decisions_;
  }

 private:
  std::vector<recorded_decision> decisions_;
};

static_assert(audit_sink<recording_sink>);

}  // namespace testing
}  // namespace v0
}  // namespace cotter
