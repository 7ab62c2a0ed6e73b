// SPDX-License-Identifier: BSL-1.0
#include <cotter/net/https_reporter.hpp>

#include <cotter/backends/mbedtls.hpp>
#include <cotter/concepts/audit_sender.hpp>
#include <cotter/net/syslog_tls_sender.hpp>

#include "reports_includes.hpp"

namespace {

namespace net = cotter::net;
using tested = cotter::backends::mbedtls;

#include "common_reports.ipp"

}  // namespace
