// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sink.hpp>

namespace cotter {
inline namespace v0 {

/// Writes nothing down. For programs that read verdicts themselves.
class null_audit_sink {
 public:
  using decisions_only = null_audit_sink;

  constexpr void record(const audit_record&) noexcept {}
};

static_assert(audit_sink<null_audit_sink>);

}  // namespace v0
}  // namespace cotter
