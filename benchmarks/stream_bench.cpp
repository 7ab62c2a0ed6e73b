// SPDX-License-Identifier: BSL-1.0
#include "stream_bench.hpp"

#include <openssl/ssl.h>

#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

// What a pinned stream costs after its handshake: by piece, beside asio::ssl::stream and beside the bare
// library over the same socket.

namespace stream_bench {

namespace {

SSL_CTX* context() {
  static const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> one(
      [] {
        SSL_CTX* made = SSL_CTX_new(TLS_server_method());
        const std::string chain = lab::file("good.pem");
        const std::string key = lab::file("good.key");
        // One suite for all, so that no arm is luckier than another.
        const bool good = SSL_CTX_use_certificate_chain_file(made, chain.c_str()) == 1 &&
                          SSL_CTX_use_PrivateKey_file(made, key.c_str(), SSL_FILETYPE_PEM) == 1 &&
                          SSL_CTX_set_ciphersuites(made, "TLS_AES_128_GCM_SHA256") == 1 &&
                          SSL_CTX_set_cipher_list(made, "ECDHE-ECDSA-AES128-GCM-SHA256") == 1 &&
                          SSL_CTX_set_num_tickets(made, 0) == 1;
        if (!good) throw std::runtime_error("no server: COTTER_LAB_PKI names the PKI");
        return made;
      }(),
      &SSL_CTX_free);
  return one.get();
}

SSL* native(void* ssl) { return static_cast<SSL*>(ssl); }

}  // namespace

far_end::far_end(bool tls1_3) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::runtime_error("no socket pair");
  }
  near_ = ends[0];
  far_ = ends[1];
  constexpr int room = 1 << 20;
  for (const int end : ends) {
    if (::setsockopt(end, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0) {
      ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    }
  }
  SSL* ssl = SSL_new(context());
  const int version = tls1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  SSL_set_min_proto_version(ssl, version);
  SSL_set_max_proto_version(ssl, version);
  SSL_set_fd(ssl, far_);
  ssl_ = ssl;
}

far_end::~far_end() {
  SSL_free(native(ssl_));
  ::close(far_);
  if (near_ >= 0) ::close(near_);
}

void far_end::accept() { good_ = SSL_accept(native(ssl_)) == 1; }
void far_end::hang_up() noexcept { ::shutdown(far_, SHUT_RDWR); }

void far_end::send(std::size_t piece_bytes, std::size_t pieces) {
  static const std::vector<std::uint8_t> octets(16384, 0xa5);
  for (std::size_t i = 0; i < pieces; ++i) {
    good_ = SSL_write(native(ssl_), octets.data(), static_cast<int>(piece_bytes)) ==
                static_cast<int>(piece_bytes) &&
            good_;
  }
}

bool far_end::receive(std::size_t total_bytes) {
  static std::vector<std::uint8_t> octets(16384);
  while (total_bytes != 0) {
    const int size = SSL_read(native(ssl_), octets.data(),
                              static_cast<int>(std::min(total_bytes, octets.size())));
    if (size <= 0) return false;
    if (octets[0] != 0x5a) return false;
    total_bytes -= static_cast<std::size_t>(size);
  }
  return SSL_pending(native(ssl_)) == 0;
}

std::string far_end::suite() const {
  return std::string(SSL_get_version(native(ssl_))) + " " + SSL_get_cipher_name(native(ssl_));
}

}  // namespace stream_bench

int main(int count, char** words) {
  using namespace stream_bench;
  // OpenSSL gives its record buffers back after each record: whichever arm lies last on the heap would
  // have the heap shrunk and grown again for each of them.
  ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 256 << 20);
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 2;
  add_openssl();
#ifdef COTTER_BENCH_WOLFSSL
  add_wolfssl();
#endif
#ifdef COTTER_BENCH_MBEDTLS
  add_mbedtls();
#endif
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
