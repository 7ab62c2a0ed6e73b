// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "handshake_bench.hpp"

#include <mbedtls/sha256.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#include <cstring>

namespace handshake_bench {

namespace {

#if MBEDTLS_VERSION_MAJOR >= 3
constexpr auto sha256_whole = mbedtls_sha256;
#else
constexpr auto sha256_whole = mbedtls_sha256_ret;
#endif

int refused(std::uint32_t* flags) {
  *flags |= MBEDTLS_X509_BADCERT_OTHER;
  return MBEDTLS_ERR_X509_FATAL_ERROR;
}

int do_nothing(void*, mbedtls_x509_crt*, int depth, std::uint32_t* flags) {
  if (depth != 0) return 0;
  return timed_in_hook([flags] { return *flags == 0; }) ? 0 : refused(flags);
}

int usual_snippet(void*, mbedtls_x509_crt* crt, int depth, std::uint32_t* flags) {
  if (depth != 0) return 0;
  return timed_in_hook([crt] {
    std::array<std::uint8_t, 32> digest;
    return sha256_whole(crt->raw.p, crt->raw.len, digest.data(), 0) == 0 &&
           same_as_expected(digest);
  })
             ? 0
             : refused(flags);
}

/// The library has no digest of a certificate: of its octets, compared as octets.
int own_digest(void*, mbedtls_x509_crt* crt, int depth, std::uint32_t* flags) {
  if (depth != 0) return 0;
  return timed_in_hook([crt] {
    std::array<std::uint8_t, 32> digest;
    return sha256_whole(crt->raw.p, crt->raw.len, digest.data(), 0) == 0 &&
           std::memcmp(digest.data(), expected->fingerprint.octets.data(), 32) == 0;
  })
             ? 0
             : refused(flags);
}

class library {
 public:
  using backend = cotter::backends::mbedtls;
  using client = backend::client;

  explicit library(const bench_leaf::leaf& leaf) {
    valid_ = context_.valid() && context_.load_anchors_file(leaf.anchor_file.c_str());
    mbedtls_ssl_conf_ciphersuites(context_.native(), backend::strong_suites);
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
    mbedtls_ssl_conf_session_tickets(context_.native(), MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
  }
  [[nodiscard]] bool valid() const { return valid_; }
  backend::context& context(arm) { return context_; }
  void ready(client& one, arm which) {
    mbedtls_ssl_set_hostname(one.native(), bench_leaf::host);
    if (which == arm::hooked) mbedtls_ssl_set_verify(one.native(), do_nothing, nullptr);
    if (which == arm::snippet) mbedtls_ssl_set_verify(one.native(), usual_snippet, nullptr);
    if (which == arm::digest || which == arm::again)
      mbedtls_ssl_set_verify(one.native(), own_digest, nullptr);
  }

 private:
  backend::context context_;
  bool valid_ = false;
};

}  // namespace

void add_mbedtls(const bench_leaf::leaf& leaf) {
  add<library>(leaf, 0x0303, 12);
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
  add<library>(leaf, 0x0304, 12);
#endif
}

}  // namespace handshake_bench
