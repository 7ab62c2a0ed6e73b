// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "extract.hpp"
#include "output.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cotter::command {

/// The options of `cotter manifest VERB`, as typed; nothing has been checked yet.
struct trust_options {
  std::vector<std::string> keys{};   ///< PEM public keys, or one key set
  unsigned threshold = 1;            ///< of PEM keys
  std::vector<std::string> chain{};  ///< key sets that follow
  std::string at{};                  ///< as of this time, RFC 3339; empty: now
};

struct init_options {
  std::vector<std::string> sources{};       ///< documents of the guide, or manifests
  std::vector<std::string> live{};          ///< HOST:PORT
  std::string ca_file = public_ca_bundle;   ///< for live edges
  std::string public_ca_file = public_ca_bundle;
  std::vector<std::string> addresses{};     ///< instead of DNS, for the one live endpoint
  std::string endpoint{};                   ///< HOST:PORT of certificates given as files
  std::vector<std::string> certificates{};  ///< PEM or DER: each leaf a primary
  std::vector<std::string> backups{};       ///< certificates or pins of keys kept offline
  bool by_key = false;                      ///< pin keys instead of certificates
  std::uint64_t sequence = 1;
  std::string issued{};                     ///< empty: now
  unsigned in_force_days = 90;
  std::optional<unsigned> window_days{};
  std::string reporting_endpoint{};
  std::string out{};
};

struct lint_options {
  std::string manifest{};
  std::string previous{};
  std::vector<std::string> certificates{};  ///< PEM or DER that pins may be of
  std::vector<std::string> baselines{};     ///< what `cotter extract --json` wrote
  std::vector<std::string> platforms{};     ///< documents of the platform
  std::vector<std::string> signing_keys{};  ///< PEM public keys of those who sign
  unsigned deployment_days = 30;
  std::vector<std::string> accepted{};
  std::string at{};
};

struct sign_options {
  std::string document{};  ///< a payload, or an envelope that gets one more signature
  std::string key{};
  std::string kind = "manifest";
  std::string previous{};  ///< the manifest in the field
  bool print = false;      ///< write the octets to sign instead of signing
  std::string out{};
};

struct attach_options {
  std::string document{};
  std::string signature{};   ///< raw octets or base64
  std::string public_key{};  ///< PEM; the signature must be its
  std::string kind = "manifest";
  std::string out{};
};

struct verify_options {
  std::string envelope{};
  trust_options trust{};
  std::string state{};
};

struct header_options {
  std::string envelope{};
  trust_options trust{};
  std::string name_space = "pins";
  std::string out{};
};

struct keys_options {
  std::uint64_t version = 1;
  std::vector<std::string> root{};    ///< PEM: may sign key sets
  std::vector<std::string> signer{};  ///< PEM: may sign manifests
  std::vector<std::string> reset{};   ///< PEM: may reset breakers; empty: the signers
  unsigned root_threshold = 1;
  unsigned signer_threshold = 1;
  unsigned reset_threshold = 1;
  std::string issued{};
  unsigned in_force_days = 365;
  std::string out{};
};

struct plan_options {
  std::string manifest{};
  std::string endpoint{};
  std::string region{};
  std::string successor{};  ///< a certificate file, a pin, or HOST:PORT of a live edge
  std::string ca_file = public_ca_bundle;
  std::vector<std::string> addresses{};
  bool by_key = false;
  std::string start{};
  std::optional<unsigned> window_days{};
  unsigned in_force_days = 90;
  std::string out_directory = ".";
};

[[nodiscard]] exit_code manifest_init(const init_options& options, format how);
[[nodiscard]] exit_code manifest_lint(const lint_options& options, format how);
[[nodiscard]] exit_code manifest_sign(const sign_options& options, format how);
[[nodiscard]] exit_code manifest_attach(const attach_options& options, format how);
[[nodiscard]] exit_code manifest_verify(const verify_options& options, format how);
[[nodiscard]] exit_code manifest_show(const std::string& file, format how);
[[nodiscard]] exit_code manifest_header(const header_options& options, format how);
[[nodiscard]] exit_code manifest_keys(const keys_options& options, format how);
[[nodiscard]] exit_code rotation_plan(const plan_options& options, format how);

}  // namespace cotter::command
