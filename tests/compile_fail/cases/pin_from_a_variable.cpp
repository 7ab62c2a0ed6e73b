// SPDX-License-Identifier: BSL-1.0
// expect: constant expression|not usable in a constant|must be a constant
#include <cotter/policies/pin_set/fixed_pin_set.hpp>

#include "pins.hpp"

#ifdef COTTER_WRONG
cotter::pin from(const char* text) { return cotter::primary(text); }
#else
cotter::pin from() { return some_pin; }
#endif
