// SPDX-License-Identifier: BSL-1.0
#include <cotter/policies/pin_set/indexed_pins.hpp>

#include <cotter/pipeline/assessment.hpp>
#include <cotter/policies/pin_set/owned_pin_set.hpp>

#include <support/catch.hpp>

#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace cotter;

namespace {

sha256_digest digest_of(std::mt19937& random) {
  sha256_digest digest;
  for (auto& octet : digest.octets) octet = static_cast<std::uint8_t>(random());
  return digest;
}

/// Pins of both forms and roles, some past, some twice, some that begin alike; each with a label of
/// its own.
std::vector<pin> many_pins(std::mt19937& random, std::size_t count,
                           std::vector<std::string>& labels) {
  std::vector<pin> made;
  labels.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    pin one;
    one.digest = digest_of(random);
    if (i > 0 && random() % 8 == 0) one.digest = made[random() % i].digest;
    if (random() % 4 == 0) one.digest.octets[0] = one.digest.octets[1] = 0;
    one.form = random() % 2 == 0 ? pin_form::certificate : pin_form::spki;
    one.role = random() % 3 == 0 ? pin_role::fallback : pin_role::primary;
    if (random() % 4 == 0) one.not_after = instant{std::chrono::seconds{random() % 1000}};
    labels.push_back(std::to_string(i));
    one.label = labels.back();
    made.push_back(one);
  }
  made.front().role = pin_role::primary;
  return made;
}

}  // namespace

TEST_CASE("among many pins the index finds what a look at each of them finds") {
  std::mt19937 random(20261121);
  const instant now{std::chrono::seconds{500}};
  int accepted = 0;
  for (const std::size_t count : {1u, 31u, 32u, 33u, 64u, 65u, 100u, 1000u}) {
    std::vector<std::string> labels;
    const std::vector<pin> pins = many_pins(random, count, labels);
    owned_pin_set set;
    REQUIRE(set.add({"many.example", 443}, pins));
    auto held = set.find({"many.example", 443}, {});
    const auto moved = std::move(held);
    const pinned_target& indexed = *moved;
    CHECK((indexed.index != nullptr) == (count > 32));
    CHECK(indexed.pins.size() == count);
    pinned_target plain = indexed;
    plain.index = nullptr;
    CHECK(indexed.wants(pin_form::certificate) == plain.wants(pin_form::certificate));
    CHECK(indexed.wants(pin_form::spki) == plain.wants(pin_form::spki));
    for (int i = 0; i < 2000; ++i) {
      const sha256_digest certificate =
          random() % 4 == 0 ? digest_of(random) : pins[random() % count].digest;
      const sha256_digest key =
          random() % 2 == 0 ? digest_of(random) : pins[random() % count].digest;
      const verdict one = detail::match(indexed, certificate, key, now);
      const verdict other = detail::match(plain, certificate, key, now);
      REQUIRE(one.reason() == other.reason());
      REQUIRE(one.matched() == other.matched());
      REQUIRE(one.pin_label() == other.pin_label());
      REQUIRE(indexed.knows(certificate, &key) == plain.knows(certificate, &key));
      REQUIRE(indexed.knows(certificate, nullptr) == plain.knows(certificate, nullptr));
      accepted += one ? 1 : 0;
    }
  }
  CHECK(accepted > 4000);
}

TEST_CASE("pins that all begin alike are found as well") {
  std::mt19937 random(1);
  std::vector<pin> pins(500);
  for (pin& one : pins) {
    one.digest = digest_of(random);
    one.digest.octets[0] = one.digest.octets[1] = one.digest.octets[2] = one.digest.octets[3] =
        0xff;
  }
  owned_pin_set set;
  REQUIRE(set.add({"alike.example", 443}, pins));
  const auto held = set.find({"alike.example", 443}, {});
  REQUIRE((*held).index != nullptr);
  for (const pin& one : pins) {
    CHECK(detail::match(*held, one.digest, {}, instant{}).matched() == matched::primary);
  }
  CHECK_FALSE(detail::match(*held, digest_of(random), {}, instant{}));
}
