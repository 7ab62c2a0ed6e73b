// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "handshake_bench.hpp"

#include <wolfssl/openssl/ssl.h>
#include <wolfssl/wolfcrypt/hash.h>

#include <cstring>

namespace handshake_bench {

namespace {

int do_nothing(int good, WOLFSSL_X509_STORE_CTX* store) {
  if (store->error_depth != 0) return good;
  return timed_in_hook([good] { return good == 1; }) ? 1 : 0;
}

int usual_snippet(int good, WOLFSSL_X509_STORE_CTX* store) {
  if (good != 1 || store->error_depth != 0) return good;
  return timed_in_hook([store] {
    int size = 0;
    const unsigned char* der = wolfSSL_X509_get_der(store->current_cert, &size);
    std::array<std::uint8_t, 32> digest;
    return der != nullptr && wc_Sha256Hash(der, static_cast<word32>(size), digest.data()) == 0 &&
           same_as_expected(digest);
  })
             ? 1
             : 0;
}

int own_digest(int good, WOLFSSL_X509_STORE_CTX* store) {
  if (good != 1 || store->error_depth != 0) return good;
  return timed_in_hook([store] {
    std::array<std::uint8_t, 32> digest;
    unsigned size = 0;
    return wolfSSL_X509_digest(store->current_cert, wolfSSL_EVP_sha256(), digest.data(), &size) ==
               WOLFSSL_SUCCESS &&
           std::memcmp(digest.data(), expected->fingerprint.octets.data(), 32) == 0;
  })
             ? 1
             : 0;
}

class library {
 public:
  using backend = cotter::backends::wolfssl;
  using client = backend::client;

  explicit library(const bench_leaf::leaf& leaf) {
    // Those that attach would leave, so that the hello is the same.
    static constexpr char suites[] =
        "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:"
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
    valid_ = context_.valid() && context_.load_anchors_file(leaf.anchor_file.c_str()) &&
             wolfSSL_CTX_set_cipher_list(context_.native(), suites) == WOLFSSL_SUCCESS;
  }
  [[nodiscard]] bool valid() const { return valid_; }
  backend::context& context(arm) { return context_; }
  void ready(client& one, arm which) {
    WOLFSSL* ssl = one.native();
    VerifyCallback hook = nullptr;
    if (which == arm::hooked) hook = &do_nothing;
    if (which == arm::snippet) hook = &usual_snippet;
    if (which == arm::digest || which == arm::again) hook = &own_digest;
    wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_PEER, hook);
    wolfSSL_set_options(ssl, WOLFSSL_OP_NO_TICKET | WOLFSSL_OP_NO_COMPRESSION);
    wolfSSL_check_domain_name(ssl, bench_leaf::host);
    wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, bench_leaf::host,
                   static_cast<word16>(std::strlen(bench_leaf::host)));
  }

 private:
  backend::context context_;
  bool valid_ = false;
};

}  // namespace

void add_wolfssl(const bench_leaf::leaf& leaf) {
  add<library>(leaf, 0x0303, 20);
  add<library>(leaf, 0x0304, 40);
}

}  // namespace handshake_bench
