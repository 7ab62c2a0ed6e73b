// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/backend.hpp>
#include <cotter/net/io.hpp>
#include <cotter/pipeline/connection.hpp>
#include <cotter/pipeline/verified_connection.hpp>
#include <cotter/values/diagnosis.hpp>
#include <cotter/values/verdict.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace net {

#include <cotter/net/detail/tls_stream.ipp>

}  // namespace net
}  // namespace v0
}  // namespace cotter
