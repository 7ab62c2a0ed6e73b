// SPDX-License-Identifier: BSL-1.0
#include <cotter/net/boost/https_reporter.hpp>

#include <cotter/backends/openssl.hpp>
#include <cotter/concepts/audit_sender.hpp>
#include <cotter/net/boost/syslog_tls_sender.hpp>

#include "reports_includes.hpp"

namespace {

namespace net = cotter::boost_net;
using tested = cotter::backends::openssl;

#include "common_reports.ipp"

}  // namespace
