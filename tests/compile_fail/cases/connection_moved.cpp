// SPDX-License-Identifier: BSL-1.0
// expect: deleted
#include <cotter/testing/scripted_backend.hpp>

#include "slots.hpp"

#include <utility>

using guard_type = cotter::guard<const decltype(pins)&, cotter::embedded_manifest,
                                 cotter::memory_breaker<1>&, cotter::null_audit_sink>;
using connection_type = cotter::connection<guard_type, cotter::testing::scripted_backend>;

#ifdef COTTER_WRONG
connection_type take(connection_type& one) { return connection_type(std::move(one)); }
#else
connection_type make(guard_type& guarding, cotter::testing::scripted_session* session,
                     guard_type::permit& permit) {
  return connection_type(guarding, session, permit);
}
#endif
