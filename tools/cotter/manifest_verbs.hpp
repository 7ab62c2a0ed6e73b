// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "manifest.hpp"

#include <optional>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace cotter::command {

/// `--trust-key` and its companions, wherever a signed document is verified.
void add_trust(CLI::App& verb, trust_options& into);

/// The command lines of `cotter manifest ...` and `cotter rotation ...`.
class manifest_verbs {
 public:
  manifest_verbs() = default;
  manifest_verbs(const manifest_verbs&) = delete;
  manifest_verbs& operator=(const manifest_verbs&) = delete;

  void add_to(CLI::App& app, bool& as_json, const char* footer);
  /// Runs the verb that was typed; nothing if it was none of these.
  [[nodiscard]] std::optional<exit_code> run(format how) const;

 private:
  CLI::App* init_ = nullptr;
  CLI::App* lint_ = nullptr;
  CLI::App* sign_ = nullptr;
  CLI::App* attach_ = nullptr;
  CLI::App* verify_ = nullptr;
  CLI::App* show_ = nullptr;
  CLI::App* header_ = nullptr;
  CLI::App* keys_ = nullptr;
  CLI::App* plan_ = nullptr;
  init_options init_options_{};
  lint_options lint_options_{};
  sign_options sign_options_{};
  attach_options attach_options_{};
  verify_options verify_options_{};
  std::string shown_{};
  header_options header_options_{};
  keys_options keys_options_{};
  plan_options plan_options_{};
};

}  // namespace cotter::command
