// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "stream_bench.hpp"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>

#include <sys/socket.h>
#include <unistd.h>

namespace stream_bench {

namespace {

/// mbedTLS itself over the socket.
class bare {
 public:
  explicit bare(far_end& server) {
    mbedtls_entropy_init(&entropy_);
    mbedtls_ctr_drbg_init(&random_);
    mbedtls_x509_crt_init(&anchors_);
    mbedtls_ssl_config_init(&config_);
    mbedtls_ssl_init(&ssl_);
    const std::string anchors = lab::file("ca.pem");
    const bool ready =
        mbedtls_ctr_drbg_seed(&random_, mbedtls_entropy_func, &entropy_, nullptr, 0) == 0 &&
        mbedtls_x509_crt_parse_file(&anchors_, anchors.c_str()) == 0 &&
        mbedtls_ssl_config_defaults(&config_, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) == 0;
    mbedtls_ssl_conf_rng(&config_, mbedtls_ctr_drbg_random, &random_);
    mbedtls_ssl_conf_ca_chain(&config_, &anchors_, nullptr);
    mbedtls_ssl_conf_authmode(&config_, MBEDTLS_SSL_VERIFY_REQUIRED);
    server.shake_hands([&] {
      socket_ = server.release_near();
      mbedtls_ssl_set_bio(
          &ssl_, &socket_,
          [](void* to, const unsigned char* from, std::size_t size) {
            return static_cast<int>(::send(*static_cast<int*>(to), from, size, 0));
          },
          [](void* from, unsigned char* to, std::size_t room) {
            return static_cast<int>(::recv(*static_cast<int*>(from), to, room, 0));
          },
          nullptr);
      if (!ready || mbedtls_ssl_setup(&ssl_, &config_) != 0 ||
          mbedtls_ssl_set_hostname(&ssl_, "localhost") != 0 || mbedtls_ssl_handshake(&ssl_) != 0) {
        throw std::runtime_error("the handshake failed");
      }
    });
  }
  ~bare() {
    mbedtls_ssl_free(&ssl_);
    mbedtls_ssl_config_free(&config_);
    mbedtls_x509_crt_free(&anchors_);
    mbedtls_ctr_drbg_free(&random_);
    mbedtls_entropy_free(&entropy_);
    if (socket_ >= 0) ::close(socket_);
  }
  bare(const bare&) = delete;
  bare& operator=(const bare&) = delete;

  bool write(const std::vector<std::uint8_t>& octets, std::size_t pieces) {
    for (std::size_t i = 0; i < pieces; ++i) {
      const int size = mbedtls_ssl_write(&ssl_, octets.data(), octets.size());
      if (size != static_cast<int>(octets.size())) return false;
    }
    return true;
  }
  bool read(std::vector<std::uint8_t>& octets, std::size_t pieces) {
    for (std::size_t left = pieces * octets.size(); left != 0;) {
      const int size = mbedtls_ssl_read(&ssl_, octets.data(), octets.size());
      if (size <= 0) return false;
      left -= static_cast<std::size_t>(size);
    }
    return true;
  }

 private:
  mbedtls_entropy_context entropy_;
  mbedtls_ctr_drbg_context random_;
  mbedtls_x509_crt anchors_;
  mbedtls_ssl_config config_;
  mbedtls_ssl_context ssl_;
  int socket_ = -1;
};

}  // namespace

void add_mbedtls() {
  using pinned = pinned_stream<cotter::backends::mbedtls>;
  add("mbedtls", [] {
    arms all;
    all.push_back(make<blocking_client<pinned>>("cotter", false));
    all.push_back(make<asynchronous_client<pinned>>("cotter, async", false));
    all.push_back(make<bare>("bare", false));
    all.push_back(make<bare>("bare again", false));
    return all;
  });
}

}  // namespace stream_bench
