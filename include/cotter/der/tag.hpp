// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace cotter {
inline namespace v0 {
namespace der {

/// Bits 8 and 7 of the identifier octet (X.690 8.1.2.2, table 1).
enum class tag_class : std::uint8_t { universal, application, context, private_use };

/// What an element says it is, however its identifier octets spelled it (X.690 8.1.2).
struct tag {
  std::uint32_t number = 0;
  tag_class of = tag_class::universal;
  bool constructed = false;

  friend constexpr bool operator==(const tag&, const tag&) = default;
};

/// A context-specific tag, `[number]` in ASN.1.
[[nodiscard]] constexpr tag context_tag(std::uint32_t number, bool constructed) noexcept {
  return {number, tag_class::context, constructed};
}

/// The universal tags (X.680 8.6, table 1) in the one form that DER gives them (X.690 10.2).
namespace tags {

inline constexpr tag boolean{1};
inline constexpr tag integer{2};
inline constexpr tag bit_string{3};
inline constexpr tag octet_string{4};
inline constexpr tag null{5};
inline constexpr tag object_identifier{6};
inline constexpr tag sequence{16, tag_class::universal, true};
inline constexpr tag set{17, tag_class::universal, true};
inline constexpr tag utc_time{23};
inline constexpr tag generalized_time{24};

}  // namespace tags

/// True if DER lets an element of this tag exist at all: universal types that are structures are
/// constructed, all other universal types are primitive (X.690 8, 10.2), and universal 0 is no
/// type. Other classes may be either.
[[nodiscard]] constexpr bool has_der_form(const tag& t) noexcept {
  if (t.of != tag_class::universal) return true;
  if (t.number == 0) return false;
  const bool structure = t.number == 8 || t.number == 11 || t.number == 16 || t.number == 17 ||
                         t.number == 29;  // EXTERNAL, EMBEDDED PDV, SEQUENCE, SET, CHARACTER STRING
  return t.constructed == structure;
}

}  // namespace der
}  // namespace v0
}  // namespace cotter
