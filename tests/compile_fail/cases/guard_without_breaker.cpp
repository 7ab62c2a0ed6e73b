// SPDX-License-Identifier: BSL-1.0
// expect: a guard needs exactly one breaker
#include "slots.hpp"

#ifdef COTTER_WRONG
cotter::guard g{pins, manifest, sink};
#else
cotter::guard g{pins, manifest, breaker, sink};
#endif
