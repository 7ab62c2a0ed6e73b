// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "idle_bench.hpp"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>

namespace idle_bench {

namespace {

struct mbedtls_lab : guarded_lab {
  mbedtls_lab() {
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random);
    mbedtls_x509_crt_init(&anchors);
    mbedtls_ssl_config_init(&config);
    const std::string file = lab::file("ca.pem");
    if (mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, nullptr, 0) != 0 ||
        mbedtls_x509_crt_parse_file(&anchors, file.c_str()) != 0 ||
        mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
      throw std::runtime_error("no configuration");
    }
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
    mbedtls_ssl_conf_ca_chain(&config, &anchors, nullptr);
    mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_REQUIRED);
  }

  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  mbedtls_x509_crt anchors;
  mbedtls_ssl_config config;
};

class session {
 public:
  session(mbedtls_lab& in, wire& way) {
    mbedtls_ssl_init(&ssl_);
    mbedtls_ssl_set_bio(
        &ssl_, &way,
        [](void* to, const unsigned char* from, std::size_t size) {
          return static_cast<int>(static_cast<wire*>(to)->send(from, size));
        },
        [](void* from, unsigned char* into, std::size_t room) {
          const std::size_t size = static_cast<wire*>(from)->receive(into, room);
          return size == 0 ? MBEDTLS_ERR_SSL_WANT_READ : static_cast<int>(size);
        },
        nullptr);
    if (mbedtls_ssl_setup(&ssl_, &in.config) != 0 ||
        mbedtls_ssl_set_hostname(&ssl_, "localhost") != 0) {
      throw std::runtime_error("no session");
    }
  }
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() { mbedtls_ssl_free(&ssl_); }
  [[nodiscard]] mbedtls_ssl_context* native() noexcept { return &ssl_; }
  bool handshake() { return mbedtls_ssl_handshake(&ssl_) == 0; }

 private:
  mbedtls_ssl_context ssl_;
};

}  // namespace

/// 10,000 of its handshakes take minutes; the figures are the same for the first thousand.
void add_mbedtls() {
  add("mbedtls",
      {{"bare", fill<mbedtls_lab, bare<mbedtls_lab, session>>},
       {"cotter", fill<mbedtls_lab, guarded<mbedtls_lab, session>>}},
      1'000);
}

}  // namespace idle_bench
