// SPDX-License-Identifier: BSL-1.0
// expect: a guard needs exactly one pin_set
#include "slots.hpp"

#ifdef COTTER_WRONG
cotter::guard g{pins, manifest, breaker, sink, pins};
#else
cotter::guard g{pins, manifest, breaker, sink};
#endif
