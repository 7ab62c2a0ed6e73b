// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/guard.hpp>

#include <cotter/policies/audit/tee_audit_sink.hpp>
#include <cotter/policies/breaker/stored_breaker.hpp>
#include <cotter/policies/history/memory_history.hpp>
#include <cotter/policies/store/memory_store.hpp>

#include "live_bench.hpp"

#include <string>
#include <vector>

using namespace bench;

namespace {

/// The changes of one subject, without those before `from`.
std::vector<recorded_change> changes_of(const recording_sink& sink, audit_subject subject) {
  std::vector<recorded_change> some;
  for (const recorded_change& one : sink.changes()) {
    if (one.subject == subject) some.push_back(one);
  }
  return some;
}

}  // namespace

TEST_CASE("a breaker's way from closed to locked is written down, step by step") {
  world w;
  for (int i = 0; i < 3; ++i) {
    w.try_once("other");
    w.clock.advance(301s);
  }
  const auto steps = changes_of(w.sink, audit_subject::breaker);
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].before == breaker_state::closed);
  CHECK(steps[0].after == breaker_state::cooling);
  CHECK(steps[0].streak == 2);
  CHECK(steps[0].alert);
  CHECK(steps[0].host == "localhost");
  CHECK(steps[1].before == breaker_state::cooling);
  CHECK(steps[1].after == breaker_state::locked);
  CHECK(steps[1].streak == 3);
  CHECK(steps[1].alert);
  CHECK(w.last().breaker == breaker_state::locked);
}

TEST_CASE("an acceptance that ends a cooldown is a change, one in peace is none") {
  world w;
  w.try_once("good");
  CHECK(w.sink.changes().empty());
  w.try_once("other");
  w.try_once("other");
  w.clock.advance(301s);
  w.try_once("good");
  const auto steps = changes_of(w.sink, audit_subject::breaker);
  REQUIRE(steps.size() == 2);
  CHECK(steps[1].before == breaker_state::cooling);
  CHECK(steps[1].after == breaker_state::closed);
  CHECK_FALSE(steps[1].alert);
}

TEST_CASE("a manifest of higher sequence that opens a lock is written down as both") {
  live_world<> w(std::vector<pin>{pin_of("good")});
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(w.attempt("other"));
    w.clock.advance(301s);
  }
  CHECK(w.attempt("good").reason() == reason::breaker_locked);
  CHECK(w.last().breaker == breaker_state::locked);
  w.adopt(manifest_of(2, {pin_of("good")}));
  CHECK(w.attempt("good"));
  const auto steps = changes_of(w.sink, audit_subject::breaker);
  REQUIRE_FALSE(steps.empty());
  CHECK(steps.back().before == breaker_state::locked);
  CHECK(steps.back().after == breaker_state::closed);
  CHECK(steps.back().sequence == 2);
}

TEST_CASE(
    "an administrator's reset through the guard is written down, one that fits nothing is not") {
  owned_pin_set pins;
  const pin one[] = {pin_of("good")};
  REQUIRE(pins.add(whom, one));
  source manifest;
  std::vector<std::uint8_t> image(stored_breaker<memory_store<>>::image_bytes);
  image.resize(stored_breaker<memory_store<>>::fresh_image(image));
  memory_store<> store;
  REQUIRE(store.create({}, image));
  stored_breaker breaker(store, breaker_rules);
  recording_sink sink;
  manual_clock clock{start(), 100h};
  guard guarding{pins, manifest, breaker, sink, clock};
  for (int i = 0; i < 3; ++i) {
    scripted_session session;
    auto admission = guarding.admit(whom);
    REQUIRE(admission);
    auto guarded = guarding.attach(&session, *admission);
    session.play({leaf("other")});
    clock.advance(301s);
  }
  const std::size_t before = sink.changes().size();
  breaker_reset word{"localhost", 443, "", store.id(), 7, start() + 24h};
  CHECK(guarding.reset(word).error().what == errc::reset_not_for_this);
  CHECK(sink.changes().size() == before);
  word.lock_epoch = 1;
  CHECK(guarding.reset(word));
  REQUIRE(sink.changes().size() == before + 1);
  CHECK(sink.changes().back().before == breaker_state::locked);
  CHECK(sink.changes().back().after == breaker_state::closed);
}

TEST_CASE("the first manifest, each newer one, a rejected one and a lapse are written down once") {
  live_world<> w(std::vector<pin>{pin_of("good")});
  const auto manifests = [&] { return changes_of(w.sink, audit_subject::manifest); };
  CHECK(w.attempt("good"));
  CHECK(w.attempt("good"));
  REQUIRE(manifests().size() == 1);
  CHECK(manifests()[0].manifest == manifest_change::adopted);
  CHECK(manifests()[0].sequence == 1);

  w.guarding.manifest_rejected({errc::sequence_rollback, 0, 0});
  REQUIRE(manifests().size() == 2);
  CHECK(manifests()[1].manifest == manifest_change::rejected);
  CHECK(manifests()[1].detail.what == errc::sequence_rollback);
  CHECK(manifests()[1].sequence == 1);

  pin_manifest brief = manifest_of(2, {pin_of("good")});
  brief.expires_at = w.clock.now().wall + 1h;
  w.adopt(brief);
  CHECK(w.attempt("good"));
  w.clock.advance(2h);
  CHECK(w.attempt("good").reason() == reason::manifest_expired);
  CHECK(w.attempt("good").reason() == reason::manifest_expired);
  REQUIRE(manifests().size() == 4);
  CHECK(manifests()[2].manifest == manifest_change::adopted);
  CHECK(manifests()[3].manifest == manifest_change::lapsed);
  CHECK(manifests()[3].lapsed == reason::manifest_expired);

  w.adopt(manifest_of(3, {pin_of("good")}));
  CHECK(w.attempt("good"));
  REQUIRE(manifests().size() == 5);
  CHECK(manifests()[4].manifest == manifest_change::adopted);
}

TEST_CASE("a clock below the floor is written down once per episode, with what it says") {
  live_world<> w(std::vector<pin>{pin_of("good")});
  const auto clocks = [&] { return changes_of(w.sink, audit_subject::clock); };
  CHECK(w.attempt("good"));
  CHECK(clocks().empty());
  w.clock.set_wall(start() - 24h);
  CHECK(w.attempt("good"));
  CHECK(w.attempt("good"));
  REQUIRE(clocks().size() == 1);
  CHECK(clocks()[0].clock == clock_fault::below_floor);
  CHECK(clocks()[0].clock_says == start() - 24h);
  CHECK(clocks()[0].at >= start());
  w.clock.set_wall(start() + 1h);
  CHECK(w.attempt("good"));
  w.clock.set_wall(start() - 1h);
  CHECK(w.attempt("good"));
  CHECK(clocks().size() == 2);
}

TEST_CASE("a clock that is set back by more than a correction is written down, NTP's work is not") {
  live_world<> w(std::vector<pin>{pin_of("good")});
  const auto clocks = [&] { return changes_of(w.sink, audit_subject::clock); };
  w.clock.advance(24h);
  CHECK(w.attempt("good"));
  w.clock.set_wall(w.clock.now().wall - longest_correction);
  CHECK(w.attempt("good"));
  CHECK(clocks().empty());
  w.clock.set_wall(w.clock.now().wall - longest_correction - 1s);
  CHECK(w.attempt("good"));
  REQUIRE(clocks().size() == 1);
  CHECK(clocks()[0].clock == clock_fault::set_back);
  w.clock.set_wall(w.clock.now().wall + 240h);  // found its time at last
  CHECK(w.attempt("good"));
  CHECK(clocks().size() == 1);
}

TEST_CASE("a decision names the library's version, the manifest and the pins that were asked") {
  struct looking {
    audit_record kept{};
    std::size_t pins = 0;
    void record(const audit_record& what) noexcept {
      if (what.subject != audit_subject::decision) return;
      kept = what;
      pins = what.pins.size();
    }
  } sink;
  owned_pin_set set;
  const pin two[] = {pin_of("good"), pin_of("other", pin_role::fallback)};
  REQUIRE(set.add(whom, two));
  source manifest;
  manifest.standing.sequence = 77;
  memory_breaker<2> breaker{breaker_rules};
  manual_clock clock{start(), 100h};
  guard guarding{set, manifest, breaker, sink, clock};
  scripted_session session;
  auto admission = guarding.admit(whom);
  REQUIRE(admission);
  auto guarded = guarding.attach(&session, *admission);
  session.play({leaf("good")});
  REQUIRE(guarded.confirm());
  CHECK(type_of(sink.kept) == audit_type::accepted);
  CHECK(sink.kept.backend_version == library_version{1, 2, 3});
  CHECK(sink.kept.sequence == 77);
  CHECK(sink.pins == 2);
  CHECK(sink.kept.leaf_not_after == view_of(leaf("good")).not_after);
}

TEST_CASE("a tee gives every record to each sink, and keeps the leaf if one of them does") {
  struct counting {
    int records = 0;
    void record(const audit_record&) noexcept { ++records; }
  } first;
  recording_sink second;
  tee_audit_sink both(first, second);
  static_assert(leaf_wanting_sink<decltype(both)>);
  tee_audit_sink<counting> alone(first);
  static_assert(audit_sink<decltype(alone)> && !leaf_wanting_sink<decltype(alone)>);

  owned_pin_set set;
  const pin one[] = {pin_of("good")};
  REQUIRE(set.add(whom, one));
  source manifest;
  memory_breaker<2> breaker{breaker_rules};
  manual_clock clock{start(), 100h};
  guard guarding{set, manifest, breaker, both, clock};
  scripted_session session;
  auto admission = guarding.admit(whom);
  REQUIRE(admission);
  auto guarded = guarding.attach(&session, *admission);
  session.play({leaf("other")});
  CHECK(first.records == 1);
  REQUIRE(second.decisions().size() == 1);
  CHECK(second.decisions()[0].leaf == leaf("other"));
}

TEST_CASE("an attempt whose handshake comes to no decision is written down as refused, uncounted") {
  world w;
  {
    scripted_session session;
    auto permit = w.permit();
    auto guarded = w.guarding.attach(&session, permit);
    session.start();
    session.leaf(leaf("other"));  // and then the library finds that it cannot read on
  }
  REQUIRE(w.decisions() == 1);
  CHECK(w.last().why == reason::unbound);
  CHECK(w.last().fingerprint == not_sha256::of(leaf("other")));
  CHECK(w.last().leaf == leaf("other"));

  // A server without the key: the pinned leaf, and no Finished.
  scripted_handshake replayed{leaf("good")};
  replayed.peer_finishes = false;
  const std::size_t before = w.decisions();
  CHECK_FALSE(w.attempt(replayed));
  REQUIRE(w.decisions() == before + 1);
  CHECK(w.last().why == reason::unbound);
  CHECK(w.last().has_fingerprint);

  {
    scripted_session session;
    auto permit = w.permit();
    auto guarded = w.guarding.attach(&session, permit);
    session.start();
    session.leaf(pki::octets{0x30, 0x03, 0xff, 0xff, 0xff});
  }
  CHECK(w.last().why == reason::malformed_certificate);
  CHECK(w.state() == breaker_state::closed);
  CHECK(w.streak() == 0);
}

TEST_CASE("a permit that is attached and never used for a handshake is no decision") {
  world w;
  {
    scripted_session session;
    auto permit = w.permit();
    auto guarded = w.guarding.attach(&session, permit);
  }
  CHECK(w.decisions() == 0);
}

TEST_CASE("a reload seen by one thread before another is no rollback") {
  live_world<> w(std::vector<pin>{pin_of("good")});
  CHECK(w.attempt("good"));
  w.adopt(manifest_of(2, {pin_of("good")}));
  CHECK(w.attempt("good"));
  CHECK(w.attempt("good"));
  const auto manifests = changes_of(w.sink, audit_subject::manifest);
  REQUIRE(manifests.size() == 2);
  CHECK(manifests[1].sequence == 2);
}

TEST_CASE("a live connection whose pin is withdrawn is not told to be another's") {
  live_world<memory_history<>> w(std::vector<pin>{pin_of("good")});
  confirmed c(w);
  w.adopt(manifest_of(2, {pin_of("other")}));
  CHECK(c.guarded.reassess().reason() == reason::pin_mismatch);
  CHECK(w.last().diagnosis == cause::none);
}

TEST_CASE("what observation lets pass has the diagnosis that a refusal would have had") {
  pin_manifest made = manifest_of(1, {pin_of("good")});
  made.observe_until = start() + 24h;
  live_world<memory_history<>, allow_observation> w(made);
  CHECK(w.attempt("foreign").matched() == matched::observed);
  CHECK(w.last().diagnosis == cause::inspection);
  CHECK(w.attempt("good").matched() == matched::primary);
  CHECK(w.last().diagnosis == cause::none);
}
