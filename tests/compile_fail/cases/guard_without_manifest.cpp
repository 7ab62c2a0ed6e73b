// SPDX-License-Identifier: BSL-1.0
// expect: a guard needs exactly one manifest_source
#include "slots.hpp"

#ifdef COTTER_WRONG
cotter::guard g{pins, breaker, sink};
#else
cotter::guard g{pins, manifest, breaker, sink};
#endif
