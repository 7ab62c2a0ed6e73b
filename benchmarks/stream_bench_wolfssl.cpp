// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "stream_bench.hpp"

#include <unistd.h>

namespace stream_bench {

namespace {

/// wolfSSL itself over the socket.
class bare {
 public:
  explicit bare(far_end& server) {
    wolfSSL_Init();
    context_ = wolfSSL_CTX_new(wolfTLS_client_method());
    const std::string anchors = lab::file("ca.pem");
    wolfSSL_CTX_load_verify_locations(context_, anchors.c_str(), nullptr);
    server.shake_hands([&] {
      socket_ = server.release_near();
      ssl_ = wolfSSL_new(context_);
      wolfSSL_check_domain_name(ssl_, "localhost");
      wolfSSL_set_fd(ssl_, socket_);
      if (wolfSSL_connect(ssl_) != WOLFSSL_SUCCESS) {
        throw std::runtime_error("the handshake failed");
      }
    });
  }
  ~bare() {
    wolfSSL_free(ssl_);
    wolfSSL_CTX_free(context_);
    wolfSSL_Cleanup();
    if (socket_ >= 0) ::close(socket_);
  }
  bare(const bare&) = delete;
  bare& operator=(const bare&) = delete;

  bool write(const std::vector<std::uint8_t>& octets, std::size_t pieces) {
    const int size = static_cast<int>(octets.size());
    for (std::size_t i = 0; i < pieces; ++i) {
      if (wolfSSL_write(ssl_, octets.data(), size) != size) return false;
    }
    return true;
  }
  bool read(std::vector<std::uint8_t>& octets, std::size_t pieces) {
    for (std::size_t left = pieces * octets.size(); left != 0;) {
      const int size = wolfSSL_read(ssl_, octets.data(), static_cast<int>(octets.size()));
      if (size <= 0) return false;
      left -= static_cast<std::size_t>(size);
    }
    return true;
  }

 private:
  WOLFSSL_CTX* context_ = nullptr;
  WOLFSSL* ssl_ = nullptr;
  int socket_ = -1;
};

}  // namespace

void add_wolfssl() {
  using pinned = pinned_stream<cotter::backends::wolfssl>;
  add("wolfssl", [] {
    arms all;
    all.push_back(make<blocking_client<pinned>>("cotter", true));
    all.push_back(make<asynchronous_client<pinned>>("cotter, async", true));
    all.push_back(make<bare>("bare", true));
    all.push_back(make<bare>("bare again", true));
    return all;
  });
}

}  // namespace stream_bench
