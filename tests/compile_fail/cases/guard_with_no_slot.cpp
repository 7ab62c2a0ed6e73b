// SPDX-License-Identifier: BSL-1.0
// expect: a slot models none of the concepts
#include "slots.hpp"

#ifdef COTTER_WRONG
cotter::guard g{pins, manifest, breaker, sink, 7};
#else
cotter::guard g{pins, manifest, breaker, sink};
#endif
