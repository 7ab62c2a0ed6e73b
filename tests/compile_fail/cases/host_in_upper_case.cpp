// SPDX-License-Identifier: BSL-1.0
// expect: malformed_host_literal
#include <cotter/policies/pin_set/fixed_pin_set.hpp>

#include "pins.hpp"

#ifdef COTTER_WRONG
constexpr cotter::fixed_target t{"Sip.example.com", 5061, some_pin};
#else
constexpr cotter::fixed_target t{"sip.example.com", 5061, some_pin};
#endif
