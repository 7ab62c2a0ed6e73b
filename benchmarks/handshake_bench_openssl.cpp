// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include "handshake_bench.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <memory>

namespace handshake_bench {

namespace {

int do_nothing(int good, X509_STORE_CTX* store) {
  if (X509_STORE_CTX_get_error_depth(store) != 0) return good;
  return timed_in_hook([good] { return good == 1; }) ? 1 : 0;
}

int usual_snippet(int good, X509_STORE_CTX* store) {
  if (good != 1 || X509_STORE_CTX_get_error_depth(store) != 0) return good;
  return timed_in_hook([store] {
    unsigned char* der = nullptr;
    const int size = i2d_X509(X509_STORE_CTX_get_current_cert(store), &der);
    if (size < 0) return false;
    std::array<std::uint8_t, 32> digest;
    const bool done = EVP_Digest(der, static_cast<std::size_t>(size), digest.data(), nullptr,
                                 EVP_sha256(), nullptr) == 1;
    OPENSSL_free(der);
    return done && same_as_expected(digest);
  })
             ? 1
             : 0;
}

int own_digest(int good, X509_STORE_CTX* store) {
  if (good != 1 || X509_STORE_CTX_get_error_depth(store) != 0) return good;
  return timed_in_hook([store] {
    std::array<std::uint8_t, 32> digest;
    return X509_digest(X509_STORE_CTX_get_current_cert(store), EVP_sha256(), digest.data(),
                       nullptr) == 1 &&
           CRYPTO_memcmp(digest.data(), expected->fingerprint.octets.data(), 32) == 0;
  })
             ? 1
             : 0;
}

/// Contexts alike in everything that `attach` would otherwise change, so that the hook is all that
/// differs.
class library {
 public:
  using backend = cotter::backends::openssl;
  struct client : cotter::backends::detail::openssl_engine {
    explicit client(SSL_CTX* from) : openssl_engine(from) {
      if (valid()) SSL_set_connect_state(native());
    }
  };

  explicit library(const bench_leaf::leaf& leaf) {
    using verify_callback = int (*)(int, X509_STORE_CTX*);
    static constexpr verify_callback hooks[arms] = {
        nullptr, nullptr, do_nothing, usual_snippet, own_digest, own_digest, nullptr};
    for (std::size_t i = 0; i < arms; ++i) {
      contexts_[i].reset(SSL_CTX_new(TLS_client_method()));
      SSL_CTX* ctx = contexts_[i].get();
      valid_ = valid_ && ctx != nullptr &&
               SSL_CTX_load_verify_file(ctx, leaf.anchor_file.c_str()) == 1 &&
               SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
               SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
      if (!valid_) return;
      SSL_CTX_set_security_level(ctx, 2);
      SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
      SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
      SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
      SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, hooks[i]);
    }
  }
  [[nodiscard]] bool valid() const { return valid_; }
  SSL_CTX* context(arm which) { return contexts_[static_cast<std::size_t>(which)].get(); }
  void ready(client& one, arm) {
    SSL_set1_host(one.native(), bench_leaf::host);
    // SSL_set_tlsext_host_name without its old-style cast.
    void* text = const_cast<char*>(bench_leaf::host);  // NOLINT(*-const-cast): copied
    SSL_ctrl(one.native(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, text);
  }

 private:
  struct freed {
    void operator()(SSL_CTX* ctx) const noexcept { SSL_CTX_free(ctx); }
  };
  std::array<std::unique_ptr<SSL_CTX, freed>, arms> contexts_;
  bool valid_ = true;
};

}  // namespace

void add_openssl(const bench_leaf::leaf& leaf) {
  for (const int version : {0x0303, 0x0304}) add<library>(leaf, version, 60);
}

}  // namespace handshake_bench
