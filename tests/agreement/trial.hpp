// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

/// One handshake of one backend with a server that sends given octets. No TLS library is seen here.
namespace agreement {

struct question {
  std::string host;
  std::string anchors_pem{};      ///< the CA bundle
  std::vector<std::string> pins;  ///< spelled as `parse_pin` takes them; any of them will do
  std::vector<std::uint8_t> leaf;
  std::vector<std::uint8_t> sound_leaf;
  std::vector<std::uint8_t> key_pkcs8;
  std::vector<std::vector<std::uint8_t>> intermediates;
  int version = 0x0304;
};

struct answer {
  bool accepted = false;         ///< `confirm` accepts
  bool server_finished = false;  ///< the server has the client's Finished
  std::string reason;            ///< of the verdict, `none` if accepted
  std::string detail;            ///< the encoding's error under the reason, or `ok`
  int native = 0;                ///< the TLS library's own code, of the chain or of the handshake
  std::string fingerprint;       ///< hex; empty if there was none
};

struct backend {
  std::string name;
  std::string build;          ///< the library that runs, with its version
  std::vector<int> versions;  ///< TLS versions it can speak
  std::function<answer(const question&)> ask;
  /// What the library's own export functions make of DER that it parses: SHA-256 in hex by
  /// function. Empty if it does not parse.
  std::function<std::map<std::string, std::string>(const std::vector<std::uint8_t>&)> exported;
};

#ifdef COTTER_TEST_OPENSSL
backend openssl();
/// The application has taken the message callback: there are no octets as sent.
backend openssl_without_raw_octets();
#endif
#ifdef COTTER_TEST_WOLFSSL
backend wolfssl();
#endif
#ifdef COTTER_TEST_MBEDTLS
backend mbedtls();
#endif

}  // namespace agreement
