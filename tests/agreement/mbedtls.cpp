// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "guarded_trial.hpp"

namespace {

using library = cotter::backends::mbedtls;

std::map<std::string, std::string> exported(const std::vector<std::uint8_t>& der) {
  mbedtls_x509_crt parsed;
  mbedtls_x509_crt_init(&parsed);
  std::map<std::string, std::string> out;
  if (mbedtls_x509_crt_parse_der(&parsed, der.data(), der.size()) == 0) {
    out["crt.raw"] = agreement::sha256_hex<library>({parsed.raw.p, parsed.raw.len});
  }
  mbedtls_x509_crt_free(&parsed);
  return out;
}

}  // namespace

agreement::backend agreement::mbedtls() {
#if MBEDTLS_VERSION_MAJOR >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
  return make_backend<library>({0x0303, 0x0304}, &exported);
#else
  return make_backend<library>({0x0303}, &exported);
#endif
}
