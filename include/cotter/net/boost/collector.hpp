// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/backend.hpp>
#include <cotter/concepts/clock.hpp>
#include <cotter/net/boost/tls_stream.hpp>
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

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

namespace cotter {
inline namespace v0 {
namespace boost_net {

#include <cotter/net/detail/collector.ipp>

}  // namespace boost_net
}  // namespace v0
}  // namespace cotter
