// SPDX-License-Identifier: BSL-1.0
// expect: a guard takes at most one clock
#include "slots.hpp"

#ifdef COTTER_WRONG
cotter::guard g{pins, manifest, breaker, sink, cotter::system_clock{}, cotter::system_clock{}};
#else
cotter::guard g{pins, manifest, breaker, sink, cotter::system_clock{}};
#endif
