// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include <cotter/net/tls_stream.hpp>

#include "idle_bench.hpp"

#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/ssl.hpp>

namespace idle_bench {

namespace {

using backend = cotter::backends::openssl;

struct openssl_lab : guarded_lab {
  openssl_lab() {
    const std::string anchors = lab::file("ca.pem");
    tls.load_verify_file(anchors);
    tls.set_verify_mode(asio::ssl::verify_peer);
    if (!own.load_anchors_file(anchors.c_str())) throw std::runtime_error("no anchors");
    BIO_meth_set_create(over, [](BIO* bio) {
      BIO_set_init(bio, 1);
      return 1;
    });
    BIO_meth_set_write(over, [](BIO* bio, const char* from, int size) {
      return static_cast<int>(
          static_cast<wire*>(BIO_get_data(bio))->send(from, static_cast<std::size_t>(size)));
    });
    BIO_meth_set_read(over, [](BIO* bio, char* into, int room) {
      const std::size_t size =
          static_cast<wire*>(BIO_get_data(bio))->receive(into, static_cast<std::size_t>(room));
      return size == 0 ? -1 : static_cast<int>(size);
    });
    BIO_meth_set_ctrl(over, [](BIO*, int command, long, void*) -> long {
      return command == BIO_CTRL_FLUSH ? 1 : 0;
    });
  }

  asio::io_context io{1};
  asio::ssl::context tls{asio::ssl::context::tls_client};
  backend::context own{};
  BIO_METHOD* over = BIO_meth_new(BIO_TYPE_SOURCE_SINK | 100, "wire");
};

/// A session over a BIO that keeps no more than a socket's does.
class session {
 public:
  session(openssl_lab& in, wire& way) : ssl_(SSL_new(in.tls.native_handle())) {
    BIO* bio = BIO_new(in.over);
    BIO_set_data(bio, &way);
    SSL_set_bio(ssl_, bio, bio);
    SSL_set_mode(ssl_, SSL_MODE_RELEASE_BUFFERS);
    char name[] = "localhost";
    SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name);
    SSL_set1_host(ssl_, name);
    SSL_set_connect_state(ssl_);
  }
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() { SSL_free(ssl_); }
  [[nodiscard]] SSL* native() const noexcept { return ssl_; }
  bool handshake() {
    if (SSL_do_handshake(ssl_) != 1) return false;
    // Whatever the server sends after its Finished, tickets among it.
    char none = 0;
    return SSL_read(ssl_, &none, 1) <= 0;
  }

 private:
  SSL* ssl_;
};

/// A stream for Asio's TLS streams to lie on.
class layer {
 public:
  using executor_type = asio::io_context::executor_type;
  using lowest_layer_type = layer;

  layer(asio::io_context& io, wire& way) : executor_(io.get_executor()), way_(&way) {}
  [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }
  [[nodiscard]] lowest_layer_type& lowest_layer() noexcept { return *this; }
  template <typename Buffers>
  std::size_t read_some(const Buffers& buffers, std::error_code& ec) {
    const asio::mutable_buffer one = *asio::buffer_sequence_begin(buffers);
    const std::size_t size = way_->receive(one.data(), one.size());
    ec = size == 0 ? std::error_code(asio::error::would_block) : std::error_code();
    return size;
  }
  template <typename Buffers>
  std::size_t write_some(const Buffers& buffers, std::error_code& ec) {
    const asio::const_buffer one = *asio::buffer_sequence_begin(buffers);
    const std::size_t size = way_->send(one.data(), one.size());
    ec = size == 0 ? std::error_code(asio::error::broken_pipe) : std::error_code();
    return size;
  }
  void close(std::error_code&) {}

 private:
  executor_type executor_;
  wire* way_;
};

/// Reads what the server sends after its Finished, and expects nothing.
template <typename Stream>
void settle(Stream& stream) {
  char none = 0;
  std::error_code ec;
  stream.read_some(asio::buffer(&none, 1), ec);
  if (ec != asio::error::would_block) throw std::runtime_error("not idle");
}

class cotter_stream {
 public:
  explicit cotter_stream(openssl_lab& in) : stream_(layer(in.io, wire_), in.own) {
    wire_.open(in.server);
    auto admission = in.guard.admit({"localhost", 443});
    if (!admission) throw std::runtime_error("not admitted");
    stream_.handshake(in.guard, std::move(*admission));
    settle(stream_);
    wire_.close();
  }

 private:
  wire wire_{};
  cotter::net::tls_stream<layer, backend> stream_;
};

class asio_stream {
 public:
  explicit asio_stream(openssl_lab& in) : stream_(layer(in.io, wire_), in.tls) {
    wire_.open(in.server);
    char name[] = "localhost";
    SSL_ctrl(stream_.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             name);
    stream_.set_verify_callback(asio::ssl::host_name_verification(name));
    stream_.handshake(asio::ssl::stream_base::client);
    settle(stream_);
    wire_.close();
  }

 private:
  wire wire_{};
  asio::ssl::stream<layer> stream_;
};

}  // namespace

void add_openssl() {
  add("openssl",
      {{"bare", fill<openssl_lab, bare<openssl_lab, session>>},
       {"cotter", fill<openssl_lab, guarded<openssl_lab, session>>},
       {"asio stream", fill<openssl_lab, asio_stream>},
       {"cotter stream", fill<openssl_lab, cotter_stream>}},
      10'000);
}

}  // namespace idle_bench
