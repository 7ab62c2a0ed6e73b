// SPDX-License-Identifier: BSL-1.0
#include "run_backend.hpp"

#include <cotter/backends/wolfssl.hpp>

namespace cotter::command {

namespace {

struct wolfssl_words {
  static std::string chain_fault(std::int32_t native) { return tls_fault(native); }
  static std::string tls_fault(std::int32_t native) {
    const char* text = native == 0 ? nullptr
                                   : wolfSSL_ERR_reason_error_string(
                                         static_cast<unsigned long>(static_cast<long>(native)));
    return text == nullptr ? "" : text;
  }
};

}  // namespace

const backend_face& wolfssl_face() {
  static const run_backend<backends::wolfssl, wolfssl_words> face;
  return face;
}

}  // namespace cotter::command
