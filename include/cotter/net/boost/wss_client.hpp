// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/net/boost/tls_stream.hpp>
#include <cotter/net/upgrade.hpp>
#include <cotter/net/url.hpp>
#include <cotter/net/websocket.hpp>
#include <cotter/values/verdict.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace cotter {
inline namespace v0 {
namespace boost_net {

#include <cotter/net/detail/wss_client.ipp>

}  // namespace boost_net
}  // namespace v0
}  // namespace cotter
