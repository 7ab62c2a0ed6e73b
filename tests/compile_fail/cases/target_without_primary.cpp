// SPDX-License-Identifier: BSL-1.0
// expect: target_needs_a_primary_pin
#include <cotter/policies/pin_set/fixed_pin_set.hpp>

#include "pins.hpp"

#ifdef COTTER_WRONG
constexpr cotter::fixed_target t{"sip.example.com", 5061,
                                 cotter::fallback("cert-sha256:" COTTER_TEST_HEX_62 "00")};
#else
constexpr cotter::fixed_target t{"sip.example.com", 5061, some_pin,
                                 cotter::fallback("cert-sha256:" COTTER_TEST_HEX_62 "00")};
#endif
