// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "pinned.hpp"

/// Lets every attempt through: what a guard takes without a breaker's rules. Not for use.
struct open_door {
  static cotter::reservation reserve(const cotter::breaker_key&, cotter::time_reading,
                                     std::uint64_t) noexcept {
    return cotter::reservation::grant(0);
  }
  static cotter::breaker_change mismatch(cotter::reservation& held, cotter::time_reading) noexcept {
    held.spend();
    return {};
  }
  static cotter::breaker_change success(cotter::reservation& held, cotter::time_reading) noexcept {
    held.spend();
    return {};
  }
  static void release(cotter::reservation& held) noexcept { held.spend(); }
  static cotter::breaker_state state(const cotter::breaker_key&) noexcept {
    return cotter::breaker_state::closed;
  }
};

constinit cotter::ring_audit_sink<8> audit;
constinit cotter::guard guarding{pins, open_door{}, cotter::embedded_manifest{}, audit,
                                 cotter::no_lock{}};
inline void prepare() noexcept {}
