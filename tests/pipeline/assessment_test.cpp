// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/assessment.hpp>

#include "bench.hpp"

#include <array>
#include <vector>

using namespace bench;

namespace {

constexpr sha256_digest filled(std::uint8_t octet) {
  sha256_digest d;
  d.octets.fill(octet);
  return d;
}
constexpr pin some(std::uint8_t octet, pin_role role = pin_role::primary,
                   instant not_after = no_expiry, pin_form form = pin_form::certificate) {
  return {filled(octet), form, role, not_after, {}};
}
constexpr instant today{std::chrono::seconds{1'000'000}};
constexpr instant yesterday = today - std::chrono::hours{24};

/// What the pins say of a certificate with digest 1 and key 2.
constexpr verdict say(std::span<const pin> pins) {
  return cotter::detail::match({{"a", 1}, pins}, filled(1), filled(2), today);
}
template <typename... P>
constexpr verdict say_of(const P&... pins) {
  const std::array<pin, sizeof...(P)> all{pins...};
  return say(all);
}

static_assert(!say({}));
static_assert(say({}).reason() == reason::pin_mismatch);
static_assert(say_of(some(1)).matched() == matched::primary);
static_assert(say_of(some(3)).reason() == reason::pin_mismatch);
static_assert(say_of(some(2)).reason() == reason::pin_mismatch);
static_assert(say_of(some(2, pin_role::primary, no_expiry, pin_form::spki)));
static_assert(say_of(some(1, pin_role::fallback, today)).matched() == matched::fallback);
static_assert(say_of(some(1, pin_role::fallback, yesterday)).reason() == reason::fallback_expired);
static_assert(say_of(some(1, pin_role::primary, yesterday)).reason() == reason::fallback_expired);
static_assert(say_of(some(1, pin_role::fallback, yesterday), some(1)).matched() ==
              matched::primary);
static_assert(say_of(some(1, pin_role::fallback, yesterday), some(1, pin_role::fallback))
                  .matched() == matched::fallback);
static_assert(say_of(some(3), some(1, pin_role::fallback), some(1)).matched() == matched::primary);
static_assert(say_of(some(3, pin_role::fallback, yesterday)).reason() == reason::pin_mismatch);

leaf_assessment assess_for(const pki::octets& der, const std::vector<pin>& pins, instant now,
                           const target& of = whom) {
  not_sha256 certificate, key;
  REQUIRE(certificate.prepare());
  REQUIRE(key.prepare());
  return assess(der, {of, pins}, of, now, certificate, key);
}

/// `good` with the octets of its SubjectPublicKeyInfo's header spoilt.
pki::octets without_readable_key() {
  pki::octets der = leaf("good");
  const auto view = view_of(der);
  const auto at = static_cast<std::size_t>(view.spki.data() - der.data());
  der[at] = 0x31;
  return der;
}

}  // namespace

TEST_CASE("an assessment that nobody made refuses") {
  const leaf_assessment none;
  CHECK(none.fault == reason::unbound);
  CHECK_FALSE(none.pinned);
  CHECK_FALSE(none.has_fingerprint);
}

TEST_CASE("a leaf is named, dated and matched at once") {
  const auto view = view_of(leaf("good"));
  const auto found = assess_for(leaf("good"), {pin_of("good")}, view.not_before);
  CHECK(found.fault == reason::none);
  CHECK(found.pinned);
  CHECK(found.fingerprint == not_sha256::of(leaf("good")));
  CHECK(assess_for(leaf("good"), {pin_of("other")}, view.not_before).fault == reason::none);
}

TEST_CASE("a leaf is valid from its first second to its last") {
  const auto view = view_of(leaf("good"));
  const auto fault_at = [](instant now) {
    return assess_for(leaf("good"), {pin_of("good")}, now).fault;
  };
  CHECK(fault_at(view.not_before - 1s) == reason::validity);
  CHECK(fault_at(view.not_before) == reason::none);
  CHECK(fault_at(view.not_after) == reason::none);
  CHECK(fault_at(view.not_after + 1s) == reason::validity);
}

TEST_CASE("octets after the certificate change neither fingerprint nor fault") {
  pki::octets longer = leaf("good");
  longer.insert(longer.end(), 40, 0xff);
  const auto found = assess_for(longer, {pin_of("good")}, view_of(leaf("good")).not_before);
  CHECK(found.fault == reason::none);
  CHECK(found.pinned);
}

TEST_CASE("a field that cannot be located is a fault only if it is needed") {
  const auto view = view_of(leaf("good"));
  const pki::octets spoilt = without_readable_key();
  const auto found = assess_for(spoilt, {pin_of("good")}, view.not_before);
  CHECK(found.fault == reason::malformed_certificate);
  CHECK(found.detail.what != errc::ok);
  CHECK(found.has_fingerprint);
  CHECK(found.fingerprint == not_sha256::of(spoilt));
}

TEST_CASE("time is looked at before the name") {
  const auto view = view_of(leaf("wrong-name"));
  CHECK(assess_for(leaf("wrong-name"), {pin_of("good")}, view.not_before).fault ==
        reason::hostname);
  CHECK(assess_for(leaf("wrong-name"), {pin_of("good")}, view.not_before - 1s).fault ==
        reason::validity);
}

TEST_CASE("an address is matched by an iPAddress alone") {
  const auto now = view_of(leaf("good")).not_before;
  CHECK(assess_for(leaf("good"), {pin_of("good")}, now, {"127.0.0.1", 443}).fault == reason::none);
  CHECK(assess_for(leaf("good"), {pin_of("good")}, now, {"127.0.0.2", 443}).fault ==
        reason::hostname);
}
