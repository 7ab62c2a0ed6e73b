// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/target.hpp>
#include <cotter/values/time.hpp>
#include <cotter/values/verdict.hpp>

#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// Where a breaker stands for one key.
enum class breaker_state : std::uint8_t { closed, cooling, locked };

/// The stable spelling of `s`. Static storage; never empty.
[[nodiscard]] constexpr std::string_view to_string(breaker_state s) noexcept {
  switch (s) {
    case breaker_state::closed: return "closed";
    case breaker_state::cooling: return "cooling";
    case breaker_state::locked: return "locked";
  }
  return "unknown";
}

/// What a sink receives: one per decision, never per packet. Everything borrowed is valid during
/// `audit_sink::record` only.
struct audit_record {
  instant at{};
  target endpoint{};
  std::string_view backend{};  ///< `Backend::name`; empty for a refusal before TCP
  verdict outcome{};
  breaker_state breaker = breaker_state::closed;  ///< after this decision
};

}  // namespace v0
}  // namespace cotter
