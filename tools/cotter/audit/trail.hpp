// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../problem.hpp"

#include <cotter/policies/audit/heap_leaf.hpp>
#include <cotter/values/audit_record.hpp>

#include <memory>
#include <optional>
#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace cotter::command {

/// Where a verb writes down what it decides.
struct trail_options {
  std::string directory{};  ///< a spool; empty: nowhere
  std::string client{};     ///< what events call this installation
};

/// An `audit_sink` into a spool, or into nothing.
class command_sink {
 public:
  static constexpr bool wants_leaf = true;
  using leaf_keeper = heap_leaf;

  command_sink();
  ~command_sink();
  command_sink(const command_sink&) = delete;
  command_sink& operator=(const command_sink&) = delete;

  /// Opens the spool, if there is one to be; it must have been made by `cotter audit init`.
  [[nodiscard]] std::optional<problem> open(const trail_options& options);

  /// @see audit_sink
  void record(const audit_record& what) noexcept;

  /// Ends the spool's file. Returns what became of events that it could not take.
  [[nodiscard]] std::optional<problem> close(const trail_options& options);

 private:
  struct spool;
  std::unique_ptr<spool> to_;
};

/// `--audit` and its companion, wherever decisions are made.
void add_trail(CLI::App& verb, trail_options& into);

/// Ends the trail and says on stderr what could not be written down; then a warning.
[[nodiscard]] exit_code report_trail(command_sink& trail, const trail_options& options);

/// What a person is told of a fault of a spool.
[[nodiscard]] problem describe_spool(const error& e, const std::string& directory);

}  // namespace cotter::command
