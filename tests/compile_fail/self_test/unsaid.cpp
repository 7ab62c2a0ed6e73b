// SPDX-License-Identifier: BSL-1.0
// expect: a diagnostic of no compiler
#ifdef COTTER_WRONG
#error wrong
#endif
