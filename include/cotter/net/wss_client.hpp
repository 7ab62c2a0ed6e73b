// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/net/tls_stream.hpp>
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

#include <asio/associated_executor.hpp>
#include <asio/bind_executor.hpp>
#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>

namespace cotter {
inline namespace v0 {
namespace net {

#include <cotter/net/detail/wss_client.ipp>

}  // namespace net
}  // namespace v0
}  // namespace cotter
