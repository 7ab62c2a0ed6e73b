// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/der/limits.hpp>

#include <cstdint>

namespace cotter {
inline namespace v0 {
namespace der {

/// Bits 8 and 7 of the identifier octet (X.690 8.1.2.2, table 1).
enum class tag_class : std::uint8_t { universal, application, context, private_use };

/// What an element says it is, however its identifier octets spelled it (X.690 8.1.2).
class tag {
 public:
  /// Universal 0, which no element has.
  constexpr tag() noexcept = default;
  /// `number` is at most `max_tag_number`; of a larger one only the low bits count.
  constexpr tag(tag_class of, bool constructed, std::uint32_t number) noexcept
      : bits_(static_cast<std::uint32_t>(of) << 30 | std::uint32_t{constructed} << 29 |
              (number & max_tag_number)) {}

  /// What one identifier octet says, provided its low five bits are not all ones.
  [[nodiscard]] static constexpr tag from_octet(std::uint8_t identifier) noexcept {
    tag t;
    t.bits_ = (identifier & 0xe0u) << 24 | (identifier & 0x1fu);
    return t;
  }

  [[nodiscard]] constexpr tag_class of() const noexcept {
    return static_cast<tag_class>(bits_ >> 30);
  }
  [[nodiscard]] constexpr bool constructed() const noexcept { return (bits_ >> 29 & 1) != 0; }
  [[nodiscard]] constexpr std::uint32_t number() const noexcept { return bits_ & max_tag_number; }

  friend constexpr bool operator==(tag, tag) = default;

 private:
  std::uint32_t bits_ = 0;
};

/// A context-specific tag, `[number]` in ASN.1.
[[nodiscard]] constexpr tag context_tag(std::uint32_t number, bool constructed) noexcept {
  return {tag_class::context, constructed, number};
}

/// The universal tags (X.680 8.6, table 1) in the one form that DER gives them (X.690 10.2).
namespace tags {

inline constexpr tag boolean{tag_class::universal, false, 1};
inline constexpr tag integer{tag_class::universal, false, 2};
inline constexpr tag bit_string{tag_class::universal, false, 3};
inline constexpr tag octet_string{tag_class::universal, false, 4};
inline constexpr tag null{tag_class::universal, false, 5};
inline constexpr tag object_identifier{tag_class::universal, false, 6};
inline constexpr tag sequence{tag_class::universal, true, 16};
inline constexpr tag set{tag_class::universal, true, 17};
inline constexpr tag utc_time{tag_class::universal, false, 23};
inline constexpr tag generalized_time{tag_class::universal, false, 24};

}  // namespace tags

/// True if DER lets an element of this tag exist at all: universal types that are structures are
/// constructed, all other universal types are primitive (X.690 8, 10.2), and universal 0 is no
/// type. Other classes may be either.
[[nodiscard]] constexpr bool has_der_form(tag t) noexcept {
  if (t.of() != tag_class::universal) return true;
  switch (t.number()) {
    case 0:
      return false;
    case 8:   // EXTERNAL
    case 11:  // EMBEDDED PDV
    case 16:  // SEQUENCE
    case 17:  // SET
    case 29:  // CHARACTER STRING
      return t.constructed();
    default:
      return !t.constructed();
  }
}

}  // namespace der
}  // namespace v0
}  // namespace cotter
