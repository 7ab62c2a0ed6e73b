// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/backend.hpp>
#include <cotter/concepts/clock.hpp>
#include <cotter/net/tls_stream.hpp>
#include <cotter/net/http_report.hpp>
#include <cotter/net/url.hpp>
#include <cotter/pipeline/verified_connection.hpp>
#include <cotter/policies/clock/system_clock.hpp>
#include <cotter/values/pin.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/verdict.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>

namespace cotter {
inline namespace v0 {
namespace net {

#include <cotter/net/detail/collector.ipp>

}  // namespace net
}  // namespace v0
}  // namespace cotter
