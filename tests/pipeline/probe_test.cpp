// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/guard.hpp>

#include "bench.hpp"

#include <cotter/policies/breaker/stored_breaker.hpp>
#include <cotter/policies/store/memory_store.hpp>

#include <array>
#include <string>

using namespace bench;

namespace {

using locking_store = memory_store<>;
using locking_breaker = stored_breaker<locking_store>;

/// A locked target under `verified_probe`, unless told otherwise. Pins `good` and, as a fallback,
/// `other`.
struct locked_world {
  owned_pin_set pins;
  source manifest;
  locking_store store;
  locking_breaker breaker;
  recording_sink sink;
  manual_clock clock{view_of(leaf("good")).not_before + 1h, 100h};
  recording_notifier told;
  guard<owned_pin_set&, source&, locking_breaker&, recording_sink&, manual_clock&,
        recording_notifier&>
      guarding{pins, manifest, breaker, sink, clock, told};

  explicit locked_world(lock_recovery recovery = lock_recovery::verified_probe)
      : breaker(store, breaker_rules, recovery) {
    const pin pinned[] = {pin_of("good"), pin_of("other", pin_role::fallback)};
    REQUIRE(pins.add(whom, pinned));
    std::array<std::uint8_t, locking_breaker::image_bytes> image{};
    REQUIRE(store.create({}, bytes_view(image).first(locking_breaker::fresh_image(image))));
    for (int i = 0; i < 3; ++i) {
      CHECK(attempt("chained").reason() == reason::pin_mismatch);
      clock.advance(300s);
    }
    REQUIRE(state() == breaker_state::locked);
  }

  verdict attempt(const scripted_handshake& script) {
    scripted_session session;
    auto admission = guarding.admit(whom);
    if (!admission) return admission.verdict();
    auto guarded = guarding.attach(&session, *admission);
    session.play(script);
    return guarded.confirm();
  }
  verdict attempt(const std::string& name) { return attempt({leaf(name), {true, 0}}); }
  breaker_state state() { return breaker.state({whom, ""}); }
};

}  // namespace

TEST_CASE("without verified_probe no handshake of a locked target is made") {
  locked_world w(lock_recovery::administrator);
  for (int i = 0; i < 5; ++i) {
    w.clock.advance(24h);
    CHECK(w.guarding.admit(whom).verdict().reason() == reason::breaker_locked);
  }
}

TEST_CASE("a probe that finds the primary pin is refused as locked, and opens for the next one") {
  locked_world w;
  scripted_session session;
  auto admission = w.guarding.admit(whom);
  REQUIRE(admission);
  CHECK((*admission).probe());
  auto guarded = w.guarding.attach(&session, *admission);
  CHECK(session.play({leaf("good")}));
  CHECK(w.state() == breaker_state::locked);

  const std::size_t before = w.sink.decisions().size();
  for (int i = 0; i < 3; ++i) {
    const verdict refused = guarded.confirm();
    CHECK_FALSE(refused);
    CHECK(refused.reason() == reason::breaker_locked);
    CHECK(refused.matched() == matched::none);
    CHECK(refused.fingerprint() == not_sha256::of(leaf("good")));
    CHECK(refused.pin_label().empty());
    CHECK_FALSE(guarded.verdict());
    CHECK_FALSE(guarded.reassess());
  }
  session.set_facts({true, true, false, false, 0});
  CHECK(guarded.confirm().reason() == reason::breaker_locked);  // there is no more to lose
  REQUIRE(w.sink.decisions().size() == before + 1);
  CHECK(w.sink.decisions().back().why == reason::breaker_locked);
  CHECK(w.sink.decisions().back().by == matched::none);
  CHECK(w.sink.decisions().back().breaker == breaker_state::closed);

  CHECK(w.state() == breaker_state::closed);
  auto next = w.guarding.admit(whom);
  REQUIRE(next);
  CHECK_FALSE((*next).probe());
  CHECK(w.attempt("good").matched() == matched::primary);
}

TEST_CASE(
    "one probe is made per cooldown, whatever comes of it, and the first one cooldown after") {
  locked_world w;
  for (int i = 0; i < 3; ++i) {
    auto probe = w.guarding.admit(whom);  // and is given back
    CHECK((*probe).probe());
    CHECK(w.guarding.admit(whom).verdict().reason() == reason::breaker_locked);
    w.clock.advance(300s - 1ms);
    CHECK(w.guarding.admit(whom).verdict().reason() == reason::breaker_locked);
    w.clock.advance(1ms);
  }
  CHECK(w.attempt("chained").reason() == reason::pin_mismatch);
  w.clock.advance(300s - 1ms);
  CHECK(w.attempt("good").reason() == reason::breaker_locked);
  CHECK(w.state() == breaker_state::locked);
  w.clock.advance(1ms);
  CHECK(w.attempt("good").reason() == reason::breaker_locked);
  CHECK(w.state() == breaker_state::closed);
}

TEST_CASE("while a probe is under way there is no other") {
  locked_world w;
  auto probe = w.guarding.admit(whom);
  REQUIRE(probe);
  w.clock.advance(24h);
  CHECK(w.guarding.admit(whom).verdict().reason() == reason::breaker_locked);
}

TEST_CASE("a probe that finds anything but the primary pin opens nothing, and sends no Finished") {
  const auto still_locked = [](const scripted_handshake& script, reason why) {
    locked_world w;
    scripted_session session;
    auto admission = w.guarding.admit(whom);
    REQUIRE(admission);
    auto guarded = w.guarding.attach(&session, *admission);
    CHECK_FALSE(session.play(script));
    CHECK(guarded.confirm().reason() == why);
    CHECK(w.state() == breaker_state::locked);
    CHECK(w.guarding.admit(whom).verdict().reason() == reason::breaker_locked);
  };
  still_locked({leaf("other")}, reason::breaker_locked);  // the fallback
  still_locked({leaf("chained")}, reason::pin_mismatch);
  still_locked({leaf("good"), {false, 20}}, reason::pkix);
  still_locked({leaf("expired")}, reason::validity);
  still_locked({leaf("wrong-name")}, reason::hostname);
}

TEST_CASE("a probe whose handshake does not end, or is not sound, opens nothing") {
  const auto still_locked = [](const handshake_facts& facts, reason why) {
    locked_world w;
    scripted_session session;
    auto admission = w.guarding.admit(whom);
    REQUIRE(admission);
    {
      auto guarded = w.guarding.attach(&session, *admission);
      session.play({leaf("good")});
      session.set_facts(facts);
      CHECK(guarded.confirm().reason() == why);
    }
    CHECK(w.state() == breaker_state::locked);
  };
  handshake_facts facts{true, false, true, true, 0};
  facts.finished = false;
  still_locked(facts, reason::unbound);
  facts = {true, true, true, true, 0};
  still_locked(facts, reason::resumption_unbound);
  facts = {true, false, true, true, 0};
  facts.hooks_intact = false;
  still_locked(facts, reason::backend_unfit);
}

TEST_CASE("a probe is no observation: what is only observed opens nothing") {
  locked_world w;
  w.manifest.standing.observe_until = w.clock.now().wall + 24h;
  guard watching{w.pins, w.manifest, w.breaker, w.sink, w.clock, allow_observation{}};
  scripted_session session;
  auto admission = watching.admit(whom);
  REQUIRE(admission);
  CHECK((*admission).probe());
  auto guarded = watching.attach(&session, *admission);
  CHECK_FALSE(session.play({leaf("chained")}));
  CHECK(guarded.confirm().reason() == reason::breaker_locked);
  CHECK(w.state() == breaker_state::locked);
}

TEST_CASE("a mismatch in a probe counts in the 24 hours and is no new alert") {
  locked_world w;
  const auto now = [&] { return w.breaker.status({whom, ""}, w.clock.now()); };
  CHECK(now()->mismatches_24h == 3);
  const std::size_t alerts = w.told.alerts().size();
  CHECK(w.attempt("chained").reason() == reason::pin_mismatch);
  CHECK(now()->mismatches_24h == 4);
  CHECK(now()->streak == 3);
  CHECK(w.told.alerts().size() == alerts);
}

TEST_CASE("a permit is no probe once it is moved from, and none by default") {
  locked_world w;
  auto admission = w.guarding.admit(whom);
  REQUIRE((*admission).probe());
  auto moved = std::move(*admission);
  CHECK(moved.probe());
  CHECK_FALSE((*admission).probe());
  CHECK_FALSE(decltype(moved){}.probe());
}
