// SPDX-License-Identifier: BSL-1.0
// expect: deleted|implicitly declared as deleted
#include "slots.hpp"

#include <utility>

using guard_type = cotter::guard<const decltype(pins)&, cotter::embedded_manifest,
                                 cotter::memory_breaker<1>&, cotter::null_audit_sink>;

#ifdef COTTER_WRONG
guard_type::permit copy(guard_type::permit& one) { return guard_type::permit(one); }
#else
guard_type::permit take(guard_type::permit& one) { return guard_type::permit(std::move(one)); }
#endif
