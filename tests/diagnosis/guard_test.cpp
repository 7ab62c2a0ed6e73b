// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/guard.hpp>

#include <cotter/policies/history/memory_history.hpp>
#include <cotter/policies/history/no_history.hpp>

#include <live_bench.hpp>

#include <string>
#include <vector>

using namespace bench;

namespace {

/// A guard with a history, over a live manifest.
struct knowing_world : live_world<memory_history<>> {
  using live_world::live_world;

  /// What connection, sink and admission say of one attempt with this certificate.
  cause told_of(const std::string& name, chain_outcome chain = {true, 0},
                const ip_address& peer = {}) {
    scripted_session session;
    auto admission = guarding.admit(whom, peer);
    if (!admission) return admission.diagnosis().what;
    auto guarded = guarding.attach(&session, *admission);
    session.play({leaf(name), chain});
    static_cast<void>(guarded.confirm());
    CHECK(guarded.diagnosis().what == last().diagnosis);
    CHECK(guarded.diagnosis().seen == last().evidence);
    return guarded.diagnosis().what;
  }
  bool seen(evidence e) const { return last().evidence.has(e); }
};

}  // namespace

TEST_CASE("an acceptance has no diagnosis, and teaches the guard what the server looks like") {
  knowing_world w;
  CHECK(w.told_of("foreign") == cause::inspection);
  CHECK(w.seen(evidence::history_absent));
  CHECK(w.told_of("good") == cause::none);
  CHECK(w.last().why == reason::none);
  CHECK(w.last().evidence.bits == 0);
  CHECK(w.told_of("foreign") == cause::inspection);
  CHECK(w.seen(evidence::issuer_unseen));
  w.clock.advance(25h);  // until it is valid
  CHECK(w.told_of("renewed") == cause::rotation);
  CHECK(w.seen(evidence::newer));
}

TEST_CASE("a diagnosis stands beside the reason and changes neither it nor the count") {
  live_world<> plain;
  knowing_world w;
  for (const char* name : {"good", "foreign", "good", "renewed", "wrong-name", "expired"}) {
    INFO(name);
    const verdict without = plain.attempt(name);
    const verdict with = w.attempt(name);
    CHECK(with.reason() == without.reason());
    CHECK(with.matched() == without.matched());
    CHECK(w.last().breaker == plain.last().breaker);
    CHECK(plain.last().diagnosis == cause::none);
  }
}

TEST_CASE("only what was accepted by a pin is remembered") {
  pin_manifest made = manifest_of(1, {pin_of("good")});
  made.observe_until = start() + 24h;
  live_world<memory_history<>, allow_observation> w(made);
  CHECK(w.attempt("foreign").matched() == matched::observed);
  w.clock.advance(25h);
  CHECK(w.attempt("foreign").reason() == reason::pin_mismatch);
  CHECK(w.last().evidence.has(evidence::history_absent));
}

TEST_CASE("a server without the key teaches the guard nothing") {
  knowing_world w;
  scripted_handshake replayed{leaf("good")};
  replayed.peer_finishes = false;
  CHECK_FALSE(w.attempt(replayed));
  CHECK(w.attempt("foreign").reason() == reason::pin_mismatch);
  CHECK(w.seen(evidence::history_absent));
}

TEST_CASE("a manifest that came into force during the handshake is known to pin the leaf") {
  knowing_world w;
  scripted_session session;
  auto admission = w.guarding.admit(whom);
  REQUIRE(admission);
  auto guarded = w.guarding.attach(&session, *admission);
  w.adopt(manifest_of(2, {pin_of("other")}));
  session.play({leaf("other")});
  CHECK(guarded.confirm().reason() == reason::pin_mismatch);
  CHECK(guarded.diagnosis().what == cause::rotation);
  CHECK(guarded.diagnosis().seen.has(evidence::newer_manifest));
}

TEST_CASE("the leaf of another region is a skew, and says which") {
  pin_manifest made = manifest_of(1, {pin_of("good")});
  manifest_region emea;
  emea.name = "emea";
  emea.prefixes = {*parse_prefix("192.0.2.0/24")};
  emea.pins = {carried(pin_of("other"))};
  made.targets[0].regions = {emea};
  knowing_world w(made);
  CHECK(w.told_of("other", {true, 0}, parse_ip("198.51.100.1")) == cause::region_skew);
  CHECK(w.last().owner_region == "emea");
  CHECK(w.last().owner == "localhost");
  CHECK(w.last().region.empty());
  CHECK(w.told_of("other", {true, 0}, parse_ip("192.0.2.9")) == cause::none);
  CHECK(w.last().region == "emea");
}

TEST_CASE("the leaf of another target is a wrong endpoint, and says whose") {
  pin_manifest made = manifest_of(1, {pin_of("good")});
  made.targets.push_back(made.targets[0]);
  made.targets[1].host = "other.example";
  made.targets[1].pins = {carried(pin_of("other"))};
  knowing_world w(made);
  CHECK(w.told_of("other") == cause::wrong_endpoint);
  CHECK(w.last().owner == "other.example");
}

TEST_CASE("a key pin of another target is found, too") {
  pin_manifest made = manifest_of(1, {pin_of("good")});
  made.targets.push_back(made.targets[0]);
  made.targets[1].host = "other.example";
  made.targets[1].pins = {carried(key_pin_of("other"))};
  knowing_world w(made);
  CHECK(w.told_of("other") == cause::wrong_endpoint);
}

TEST_CASE("a network that answers under another name is a portal, and nothing counts") {
  knowing_world w;
  for (int i = 0; i < 5; ++i) {
    CHECK(w.told_of("wrong-name", {false, 19}) == cause::captive_portal);
    CHECK(w.last().why == reason::hostname);
  }
  CHECK(w.told_of("foreign", {false, 19}) == cause::inspection);
  CHECK(w.last().why == reason::pkix);
  w.check_not_counted();
}

TEST_CASE("a device whose clock stands in the past is told so") {
  knowing_world w;
  w.clock.set_wall(instant{});  // a phone without a battery
  CHECK(w.told_of("not-yet") == cause::clock_wrong);
  CHECK(w.last().why == reason::validity);
  REQUIRE_FALSE(w.sink.changes().empty());
}

TEST_CASE("without a history slot there is no diagnosis, with an empty one the leaf speaks") {
  live_world<> none;
  CHECK(none.attempt("foreign").reason() == reason::pin_mismatch);
  CHECK(none.last().diagnosis == cause::none);
  live_world<no_history> empty;
  CHECK(empty.attempt("good"));
  CHECK(empty.attempt("foreign").reason() == reason::pin_mismatch);
  CHECK(empty.last().diagnosis == cause::inspection);
  CHECK(empty.last().evidence.has(evidence::history_absent));
}

TEST_CASE("the leaf of a refusal is written down whole, and of an acceptance not at all") {
  knowing_world w;
  CHECK(w.attempt("foreign").reason() == reason::pin_mismatch);
  CHECK(w.last().leaf == leaf("foreign"));
  CHECK(w.attempt("good"));
  CHECK(w.last().leaf.empty());
  CHECK(w.attempt("expired").reason() == reason::validity);
  CHECK(w.last().leaf == leaf("expired"));
}
