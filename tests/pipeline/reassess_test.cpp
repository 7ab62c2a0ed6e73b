// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/connection.hpp>

#include "live_bench.hpp"

#include <string>

using namespace bench;

namespace {

using plain_world = live_world<>;
using observing_world = live_world<allow_observation>;

}  // namespace

TEST_CASE("while nothing has changed, a connection is accepted again, and nothing is written") {
  plain_world w;
  confirmed one(w);
  for (int i = 0; i < 3; ++i) {
    const verdict again = one.guarded.reassess();
    CHECK(again);
    CHECK(again.matched() == matched::primary);
    CHECK(again.pin_label() == "the label");
    CHECK(again.fingerprint() == not_sha256::of(leaf("good")));
    CHECK(one.guarded.verdict());
    w.clock.advance(1h);
  }
  CHECK(w.decisions() == 1);
}

TEST_CASE("before confirm there is nothing to reassess, and confirm may still accept") {
  plain_world w;
  scripted_session session;
  auto permit = w.permit();
  auto guarded = w.guarding.attach(&session, permit);
  CHECK(guarded.reassess().reason() == reason::unbound);
  session.start();
  session.leaf(leaf("good"));
  CHECK(session.chain({true, 0}));
  CHECK(guarded.reassess().reason() == reason::unbound);
  CHECK_FALSE(guarded.verdict());
  CHECK(w.decisions() == 0);
  session.set_facts(good_facts);
  CHECK(guarded.confirm());
  CHECK(guarded.reassess());
  CHECK(w.decisions() == 1);
}

TEST_CASE("in the place of confirm, reassess confirms first") {
  plain_world w;
  scripted_session session;
  auto permit = w.permit();
  auto guarded = w.guarding.attach(&session, permit);
  REQUIRE(session.play({leaf("good")}));
  CHECK(guarded.reassess());
  CHECK(w.decisions() == 1);
  CHECK(guarded.confirm());
  CHECK(w.decisions() == 1);
}

TEST_CASE("what was refused stays refused, for the same reason") {
  plain_world w;
  scripted_session session;
  auto permit = w.permit();
  auto guarded = w.guarding.attach(&session, permit);
  CHECK_FALSE(session.play({leaf("other")}));
  w.adopt(manifest_of(2, {pin_of("other")}));
  CHECK(guarded.reassess().reason() == reason::pin_mismatch);
  CHECK(w.decisions() == 1);
}

TEST_CASE("a pin that was withdrawn refuses, and giving it back does not help") {
  plain_world w;
  confirmed one(w);
  w.adopt(manifest_of(2, {pin_of("other")}));
  one.check_refused(reason::pin_mismatch);
  w.adopt(manifest_of(3, {pin_of("good")}));
  CHECK(one.guarded.reassess().reason() == reason::pin_mismatch);
  CHECK(w.decisions() == 2);
}

TEST_CASE("a fallback holds until its last second, and then refuses") {
  plain_world w({pin_of("other"), pin_of("good", pin_role::fallback, start() + 24h)});
  confirmed one(w);
  w.clock.advance(24h);
  CHECK(one.guarded.reassess().matched() == matched::fallback);
  w.clock.advance(1s);
  one.check_refused(reason::fallback_expired);
}

TEST_CASE("a leaf holds until its last second, and then refuses") {
  plain_world w;
  confirmed one(w);
  w.clock.set_wall(view_of(leaf("good")).not_after);
  CHECK(one.guarded.reassess());
  w.clock.advance(1s);
  one.check_refused(reason::validity);
}

TEST_CASE("a clock that is set back is held by the manifest's floor") {
  plain_world w;
  confirmed one(w);
  w.clock.set_wall({});
  CHECK(one.guarded.reassess());
}

TEST_CASE("a clock before the leaf's time refuses, where no floor holds it") {
  world w;
  scripted_session session;
  auto permit = w.permit();
  auto guarded = w.guarding.attach(&session, permit);
  REQUIRE(session.play({leaf("good")}));
  REQUIRE(guarded.confirm());
  w.clock.set_wall(view_of(leaf("good")).not_before);
  CHECK(guarded.reassess());
  w.clock.set_wall(view_of(leaf("good")).not_before - 1s);
  CHECK(guarded.reassess().reason() == reason::validity);
  CHECK(w.decisions() == 2);
}

TEST_CASE("a manifest holds until its last second, and then refuses") {
  pin_manifest made = manifest_of(1, {pin_of("good")});
  made.expires_at = start() + 24h;
  plain_world w(made);
  confirmed one(w);
  w.clock.advance(24h);
  CHECK(one.guarded.reassess());
  w.clock.advance(1s);
  one.check_refused(reason::manifest_expired);
}

TEST_CASE("a TLS library that is no longer allowed refuses") {
  plain_world w;
  confirmed one(w);
  pin_manifest next = manifest_of(2, {pin_of("good")});
  next.runtimes = {{"scripted", {1, 2, 3}}};
  w.adopt(next);
  CHECK(one.guarded.reassess());
  next = manifest_of(3, {pin_of("good")});
  next.runtimes = {{"scripted", {1, 2, 4}}};
  w.adopt(next);
  one.check_refused(reason::runtime_mismatch);
}

TEST_CASE("a target that was dropped refuses") {
  plain_world w;
  confirmed one(w);
  pin_manifest next = manifest_of(2, {pin_of("good")});
  next.targets[0].port = 444;
  w.adopt(next);
  one.check_refused(reason::no_pins);
}

TEST_CASE("what was observed is observed until observation is over, and then refused") {
  pin_manifest made = manifest_of(1, {pin_of("other")});
  made.observe_until = start() + 24h;
  observing_world w(made);
  confirmed one(w);
  w.clock.advance(24h);
  CHECK(one.guarded.reassess().matched() == matched::observed);
  CHECK(one.guarded.verdict().would_refuse() == reason::pin_mismatch);
  w.clock.advance(1s);
  one.check_refused(reason::pin_mismatch);
}

TEST_CASE("what was observed becomes what is pinned once a manifest pins it, and the reverse") {
  pin_manifest made = manifest_of(1, {pin_of("other")});
  made.observe_until = start() + 24h;
  observing_world w(made);
  confirmed one(w);
  w.adopt(manifest_of(2, {pin_of("good")}));
  CHECK(one.guarded.reassess().matched() == matched::primary);
  CHECK(one.guarded.verdict().would_refuse() == reason::none);
  made.sequence = 3;
  made.payload.octets[0] = 3;
  w.adopt(made);
  CHECK(one.guarded.reassess().matched() == matched::observed);
  CHECK(w.decisions() == 1);
}

TEST_CASE("a manifest that comes to pin the key finds the key's digest kept") {
  plain_world w;
  confirmed one(w);
  w.adopt(manifest_of(2, {key_pin_of("good")}));
  CHECK(one.guarded.reassess().pin_label() == "key");
  w.adopt(manifest_of(3, {key_pin_of("other")}));
  one.check_refused(reason::pin_mismatch);
}

TEST_CASE("pins that do not change keep no key: where one comes to be asked for, it refuses") {
  world w;
  scripted_session session;
  auto permit = w.permit();
  auto guarded = w.guarding.attach(&session, permit);
  REQUIRE(session.play({leaf("good")}));
  REQUIRE(guarded.confirm());
  CHECK(guarded.reassess());
  w.pins = {};
  const pin key[] = {key_pin_of("good"), pin_of("good")};
  REQUIRE(w.pins.add(whom, key));
  CHECK(guarded.reassess().reason() == reason::no_pins);
}

TEST_CASE("another pin may accept than the one before") {
  plain_world w;
  confirmed one(w);
  w.adopt(manifest_of(2, {pin_of("other"), pin_of("good", pin_role::fallback, no_expiry, "old")}));
  CHECK(one.guarded.verdict().matched() == matched::primary);
  CHECK(one.guarded.reassess().matched() == matched::fallback);
  CHECK(one.guarded.verdict().matched() == matched::fallback);
  CHECK(one.guarded.confirm().pin_label() == "old");
  w.adopt(manifest_of(3, {pin_of("good", pin_role::primary, no_expiry, "new")}));
  CHECK(one.guarded.reassess().matched() == matched::primary);
  CHECK(one.guarded.verdict().pin_label() == "new");
  CHECK(w.decisions() == 1);
}

TEST_CASE("a label outlives the manifest that it came from") {
  // Too long for a string object to keep in itself: the sanitizers see who reads it too late.
  const std::string first = "the first of two labels, and too long to be kept in a string";
  const std::string second = "the second of two labels, and too long to be kept in a string";
  plain_world w({pin_of("good", pin_role::primary, no_expiry, first)});
  confirmed one(w);
  w.adopt(manifest_of(2, {pin_of("good", pin_role::primary, no_expiry, second)}));
  CHECK(one.guarded.verdict().pin_label() == first);
  CHECK(one.guarded.confirm().pin_label() == first);
  CHECK(one.guarded.reassess().pin_label() == second);
  w.adopt(manifest_of(3, {pin_of("good")}));
  CHECK(one.guarded.verdict().pin_label() == second);
  CHECK(one.guarded.reassess().pin_label() == "the label");
  w.adopt(manifest_of(4, {pin_of("other")}));
  CHECK(one.guarded.verdict().pin_label() == "the label");
  CHECK_FALSE(one.guarded.reassess());
  CHECK(one.guarded.verdict().pin_label().empty());
}

TEST_CASE("the region is the one of the address that was connected to") {
  pin_manifest made = manifest_of(1, {pin_of("other")});
  manifest_region eu;
  eu.name = "eu";
  eu.prefixes = {*parse_prefix("192.0.2.0/24")};
  eu.pins = {carried(pin_of("good"))};
  made.targets[0].regions = {eu};
  plain_world w(made);
  confirmed one(w, "good", parse_ip("::ffff:192.0.2.1"));
  CHECK(one.guarded.reassess().pin_label() == "eu/the label");
  pin_manifest next = made;
  next.sequence = 2;
  next.payload.octets[0] = 2;
  next.targets[0].regions[0].pins = {carried(pin_of("other"))};
  next.targets[0].pins = {carried(pin_of("good"))};
  w.adopt(next);
  one.check_refused(reason::pin_mismatch);
}

TEST_CASE("where confirm takes an acceptance back, so does reassess") {
  const auto after = [](const handshake_facts& facts) {
    plain_world w;
    confirmed one(w);
    one.session.set_facts(facts);
    const verdict refused = one.guarded.reassess();
    CHECK_FALSE(refused);
    return refused.reason();
  };
  CHECK(after({true, false, false, true, 0}) == reason::backend_unfit);
  CHECK(after({true, true, true, true, 0}) == reason::resumption_unbound);
  // A session that was cleared: no Finished has been verified in what it is now.
  CHECK(after({false, false, true, true, 0}) == reason::unbound);
}

TEST_CASE("the breaker is not asked: a connection outlives the lock of its target") {
  plain_world w;
  confirmed one(w);
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(w.attempt("other"));
    w.clock.advance(300s);
  }
  REQUIRE(w.guarding.admit(whom).verdict().reason() == reason::breaker_locked);
  CHECK(one.guarded.reassess());
  w.adopt(manifest_of(1, {pin_of("good")}));
  const std::size_t written = w.decisions();
  w.clock.set_wall(view_of(leaf("good")).not_after + 1s);
  CHECK(one.guarded.reassess().reason() == reason::validity);
  CHECK(w.decisions() == written + 1);
  CHECK(w.last().breaker == breaker_state::locked);
}

TEST_CASE("the breaker is told of the attempt once, and of no reassessment") {
  struct counting_breaker : memory_breaker<4> {
    int told = 0;
    breaker_change mismatch(reservation& held, time_reading now) noexcept {
      ++told;
      return memory_breaker<4>::mismatch(held, now);
    }
    breaker_change success(reservation& held, time_reading now) noexcept {
      ++told;
      return memory_breaker<4>::success(held, now);
    }
    void release(reservation& held) noexcept {
      ++told;
      memory_breaker<4>::release(held);
    }
  };
  live_manifest live;
  counting_breaker breaker;
  recording_sink sink;
  const manual_clock clock(start());
  REQUIRE(live.adopt(manifest_of(1, {pin_of("good")}), start()));
  guard guarding{live, breaker, sink, clock};
  scripted_session session;
  auto admission = guarding.admit(whom);
  auto guarded = guarding.attach(&session, *admission);
  REQUIRE(session.play({leaf("good")}));
  REQUIRE(guarded.confirm());
  REQUIRE(breaker.told == 1);
  CHECK(guarded.reassess());
  REQUIRE(live.adopt(manifest_of(2, {pin_of("other")}), start()));
  CHECK(guarded.reassess().reason() == reason::pin_mismatch);
  CHECK(breaker.told == 1);
  CHECK(sink.decisions().size() == 2);
}

TEST_CASE("a connection can be reassessed without knowing its backend") {
  plain_world w;
  confirmed one(w);
  connection_base& any = one.guarded;
  CHECK(any.reassess());
}
