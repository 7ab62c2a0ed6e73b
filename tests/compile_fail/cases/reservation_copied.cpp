// SPDX-License-Identifier: BSL-1.0
// expect: deleted
#include <cotter/values/reservation.hpp>

#include <utility>

#ifdef COTTER_WRONG
cotter::reservation again(cotter::reservation& one) { return cotter::reservation(one); }
#else
cotter::reservation again(cotter::reservation& one) { return cotter::reservation(std::move(one)); }
#endif
