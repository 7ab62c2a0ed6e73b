// SPDX-License-Identifier: BSL-1.0
// expect: same_endpoint_twice
#include <cotter/policies/pin_set/fixed_pin_set.hpp>

#include "pins.hpp"

#ifdef COTTER_WRONG
constexpr cotter::fixed_pin_set s{cotter::fixed_target{"sip.example.com", 5061, some_pin},
                                  cotter::fixed_target{"sip.example.com", 5061, some_pin}};
#else
constexpr cotter::fixed_pin_set s{cotter::fixed_target{"sip.example.com", 5061, some_pin},
                                  cotter::fixed_target{"sip.example.com", 5062, some_pin}};
#endif
