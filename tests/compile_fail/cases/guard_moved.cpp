// SPDX-License-Identifier: BSL-1.0
// expect: deleted
#include "slots.hpp"

#include <utility>

using guard_type = cotter::guard<const decltype(pins)&, cotter::embedded_manifest,
                                 cotter::memory_breaker<1>&, cotter::null_audit_sink>;

#ifdef COTTER_WRONG
guard_type take(guard_type& one) { return guard_type(std::move(one)); }
#else
guard_type& borrow(guard_type& one) { return one; }
#endif
