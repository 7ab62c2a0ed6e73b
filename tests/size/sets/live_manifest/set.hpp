// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/cotter.hpp>

#include "pinned.hpp"

// The embedded set with pins that can be replaced while it runs; reading the signed document is extra.
constinit cotter::memory_breaker<1, 64> breaking;
constinit cotter::ring_audit_sink<8> audit;
cotter::live_manifest manifest;
cotter::guard guarding{manifest, breaking, audit};
cotter::pin_manifest update;
inline void prepare() noexcept { static_cast<void>(manifest.adopt(update, guarding.now().wall)); }
