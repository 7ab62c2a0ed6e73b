// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/guard.hpp>

#include "bench.hpp"

#include <string>
#include <vector>

using namespace bench;

TEST_CASE("a known target is admitted, and nothing is decided yet") {
  world w;
  const auto admission = w.guarding.admit(whom);
  CHECK(admission);
  CHECK(admission.verdict().reason() == reason::unbound);
  CHECK_FALSE(admission.verdict());
  CHECK(w.decisions() == 0);
}

TEST_CASE("a target that is not exactly pinned is refused, and that is written down") {
  world w;
  const target strangers[] = {{"localhost", 444},
                              {"localhost.localdomain", 443},
                              {"sub.localhost", 443},
                              {"127.0.0.1", 443}};
  std::size_t written = 0;
  for (const target& stranger : strangers) {
    auto admission = w.guarding.admit(stranger);
    CHECK_FALSE(admission);
    CHECK_FALSE((*admission).valid());
    CHECK(admission.verdict().reason() == reason::no_pins);
    CHECK(w.decisions() == ++written);
    CHECK(w.last().why == reason::no_pins);
    CHECK(w.last().host == stranger.host);
    CHECK(w.last().port == stranger.port);
    CHECK(w.last().backend.empty());
    CHECK(w.last().by == matched::none);
  }
}

TEST_CASE("a host that is not canonical is refused with the fault, not looked up") {
  world w;
  const auto upper = w.guarding.admit({"LOCALHOST", 443});
  CHECK(upper.verdict().reason() == reason::no_pins);
  CHECK(upper.verdict().detail() == error{errc::invalid_host, 0, 0});
  const auto dotted = w.guarding.admit({"localhost.", 443});
  CHECK(dotted.verdict().detail() == error{errc::invalid_host, 9, 0});
  const auto portless = w.guarding.admit({"localhost", 0});
  CHECK(portless.verdict().detail().what == errc::invalid_port);
}

TEST_CASE("a pin set that answers with another endpoint, or without pins, is not believed") {
  struct liar {
    pinned_target answer;
    struct handle {
      pinned_target found{};
      explicit operator bool() const noexcept { return true; }
      const pinned_target& operator*() const noexcept { return found; }
    };
    handle find(const target&, const ip_address&) const noexcept { return {answer}; }
  };
  const pin pins[] = {pin_of("good")};
  for (const pinned_target& answer :
       {pinned_target{{"elsewhere.example", 443}, pins}, pinned_target{{"localhost", 444}, pins},
        pinned_target{whom, {}}}) {
    recording_sink sink;
    guard guarding{liar{answer}, source{}, memory_breaker<2>{}, sink};
    CHECK(guarding.admit(whom).verdict().reason() == reason::no_pins);
  }
}

TEST_CASE("without a manifest in force every target is refused, for the manifest's own reason") {
  world w;
  for (const reason problem :
       {reason::manifest_invalid, reason::manifest_signature, reason::manifest_rollback,
        reason::manifest_expired, reason::runtime_mismatch, reason::clock_untrusted,
        reason::state_unavailable}) {
    w.manifest.standing.problem = problem;
    CHECK(w.guarding.admit(whom).verdict().reason() == problem);
    CHECK(w.last().why == problem);
  }
}

TEST_CASE("a manifest is in force until it expires, inclusive") {
  world w;
  w.manifest.standing.expires_at = w.clock.now().wall;
  CHECK(w.guarding.admit(whom));
  w.clock.advance(1s);
  CHECK(w.guarding.admit(whom).verdict().reason() == reason::manifest_expired);
}

TEST_CASE("a clock that was set back brings no expired manifest back") {
  world w;
  w.manifest.standing.issued_at = w.clock.now().wall;
  w.manifest.standing.expires_at = w.clock.now().wall - 1s;
  w.clock.set_wall({});
  CHECK(w.guarding.admit(whom).verdict().reason() == reason::manifest_expired);
  CHECK(w.guarding.now().wall == w.manifest.standing.issued_at);
}

TEST_CASE("the manifest is asked before the pins, and the pins before the breaker") {
  world w;
  for (int i = 0; i < 2; ++i) w.try_once("other");
  REQUIRE(w.state() == breaker_state::cooling);
  CHECK(w.guarding.admit(whom).verdict().reason() == reason::breaker_cooling);
  CHECK(w.guarding.admit({"LOCALHOST", 443}).verdict().reason() == reason::no_pins);
  w.manifest.standing.expires_at = {};
  CHECK(w.guarding.admit({"LOCALHOST", 443}).verdict().reason() == reason::manifest_expired);
  w.manifest.standing.problem = reason::manifest_rollback;
  CHECK(w.guarding.admit({"LOCALHOST", 443}).verdict().reason() == reason::manifest_rollback);
}

TEST_CASE("the breaker's refusals are the guard's, with its state") {
  world w;
  w.try_once("other");
  w.try_once("other");
  CHECK(w.guarding.admit(whom).verdict().reason() == reason::breaker_cooling);
  CHECK(w.last().breaker == breaker_state::cooling);
  w.clock.advance(300s);
  w.try_once("other");
  CHECK(w.guarding.admit(whom).verdict().reason() == reason::breaker_locked);
  CHECK(w.last().breaker == breaker_state::locked);
}

TEST_CASE("more targets than the breaker has room for are refused as state_unavailable") {
  world w;
  std::vector<guard_type::admission> held;
  for (int i = 0; i < 4; ++i) {
    const std::string host = "host-" + std::to_string(i) + ".example";
    const pin pins[] = {pin_of("good")};
    REQUIRE(w.pins.add({host, 443}, pins));
    held.push_back(w.guarding.admit({host, 443}));
    CHECK(held.back());
  }
  CHECK(w.guarding.admit(whom).verdict().reason() == reason::state_unavailable);
}

TEST_CASE("the peer's address reaches the pin set unwrapped") {
  struct regional : owned_pin_set {
    mutable ip_address seen{};
    handle find(const target& asked, const ip_address& peer) const noexcept {
      seen = peer;
      return owned_pin_set::find(asked, peer);
    }
  };
  regional pins;
  const pin one[] = {pin_of("good")};
  REQUIRE(pins.add(whom, one));
  recording_sink sink;
  guard guarding{pins, source{}, memory_breaker<2>{}, sink};
  CHECK(guarding.admit(whom, parse_ip("64:ff9b::192.0.2.9")));
  CHECK(pins.seen == parse_ip("192.0.2.9"));
  CHECK(guarding.admit(whom, parse_ip("::ffff:192.0.2.9")));
  CHECK(pins.seen == parse_ip("192.0.2.9"));
}

TEST_CASE("networks are counted apart") {
  world w;
  for (int i = 0; i < 3; ++i) {
    scripted_session session;
    auto admission = w.guarding.admit(whom, {}, "cafe");
    REQUIRE(admission);
    auto guarded = w.guarding.attach(&session, *admission);
    CHECK_FALSE(session.play({leaf("other")}));
    w.clock.advance(300s);
  }
  CHECK(w.guarding.admit(whom, {}, "cafe").verdict().reason() == reason::breaker_locked);
  CHECK(w.guarding.admit(whom, {}, "home"));
  REQUIRE(w.told.alerts().size() == 2);
  CHECK(w.told.alerts()[0].network == "cafe");
}
