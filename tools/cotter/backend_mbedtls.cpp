// SPDX-License-Identifier: BSL-1.0
#include "run_backend.hpp"

#include <cotter/backends/mbedtls.hpp>

#include <mbedtls/error.h>
#include <mbedtls/x509_crt.h>

namespace cotter::command {

namespace {

struct mbedtls_words {
  /// One line of the several that the flags may make.
  static std::string chain_fault(std::int32_t native) {
    char text[512]{};
    if (native == 0 || mbedtls_x509_crt_verify_info(text, sizeof text, "",
                                                    static_cast<std::uint32_t>(native)) < 0) {
      return {};
    }
    const std::string_view all(text);
    return std::string(all.substr(0, all.find('\n')));
  }
  static std::string tls_fault(std::int32_t native) {
    char text[256]{};
    if (native != 0) mbedtls_strerror(native, text, sizeof text);
    return text;
  }
};

}  // namespace

const backend_face& mbedtls_face() {
  static const run_backend<backends::mbedtls, mbedtls_words> face;
  return face;
}

}  // namespace cotter::command
