// SPDX-License-Identifier: BSL-1.0
// expect: a guard needs exactly one pin_set
#include "slots.hpp"

#include <cotter/policies/manifest/live_manifest.hpp>

cotter::live_manifest live;
#ifdef COTTER_WRONG
cotter::guard g{live, pins, breaker, sink};
#else
cotter::guard g{live, breaker, sink};
#endif
