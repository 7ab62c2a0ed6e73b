// SPDX-License-Identifier: BSL-1.0
// expect: is_nothrow_invocable|constraints not satisfied|no viable constructor
#include <cotter/policies/audit/callback_audit_sink.hpp>

#ifdef COTTER_WRONG
cotter::callback_audit_sink sink([](const cotter::audit_record&) {});
#else
cotter::callback_audit_sink sink([](const cotter::audit_record&) noexcept {});
#endif
