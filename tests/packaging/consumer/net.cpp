// SPDX-License-Identifier: BSL-1.0
#include <cotter/net/url.hpp>
#include <cotter/net/websocket.hpp>

#include <asio/io_context.hpp>

int main() {
  asio::io_context io;
  io.run();
  return cotter::parse_url("wss://sip.example.com/") ? 0 : 1;
}
