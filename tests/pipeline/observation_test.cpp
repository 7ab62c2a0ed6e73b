// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/guard.hpp>

#include "live_bench.hpp"

#include <string>

using namespace bench;

namespace {

using observing_world = live_world<allow_observation>;

pin_manifest observing(std::uint64_t sequence = 1, std::chrono::hours length = 24h * 30) {
  pin_manifest made = manifest_of(sequence, {pin_of("other")});
  made.observe_until = start() + length;
  return made;
}

/// A guard that may observe, over a source that says what it is told to say.
struct told_to_observe {
  owned_pin_set pins;
  source manifest;
  memory_breaker<4> breaker{breaker_rules};
  manual_clock clock{start(), 100h};
  recording_sink sink;
  guard<owned_pin_set&, source&, memory_breaker<4>&, manual_clock&, recording_sink&,
        allow_observation>
      guarding{pins, manifest, breaker, clock, sink, allow_observation{}};

  told_to_observe() {
    const pin one[] = {pin_of("good")};
    REQUIRE(pins.add(whom, one));
  }
  verdict attempt(const std::string& name) {
    scripted_session session;
    auto admission = guarding.admit(whom);
    if (!admission) return admission.verdict();
    auto guarded = guarding.attach(&session, *admission);
    session.play({leaf(name)});
    return guarded.confirm();
  }
};

}  // namespace

TEST_CASE("while observation lasts, a mismatch is let through and said to be one") {
  observing_world w(observing());
  const verdict seen = w.attempt("good");
  CHECK(seen);
  CHECK(seen.matched() == matched::observed);
  CHECK(seen.would_refuse() == reason::pin_mismatch);
  CHECK(seen.fingerprint() == not_sha256::of(leaf("good")));
  REQUIRE(w.decisions() == 1);
  CHECK(w.last().why == reason::none);
  CHECK(w.last().by == matched::observed);
  CHECK(w.last().pin_label.empty());
  CHECK(w.sink.would_refuse == std::vector<reason>{reason::pin_mismatch});
  w.check_not_counted();
}

TEST_CASE("what is pinned is accepted by its pin, observation or not") {
  observing_world w(observing());
  const verdict seen = w.attempt("other");
  CHECK(seen.matched() == matched::primary);
  CHECK(seen.would_refuse() == reason::none);
}

TEST_CASE("a fallback past its end is observed as one, and not counted") {
  pin_manifest made = observing();
  made.targets[0].pins.push_back(carried(pin_of("good", pin_role::fallback, start() - 1s)));
  observing_world w(made);
  const verdict seen = w.attempt("good");
  CHECK(seen.matched() == matched::observed);
  CHECK(seen.would_refuse() == reason::fallback_expired);
}

TEST_CASE("without the slot no manifest makes a guard observe") {
  live_world<> w(observing());
  CHECK(w.attempt("good").reason() == reason::pin_mismatch);
  CHECK(w.sink.would_refuse == std::vector<reason>{reason::none});
}

TEST_CASE("without the manifest's word no slot makes a guard observe") {
  observing_world w(manifest_of(1, {pin_of("other")}));
  CHECK(w.attempt("good").reason() == reason::pin_mismatch);
}

TEST_CASE("observation lasts until its last second, and then the pins count") {
  observing_world w(observing());
  w.clock.advance(24h * 30);
  CHECK(w.attempt("good").matched() == matched::observed);
  w.clock.advance(1s);
  CHECK(w.attempt("good").reason() == reason::pin_mismatch);
  CHECK(w.last().why == reason::pin_mismatch);
}

TEST_CASE("a clock that is set back begins no observation anew") {
  observing_world w(observing(1, 24h));
  w.clock.advance(25h);
  w.adopt(observing(1, 24h));  // the time of the reload is the floor from here on
  w.clock.set_wall(start());
  CHECK(w.attempt("good").reason() == reason::pin_mismatch);
}

TEST_CASE("whatever a source says, nobody observes for more than thirty days ahead") {
  const auto told_until = [](instant until) {
    told_to_observe w;
    w.manifest.standing.observe_until = until;
    return w.attempt("other");
  };
  CHECK(told_until(start()).matched() == matched::observed);
  CHECK(told_until(start() + longest_observation).matched() == matched::observed);
  for (const instant until : {start() + longest_observation + 1s, no_expiry, never, start() - 1s}) {
    CHECK(told_until(until).reason() == reason::pin_mismatch);
  }
}

TEST_CASE("nothing but the pins is observed: chain, name, dates and form refuse as ever") {
  observing_world w(observing());
  CHECK(w.attempt("good", {false, 19}).reason() == reason::pkix);
  CHECK(w.attempt("expired").reason() == reason::validity);
  CHECK(w.attempt("not-yet").reason() == reason::validity);
  CHECK(w.attempt("wrong-name").reason() == reason::hostname);
  CHECK(w.attempt("cn-only").reason() == reason::hostname);
  CHECK(w.attempt(scripted_handshake{}).reason() == reason::malformed_certificate);
  CHECK(w.guarding.admit({"elsewhere.example", 443}).verdict().reason() == reason::no_pins);
  for (const reason would : w.sink.would_refuse) CHECK(would == reason::none);
  w.check_not_counted();
}

TEST_CASE("observing does not excuse a handshake that nobody guarded") {
  const auto with = [](auto change) {
    observing_world w(observing());
    handshake_facts facts = good_facts;
    change(facts);
    return w.attempt({leaf("good"), {true, 0}, true, facts}).reason();
  };
  CHECK(with([](handshake_facts& f) { f.resumed = true; }) == reason::resumption_unbound);
  CHECK(with([](handshake_facts& f) { f.hooks_intact = false; }) == reason::backend_unfit);
  CHECK(with([](handshake_facts& f) { f.finished = false; }) == reason::unbound);
}

TEST_CASE("an expired manifest observes nothing, also when it expires in the handshake") {
  pin_manifest made = observing();
  made.expires_at = start() + 24h;
  observing_world w(made);
  w.clock.advance(24h);
  scripted_session session;
  auto permit = w.permit();
  auto guarded = w.guarding.attach(&session, permit);
  w.clock.advance(1s);
  CHECK_FALSE(session.play({leaf("good")}));
  CHECK(guarded.verdict().reason() == reason::pin_mismatch);
  CHECK(w.attempt("good").reason() == reason::manifest_expired);
}

TEST_CASE("an observed acceptance neither adds to a streak nor clears it, and gives back its try") {
  told_to_observe w;
  const auto streak = [&w] {
    memory_breaker<4> copy = w.breaker;
    time_reading later = w.clock.now();
    later.steady += 1000h;
    reservation one = copy.reserve({whom, ""}, later, 1);
    return copy.mismatch(one, later).streak - 1;
  };
  CHECK(w.attempt("other").reason() == reason::pin_mismatch);
  REQUIRE(streak() == 1);
  w.manifest.standing.observe_until = w.clock.now().wall + 24h;
  for (int i = 0; i < 5; ++i) {
    CHECK(w.attempt("other").matched() == matched::observed);
    CHECK(streak() == 1);
  }
  CHECK(w.attempt("good").matched() == matched::primary);
  CHECK(streak() == 0);
}
