// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sink.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// A decision in 48 octets, for devices that count them.
struct ring_entry {
  sha256_digest fingerprint{};  ///< zero if no leaf was seen
  std::int64_t at_seconds = 0;  ///< since 1970-01-01T00:00:00Z
  std::uint32_t host_tag = 0;   ///< `ring_host_tag(host)`
  std::uint16_t port = 0;
  reason why = reason::unbound;
  matched by = matched::none;
};
static_assert(sizeof(ring_entry) == 48);

/// FNV-1a, 32 bits, of a host: tells a device's few targets apart in a `ring_entry`. Not a digest
/// that anything relies on.
[[nodiscard]] constexpr std::uint32_t ring_host_tag(std::string_view host) noexcept {
  std::uint32_t h = 0x811c9dc5u;
  for (const char c : host) h = (h ^ static_cast<std::uint8_t>(c)) * 0x01000193u;
  return h;
}

/// Keeps the last `Slots` decisions in place, no heap. What it overwrites it counts.
template <std::size_t Slots>
class ring_audit_sink {
  static_assert(Slots > 0);

 public:
  using decisions_only = ring_audit_sink;

  constexpr void record(const audit_record& what) noexcept {
    if (what.subject != audit_subject::decision) return;
    entries_[static_cast<std::size_t>(recorded_ % Slots)] = {
        what.outcome.fingerprint(),
        what.at.time_since_epoch().count(),
        ring_host_tag(what.endpoint.host),
        what.endpoint.port,
        what.outcome.reason(),
        what.outcome.matched(),
    };
    ++recorded_;
  }

  /// How many entries can be read: at most `Slots`.
  [[nodiscard]] constexpr std::size_t size() const noexcept {
    return recorded_ < Slots ? static_cast<std::size_t>(recorded_) : Slots;
  }
  /// Oldest first; `index < size()`, else a default entry.
  [[nodiscard]] constexpr ring_entry at(std::size_t index) const noexcept {
    if (index >= size()) return {};
    const std::uint64_t first = recorded_ - size();
    return entries_[static_cast<std::size_t>((first + index) % Slots)];
  }
  /// Every decision ever recorded.
  [[nodiscard]] constexpr std::uint64_t recorded() const noexcept { return recorded_; }
  /// How many of them have been overwritten.
  [[nodiscard]] constexpr std::uint64_t overwritten() const noexcept { return recorded_ - size(); }

 private:
  std::array<ring_entry, Slots> entries_{};
  std::uint64_t recorded_ = 0;
};

static_assert(audit_sink<ring_audit_sink<1>>);

}  // namespace v0
}  // namespace cotter
