// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/breaker_state.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/diagnosis.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/pin.hpp>
#include <cotter/values/runtime.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/time.hpp>
#include <cotter/values/verdict.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// What an `audit_record` is about.
enum class audit_subject : std::uint8_t {
  decision,  ///< one attempt, accepted or refused
  breaker,   ///< a key changed its state, or an alert is due
  manifest,  ///< another manifest is in force, one was rejected, or it has lapsed
  clock,     ///< the device's clock cannot be right
  loss,      ///< records that a sink had no room for; only sinks make these
};

/// The types of event that leave the house; the spelling of each is part of the schema.
enum class audit_type : std::uint8_t {
  accepted,
  resumed,       ///< accepted, and a session took the place of the certificate
  would_refuse,  ///< accepted because the manifest only observes
  refused,
  breaker,
  manifest,
  clock,
  loss,
};

/// The stable spelling of `t`. Static storage; never empty.
[[nodiscard]] constexpr std::string_view to_string(audit_type t) noexcept {
  switch (t) {
    case audit_type::accepted: return "accepted";
    case audit_type::resumed: return "resumed";
    case audit_type::would_refuse: return "would_refuse";
    case audit_type::refused: return "refused";
    case audit_type::breaker: return "breaker";
    case audit_type::manifest: return "manifest";
    case audit_type::clock: return "clock";
    case audit_type::loss: return "loss";
  }
  return "unknown";
}

/// What happened to the manifest.
enum class manifest_change : std::uint8_t {
  none,
  adopted,   ///< the first one seen in force, or a newer one
  rejected,  ///< an update that was not taken; the last good one stays
  lapsed,    ///< there was one in force, and there is none now
};

[[nodiscard]] constexpr std::string_view to_string(manifest_change c) noexcept {
  switch (c) {
    case manifest_change::none: return "none";
    case manifest_change::adopted: return "adopted";
    case manifest_change::rejected: return "rejected";
    case manifest_change::lapsed: return "lapsed";
  }
  return "unknown";
}

/// What is wrong with the clock.
enum class clock_fault : std::uint8_t {
  none,
  below_floor,  ///< before a time that a signed document proves to be past
  set_back,     ///< further back, against the steady clock, than `longest_correction`
};

[[nodiscard]] constexpr std::string_view to_string(clock_fault f) noexcept {
  switch (f) {
    case clock_fault::none: return "none";
    case clock_fault::below_floor: return "below_floor";
    case clock_fault::set_back: return "set_back";
  }
  return "unknown";
}

/// The largest step back of a clock that is a correction and no anomaly.
inline constexpr std::chrono::seconds longest_correction{60};

/// What a sink receives: one per decision and one per change, never per packet. Everything borrowed
/// is valid during `audit_sink::record` only.
struct audit_record {
  instant at{};                ///< by the guard's clock, lifted to its floor
  target endpoint{};           ///< an empty host: about no target (manifest, clock, loss)
  std::string_view backend{};  ///< `Backend::name`; empty for a refusal before TCP
  verdict outcome{};           ///< of a decision
  breaker_state breaker = breaker_state::closed;  ///< after this

  audit_subject subject = audit_subject::decision;
  library_version backend_version{};  ///< that runs; 0.0.0 without `backend`
  bool resumed = false;
  std::string_view region{};      ///< whose pins were asked; empty if the target has none
  cotter::diagnosis diagnosis{};  ///< of a refusal
  instant leaf_not_before{};      ///< of the leaf seen; the epoch if none was located
  instant leaf_not_after{};
  std::span<const pin> pins{};  ///< those that were asked
  bytes_view leaf{};            ///< of a refusal: the leaf as it came, for sinks that ask for it

  breaker_state breaker_before = breaker_state::closed;  ///< with `audit_subject::breaker`
  std::uint8_t streak = 0;
  std::uint32_t mismatches_24h = 0;
  bool alert = false;

  manifest_change manifest = manifest_change::none;
  std::uint64_t sequence =
      0;  ///< `manifest_order` of the manifest in force; 0: none, or fixed pins
  reason lapsed = reason::none;  ///< with `manifest_change::lapsed`
  error detail{};                ///< with `manifest_change::rejected`

  clock_fault clock = clock_fault::none;
  instant clock_says{};  ///< with a clock fault: `at` is what is believed instead

  /// With a decision: how many more there were like this one since `since`, not recorded singly.
  /// With a loss: how many records there was no room for.
  std::uint32_t suppressed_count = 0;
  instant since{};
};

/// What to call the event.
[[nodiscard]] constexpr audit_type type_of(const audit_record& what) noexcept {
  switch (what.subject) {
    case audit_subject::breaker: return audit_type::breaker;
    case audit_subject::manifest: return audit_type::manifest;
    case audit_subject::clock: return audit_type::clock;
    case audit_subject::loss: return audit_type::loss;
    case audit_subject::decision: break;
  }
  if (!what.outcome) return audit_type::refused;
  if (what.outcome.matched() == matched::observed) return audit_type::would_refuse;
  return what.resumed ? audit_type::resumed : audit_type::accepted;
}

}  // namespace v0
}  // namespace cotter
