// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../output.hpp"
#include "collector.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace cotter::command {

struct audit_init_options {
  std::string directory{};
  std::uint64_t max_bytes = std::uint64_t{16} << 20;
};

struct audit_show_options {
  std::string directory{};
  std::string format = "cotter";
  bool format_given = false;
  bool follow = false;
};

/// `cotter audit drain` as typed.
struct audit_drain_options {
  std::string directory{};
  std::string to{};  ///< https://..., file:PATH, syslog:[PATH], syslog+tls://HOST[:PORT], journald
  std::string output{};  ///< whose progress is remembered; empty: made from `to`
  std::string format = "cotter";
  std::string ca_file = "/etc/ssl/certs/ca-certificates.crt";
  std::vector<std::string> pins{};
  std::string authorization_file{};
  std::string backend = "openssl";
  double deadline_s = 30;
  bool now = false;  ///< although an earlier failure is to be waited out
  bool follow = false;
};

struct audit_withdraw_options {
  std::string directory{};
  std::string output{};
};

[[nodiscard]] exit_code init_audit(const audit_init_options& options, format how);
[[nodiscard]] exit_code show_audit_status(const std::string& directory, format how);
[[nodiscard]] exit_code show_audit(const audit_show_options& options, format how);
/// 0 if everything was delivered, 1 if something is left, 2 if events were dropped or damaged.
[[nodiscard]] exit_code drain_audit(const audit_drain_options& options, format how);
[[nodiscard]] exit_code withdraw_audit(const audit_withdraw_options& options, format how);

/// The command lines of `cotter audit ...`.
class audit_verbs {
 public:
  audit_verbs() = default;
  audit_verbs(const audit_verbs&) = delete;
  audit_verbs& operator=(const audit_verbs&) = delete;

  void add_to(CLI::App& app, bool& as_json, const char* footer);
  /// Runs the verb that was typed; nothing if it was none of these.
  [[nodiscard]] std::optional<exit_code> run(format how) const;

 private:
  CLI::App* init_ = nullptr;
  CLI::App* status_ = nullptr;
  CLI::App* show_ = nullptr;
  CLI::App* drain_ = nullptr;
  CLI::App* withdraw_ = nullptr;
  audit_init_options init_options_{};
  std::string status_directory_{};
  audit_show_options show_options_{};
  audit_drain_options drain_options_{};
  audit_withdraw_options withdraw_options_{};
};

}  // namespace cotter::command
