// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// A TCP connection that gives up after five seconds of silence.
class tcp {
 public:
  tcp(const char* address, std::uint16_t port) noexcept {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    if (::inet_pton(AF_INET, address, &to.sin_addr) != 1) return;
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{5, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  tcp(const tcp&) = delete;
  tcp& operator=(const tcp&) = delete;
  ~tcp() {
    if (socket_ >= 0) ::close(socket_);
  }
  [[nodiscard]] bool connected() const noexcept { return connected_; }

  static int send(void* self, const unsigned char* octets, std::size_t size) noexcept {
    const ssize_t n = ::send(static_cast<tcp*>(self)->socket_, octets, size, MSG_NOSIGNAL);
    return n < 0 ? MBEDTLS_ERR_NET_SEND_FAILED : static_cast<int>(n);
  }
  static int receive(void* self, unsigned char* octets, std::size_t size) noexcept {
    const ssize_t n = ::recv(static_cast<tcp*>(self)->socket_, octets, size, 0);
    return n < 0 ? MBEDTLS_ERR_NET_RECV_FAILED : static_cast<int>(n);
  }

 private:
  int socket_ = -1;
  bool connected_ = false;
};

/// A TLS client over mbed TLS, set up as any program would; the guard hardens what it attaches to.
class tls {
 public:
  tls(tcp& below, const char* anchors_pem) noexcept {
    mbedtls_entropy_init(&entropy_);
    mbedtls_ctr_drbg_init(&random_);
    mbedtls_x509_crt_init(&anchors_);
    mbedtls_ssl_config_init(&config_);
    mbedtls_ssl_init(&session_);
    ready_ =
        mbedtls_ctr_drbg_seed(&random_, mbedtls_entropy_func, &entropy_, nullptr, 0) == 0 &&
        mbedtls_x509_crt_parse_file(&anchors_, anchors_pem) == 0 &&
        mbedtls_ssl_config_defaults(&config_, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) == 0;
    if (!ready_) return;
    mbedtls_ssl_conf_ca_chain(&config_, &anchors_, nullptr);
    mbedtls_ssl_conf_rng(&config_, mbedtls_ctr_drbg_random, &random_);
    ready_ = mbedtls_ssl_setup(&session_, &config_) == 0;
    mbedtls_ssl_set_bio(&session_, &below, tcp::send, tcp::receive, nullptr);
  }
  tls(const tls&) = delete;
  tls& operator=(const tls&) = delete;
  ~tls() {
    mbedtls_ssl_free(&session_);
    mbedtls_ssl_config_free(&config_);
    mbedtls_x509_crt_free(&anchors_);
    mbedtls_ctr_drbg_free(&random_);
    mbedtls_entropy_free(&entropy_);
  }
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  [[nodiscard]] mbedtls_ssl_context* native() noexcept { return &session_; }

  [[nodiscard]] bool handshake() noexcept { return mbedtls_ssl_handshake(&session_) == 0; }
  [[nodiscard]] bool write(cotter::bytes_view octets) noexcept {
    while (!octets.empty()) {
      const int n = mbedtls_ssl_write(&session_, octets.data(), octets.size());
      if (n <= 0) return false;
      octets = octets.subspan(static_cast<std::size_t>(n));
    }
    return true;
  }
  [[nodiscard]] bool write(std::string_view text) noexcept {
    return write(
        cotter::bytes_view(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  /// How many octets came; 0 at the end, and after a failure.
  [[nodiscard]] std::size_t read(std::span<std::uint8_t> into) noexcept {
    const int n = mbedtls_ssl_read(&session_, into.data(), into.size());
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }
  void close() noexcept { static_cast<void>(mbedtls_ssl_close_notify(&session_)); }
  [[nodiscard]] bool random(std::span<std::uint8_t> out) noexcept {
    return mbedtls_ctr_drbg_random(&random_, out.data(), out.size()) == 0;
  }

 private:
  mbedtls_entropy_context entropy_;
  mbedtls_ctr_drbg_context random_;
  mbedtls_x509_crt anchors_;
  mbedtls_ssl_config config_;
  mbedtls_ssl_context session_;
  bool ready_ = false;
};
