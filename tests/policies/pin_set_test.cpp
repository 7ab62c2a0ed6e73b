// SPDX-License-Identifier: BSL-1.0
#include <cotter/policies/pin_set/fixed_pin_set.hpp>
#include <cotter/policies/pin_set/owned_pin_set.hpp>

#include <support/catch.hpp>

#include <array>
#include <string>

using namespace cotter;

namespace {

constexpr instant end_of_window{std::chrono::sys_days{std::chrono::year{2027} / 3 / 1}};

constexpr fixed_pin_set pins{
    fixed_target{"sip.example.com", 5061,
                 primary("cert-sha256:"
                         "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef"),
                 fallback("sha256//ABEiM0RVZneImaq7zN3u/wEjRWeJq83vASNFZ4mrze8=", end_of_window,
                          "next")},
    fixed_target{"2001:db8::1", 443,
                 primary("spki-sha256:"
                         "ff112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef")},
};

constexpr bool found_at_compile_time() {
  const auto found = pins.find({"sip.example.com", 5061}, {});
  return found && (*found).pins.size() == 2 && (*found).pins[1].label == "next" &&
         (*found).pins[1].not_after == end_of_window &&
         (*found).pins[1].role == pin_role::fallback;
}
static_assert(found_at_compile_time());
static_assert(!pins.find({"sip.example.com", 5060}, {}));
static_assert(pins.find({"2001:db8::1", 443}, {}));

const std::array<pin, 2> some{pin{}, pin{{}, pin_form::spki, pin_role::fallback}};

}  // namespace

TEST_CASE("fixed pins are found by host and port") {
  const auto found = pins.find({"sip.example.com", 5061, identity::sip}, {});
  REQUIRE(found);
  CHECK((*found).endpoint.host == "sip.example.com");
  CHECK((*found).pins[0].label == "primary");
  CHECK((*found).wants(pin_form::spki));
  CHECK_FALSE(pins.find({"SIP.example.com", 5061}, {}));
  CHECK_FALSE(decltype(pins)::handle{});
}

TEST_CASE("owned pins copy what they are given") {
  owned_pin_set set;
  std::string host = "sip.example.com";
  std::string label = "a label that is too long to be kept inside a string object itself";
  std::array<pin, 1> mine{pin{}};
  mine[0].label = label;
  REQUIRE(set.add({host, 5061}, mine));
  host.assign(host.size(), '!');
  label.assign(label.size(), '!');
  mine[0].digest.octets.fill(0xff);

  const auto found = set.find({"sip.example.com", 5061}, {});
  REQUIRE(found);
  CHECK((*found).pins[0].label.starts_with("a label"));
  CHECK((*found).pins[0].digest == sha256_digest{});
}

TEST_CASE("owned pins refuse what could pin nothing or not be found") {
  owned_pin_set set;
  const std::array<pin, 1> fallback_only{pin{{}, pin_form::certificate, pin_role::fallback}};
  CHECK(set.add({"Host.example", 443}, some).error().what == errc::invalid_host);
  CHECK(set.add({"host.example", 0}, some).error().what == errc::invalid_port);
  CHECK(set.add({"host.example", 443}, {}).error().what == errc::invalid_pin);
  CHECK(set.add({"host.example", 443}, fallback_only).error().what == errc::invalid_pin);
  CHECK_FALSE(set.find({"host.example", 443}, {}));

  CHECK(set.add({"host.example", 443}, some));
  CHECK(set.add({"host.example", 443}, some).error().what == errc::invalid_host);
  CHECK(set.add({"host.example", 443, identity::sip}, some).error().what == errc::invalid_host);
  CHECK(set.add({"host.example", 444}, some));
}

TEST_CASE("what was found outlives the set it was found in") {
  owned_pin_set::handle found;
  {
    owned_pin_set set;
    REQUIRE(set.add({"host.example", 443}, some));
    found = set.find({"host.example", 443}, {});
  }
  REQUIRE(found);
  CHECK((*found).endpoint.host == "host.example");
  CHECK((*found).pins.size() == 2);
}
