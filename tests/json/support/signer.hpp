// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace lab {

/// A key of the tests, made anew, and what it signs. OpenSSL's, whichever library verifies.
class signer {
 public:
  enum class algorithm { p256, ed25519, rsa, p256_compressed };
  explicit signer(algorithm of = algorithm::p256);
  [[nodiscard]] const std::string& spki() const { return spki_; }
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] std::string sign(std::string_view message) const;

 private:
  std::shared_ptr<void> key_;
  std::string spki_;
};

}  // namespace lab
