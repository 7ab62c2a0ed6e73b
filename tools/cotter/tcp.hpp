// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "address.hpp"
#include "problem.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <chrono>
#include <optional>
#include <vector>

namespace cotter::command {

/// Where a socket is connected to; zero without a connection.
[[nodiscard]] tcp_address address_of(const asio::ip::tcp::socket& socket);

/// The address as Asio has it.
[[nodiscard]] asio::ip::tcp::endpoint endpoint_of(const tcp_address& address);

/// Connects to one address, and returns by `deadline`.
///
/// Returns what went wrong: `timeout`, `connect_failed`.
[[nodiscard]] std::optional<problem> connect_tcp(asio::io_context& io,
                                                 asio::ip::tcp::socket& socket,
                                                 const tcp_address& to,
                                                 std::chrono::steady_clock::time_point deadline);

/// Tries each address in turn; one that does not answer leaves time for the others.
[[nodiscard]] std::optional<problem> connect_tcp(asio::io_context& io,
                                                 asio::ip::tcp::socket& socket,
                                                 const std::vector<tcp_address>& addresses,
                                                 std::chrono::steady_clock::time_point deadline);

}  // namespace cotter::command
