// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "problem.hpp"

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/digest.hpp>
#include <cotter/values/pin.hpp>
#include <cotter/values/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cotter::command {

using octets = std::vector<std::uint8_t>;

/// What the command needs to know of one certificate.
struct certificate_facts {
  octets der{};
  sha256_digest certificate{};            ///< over form C
  std::optional<sha256_digest> key{};     ///< over the SubjectPublicKeyInfo; none if not located
  std::optional<instant> not_before{};
  std::optional<instant> not_after{};
  std::optional<std::string> subject{};   ///< RFC 4514
  std::optional<std::string> issuer{};
  bool canonical = false;
  bool is_ca = false;                     ///< basicConstraints says so (RFC 5280 4.2.1.9)
  bool self_issued = false;
};

/// SHA-256, by OpenSSL; none if it could not allocate.
[[nodiscard]] std::optional<sha256_digest> sha256(bytes_view input);

/// Reads one certificate in DER or BER.
///
/// Returns what went wrong, with the offset: the codes of form C, or `out_of_memory`.
[[nodiscard]] std::optional<problem> examine(bytes_view der, certificate_facts& out);

/// Reads a certificate from the text or octets of a file: DER, or the first certificate of PEM.
///
/// Returns what went wrong: as `examine`, `pem_without_certificate`, `not_a_certificate`.
[[nodiscard]] std::optional<problem> examine_file(std::string_view content, certificate_facts& out);

/// All certificates of a PEM file in their order, or the one of a DER file.
[[nodiscard]] std::optional<problem> examine_all(std::string_view content,
                                                 std::vector<certificate_facts>& out);

/// `cert-sha256:<64 hex>`.
[[nodiscard]] std::string certificate_pin(const sha256_digest& digest);
/// `spki-sha256:<64 hex>`.
[[nodiscard]] std::string key_pin(const sha256_digest& digest);
/// In cotter's own spelling.
[[nodiscard]] std::string pin_text(const pin& value);
/// `sha256//<base64>`, `sha256/<base64>` and `pin-sha256="<base64>"` hold this base64.
[[nodiscard]] std::string base64(const sha256_digest& digest);

}  // namespace cotter::command
