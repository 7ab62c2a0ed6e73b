// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "idle_bench.hpp"

namespace idle_bench {

namespace {

struct wolfssl_lab : guarded_lab {
  wolfssl_lab() {
    wolfSSL_Init();
    tls = wolfSSL_CTX_new(wolfTLS_client_method());
    const std::string anchors = lab::file("ca.pem");
    wolfSSL_CTX_load_verify_locations(tls, anchors.c_str(), nullptr);
    wolfSSL_CTX_set_session_cache_mode(tls, WOLFSSL_SESS_CACHE_OFF);
  }

  WOLFSSL_CTX* tls = nullptr;
};

class session {
 public:
  session(wolfssl_lab& in, wire& way) : ssl_(wolfSSL_new(in.tls)) {
    wolfSSL_SSLSetIORecv(ssl_, [](WOLFSSL*, char* into, int room, void* from) {
      const std::size_t size =
          static_cast<wire*>(from)->receive(into, static_cast<std::size_t>(room));
      return size == 0 ? WOLFSSL_CBIO_ERR_WANT_READ : static_cast<int>(size);
    });
    wolfSSL_SSLSetIOSend(ssl_, [](WOLFSSL*, char* from, int size, void* to) {
      return static_cast<int>(static_cast<wire*>(to)->send(from, static_cast<std::size_t>(size)));
    });
    wolfSSL_SetIOReadCtx(ssl_, &way);
    wolfSSL_SetIOWriteCtx(ssl_, &way);
    wolfSSL_check_domain_name(ssl_, "localhost");
  }
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() { wolfSSL_free(ssl_); }
  [[nodiscard]] WOLFSSL* native() const noexcept { return ssl_; }
  bool handshake() {
    if (wolfSSL_connect(ssl_) != WOLFSSL_SUCCESS) return false;
    // Whatever the server sends after its Finished, tickets among it.
    char none = 0;
    return wolfSSL_read(ssl_, &none, 1) <= 0;
  }

 private:
  WOLFSSL* ssl_;
};

}  // namespace

void add_wolfssl() {
  add("wolfssl",
      {{"bare", fill<wolfssl_lab, bare<wolfssl_lab, session>>},
       {"cotter", fill<wolfssl_lab, guarded<wolfssl_lab, session>>}},
      10'000);
}

}  // namespace idle_bench
