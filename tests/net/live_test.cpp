// SPDX-License-Identifier: BSL-1.0
#include <cotter/net/wss_client.hpp>

#include <cotter/backends/openssl.hpp>
#include <cotter/pipeline/guard.hpp>
#include <cotter/policies/breaker/memory_breaker.hpp>
#include <cotter/policies/manifest/embedded_manifest.hpp>
#include <cotter/policies/pin_set/owned_pin_set.hpp>
#include <cotter/testing/recording_sink.hpp>

#include <net/support/frames.hpp>
#include <net/support/pki.hpp>
#include <support/catch.hpp>

#include <asio.hpp>
#include <asio/ssl.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace {

namespace asio_api = ::asio;
namespace net = cotter::net;
using error_code = std::error_code;

error_code make(cotter::errc c) { return cotter::make_error_code(c); }
bool is(const error_code& ec, cotter::errc c) { return ec == cotter::make_error_code(c); }
bool is(const error_code& ec, cotter::reason r) { return ec == cotter::make_error_code(r); }

#include <net/support/live.ipp>

}  // namespace
