// SPDX-License-Identifier: BSL-1.0
#include "run_backend.hpp"

#include <cotter/backends/openssl.hpp>

namespace cotter::command {

namespace {

struct openssl_words {
  static std::string chain_fault(std::int32_t native) {
    return native == 0 ? "" : X509_verify_cert_error_string(native);
  }
  static std::string tls_fault(std::int32_t native) {
    const char* text =
        native == 0 ? nullptr : ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, native));
    return text == nullptr ? "" : text;
  }
};

}  // namespace

const backend_face& openssl_face() {
  // A configuration file that the environment names could load providers and change defaults.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  static const run_backend<backends::openssl, openssl_words> face;
  return face;
}

}  // namespace cotter::command
