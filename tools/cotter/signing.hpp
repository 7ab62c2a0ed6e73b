// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "problem.hpp"

#include <cotter/values/signature.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace cotter::command {

/// A key that signs documents: ECDSA on P-256, or Ed25519. Wiped by OpenSSL when it goes.
class signing_key {
 public:
  /// Reads a PEM key without a passphrase; the file must belong to its user alone.
  ///
  /// Returns what went wrong: `unreadable`, `unfit_credentials` (no such key, or others may read
  /// it), `unsupported_key`. Says nothing of what is in the file.
  [[nodiscard]] std::optional<problem> load(const std::string& file);

  [[nodiscard]] signature_scheme scheme() const noexcept { return scheme_; }
  /// SubjectPublicKeyInfo in DER.
  [[nodiscard]] const std::string& public_key() const noexcept { return public_key_; }
  /// The signature as DSSE carries it, not encoded in base64. Empty if OpenSSL could not.
  [[nodiscard]] std::string sign(std::string_view message) const;

 private:
  std::shared_ptr<evp_pkey_st> key_{};
  signature_scheme scheme_ = signature_scheme::ecdsa_p256_sha256;
  std::string public_key_{};
};

}  // namespace cotter::command
