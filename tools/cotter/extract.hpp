// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "capture.hpp"
#include "certificates.hpp"
#include "output.hpp"

#include <cotter/values/target.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace cotter::command {

inline constexpr const char* public_ca_bundle = "/etc/ssl/certs/ca-certificates.crt";

/// `cotter extract` as it was typed; nothing has been checked yet.
struct extract_options {
  std::string endpoint{};  ///< HOST:PORT, an IPv6 address in brackets
  std::string ca_file = public_ca_bundle;
  std::string public_ca_file = public_ca_bundle;
  std::vector<std::string> addresses{};  ///< instead of what the name resolves to
  bool sip = false;                      ///< RFC 5922 naming
  double timeout_s = 10;                 ///< for each look
};

/// What one TLS library saw at one edge.
struct library_view {
  std::string_view backend{};
  std::string_view build{};
  bool speaks = true;  ///< false: the library has no such version
  capture_report seen{};
  std::optional<sha256_digest> fingerprint{};  ///< over form C
};

/// One address, one TLS version, every library.
struct edge_view {
  tcp_address address{};
  tls_version version = tls_version::tls1_2;
  chain_report chain{};
  std::vector<certificate_facts> presented{};
  std::vector<certificate_facts> validated{};
  std::vector<library_view> libraries{};
};

/// What is wrong with what was seen; `weight` as an exit code.
struct extract_warning {
  std::string code{};
  exit_code weight = exit_code::warning;
  std::string text{};
};

/// Everything that was seen of one host.
struct extraction {
  std::string host{};
  std::uint16_t port = 0;
  identity kind = identity::host;
  std::vector<edge_view> edges{};   ///< those that a leaf was seen at
  std::vector<edge_view> silent{};  ///< those without
  std::vector<extract_warning> warnings{};
  std::vector<std::size_t> leaves{};  ///< indices of edges with leaves that differ, the first first
  bool agree = false;                 ///< one leaf everywhere, by every library
};

/// HOST:PORT; `host` is canonical afterwards or `invalid_host` says why not.
[[nodiscard]] std::optional<problem> read_endpoint(std::string_view text, std::string& host,
                                                   std::uint16_t& port);

/// Looks at every address, in both TLS versions, through every library. Sends no application data.
///
/// Returns what went wrong before anything could be looked at.
[[nodiscard]] std::optional<problem> look(const extract_options& options, extraction& out);

/// `cotter extract`.
[[nodiscard]] exit_code extract(const extract_options& options, format how);

}  // namespace cotter::command
