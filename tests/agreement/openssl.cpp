// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include "guarded_trial.hpp"

namespace {

using library = cotter::backends::openssl;

std::map<std::string, std::string> exported(const std::vector<std::uint8_t>& der) {
  const unsigned char* at = der.data();
  const std::unique_ptr<X509, decltype(&X509_free)> parsed(
      d2i_X509(nullptr, &at, static_cast<long>(der.size())), &X509_free);
  ERR_clear_error();
  if (!parsed) return {};
  std::map<std::string, std::string> out;
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(parsed.get(), &encoded);
  if (size > 0) {
    out["i2d_X509"] = agreement::sha256_hex<library>({encoded, static_cast<std::size_t>(size)});
  }
  OPENSSL_free(encoded);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned digest_size = 0;
  if (X509_digest(parsed.get(), EVP_sha256(), digest, &digest_size) == 1) {
    out["X509_digest"] = agreement::hex({digest, digest_size});
  }
  return out;
}

}  // namespace

agreement::backend agreement::openssl() {
  return make_backend<library>({0x0303, 0x0304}, &exported);
}

agreement::backend agreement::openssl_without_raw_octets() {
  return make_backend<library>({0x0303, 0x0304}, &exported, [](SSL* ssl) {
    SSL_set_msg_callback(ssl, [](int, int, int, const void*, std::size_t, SSL*, void*) {});
  });
}
