// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/pin_set.hpp>
#include <cotter/values/pin.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

namespace detail {
// Named for what the compiler will print: each is reached only by a literal that is at fault, and
// none is constexpr, so the program does not compile.
void malformed_pin_literal();
void malformed_host_literal();
void port_must_not_be_zero();
void target_needs_a_primary_pin();
void same_endpoint_twice();
void address_in_a_set_of_names();

consteval pin checked_pin(std::string_view text, std::string_view label) {
  const result<pin> parsed = parse_pin(text);
  if (!parsed) malformed_pin_literal();
  pin value = *parsed;
  value.label = label;
  return value;
}
}  // namespace detail

/// A primary pin from a literal, in any spelling of `parse_pin`. A malformed literal does not
/// compile.
consteval pin primary(std::string_view text, std::string_view label = "primary") {
  return detail::checked_pin(text, label);
}

/// A fallback pin from a literal, good until `not_after` inclusive.
consteval pin fallback(std::string_view text, instant not_after = no_expiry,
                       std::string_view label = "fallback") {
  pin value = detail::checked_pin(text, label);
  value.role = pin_role::fallback;
  value.not_after = not_after;
  return value;
}

/// One target and its pins, as literals. What is not canonical does not compile, see
/// `classify_host`.
template <std::size_t Pins>
struct fixed_target {
  static_assert(Pins > 0, "a target without pins would refuse every certificate");

  target endpoint{};
  std::array<pin, Pins> pins{};

  template <typename... P>
  requires(sizeof...(P) == Pins) consteval fixed_target(std::string_view host, std::uint16_t port,
                                                        const P&... pin_literals)
      : endpoint{host, port, identity::host}, pins{pin_literals...} {
    if (!classify_host(host)) detail::malformed_host_literal();
    if (port == 0) detail::port_must_not_be_zero();
    bool has_primary = false;
    for (const pin& p : pins) has_primary = has_primary || p.role == pin_role::primary;
    if (!has_primary) detail::target_needs_a_primary_pin();
  }
};

template <typename... P>
fixed_target(std::string_view, std::uint16_t, const P&...) -> fixed_target<sizeof...(P)>;

/// Pins that are part of the program: constant data, no code at start-up, no heap, no RAM.
///
/// Everything is checked by the compiler. Lookup is linear in the number of targets.
template <std::size_t Targets, std::size_t Pins>
class fixed_pin_set {
 public:
  using canonical = fixed_pin_set;
  using regionless = fixed_pin_set;

  /// A target found, or nothing; borrows from the set, which it must not outlive.
  class handle {
   public:
    constexpr handle() noexcept = default;
    [[nodiscard]] constexpr explicit operator bool() const noexcept { return !found_.pins.empty(); }
    [[nodiscard]] constexpr const pinned_target& operator*() const noexcept { return found_; }

   private:
    friend class fixed_pin_set;
    constexpr explicit handle(const pinned_target& found) noexcept : found_(found) {}
    pinned_target found_{};
  };

  /// Another target that a leaf belongs to, or nothing; borrows from the set.
  class owner_handle {
   public:
    constexpr owner_handle() noexcept = default;
    [[nodiscard]] constexpr explicit operator bool() const noexcept {
      return static_cast<bool>(owner_);
    }
    [[nodiscard]] constexpr const pin_owner& operator*() const noexcept { return owner_; }

   private:
    friend class fixed_pin_set;
    constexpr explicit owner_handle(const pin_owner& owner) noexcept : owner_(owner) {}
    pin_owner owner_{};
  };

  template <std::size_t... N>
  requires(sizeof...(N) == Targets && (N + ...) == Pins) consteval explicit(false)
      fixed_pin_set(const fixed_target<N>&... targets) {
    std::size_t target_at = 0;
    std::size_t pin_at = 0;
    const auto append = [&](const auto& one) {
      for (std::size_t i = 0; i < target_at; ++i) {
        if (entries_[i].endpoint.same_endpoint(one.endpoint)) detail::same_endpoint_twice();
      }
      entries_[target_at++] = {one.endpoint, pin_at, one.pins.size()};
      for (const pin& p : one.pins) pins_[pin_at++] = p;
    };
    (append(targets), ...);
  }

  /// @see pin_set. The set has no regions: `peer` is ignored.
  [[nodiscard]] constexpr handle find(const target& whom, const ip_address&) const noexcept {
    for (const entry& e : entries_) {
      if (e.endpoint.same_endpoint(whom)) {
        return handle{{e.endpoint, std::span<const pin>(pins_).subspan(e.first, e.count)}};
      }
    }
    return {};
  }

  /// @see owner_telling_pin_set
  [[nodiscard]] constexpr owner_handle owner_of(const pinned_target& asked,
                                                const sha256_digest& certificate,
                                                const sha256_digest* key) const noexcept {
    for (const entry& e : entries_) {
      const pinned_target one{e.endpoint, std::span<const pin>(pins_).subspan(e.first, e.count)};
      if (!e.endpoint.same_endpoint(asked.endpoint) && one.knows(certificate, key)) {
        return owner_handle{{e.endpoint, {}}};
      }
    }
    return {};
  }

 private:
  struct entry {
    target endpoint{};
    std::size_t first = 0;
    std::size_t count = 0;
  };

  std::array<entry, Targets> entries_{};
  std::array<pin, Pins> pins_{};
};

// `sizeof` completes the class before a variable of it is declared: g++ puts constant data of a class
// that is not into memory that can be written.
template <std::size_t... N>
requires(sizeof(fixed_pin_set<sizeof...(N), (N + ...)>) > 0)
    fixed_pin_set(const fixed_target<N>&...)
->fixed_pin_set<sizeof...(N), (N + ...)>;

/// A `fixed_pin_set` of names alone: an IP literal does not compile. A guard over it leaves out what
/// matches IP addresses, 0.8 KB of a small device's flash.
template <std::size_t Targets, std::size_t Pins>
class fixed_name_set : public fixed_pin_set<Targets, Pins> {
 public:
  using canonical = fixed_name_set;
  using regionless = fixed_name_set;
  using names_only = fixed_name_set;

  template <std::size_t... N>
  requires(sizeof...(N) == Targets && (N + ...) == Pins) consteval explicit(false)
      fixed_name_set(const fixed_target<N>&... targets)
      : fixed_pin_set<Targets, Pins>(targets...) {
    if ((detail::is_address(targets.endpoint.host) || ...)) detail::address_in_a_set_of_names();
  }
};

template <std::size_t... N>
requires(sizeof(fixed_name_set<sizeof...(N), (N + ...)>) > 0)
    fixed_name_set(const fixed_target<N>&...)
->fixed_name_set<sizeof...(N), (N + ...)>;

}  // namespace v0
}  // namespace cotter
