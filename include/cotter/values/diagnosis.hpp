// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/target.hpp>
#include <cotter/values/time.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// What probably lies behind a refusal: a guess for people, beside the reason and never instead of
/// it. Whoever stands on the path can bring any of them about.
enum class cause : std::uint8_t {
  none,               ///< no guess
  rotation,           ///< the server's certificate is being exchanged, and the pins are behind
  terminating_proxy,  ///< a proxy or load balancer with a public certificate of its own
  inspection,         ///< a proxy that signs certificates itself to read what passes
  region_skew,        ///< the certificate of another region of this target
  wrong_endpoint,     ///< the server of another name
  captive_portal,     ///< a network that answers in the server's place until one logs in
  clock_wrong,        ///< this device's clock
};

/// The stable spelling of `c`. Static storage; never empty.
[[nodiscard]] constexpr std::string_view to_string(cause c) noexcept {
  switch (c) {
    case cause::none: return "none";
    case cause::rotation: return "rotation_under_way";
    case cause::terminating_proxy: return "tls_terminating_proxy";
    case cause::inspection: return "inspection_proxy";
    case cause::region_skew: return "region_skew";
    case cause::wrong_endpoint: return "wrong_endpoint";
    case cause::captive_portal: return "captive_portal";
    case cause::clock_wrong: return "clock_wrong";
  }
  return "unknown";
}

inline constexpr std::array all_causes{
    cause::rotation,       cause::terminating_proxy, cause::inspection, cause::region_skew,
    cause::wrong_endpoint, cause::captive_portal,    cause::clock_wrong};

/// What a guess rests on. Each is a fact about the leaf that was refused and this device.
enum class evidence : std::uint16_t {
  chain_trusted = 1 << 0,    ///< the TLS library found nothing wrong with the chain
  chain_untrusted = 1 << 1,
  name_differs = 1 << 2,     ///< no SAN names the target
  public_issuance = 1 << 3,  ///< the leaf bears marks that publicly trusted CAs must leave: embedded
                             ///< SCTs (RFC 6962 3.3) or a CA/Browser Forum policy
  private_issuance = 1 << 4, ///< it bears none of them
  history_absent = 1 << 5,   ///< no leaf of this target was ever accepted here, or none is remembered
  issuer_same = 1 << 6,      ///< issued by the CA that issued the last leaf accepted here
  issuer_unseen = 1 << 7,    ///< by another one
  names_same = 1 << 8,       ///< the same SAN as the last leaf accepted here
  newer = 1 << 9,            ///< issued later than the last leaf accepted here
  older = 1 << 10,           ///< issued earlier
  newer_manifest = 1 << 11,  ///< pinned by a manifest that came into force since the attempt began
  other_pins = 1 << 12,      ///< pinned, but for another region or another target
  fallback_past = 1 << 13,   ///< pinned by a fallback whose window is over
  pinned = 1 << 14,          ///< this target's pins accept the leaf
  clock_low = 1 << 15,       ///< the clock stands before a time known to be past, or before the
                             ///< notBefore of a pinned leaf
};

inline constexpr std::array all_evidence{
    evidence::chain_trusted,    evidence::chain_untrusted, evidence::name_differs,
    evidence::public_issuance,  evidence::private_issuance, evidence::history_absent,
    evidence::issuer_same,      evidence::issuer_unseen,   evidence::names_same,
    evidence::newer,            evidence::older,           evidence::newer_manifest,
    evidence::other_pins,       evidence::fallback_past,   evidence::pinned,
    evidence::clock_low};

/// The stable spelling of `e`. Static storage; never empty.
[[nodiscard]] constexpr std::string_view to_string(evidence e) noexcept {
  switch (e) {
    case evidence::chain_trusted: return "chain_trusted";
    case evidence::chain_untrusted: return "chain_untrusted";
    case evidence::name_differs: return "name_differs";
    case evidence::public_issuance: return "public_issuance";
    case evidence::private_issuance: return "private_issuance";
    case evidence::history_absent: return "history_absent";
    case evidence::issuer_same: return "issuer_same";
    case evidence::issuer_unseen: return "issuer_unseen";
    case evidence::names_same: return "names_same";
    case evidence::newer: return "newer";
    case evidence::older: return "older";
    case evidence::newer_manifest: return "newer_manifest";
    case evidence::other_pins: return "other_pins";
    case evidence::fallback_past: return "fallback_past";
    case evidence::pinned: return "pinned";
    case evidence::clock_low: return "clock_low";
  }
  return "unknown";
}

/// A set of `evidence`.
struct evidence_set {
  std::uint16_t bits = 0;

  constexpr evidence_set& add(evidence e) noexcept {
    bits = static_cast<std::uint16_t>(bits | static_cast<std::uint16_t>(e));
    return *this;
  }
  [[nodiscard]] constexpr bool has(evidence e) const noexcept {
    return (bits & static_cast<std::uint16_t>(e)) != 0;
  }
  friend constexpr bool operator==(const evidence_set&, const evidence_set&) = default;
};

/// Whose pins a leaf matches, if not those that were asked: another region of the same target, or
/// another target. Borrowed from the pin set.
struct pin_owner {
  target endpoint{};          ///< empty host: nobody's
  std::string_view region{};

  [[nodiscard]] constexpr explicit operator bool() const noexcept { return !endpoint.host.empty(); }
};

/// A guess and what it rests on.
struct diagnosis {
  cause what = cause::none;
  evidence_set seen{};
  pin_owner owner{};  ///< with `evidence::other_pins`

  [[nodiscard]] constexpr explicit operator bool() const noexcept { return what != cause::none; }
};

/// What is remembered of a leaf to compare the next one with. The marks are FNV-1a, 64 bits, of
/// public octets: they tell leaves apart for a guess, and nothing relies on them.
struct leaf_traits {
  std::uint64_t issuer = 0;  ///< of issuer and authorityKeyIdentifier; 0: nothing known
  std::uint64_t names = 0;   ///< of subjectAltName
  instant not_before{};
  bool public_issuance = false;  ///< see `evidence::public_issuance`

  [[nodiscard]] constexpr explicit operator bool() const noexcept { return issuer != 0; }
  friend constexpr bool operator==(const leaf_traits&, const leaf_traits&) = default;
};

}  // namespace v0
}  // namespace cotter
