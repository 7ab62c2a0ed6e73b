// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "address.hpp"
#include "problem.hpp"

#include <cotter/values/target.hpp>
#include <cotter/values/tls_version.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cotter::command {

/// One look at one edge: a handshake that is always broken off before Finished, so that nothing but
/// a ClientHello and an alert is ever sent.
struct capture_request {
  target whom{};
  tcp_address to{};
  std::string ca_file{};
  tls_version version = tls_version::tls1_2;
  std::chrono::steady_clock::time_point deadline{};
};

/// What a TLS library saw there.
struct capture_report {
  bool tcp = false;
  std::vector<std::uint8_t> leaf{};    ///< as it came; empty if none came
  bool trusted = false;                ///< chain, name and validity, by the library
  std::string fault{};                 ///< in the library's words, if not trusted
  std::optional<problem> wrong{};      ///< why there is no leaf
};

/// What the peer sent, and what OpenSSL made of it.
struct chain_report {
  bool tcp = false;
  std::vector<std::vector<std::uint8_t>> presented{};  ///< as they came, in their order
  std::vector<std::vector<std::uint8_t>> validated{};  ///< leaf to anchor; empty if not trusted
  bool trusted = false;                                ///< by `ca_file`
  std::string fault{};
  bool publicly_trusted = false;                       ///< by `public_ca_file`
  std::optional<problem> wrong{};
};

/// Takes the whole chain, by OpenSSL. `public_ca_file` may be missing: then nothing is public.
[[nodiscard]] chain_report capture_chain(const capture_request& request,
                                         const std::string& public_ca_file);

}  // namespace cotter::command
