// SPDX-License-Identifier: BSL-1.0
// expect: a slot that cannot be moved is passed as an lvalue
#include "slots.hpp"

#ifdef COTTER_WRONG
cotter::guard g{pins, manifest, breaker, sink, cotter::flag_lock{}};
#else
cotter::guard g{pins, manifest, breaker, sink};
#endif
