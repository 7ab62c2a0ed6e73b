// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "pinned.hpp"

// The embedded set with two sessions in place, of at most 2 KiB.
constinit cotter::memory_breaker<1, 64> breaking;
constinit cotter::ring_audit_sink<8> audit;
cotter::fixed_session_store<2048, 2> sessions;
cotter::guard guarding{pins,  breaking,          cotter::embedded_manifest{},
                       audit, cotter::no_lock{}, sessions};
inline void prepare() noexcept {}
