// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/handshake.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

/// The pipeline's side of a connection for testing a backend alone: writes down what it is told and
/// answers what it was told to answer, provided the chain is trusted.
class recording_observer final : public handshake_observer {
 public:
  explicit recording_observer(bool answer = true) noexcept : answer_(answer) {}

  void on_start() noexcept override { calls_ += 's'; }
  void on_leaf(bytes_view der) noexcept override {
    calls_ += 'l';
    leaf_.assign(der.begin(), der.end());
  }
  [[nodiscard]] bool on_chain(chain_outcome outcome) noexcept override {
    calls_ += 'c';
    outcome_ = outcome;
    return answer_ && outcome.trusted;
  }

  /// One letter a call, in order: `s`tart, `l`eaf, `c`hain.
  [[nodiscard]] const std::string& calls() const noexcept { return calls_; }
  /// The last leaf.
  [[nodiscard]] const std::vector<std::uint8_t>& leaf() const noexcept { return leaf_; }
  /// The last outcome.
  [[nodiscard]] const chain_outcome& outcome() const noexcept { return outcome_; }

 private:
  std::string calls_;
  std::vector<std::uint8_t> leaf_;
  chain_outcome outcome_{};
  bool answer_;
};

}  // namespace testing
}  // namespace v0
}  // namespace cotter
