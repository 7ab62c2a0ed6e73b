// SPDX-License-Identifier: BSL-1.0
#include <cotter/net/boost/wss_client.hpp>

#include <cotter/backends/openssl.hpp>
#include <cotter/pipeline/guard.hpp>
#include <cotter/policies/breaker/memory_breaker.hpp>
#include <cotter/policies/manifest/embedded_manifest.hpp>
#include <cotter/policies/pin_set/owned_pin_set.hpp>
#include <cotter/testing/recording_sink.hpp>

#include <net/support/frames.hpp>
#include <net/support/pki.hpp>
#include <support/catch.hpp>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace {

namespace asio_api = ::boost::asio;
namespace net = cotter::boost_net;
using error_code = boost::system::error_code;

error_code make(cotter::errc c) { return cotter::boost_net::make_error_code(c); }
bool is(const error_code& ec, cotter::errc c) {
  return ec == cotter::boost_net::make_error_code(c);
}
bool is(const error_code& ec, cotter::reason r) {
  return ec == cotter::boost_net::make_error_code(r);
}

#include <net/support/live.ipp>

}  // namespace
