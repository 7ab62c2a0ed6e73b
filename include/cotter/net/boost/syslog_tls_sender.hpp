// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/backend.hpp>
#include <cotter/concepts/clock.hpp>
#include <cotter/net/boost/collector.hpp>
#include <cotter/policies/audit/event_text.hpp>
#include <cotter/policies/audit/syslog_message.hpp>
#include <cotter/policies/clock/system_clock.hpp>
#include <cotter/values/audit_event.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/verdict.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace boost_net {

#include <cotter/net/detail/syslog_tls_sender.ipp>

}  // namespace boost_net
}  // namespace v0
}  // namespace cotter
