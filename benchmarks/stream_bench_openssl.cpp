// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include "stream_bench.hpp"

#include <asio/ssl.hpp>

#include <unistd.h>

namespace stream_bench {

namespace {

/// SSL_set_tlsext_host_name, a macro with an old-style cast.
void name_server(SSL* ssl) {
  char name[] = "localhost";
  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name);
}

/// What a program on Asio uses without cotter.
class asio_stream {
  using stream_type = asio::ssl::stream<socket_type>;

 public:
  explicit asio_stream(far_end& server) {
    context_.load_verify_file(lab::file("ca.pem"));
    context_.set_verify_mode(asio::ssl::verify_peer);
    server.shake_hands([&] {
      stream_ = std::make_unique<stream_type>(
          socket_type(io_, asio::local::stream_protocol(), server.release_near()), context_);
      name_server(stream_->native_handle());
      stream_->set_verify_callback(asio::ssl::host_name_verification("localhost"));
      stream_->handshake(stream_type::client);
    });
  }
  [[nodiscard]] asio::io_context& io() noexcept { return io_; }
  [[nodiscard]] stream_type& stream() noexcept { return *stream_; }

 private:
  asio::io_context io_{1};
  asio::ssl::context context_{asio::ssl::context::tls_client};
  std::unique_ptr<stream_type> stream_{};
};

/// OpenSSL itself over the socket.
class bare {
 public:
  explicit bare(far_end& server) {
    const std::string anchors = lab::file("ca.pem");
    SSL_CTX_load_verify_file(context_.get(), anchors.c_str());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context_.get(), SSL_MODE_RELEASE_BUFFERS);
    server.shake_hands([&] {
      socket_ = server.release_near();
      ssl_.reset(SSL_new(context_.get()));
      SSL_set1_host(ssl_.get(), "localhost");
      name_server(ssl_.get());
      SSL_set_fd(ssl_.get(), socket_);
      if (SSL_connect(ssl_.get()) != 1) throw std::runtime_error("the handshake failed");
    });
  }
  ~bare() {
    ssl_.reset();
    if (socket_ >= 0) ::close(socket_);
  }
  bare(const bare&) = delete;
  bare& operator=(const bare&) = delete;

  bool write(const std::vector<std::uint8_t>& octets, std::size_t pieces) {
    const int size = static_cast<int>(octets.size());
    for (std::size_t i = 0; i < pieces; ++i) {
      if (SSL_write(ssl_.get(), octets.data(), size) != size) return false;
    }
    return true;
  }
  bool read(std::vector<std::uint8_t>& octets, std::size_t pieces) {
    for (std::size_t left = pieces * octets.size(); left != 0;) {
      const int size = SSL_read(ssl_.get(), octets.data(), static_cast<int>(octets.size()));
      if (size <= 0) return false;
      left -= static_cast<std::size_t>(size);
    }
    return true;
  }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{SSL_CTX_new(TLS_client_method()),
                                                             &SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, &SSL_free};
  int socket_ = -1;
};

}  // namespace

void add_openssl() {
  using pinned = pinned_stream<cotter::backends::openssl>;
  add("openssl", [] {
    arms all;
    all.push_back(make<blocking_client<pinned>>("cotter", true));
    all.push_back(make<blocking_client<asio_stream>>("asio", true));
    all.push_back(make<blocking_client<asio_stream>>("asio again", true));
    all.push_back(make<bare>("bare", true));
    return all;
  });
  add("openssl, async", [] {
    arms all;
    all.push_back(make<asynchronous_client<pinned>>("cotter", true));
    all.push_back(make<asynchronous_client<asio_stream>>("asio", true));
    all.push_back(make<asynchronous_client<asio_stream>>("asio again", true));
    return all;
  });
}

}  // namespace stream_bench
