// SPDX-License-Identifier: BSL-1.0
#include <cotter/der/tag.hpp>

#include <support/catch.hpp>

#include <cstdint>

namespace {

using cotter::der::tag;
using cotter::der::tag_class;
namespace tags = cotter::der::tags;

TEST_CASE("a tag gives back what it was made of") {
  constexpr tag t{tag_class::private_use, true, cotter::der::max_tag_number};
  STATIC_REQUIRE(t.of() == tag_class::private_use);
  STATIC_REQUIRE(t.constructed());
  STATIC_REQUIRE(t.number() == cotter::der::max_tag_number);
  STATIC_REQUIRE(tag{}.number() == 0);
  STATIC_REQUIRE(tag{}.of() == tag_class::universal);
}

TEST_CASE("class, form and number each make another tag") {
  STATIC_REQUIRE(tag{tag_class::context, false, 2} != tag{tag_class::context, true, 2});
  STATIC_REQUIRE(tag{tag_class::context, false, 2} != tag{tag_class::context, false, 6});
  STATIC_REQUIRE(tag{tag_class::context, false, 2} != tag{tag_class::universal, false, 2});
  STATIC_REQUIRE(cotter::der::context_tag(3, true) == tag{tag_class::context, true, 3});
}

constexpr bool octets_and_parts_agree() {
  for (unsigned octet = 0; octet < 256; ++octet) {
    if ((octet & 0x1f) == 0x1f) continue;
    const tag from = tag::from_octet(static_cast<std::uint8_t>(octet));
    const tag made{static_cast<tag_class>(octet / 64), octet / 32 % 2 == 1, octet % 32};
    if (from != made) return false;
  }
  return true;
}

TEST_CASE("every identifier octet reads as X.690 8.1.2.2 says") {
  STATIC_REQUIRE(octets_and_parts_agree());
  CHECK(octets_and_parts_agree());
  STATIC_REQUIRE(tag::from_octet(0x30) == tags::sequence);
  STATIC_REQUIRE(tag::from_octet(0x31) == tags::set);
  STATIC_REQUIRE(tag::from_octet(0x01) == tags::boolean);
  STATIC_REQUIRE(tag::from_octet(0x02) == tags::integer);
  STATIC_REQUIRE(tag::from_octet(0x03) == tags::bit_string);
  STATIC_REQUIRE(tag::from_octet(0x04) == tags::octet_string);
  STATIC_REQUIRE(tag::from_octet(0x05) == tags::null);
  STATIC_REQUIRE(tag::from_octet(0x06) == tags::object_identifier);
  STATIC_REQUIRE(tag::from_octet(0x17) == tags::utc_time);
  STATIC_REQUIRE(tag::from_octet(0x18) == tags::generalized_time);
}

constexpr bool only_structures_are_constructed() {
  for (std::uint32_t number = 0; number < 40; ++number) {
    const bool structure =
        number == 8 || number == 11 || number == 16 || number == 17 || number == 29;
    const bool as_constructed = has_der_form(tag{tag_class::universal, true, number});
    const bool as_primitive = has_der_form(tag{tag_class::universal, false, number});
    if (as_constructed != (number != 0 && structure)) return false;
    if (as_primitive != (number != 0 && !structure)) return false;
    if (!has_der_form(tag{tag_class::context, true, number})) return false;
    if (!has_der_form(tag{tag_class::context, false, number})) return false;
  }
  return true;
}

TEST_CASE("DER constructs the universal structures and nothing else") {
  STATIC_REQUIRE(only_structures_are_constructed());
  CHECK(only_structures_are_constructed());
}

}  // namespace
