// SPDX-License-Identifier: BSL-1.0
// expect: deleted
#include <cotter/policies/manifest/live_manifest.hpp>

cotter::live_manifest one;
#ifdef COTTER_WRONG
cotter::live_manifest two{one};
#else
cotter::live_manifest two{one.memory()};
#endif
