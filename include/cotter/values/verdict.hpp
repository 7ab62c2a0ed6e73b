// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/digest.hpp>
#include <cotter/values/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// Why a connection is refused. The text of each, see `to_string`, is part of the public contract.
enum class reason : std::uint8_t {
  none = 0,               ///< accepted
  unbound,                ///< no handshake under this guard has reached a decision
  pkix,                   ///< the TLS library does not trust the chain (RFC 5280 6)
  hostname,               ///< no SAN names the target (RFC 9525 6, RFC 5922 7)
  validity,               ///< outside notBefore..notAfter (RFC 5280 4.1.2.5)
  malformed_certificate,  ///< form C refuses the leaf, or a field cannot be located in it
  pin_mismatch,           ///< trusted, and not pinned; the one reason that counts in the breaker
  fallback_expired,       ///< pinned only by a fallback past its window
  no_pins,                ///< no target of the pin set equals host and port, or it has no pins
  manifest_invalid,
  manifest_signature,
  manifest_expired,
  manifest_rollback,
  runtime_mismatch,
  clock_untrusted,
  breaker_cooling,     ///< too soon, or too many attempts in flight
  breaker_locked,      ///< until an administrator acts
  resumption_unbound,  ///< resumed from a session that is not bound to this guard
  backend_unfit,       ///< the TLS library cannot enforce, or its hooks were overwritten
  state_unavailable,   ///< the breaker has no room or no state for the target
};

/// The last of them.
inline constexpr reason last_reason = reason::state_unavailable;

/// The stable spelling of `r`. Static storage; never empty.
[[nodiscard]] constexpr std::string_view to_string(reason r) noexcept {
  switch (r) {
    case reason::none: return "none";
    case reason::unbound: return "unbound";
    case reason::pkix: return "pkix";
    case reason::hostname: return "hostname";
    case reason::validity: return "validity";
    case reason::malformed_certificate: return "malformed_certificate";
    case reason::pin_mismatch: return "pin_mismatch";
    case reason::fallback_expired: return "fallback_expired";
    case reason::no_pins: return "no_pins";
    case reason::manifest_invalid: return "manifest_invalid";
    case reason::manifest_signature: return "manifest_signature";
    case reason::manifest_expired: return "manifest_expired";
    case reason::manifest_rollback: return "manifest_rollback";
    case reason::runtime_mismatch: return "runtime_mismatch";
    case reason::clock_untrusted: return "clock_untrusted";
    case reason::breaker_cooling: return "breaker_cooling";
    case reason::breaker_locked: return "breaker_locked";
    case reason::resumption_unbound: return "resumption_unbound";
    case reason::backend_unfit: return "backend_unfit";
    case reason::state_unavailable: return "state_unavailable";
  }
  return "unknown";
}

/// By which pin a connection was accepted.
enum class matched : std::uint8_t { none, primary, fallback, observed };

/// The stable spelling of `m`. Static storage; never empty.
[[nodiscard]] constexpr std::string_view to_string(matched m) noexcept {
  switch (m) {
    case matched::none: return "none";
    case matched::primary: return "primary";
    case matched::fallback: return "fallback";
    case matched::observed: return "observed";
  }
  return "unknown";
}

/// The answer about one handshake. It refuses unless it was made by `accept`.
class [[nodiscard]] verdict {
 public:
  /// Refused, `reason::unbound`.
  constexpr verdict() noexcept = default;

  /// Refused. `reason::none` is no reason and is stored as `unbound`.
  [[nodiscard]] static constexpr verdict refuse(cotter::reason why, error detail = {}) noexcept {
    verdict v;
    v.why_ = why == cotter::reason::none ? cotter::reason::unbound : why;
    v.detail_ = detail;
    return v;
  }
  /// Accepted by a pin; `label` is borrowed from it. `matched::none` accepts nothing.
  [[nodiscard]] static constexpr verdict accept(cotter::matched by,
                                                std::string_view label = {}) noexcept {
    verdict v;
    if (by == cotter::matched::none) return v;
    v.why_ = cotter::reason::none;
    v.by_ = by;
    v.label_ = label;
    return v;
  }

  /// Accepted although the pins said no, because a signed manifest asks to observe only. `why` is
  /// what they said; `reason::none` accepts nothing.
  [[nodiscard]] static constexpr verdict observe(cotter::reason why) noexcept {
    if (why == cotter::reason::none) return {};
    verdict v = accept(cotter::matched::observed);
    v.would_refuse_ = why;
    return v;
  }

  /// True if application data may flow.
  [[nodiscard]] constexpr explicit operator bool() const noexcept {
    return why_ == cotter::reason::none && by_ != cotter::matched::none;
  }
  [[nodiscard]] constexpr cotter::reason reason() const noexcept { return why_; }
  [[nodiscard]] constexpr cotter::matched matched() const noexcept { return by_; }
  /// With `matched::observed`: the reason that will count once observation ends. Else `none`.
  [[nodiscard]] constexpr cotter::reason would_refuse() const noexcept { return would_refuse_; }
  /// What lies under the reason: the encoding's error, or the TLS library's code.
  [[nodiscard]] constexpr const error& detail() const noexcept { return detail_; }

  /// True if a leaf was seen and could be brought into form C, whether accepted or not.
  [[nodiscard]] constexpr bool has_fingerprint() const noexcept { return has_fingerprint_; }
  /// SHA-256 over form C of the leaf; zero without `has_fingerprint()`.
  [[nodiscard]] constexpr const sha256_digest& fingerprint() const noexcept { return fingerprint_; }
  /// The label of the pin that matched; borrowed from the pin set; empty if refused.
  [[nodiscard]] constexpr std::string_view pin_label() const noexcept { return label_; }

  /// This verdict, with what was seen added. Turns no refusal into an acceptance.
  [[nodiscard]] constexpr verdict with_fingerprint(const sha256_digest& digest) const noexcept {
    verdict v = *this;
    v.fingerprint_ = digest;
    v.has_fingerprint_ = true;
    return v;
  }
  /// Turns an acceptance into a refusal for `breaker_locked`; what was seen stays. A refusal stays
  /// what it is.
  constexpr void lock() noexcept {
    if (why_ != cotter::reason::none) return;
    why_ = cotter::reason::breaker_locked;
    by_ = cotter::matched::none;
    would_refuse_ = cotter::reason::none;
    label_ = {};
  }
  /// This verdict with the label of the pin that matched.
  [[nodiscard]] constexpr verdict with_label(std::string_view label) const noexcept {
    verdict v = *this;
    v.label_ = label;
    return v;
  }

 private:
  cotter::reason why_ = cotter::reason::unbound;
  cotter::matched by_ = cotter::matched::none;
  cotter::reason would_refuse_ = cotter::reason::none;
  bool has_fingerprint_ = false;
  error detail_{};
  sha256_digest fingerprint_{};
  std::string_view label_{};
};

}  // namespace v0
}  // namespace cotter
