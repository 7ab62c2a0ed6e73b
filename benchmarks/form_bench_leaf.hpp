// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/digest.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// The leaves that benchmarks decide about, made anew by every process. OpenSSL stays in their
/// translation unit, so that any library may be measured with them.
namespace bench_leaf {

inline constexpr char host[] = "sip.voice.example";

struct leaf {
  std::string name;                      ///< "p256" or "rsa"
  std::vector<std::uint8_t> der;         ///< 901 or 1,727 octets, as leaves of public CAs are
  std::vector<std::uint8_t> issuer_der;  ///< an intermediate, signed by the anchor
  std::vector<std::uint8_t> anchor_der;
  cotter::sha256_digest fingerprint;
  std::string fingerprint_hex;  ///< lower case
  std::string key_base64;       ///< SHA-256 of the SubjectPublicKeyInfo
  std::string chain_file;       ///< PEM, the leaf and its issuer; gone when the process ends
  std::string key_file;         ///< PEM
  std::string anchor_file;      ///< PEM
};

/// P-256, signed by P-256 below P-256; good for `host`, today.
const leaf& p256();
/// RSA-2048, signed by RSA-2048 below RSA-2048.
const leaf& rsa();

}  // namespace bench_leaf
