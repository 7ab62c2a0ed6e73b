// SPDX-License-Identifier: BSL-1.0
#include "tcp.hpp"

#include <algorithm>
#include <system_error>

namespace cotter::command {

namespace {

using asio::ip::tcp;

asio::ip::address to_asio(const ip_address& from) {
  if (from.size_bytes == 4) {
    asio::ip::address_v4::bytes_type octets;
    std::copy_n(from.octets, octets.size(), octets.begin());
    return asio::ip::address_v4(octets);
  }
  asio::ip::address_v6::bytes_type octets;
  std::copy_n(from.octets, octets.size(), octets.begin());
  return asio::ip::address_v6(octets);
}

ip_address from_asio(const asio::ip::address& from) {
  ip_address to;
  const auto copy = [&to](const auto& octets) {
    for (const unsigned char octet : octets) to.octets[to.size_bytes++] = octet;
  };
  if (from.is_v4()) {
    copy(from.to_v4().to_bytes());
  } else {
    copy(from.to_v6().to_bytes());
  }
  return to;
}

}  // namespace

std::string text_of(const tcp_address& address) {
  if (!address.ip) return {};
  const std::string text = to_asio(address.ip).to_string();
  return (address.ip.size_bytes == 16 ? "[" + text + "]" : text) + ":" +
         std::to_string(address.port);
}

tcp_address address_of(const tcp::socket& socket) {
  std::error_code ec;
  const tcp::endpoint peer = socket.remote_endpoint(ec);
  if (ec) return {};
  return {from_asio(peer.address()), peer.port()};
}

tcp::endpoint endpoint_of(const tcp_address& address) {
  return {to_asio(address.ip), address.port};
}

std::optional<problem> connect_tcp(asio::io_context& io, tcp::socket& socket, const tcp_address& to,
                                   std::chrono::steady_clock::time_point deadline) {
  std::optional<std::error_code> outcome;
  std::error_code ignored;
  socket.close(ignored);
  socket.async_connect(endpoint_of(to), [&outcome](std::error_code ec) { outcome = ec; });
  io.restart();
  io.run_until(deadline);
  if (!outcome) {
    socket.close(ignored);
    io.restart();
    io.run();
    return describe(errc::timeout, "TCP connection");
  }
  if (*outcome) return describe(errc::connect_failed, outcome->message());
  socket.set_option(tcp::no_delay(true), ignored);
  return {};
}

std::optional<problem> connect_tcp(asio::io_context& io, tcp::socket& socket,
                                   const std::vector<tcp_address>& addresses,
                                   std::chrono::steady_clock::time_point deadline) {
  std::optional<problem> last = describe(errc::timeout, "TCP connection");
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline) break;
    const auto share = (deadline - now) / static_cast<int>(addresses.size() - i);
    last = connect_tcp(io, socket, addresses[i], now + share);
    if (!last) return {};
  }
  return last;
}

}  // namespace cotter::command
