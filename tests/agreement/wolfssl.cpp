// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "guarded_trial.hpp"

namespace {

using library = cotter::backends::wolfssl;

std::map<std::string, std::string> exported(const std::vector<std::uint8_t>& der) {
  const std::unique_ptr<WOLFSSL_X509, decltype(&wolfSSL_X509_free)> parsed(
      wolfSSL_X509_d2i(nullptr, der.data(), static_cast<int>(der.size())), &wolfSSL_X509_free);
  if (!parsed) return {};
  int size = 0;
  const unsigned char* encoded = wolfSSL_X509_get_der(parsed.get(), &size);
  if (encoded == nullptr || size <= 0) return {};
  return {{"wolfSSL_X509_get_der",
           agreement::sha256_hex<library>({encoded, static_cast<std::size_t>(size)})}};
}

}  // namespace

agreement::backend agreement::wolfssl() {
  return make_backend<library>({0x0303, 0x0304}, &exported);
}
