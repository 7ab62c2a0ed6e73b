// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "audit/trail.hpp"
#include "kept_breaker.hpp"
#include "manifest.hpp"
#include "output.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace cotter::command {

/// `cotter breaker reset` as typed: either what to apply, or what to make a statement of.
struct reset_options {
  state_options state{};
  std::string statement{};  ///< envelope to apply
  trust_options trust{};
  std::string endpoint{};  ///< HOST:PORT of the lock
  std::string network{};
  std::uint32_t lock_epoch = 0;
  unsigned in_force_hours = 24;
  std::string key{};  ///< signs it; empty: the payload is written, for `cotter manifest sign`
  std::string out{};
  trail_options trail{};  ///< with `statement`: where it is written down
};

struct serve_options {
  std::string socket{};  ///< empty: the one that systemd opened
  std::string directory{};
  std::vector<std::string> users{};  ///< names or numbers
};

/// `--state` and its companions, wherever a breaker's state is used.
void add_state(CLI::App& verb, state_options& into, const char* option);

[[nodiscard]] exit_code init_breaker(const state_options& options, format how);
[[nodiscard]] exit_code show_breaker(const state_options& options, format how);
[[nodiscard]] exit_code reset_breaker(const reset_options& options, format how);
/// Serves until it is told to end (SIGTERM, SIGINT).
[[nodiscard]] exit_code serve_vault(const serve_options& options, format how);

/// The command lines of `cotter breaker ...` and `cotter vault ...`.
class breaker_verbs {
 public:
  breaker_verbs() = default;
  breaker_verbs(const breaker_verbs&) = delete;
  breaker_verbs& operator=(const breaker_verbs&) = delete;

  void add_to(CLI::App& app, bool& as_json, const char* footer);
  /// Runs the verb that was typed; nothing if it was none of these.
  [[nodiscard]] std::optional<exit_code> run(format how) const;

 private:
  CLI::App* init_ = nullptr;
  CLI::App* status_ = nullptr;
  CLI::App* reset_ = nullptr;
  CLI::App* serve_ = nullptr;
  state_options state_{};
  reset_options reset_options_{};
  serve_options serve_options_{};
};

}  // namespace cotter::command
