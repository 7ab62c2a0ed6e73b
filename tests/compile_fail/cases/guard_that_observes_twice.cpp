// SPDX-License-Identifier: BSL-1.0
// expect: a guard takes allow_observation once
#include "slots.hpp"

#ifdef COTTER_WRONG
cotter::guard g{pins, manifest, breaker, sink, cotter::allow_observation{},
                cotter::allow_observation{}};
#else
cotter::guard g{pins, manifest, breaker, sink, cotter::allow_observation{}};
#endif
