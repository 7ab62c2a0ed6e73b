// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/testing/law_report.hpp>

#include "catch.hpp"

#include <string_view>

/// Fails unless something was checked and every check was met.
inline void require_laws(const cotter::testing::law_report& report) {
  INFO(report.summary());
  CHECK_FALSE(report.findings().empty());
  CHECK(report.holds());
}

/// Fails unless `law`, and no other one, was found broken: that a suite has teeth.
inline void require_broken(const cotter::testing::law_report& report, std::string_view law) {
  INFO(report.summary());
  CHECK(report.broken(law));
  for (const auto& finding : report.findings()) {
    if (finding.law != law) CHECK(finding.ok);
  }
}
