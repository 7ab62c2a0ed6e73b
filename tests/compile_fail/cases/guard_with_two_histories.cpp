// SPDX-License-Identifier: BSL-1.0
// expect: a guard takes at most one peer_history
#include "slots.hpp"

#include <cotter/policies/history/no_history.hpp>

#ifdef COTTER_WRONG
cotter::guard g{pins, manifest, breaker, sink, cotter::no_history{}, cotter::no_history{}};
#else
cotter::guard g{pins, manifest, breaker, sink, cotter::no_history{}};
#endif
