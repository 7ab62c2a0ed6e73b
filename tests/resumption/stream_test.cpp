// SPDX-License-Identifier: BSL-1.0
#include <cotter/net/tls_stream.hpp>

#include <cotter/backends/openssl.hpp>

#include "support/servers.hpp"

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>

#include <string>

using backend = cotter::backends::openssl;

namespace {

/// GET / through a tls_stream; the server's word.
char said(lab::phone<backend>& one, std::uint16_t port) {
  asio::io_context loop;
  asio::ip::tcp::socket socket(loop);
  socket.connect({asio::ip::address_v4::loopback(), port});
  cotter::net::tls_stream<asio::ip::tcp::socket, backend> stream(std::move(socket), one.context);
  auto admission = one.guard->admit({"localhost", 443});
  REQUIRE(admission);
  stream.handshake(*one.guard, std::move(*admission));
  asio::write(stream, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")));
  std::string all;
  std::array<char, 512> some{};
  while (all.find("resumed=") == std::string::npos || all.back() != '\n') {
    all.append(some.data(), stream.read_some(asio::buffer(some)));
  }
  asio::error_code ignored;
  stream.shutdown(ignored);
  return all[all.find("resumed=") + 8];
}

}  // namespace

TEST_CASE("a tls_stream keeps its sessions and resumes by itself") {
  const std::string version = GENERATE("TLSv1.2", "TLSv1.3");
  INFO(version);
  lab::real_server server("nginx", "ssl_protocols " + version + ";");
  lab::open_store store;
  lab::phone<backend> one(store);
  CHECK(said(one, server.port()) == '.');
  CHECK(store.size() > 0);
  CHECK(said(one, server.port()) == 'r');
  CHECK(said(one, server.port()) == 'r');
  CHECK(one.breaker.successes == 3);
  CHECK(one.sink.decisions().back().resumed);
}
