// SPDX-License-Identifier: BSL-1.0
#pragma once

// What common_reports.ipp needs whichever the backend.
#include "collector_process.hpp"

#include <cotter/policies/audit/syslog_message.hpp>

#include <support/catch.hpp>
#include <support/pki.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
