// SPDX-License-Identifier: BSL-1.0
#include <cotter/values/prefix.hpp>

#include <support/catch.hpp>

#include <string_view>

using namespace cotter;

namespace {

bool holds(std::string_view block, std::string_view address) {
  const auto parsed = parse_prefix(block);
  INFO(block << " and " << address);
  REQUIRE(parsed);
  REQUIRE(parse_ip(address));
  return parsed->contains(parse_ip(address));
}

std::size_t fault_in(std::string_view text) {
  INFO(text);
  const auto parsed = parse_prefix(text);
  CHECK_FALSE(parsed);
  CHECK(parsed.error().what == errc::invalid_prefix);
  return parsed.error().offset_bytes;
}

static_assert(parse_prefix("192.0.2.0/24")->contains(parse_ip("192.0.2.255")));
static_assert(!parse_prefix("192.0.2.0/24")->contains(parse_ip("192.0.3.0")));
static_assert(!ip_prefix{}.contains({}));

}  // namespace

TEST_CASE("a block holds the addresses that share its first bits, and no other") {
  CHECK(holds("192.0.2.0/24", "192.0.2.0"));
  CHECK(holds("192.0.2.128/25", "192.0.2.128"));
  CHECK_FALSE(holds("192.0.2.128/25", "192.0.2.127"));
  CHECK(holds("10.0.0.0/7", "11.255.255.255"));
  CHECK_FALSE(holds("10.0.0.0/7", "12.0.0.0"));
  CHECK_FALSE(holds("10.0.0.0/7", "9.255.255.255"));
  CHECK(holds("192.0.2.7/32", "192.0.2.7"));
  CHECK_FALSE(holds("192.0.2.7/32", "192.0.2.6"));

  CHECK(holds("2001:db8::/32", "2001:db8:ffff::1"));
  CHECK_FALSE(holds("2001:db8::/32", "2001:db9::"));
  CHECK(holds("2001:db8::8000/113", "2001:db8::ffff"));
  CHECK_FALSE(holds("2001:db8::8000/113", "2001:db8::7fff"));
  CHECK(holds("2001:db8::1/128", "2001:db8::1"));
  CHECK_FALSE(holds("2001:db8::1/128", "2001:db8::"));
}

TEST_CASE("length zero holds every address of its family, and none of the other") {
  CHECK(holds("0.0.0.0/0", "255.255.255.255"));
  CHECK(holds("::/0", "ffff::1"));
  CHECK_FALSE(holds("0.0.0.0/0", "::"));
  CHECK_FALSE(holds("::/0", "0.0.0.0"));
  CHECK_FALSE(holds("::/0", "192.0.2.1"));
  CHECK_FALSE(parse_prefix("0.0.0.0/0")->contains({}));
}

TEST_CASE("a block that nobody read holds nothing, whatever its length") {
  CHECK_FALSE(ip_prefix{}.contains(parse_ip("0.0.0.0")));
  for (const unsigned length : {33u, 129u, 255u}) {
    INFO(length);
    const ip_prefix v4{parse_ip("0.0.0.0"), static_cast<std::uint8_t>(length)};
    CHECK_FALSE(v4.contains(parse_ip("0.0.0.0")));
    const ip_prefix v6{parse_ip("::"), static_cast<std::uint8_t>(length)};
    CHECK(v6.contains(parse_ip("::")) == (length <= 128));
  }
}

TEST_CASE("blocks are equal if network and length are") {
  CHECK(*parse_prefix("10.0.0.0/8") == *parse_prefix("10.0.0.0/8"));
  CHECK_FALSE(*parse_prefix("10.0.0.0/8") == *parse_prefix("10.0.0.0/9"));
  CHECK_FALSE(*parse_prefix("10.0.0.0/8") == *parse_prefix("11.0.0.0/8"));
  CHECK_FALSE(*parse_prefix("0.0.0.0/0") == *parse_prefix("::/0"));
}

TEST_CASE("an address with bits beyond the length is refused: it would be read as two blocks") {
  CHECK(fault_in("192.0.2.1/24") == 0);
  CHECK(fault_in("192.0.2.128/24") == 0);
  CHECK(fault_in("2001:db8::1/64") == 0);
  CHECK(fault_in("128.0.0.0/0") == 0);
}

TEST_CASE("what is no block is refused, with the offset of the first character at fault") {
  CHECK(fault_in("") == 0);
  CHECK(fault_in("/24") == 0);
  CHECK(fault_in("localhost/24") == 0);
  CHECK(fault_in("192.0.2/24") == 0);
  CHECK(fault_in("[2001:db8::]/32") == 0);
  CHECK(fault_in(" 10.0.0.0/8") == 0);

  CHECK(fault_in("192.0.2.0") == 9);
  CHECK(fault_in("192.0.2.0/") == 10);
  CHECK(fault_in("192.0.2.0/33") == 10);
  CHECK(fault_in("2001:db8::/129") == 11);
  CHECK(fault_in("192.0.2.0/024") == 10);
  CHECK(fault_in("192.0.2.0/1000") == 10);
  CHECK(fault_in("192.0.2.0/-1") == 10);
  CHECK(fault_in("192.0.2.0/2x") == 11);
  CHECK(fault_in("192.0.2.0/24 ") == 12);
  CHECK(fault_in("192.0.2.0/8/8") == 11);
}
