// SPDX-License-Identifier: BSL-1.0
#include <cotter/values/target.hpp>

#include <support/catch.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

using namespace cotter;

namespace {

std::string formatted(std::string_view address) {
  const ip_address parsed = parse_ip(address);
  REQUIRE(parsed.size_bytes == 16);
  char text[40]{};
  return {text, detail::format_ipv6(parsed.octets, text)};
}

std::size_t fault_in(std::string_view host) {
  const auto kind = classify_host(host);
  CHECK_FALSE(kind);
  CHECK(kind.error().what == errc::invalid_host);
  return kind.error().offset_bytes;
}

constexpr bool is(std::string_view host, host_kind kind) {
  const auto found = classify_host(host);
  return found && *found == kind;
}

static_assert(is("example.com", host_kind::dns_name));
static_assert(is("192.0.2.1", host_kind::ipv4));
static_assert(is("2001:db8::1", host_kind::ipv6));
static_assert(!classify_host("Example.com"));
static_assert(!classify_host("example.com."));
static_assert(parse_ip("::ffff:192.0.2.1").size_bytes == 16);
static_assert(unwrap(parse_ip("::ffff:192.0.2.1")) == parse_ip("192.0.2.1"));

}  // namespace

TEST_CASE("IPv4 literals are four decimal numbers without leading zeros") {
  const ip_address address = parse_ip("192.0.2.255");
  REQUIRE(address.size_bytes == 4);
  CHECK(int{address.octets[0]} == 192);
  CHECK(int{address.octets[3]} == 255);
  CHECK(parse_ip("0.0.0.0"));
  for (const std::string_view bad :
       {"", "1", "1.2.3", "1.2.3.", "1.2.3.4.", ".1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04",
        "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "0x7f.0.0.1", "1.2.3.-4", "1..2.3", "1.2.3.1000"}) {
    INFO(bad);
    CHECK_FALSE(parse_ip(bad));
  }
}

TEST_CASE("IPv6 literals are read in every form of RFC 4291 2.2") {
  for (const std::string_view good :
       {"::", "::1", "1::", "2001:db8:0:0:8:800:200c:417a", "2001:DB8::8:800:200C:417A",
        "::ffff:192.0.2.1", "1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
        "1::3:4:5:6:7:8"}) {
    INFO(good);
    CHECK(int{parse_ip(good).size_bytes} == 16);
  }
  for (const std::string_view bad :
       {":", ":::", "1", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::",
        "g::", "::1%eth0", "[::1]", "1:2:3:4:5:6:7:192.0.2.1", "::192.0.2", "::192.0.2.1.",
        "::192.0.2.1:1", "::1 ", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8"}) {
    INFO(bad);
    CHECK_FALSE(parse_ip(bad));
  }
}

TEST_CASE("IPv6 addresses have the one spelling of RFC 5952") {
  // The examples of RFC 5952 2 and 4, and the corners between them.
  const std::pair<std::string_view, std::string_view> spellings[] = {
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:0db8::0001", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:DB8:AAAA::000A", "2001:db8:aaaa::a"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"1:0:0:0:0:0:0:0", "1::"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
      {"::ffff:192.0.2.1", "::ffff:c000:201"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  };
  for (const auto& [text, canonical] : spellings) {
    CHECK(formatted(text) == canonical);
    CHECK(formatted(canonical) == canonical);
    CHECK(is(canonical, host_kind::ipv6));
    if (text != canonical) CHECK_FALSE(classify_host(text));
  }
}

TEST_CASE("mapped and NAT64 addresses are unwrapped, others are left as they are") {
  CHECK(unwrap(parse_ip("::ffff:198.51.100.7")) == parse_ip("198.51.100.7"));
  CHECK(unwrap(parse_ip("64:ff9b::198.51.100.7")) == parse_ip("198.51.100.7"));
  for (const std::string_view other :
       {"198.51.100.7", "::198.51.100.7", "64:ff9b:1::198.51.100.7", "::fffe:198.51.100.7",
        "2001:db8::ffff:198.51.100.7"}) {
    INFO(other);
    CHECK(unwrap(parse_ip(other)) == parse_ip(other));
  }
  CHECK_FALSE(unwrap({}));
}

TEST_CASE("addresses are compared by what they are") {
  CHECK(parse_ip("2001:db8::1") == parse_ip("2001:DB8:0:0:0:0:0:1"));
  CHECK_FALSE(parse_ip("192.0.2.1") == parse_ip("192.0.2.2"));
  CHECK_FALSE(parse_ip("192.0.2.1") == parse_ip("::ffff:192.0.2.1"));
}

TEST_CASE("canonical hosts are told apart") {
  const std::string longest_label(63, 'a');
  for (const std::string& name :
       {std::string("localhost"), std::string("sip.example.com"), std::string("xn--bcher-kva.example"),
        std::string("_sip._tls.example"), std::string("1.example"), std::string("3com.com"),
        std::string("a"), longest_label + ".example", std::string("1a")}) {
    INFO(name);
    CHECK(is(name, host_kind::dns_name));
  }
  CHECK(is("127.0.0.1", host_kind::ipv4));
  CHECK(is("::1", host_kind::ipv6));
}

TEST_CASE("a host that is not canonical is refused, with the offset of the first octet at fault") {
  CHECK(fault_in("") == 0);
  CHECK(fault_in("Example.com") == 0);
  CHECK(fault_in("example.Com") == 8);
  CHECK(fault_in("example.com.") == 11);
  CHECK(fault_in(".") == 0);
  CHECK(fault_in(".example") == 0);
  CHECK(fault_in("a..b") == 2);
  CHECK(fault_in("-a.example") == 0);
  CHECK(fault_in("a-.example") == 1);
  CHECK(fault_in("x.a-") == 3);
  CHECK(fault_in("b\xc3\xbc" "cher.example") == 1);
  CHECK(fault_in("*.example.com") == 0);
  CHECK(fault_in("exa mple") == 3);
  CHECK(fault_in("host:443") == 4);
  CHECK(fault_in(std::string_view("a\0b", 3)) == 1);
  CHECK(fault_in("user@host") == 4);
}

TEST_CASE("a name whose last label is a number is no name: it might be read as an address") {
  CHECK(fault_in("1.2.3") == 4);
  CHECK(fault_in("1.2.3.256") == 6);
  CHECK(fault_in("127.1") == 4);
  CHECK(fault_in("2130706433") == 0);
  CHECK(fault_in("example.123") == 8);
}

TEST_CASE("an IPv6 address is canonical in one spelling only") {
  CHECK(fault_in("2001:DB8::1") == 5);
  CHECK(fault_in("2001:db8:0:0:0:0:0:1") == 9);
  CHECK(fault_in("::0001") == 2);
  CHECK(fault_in("0:0:0:0:0:0:0:0") == 0);
  CHECK(fault_in("[::1]") == 0);
}

TEST_CASE("hosts have a longest label and a longest name") {
  CHECK(fault_in(std::string(64, 'a') + ".example") == 63);
  std::string name;
  while (name.size() < 248) name += std::string(61, 'a') + ".";
  name += "bbbbb";
  REQUIRE(name.size() == max_host_bytes);
  CHECK(is(name, host_kind::dns_name));
  CHECK(fault_in(name + "b") == max_host_bytes);
}

TEST_CASE("an endpoint is host and port, octet by octet, and not the kind of identity") {
  const target one{"sip.example.com", 5061, identity::sip};
  CHECK(one.same_endpoint({"sip.example.com", 5061, identity::host}));
  CHECK_FALSE(one.same_endpoint({"sip.example.com", 5062}));
  CHECK_FALSE(one.same_endpoint({"sip.example.co", 5061}));
  CHECK_FALSE(one.same_endpoint({"SIP.example.com", 5061}));
}
