// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/diagnosis.hpp>
#include <cotter/values/time.hpp>
#include <cotter/values/verdict.hpp>

namespace cotter {
inline namespace v0 {

/// All that is known of a refused attempt and that a guess may rest on.
struct refusal_facts {
  reason why = reason::none;
  bool chain_known = false;  ///< the TLS library has given its opinion
  bool chain_trusted = false;
  bool names_target = false;
  bool pinned = false;          ///< by the pins that were asked
  bool newer_manifest = false;  ///< by those of the manifest in force now, not by those asked
  bool clock_low = false;       ///< the device's clock says less than the guard believes
  instant now{};
  instant not_before{};  ///< of the leaf
  leaf_traits leaf{};    ///< nothing if no leaf could be read
  leaf_traits known{};   ///< of the last leaf of this target accepted here
  pin_owner owner{};     ///< whose pins the leaf matches, if not those that were asked
};

/// The most probable cause of a refusal, with what speaks for it; `cause::none` where nothing does.
/// The first rule that fits decides. Pure.
///
/// A refusal before there was a leaf has no diagnosis but `clock_wrong`.
[[nodiscard]] constexpr diagnosis diagnose(const refusal_facts& facts) noexcept {
  diagnosis found;
  evidence_set& seen = found.seen;
  const bool early = facts.leaf && facts.pinned && facts.now < facts.not_before;
  if (facts.clock_low || early) seen.add(evidence::clock_low);
  if (facts.leaf) {
    if (facts.chain_known) {
      seen.add(facts.chain_trusted ? evidence::chain_trusted : evidence::chain_untrusted);
    }
    if (!facts.names_target) seen.add(evidence::name_differs);
    seen.add(facts.leaf.public_issuance ? evidence::public_issuance : evidence::private_issuance);
    if (!facts.known) {
      seen.add(evidence::history_absent);
    } else {
      seen.add(facts.leaf.issuer == facts.known.issuer ? evidence::issuer_same
                                                       : evidence::issuer_unseen);
      if (facts.leaf.names == facts.known.names) seen.add(evidence::names_same);
      if (facts.leaf.not_before > facts.known.not_before) seen.add(evidence::newer);
      if (facts.leaf.not_before < facts.known.not_before) seen.add(evidence::older);
    }
    if (facts.pinned) seen.add(evidence::pinned);
    if (facts.newer_manifest) seen.add(evidence::newer_manifest);
    if (facts.owner) seen.add(evidence::other_pins);
    if (facts.why == reason::fallback_expired) seen.add(evidence::fallback_past);
  }
  found.owner = facts.owner;

  const bool same_issuer = seen.has(evidence::issuer_same);
  switch (facts.why) {
    case reason::manifest_expired:
    case reason::clock_untrusted:
      if (facts.clock_low) found.what = cause::clock_wrong;
      break;
    case reason::validity:
      if (seen.has(evidence::clock_low)) found.what = cause::clock_wrong;
      break;
    case reason::hostname:
      // Libraries that judge the name themselves call the chain untrusted for it: a leaf of whoever
      // issues this target's, or of a public CA, is a server's own all the same.
      found.what = facts.chain_trusted || facts.owner || same_issuer || facts.leaf.public_issuance
                       ? cause::wrong_endpoint
                       : cause::captive_portal;
      break;
    case reason::pkix:
      // The right name under a CA that nobody here trusts: an inspection whose root is missing, unless
      // it is the right server with a chain that is not.
      if (!facts.pinned && !facts.newer_manifest && !facts.owner && !same_issuer &&
          !facts.leaf.public_issuance && facts.leaf) {
        found.what = cause::inspection;
      }
      break;
    case reason::pin_mismatch:
    case reason::fallback_expired:
      // Pins that accept it were those asked: they are another manifest's by now.
      if (!facts.leaf || facts.pinned) break;
      if (facts.newer_manifest || facts.why == reason::fallback_expired) {
        found.what = cause::rotation;
      } else if (facts.owner) {
        found.what = facts.owner.region.empty() ? cause::wrong_endpoint : cause::region_skew;
      } else if (same_issuer && seen.has(evidence::names_same) &&
                 (seen.has(evidence::newer) || seen.has(evidence::older))) {
        found.what = cause::rotation;
      } else if (facts.leaf.public_issuance || same_issuer) {
        found.what = cause::terminating_proxy;
      } else {
        found.what = cause::inspection;
      }
      break;
    default: break;
  }
  if (found.what == cause::none) return {};
  return found;
}

}  // namespace v0
}  // namespace cotter
