// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/pin.hpp>
#include <cotter/values/time.hpp>
#include <cotter/values/verdict.hpp>

#include <cstdint>

namespace cotter {
inline namespace v0 {

/// The standing of the document that carries the pins. The pins themselves are a `pin_set`.
struct manifest_standing {
  reason problem = reason::manifest_invalid;  ///< `none` while it is in force
  std::uint64_t sequence = 0;                 ///< grows with every signed manifest
  instant issued_at{};                        ///< a floor for the clock: it is not earlier than this
  instant expires_at = no_expiry;
};

}  // namespace v0
}  // namespace cotter
