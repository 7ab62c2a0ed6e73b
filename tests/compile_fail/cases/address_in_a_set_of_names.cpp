// SPDX-License-Identifier: BSL-1.0
// expect: address_in_a_set_of_names
#include <cotter/policies/pin_set/fixed_pin_set.hpp>

#include "pins.hpp"

#ifdef COTTER_WRONG
constexpr cotter::fixed_name_set set{cotter::fixed_target{"192.0.2.1", 5061, some_pin}};
#else
constexpr cotter::fixed_name_set set{cotter::fixed_target{"192.example", 5061, some_pin}};
#endif
