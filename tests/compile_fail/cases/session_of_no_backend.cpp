// SPDX-License-Identifier: BSL-1.0
// expect: incomplete type|undefined template
#include <cotter/testing/scripted_backend.hpp>

#include "slots.hpp"

using guard_type = cotter::guard<const decltype(pins)&, cotter::embedded_manifest,
                                 cotter::memory_breaker<1>&, cotter::null_audit_sink>;

#ifdef COTTER_WRONG
struct other_library;
using session = other_library*;
#else
using session = cotter::testing::scripted_session*;
#endif

void attach(guard_type& guarding, session handle, guard_type::permit& permit) {
  const auto guarded = guarding.attach(handle, permit);
}
