// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/guard.hpp>

#include "live_bench.hpp"

#include <cotter/policies/audit/ring_audit_sink.hpp>
#include <cotter/policies/manifest/embedded_manifest.hpp>

#include <backends/support/counting_malloc.hpp>

#include <string>

using namespace bench;

static_assert(live_world<>::guard_type::pins_may_change);
static_assert(!guard_type::pins_may_change);

TEST_CASE("a live_manifest fills two slots: its pins accept, its standing refuses") {
  live_world<> w;
  CHECK(w.attempt("good").matched() == matched::primary);
  CHECK(w.last().pin_label == "the label");
  CHECK(w.attempt("other").reason() == reason::pin_mismatch);

  live_manifest none;
  recording_sink sink;
  guard guarding{none, memory_breaker<2>{}, sink};
  CHECK(guarding.admit(whom).verdict().reason() == reason::manifest_invalid);
  none.refuse(reason::manifest_signature);
  CHECK(guarding.admit(whom).verdict().reason() == reason::manifest_signature);
}

TEST_CASE("a reload changes what the next connection needs, not what was admitted") {
  live_world<> w;
  scripted_session session;
  auto permit = w.permit();
  w.adopt(manifest_of(2, {pin_of("other")}));
  auto guarded = w.guarding.attach(&session, permit);
  CHECK(session.play({leaf("good")}));
  const verdict accepted = guarded.confirm();
  CHECK(accepted);
  CHECK(accepted.pin_label() == "the label");  // the first manifest lives as long as this
  CHECK(w.attempt("good").reason() == reason::pin_mismatch);
  CHECK(w.attempt("other"));
}

TEST_CASE("a live manifest expires, and its floor holds a clock that is set back") {
  pin_manifest one = manifest_of(1, {pin_of("good")});
  one.expires_at = start() + 24h;
  live_world<> w(one);
  w.clock.advance(24h);
  CHECK(w.attempt("good"));
  w.adopt(one);
  w.clock.advance(1s);
  CHECK(w.attempt("good").reason() == reason::manifest_expired);
  w.clock.set_wall({});
  CHECK(w.guarding.now().wall == start() + 24h);
}

TEST_CASE("a target's region is chosen by the unwrapped address of the peer") {
  pin_manifest regional = manifest_of(1, {pin_of("other")});
  manifest_region eu;
  eu.name = "eu";
  eu.prefixes = {*parse_prefix("192.0.2.0/24")};
  eu.pins = {carried(pin_of("good"))};
  regional.targets[0].regions = {eu};
  live_world<> w(regional);
  for (const char* peer : {"192.0.2.9", "::ffff:192.0.2.9", "64:ff9b::192.0.2.9"}) {
    INFO(peer);
    scripted_session session;
    auto permit = w.permit(parse_ip(peer));
    auto guarded = w.guarding.attach(&session, permit);
    CHECK(session.play({leaf("good")}));
    CHECK(guarded.confirm().pin_label() == "eu/the label");
    CHECK(guarded.reassess().pin_label() == "eu/the label");
  }
  CHECK(w.attempt("good").reason() == reason::pin_mismatch);
}

TEST_CASE("an address that is known only after TCP chooses the region, too") {
  pin_manifest regional = manifest_of(1, {pin_of("other")});
  manifest_region eu;
  eu.name = "eu";
  eu.prefixes = {*parse_prefix("192.0.2.0/24")};
  eu.pins = {carried(pin_of("good"))};
  regional.targets[0].regions = {eu};
  live_world<> w(regional);
  scripted_session session;
  auto permit = w.permit();
  permit.reached(parse_ip("::ffff:192.0.2.9"));
  auto guarded = w.guarding.attach(&session, permit);
  CHECK(session.play({leaf("good")}));
  CHECK(guarded.confirm().pin_label() == "eu/the label");

  // A target that has gone meanwhile: what was admitted stays, and so does its pin.
  auto late = w.permit();
  pin_manifest next = manifest_of(2, {pin_of("good")});
  next.targets[0].port = 444;
  w.adopt(next);
  late.reached(parse_ip("192.0.2.9"));
  CHECK(late.valid());
  CHECK(late.endpoint().host == "localhost");
  CHECK(late.pinned().pins[0].digest == pin_of("other").digest);
}

TEST_CASE("a locked target opens for a newer live manifest") {
  live_world<> w;
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(w.attempt("other"));
    w.clock.advance(300s);
  }
  CHECK(w.attempt("good").reason() == reason::breaker_locked);
  w.adopt(manifest_of(1, {pin_of("good")}));
  CHECK(w.attempt("good").reason() == reason::breaker_locked);
  w.adopt(manifest_of(2, {pin_of("good")}));
  CHECK(w.attempt("good"));
}

TEST_CASE("a TLS library that the manifest does not allow is refused at attach, and never counts") {
  for (const manifest_runtime& allowed :
       {manifest_runtime{"openssl"}, manifest_runtime{"scripted", {1, 2, 4}},
        manifest_runtime{"scripted", {1, 0, 0}, {1, 2, 3}}}) {
    INFO(allowed.library);
    pin_manifest restricted = manifest_of(1, {pin_of("good")});
    restricted.runtimes = {allowed};
    live_world<> w(restricted);
    for (std::size_t i = 1; i <= 5; ++i) {
      scripted_session session;
      auto permit = w.permit();
      auto guarded = w.guarding.attach(&session, permit);
      CHECK(guarded.verdict().reason() == reason::runtime_mismatch);
      CHECK(w.decisions() == i);
      CHECK_FALSE(session.play({leaf("good")}));
      CHECK(guarded.confirm().reason() == reason::runtime_mismatch);
      session.set_facts(good_facts);
      CHECK(guarded.confirm().reason() == reason::runtime_mismatch);
      CHECK(guarded.reassess().reason() == reason::runtime_mismatch);
      CHECK(w.decisions() == i);
    }
    CHECK(w.last().why == reason::runtime_mismatch);
    w.check_not_counted();
  }
}

TEST_CASE("a TLS library that the manifest names is as good as one where it names none") {
  pin_manifest restricted = manifest_of(1, {pin_of("good")});
  restricted.runtimes = {{"openssl"}, {"scripted", {1, 2, 3}, {1, 2, 4}}};
  live_world<> w(restricted);
  CHECK(w.attempt("good"));
}

TEST_CASE("through a live manifest, admit, the decision, confirm and reassess take no heap") {
  pin_manifest regional = manifest_of(1, {pin_of("other"), key_pin_of("other")});
  manifest_region eu;
  eu.name = "eu";
  eu.prefixes = {*parse_prefix("192.0.2.0/24")};
  eu.pins = {carried(key_pin_of("good"))};
  regional.targets[0].regions = {eu};
  regional.runtimes = {{"openssl"}, {"scripted"}};
  live_manifest live;
  REQUIRE(live.adopt(regional, start()));
  const manual_clock clock(start());
  guard guarding{live, memory_breaker<2>{}, ring_audit_sink<4>{}, clock, allow_observation{}};
  const pki::octets& der = leaf("good");
  const ip_address peer = parse_ip("192.0.2.9");

  const auto before = heap::allocations();
  verdict accepted;
  verdict again;
  {
    scripted_session session;
    auto admission = guarding.admit(whom, peer);
    auto guarded = guarding.attach(&session, *admission);
    session.play({der});
    accepted = guarded.confirm().with_label({});
    again = guarded.reassess().with_label({});
  }
  const auto after = heap::allocations();
  CHECK(accepted.matched() == matched::primary);
  CHECK(again.matched() == matched::primary);
  CHECK(after == before);
}
