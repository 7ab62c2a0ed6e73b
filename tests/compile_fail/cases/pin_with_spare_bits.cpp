// SPDX-License-Identifier: BSL-1.0
// expect: malformed_pin_literal
#include <cotter/policies/pin_set/fixed_pin_set.hpp>

#include "pins.hpp"

#ifdef COTTER_WRONG
constexpr auto p = cotter::fallback("sha256//ABEiM0RVZneImaq7zN3u/wEjRWeJq83vASNFZ4mrze9=");
#else
constexpr auto p = cotter::fallback("sha256//ABEiM0RVZneImaq7zN3u/wEjRWeJq83vASNFZ4mrze8=");
#endif
