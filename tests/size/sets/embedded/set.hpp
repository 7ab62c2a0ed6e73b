// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "pinned.hpp"

// Fixed pins, a breaker in memory, the last eight decisions in a ring.
constinit cotter::memory_breaker<1, 64> breaking;
constinit cotter::ring_audit_sink<8> audit;
constinit cotter::guard guarding{pins, breaking, cotter::embedded_manifest{}, audit,
                                 cotter::no_lock{}};
inline void prepare() noexcept {}
