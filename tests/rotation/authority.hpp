// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/time.hpp>

#include <memory>
#include <string>

namespace rotation {

/// A certificate and its key, in files.
struct certificate {
  std::string chain_file{};  ///< PEM
  std::string key_file{};    ///< PEM
  cotter::instant not_before{};
  cotter::instant not_after{};
};

/// A private CA whose root is good from 2020 to 2049. Its translation unit is the only one of this
/// folder that sees OpenSSL without cotter.
class authority {
 public:
  /// What it issues is written to `directory`, made anew.
  explicit authority(std::string directory);
  ~authority();
  [[nodiscard]] const std::string& root_pem() const { return root_pem_; }
  /// A leaf of `host` with a key of its own, P-256. `name` is that of its files.
  [[nodiscard]] certificate issue(const std::string& name, const std::string& host,
                                  cotter::instant not_before, cotter::instant not_after);

 private:
  struct implementation;
  std::string directory_;
  std::string root_pem_;
  std::unique_ptr<implementation> state_;
};

}  // namespace rotation
