// SPDX-License-Identifier: BSL-1.0
// expect: a target without pins would refuse every certificate
#include <cotter/policies/pin_set/fixed_pin_set.hpp>

#include "pins.hpp"

#ifdef COTTER_WRONG
constexpr cotter::fixed_target t{"sip.example.com", 5061};
#else
constexpr cotter::fixed_target t{"sip.example.com", 5061, some_pin};
#endif
