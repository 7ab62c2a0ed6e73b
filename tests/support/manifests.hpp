// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/manifest.hpp>
#include <cotter/values/pin_manifest.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// Manifests as their reader makes them, without a reader.
namespace manifests {

using namespace cotter;

/// A time that no floor lifts.
inline constexpr instant day_one = library_made_at + std::chrono::days{100};

inline sha256_digest digest_of(std::uint8_t octet) {
  sha256_digest digest;
  digest.octets.fill(octet);
  return digest;
}

inline manifest_pin primary(std::uint8_t octet, std::string label = {}) {
  return {{digest_of(octet), pin_form::certificate, pin_role::primary, no_expiry, {}},
          std::move(label)};
}

inline manifest_pin fallback(std::uint8_t octet, instant not_after = no_expiry,
                             std::string label = {}) {
  return {{digest_of(octet), pin_form::certificate, pin_role::fallback, not_after, {}},
          std::move(label)};
}

inline manifest_target target_with(std::string host, std::uint16_t port,
                                   std::vector<manifest_pin> pins) {
  manifest_target one;
  one.host = std::move(host);
  one.port = port;
  one.pins = std::move(pins);
  return one;
}

inline manifest_region region(std::string name, std::vector<std::string> blocks,
                              std::vector<manifest_pin> pins, bool is_default = false) {
  manifest_region one;
  one.name = std::move(name);
  for (const std::string& block : blocks) one.prefixes.push_back(*parse_prefix(block));
  one.pins = std::move(pins);
  one.is_default = is_default;
  return one;
}

/// Issued on day one, good for 90 days; its payload is its sequence.
inline pin_manifest manifest(std::uint64_t sequence, std::vector<manifest_target> targets) {
  pin_manifest made;
  made.version = "2.1.0";
  made.sequence = sequence;
  made.issued_at = day_one;
  made.expires_at = day_one + std::chrono::days{90};
  made.targets = std::move(targets);
  made.payload = digest_of(static_cast<std::uint8_t>(sequence));
  return made;
}

}  // namespace manifests
