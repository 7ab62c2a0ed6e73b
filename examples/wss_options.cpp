// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>
#include <cotter/cotter.hpp>
#include <cotter/net/wss_client.hpp>

#include <asio.hpp>

#include <cstdio>

// A SIP request over WSS, pinned, to one server that is known when the program is built.
constexpr cotter::fixed_pin_set pins{cotter::fixed_target{
    "sip.example.com", 443,
    cotter::primary("cert-sha256:3b9f0e2c6d4a7f51e8c2b07d95a1463cf0de8b7421569ac3d7f4e0a1b25c6d98"),
    cotter::fallback("spki-sha256:c1d90f7e5a2b8346d7e1f0a9b8c24d6530fe9172ab45cd6e8f73b1024a5d6c7b")}};

using stream = cotter::net::tls_stream<asio::ip::tcp::socket, cotter::backends::openssl>;

asio::awaitable<void> ask(auto& guard, cotter::backends::openssl::context& tls) {
  cotter::net::wss_client<stream> wss(co_await asio::this_coro::executor, tls);
  cotter::net::wss_options sip;
  sip.subprotocol = "sip";
  co_await wss.async_connect(guard, "wss://sip.example.com/", sip, asio::use_awaitable);
  co_await wss.async_write("OPTIONS sip:sip.example.com SIP/2.0\r\n\r\n", asio::use_awaitable);
  cotter::websocket_message answer;
  co_await wss.async_read(answer, asio::use_awaitable);
  std::puts(answer.payload.c_str());
}

int main() {
  cotter::memory_breaker<> breaker;
  cotter::guard guard{pins, breaker, cotter::embedded_manifest{}, cotter::null_audit_sink{}};
  cotter::backends::openssl::context tls;
  if (!tls.load_anchors_file("/etc/ssl/certs/ca-certificates.crt") || !tls.offer_alpn("http/1.1")) {
    return 3;
  }
  asio::io_context io;
  int status = 0;
  asio::co_spawn(io, ask(guard, tls), [&](std::exception_ptr failed) {
    if (failed) try {
        std::rethrow_exception(failed);
      } catch (const std::exception& why) {
        std::fprintf(stderr, "%s\n", why.what());
        status = 2;
      }
  });
  io.run();
  return status;
}
