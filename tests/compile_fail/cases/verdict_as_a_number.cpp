// SPDX-License-Identifier: BSL-1.0
// expect: cannot convert|no viable conversion
#include <cotter/values/verdict.hpp>

#ifdef COTTER_WRONG
bool good(const cotter::verdict& v) { return v; }
#else
bool good(const cotter::verdict& v) { return static_cast<bool>(v); }
#endif
