// SPDX-License-Identifier: BSL-1.0
// expect: a guard needs exactly one audit_sink
#include "slots.hpp"

#ifdef COTTER_WRONG
cotter::guard g{pins, manifest, breaker};
#else
cotter::guard g{pins, manifest, breaker, sink};
#endif
