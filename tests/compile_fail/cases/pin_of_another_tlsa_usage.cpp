// SPDX-License-Identifier: BSL-1.0
// expect: malformed_pin_literal
#include <cotter/policies/pin_set/fixed_pin_set.hpp>

#include "pins.hpp"

#ifdef COTTER_WRONG
constexpr auto p = cotter::primary("3 1 1 " COTTER_TEST_HEX_62 "00");
#else
constexpr auto p = cotter::primary("1 1 1 " COTTER_TEST_HEX_62 "00");
#endif
