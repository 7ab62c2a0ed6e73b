// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/guard.hpp>

#include <cotter/policies/manifest/live_manifest.hpp>
#include <cotter/policies/breaker/stored_breaker.hpp>
#include <cotter/policies/session/memory_session_store.hpp>
#include <cotter/policies/store/memory_store.hpp>

#include <pipeline/bench.hpp>

#include <support/catch.hpp>

#include <array>
#include <memory>
#include <optional>
#include <vector>

// Every question that stands between a stored session and its use, over a backend without a library.
namespace {

using namespace bench;

const std::array<std::uint8_t, 5> octets{1, 2, 3, 4, 5};
constexpr anchors_identity our_anchors{{{7}}, true};

/// A store that shows and changes what is in it.
struct open_store : memory_session_store<> {
  template <typename Use>
  bool take(const session_key& whose, Use&& use) noexcept {
    ++takes;
    return memory_session_store<>::take(whose, use);
  }
  std::vector<session_binding> bindings() const {
    std::vector<session_binding> all;
    for_each([&](const session_binding& one, bytes_view) { all.push_back(one); });
    return all;
  }
  int takes = 0;
};

/// Says of what it gives that it is bound to something else than was asked for: breaks D1.
struct lying_store : open_store {
  session_binding other{};
  template <typename Use>
  bool take(const session_key& whose, Use&& use) noexcept {
    return open_store::take(whose,
                            [&](const session_binding&, bytes_view some) { use(other, some); });
  }
};

using locking_store = memory_store<>;
using locking_breaker = stored_breaker<locking_store>;

template <typename Store, typename... More>
struct world_of {
  using guard_type = guard<owned_pin_set&, source&, locking_breaker&, recording_sink&,
                           manual_clock&, recording_notifier&, Store&, share_sessions, More...>;
  using connection_type = connection<guard_type, scripted_backend>;

  owned_pin_set pins;
  source manifest;
  locking_store place;
  locking_breaker breaker{place, breaker_rules, lock_recovery::verified_probe};
  recording_sink sink;
  manual_clock clock{view_of(leaf("good")).not_before + 1h, 100h};
  recording_notifier told;
  Store store;
  std::unique_ptr<guard_type> guarding = made("one");

  explicit world_of(std::vector<pin> pinned = {pin_of("good")}) {
    REQUIRE(pins.add(whom, pinned));
    std::array<std::uint8_t, locking_breaker::image_bytes> image{};
    REQUIRE(place.create({}, bytes_view(image).first(locking_breaker::fresh_image(image))));
  }
  /// Three mismatches.
  void lock() {
    while (breaker.state({whom, ""}) != breaker_state::locked) {
      scripted_session session;
      auto guarded = guarding->attach(&session, permit());
      static_cast<void>(session.play({leaf("other")}));
      clock.advance(301s);
    }
  }
  std::unique_ptr<guard_type> made(std::string_view name) {
    return std::make_unique<guard_type>(pins, manifest, breaker, sink, clock, told, store,
                                        share_sessions{name}, More{}...);
  }
  typename guard_type::permit permit(const target& to = whom) {
    auto admission = guarding->admit(to);
    REQUIRE(admission);
    return std::move(*admission);
  }
  /// A full handshake, and one session of it in the store.
  void establish(const handshake_facts& facts = {true, false, true, true, 0, false, true,
                                                 tls_version::tls1_3}) {
    scripted_session session;
    auto guarded = guarding->attach(&session, permit(), our_anchors);
    session.give_session(octets);
    REQUIRE(session.play({leaf("good"), {true, 0}, true, facts}));
    REQUIRE(guarded.confirm());
    guarded.keep_sessions();
  }
  const recorded_decision& last() const {
    REQUIRE_FALSE(sink.decisions().empty());
    return sink.decisions().back();
  }
  void repin(std::vector<pin> pinned) {
    pins = owned_pin_set();
    REQUIRE(pins.add(whom, pinned));
  }
};
using world_type = world_of<open_store>;

/// One connection, before its handshake.
template <typename World>
struct attempt {
  World& w;
  typename World::guard_type::permit permit;
  scripted_session session{};
  typename World::connection_type guarded;

  explicit attempt(World& in, const anchors_identity& anchors = our_anchors,
                   const target& to = whom)
      : w(in), permit(in.permit(to)), guarded(*in.guarding, &session, permit, anchors) {}
  bool offered() const { return !session.offered().empty(); }
  reason resumed(const handshake_facts& facts = resumed_facts) {
    session.resume(facts);
    return guarded.confirm().reason();
  }
};
template <typename World>
attempt(World&) -> attempt<World>;
template <typename World>
attempt(World&, anchors_identity) -> attempt<World>;
template <typename World>
attempt(World&, anchors_identity, target) -> attempt<World>;

template <typename World>
bool offers(World& w) {
  attempt one(w);
  return one.offered();
}

handshake_facts with(void (*change)(handshake_facts&)) {
  handshake_facts facts = resumed_facts;
  change(facts);
  return facts;
}

}  // namespace

TEST_CASE("a stored session is offered once and resumed under the pin that its leaf has") {
  world_type w;
  w.establish();
  REQUIRE(w.store.size() == 1);
  const session_binding bound = w.store.bindings()[0];
  CHECK(bound.whose.host.view() == "localhost");
  CHECK(bound.whose.port == 443);
  CHECK(bound.whose.backend.view() == "scripted");
  CHECK(bound.whose.library == library_version{1, 2, 3});
  CHECK(bound.whose.anchors == our_anchors.digest);
  CHECK(bound.fingerprint == not_sha256::of(leaf("good")));
  CHECK(bound.has_key);
  CHECK(bound.key == not_sha256::of(view_of(leaf("good")).spki));
  CHECK(bound.not_before == view_of(leaf("good")).not_before);
  CHECK(bound.not_after == view_of(leaf("good")).not_after);
  CHECK(bound.version == tls_version::tls1_3);
  CHECK(bound.established_at == w.clock.now().wall);
  CHECK(bound.sequence == 1);

  {
    attempt one(w);
    CHECK(std::vector<std::uint8_t>(one.session.offered().begin(), one.session.offered().end()) ==
          std::vector<std::uint8_t>(octets.begin(), octets.end()));
    CHECK(w.store.size() == 0);
    one.session.resume();
    const verdict said = one.guarded.confirm();
    CHECK(said);
    CHECK(said.matched() == matched::primary);
    CHECK(said.pin_label() == "the label");
    CHECK(said.fingerprint() == bound.fingerprint);
    CHECK(w.last().resumed);
    CHECK(w.last().has_fingerprint);
    CHECK(w.breaker.state({whom, ""}) == breaker_state::closed);
    CHECK(one.guarded.confirm());
    CHECK(one.guarded.reassess());
  }
  CHECK_FALSE(offers(w));
}

TEST_CASE("what a resumed connection yields inherits the binding, its time too") {
  world_type w;
  w.establish();
  const session_binding first = w.store.bindings()[0];
  for (int hours = 0; hours < 24; hours += 8) {
    w.clock.advance(8h);
    attempt one(w);
    REQUIRE(one.offered());
    const std::array<std::uint8_t, 3> renewed{9, 8, 7};
    one.session.give_session(renewed);
    REQUIRE(one.resumed() == reason::none);
    one.guarded.keep_sessions();
    REQUIRE(w.store.size() == 1);
    const session_binding now = w.store.bindings()[0];
    CHECK(now.established_at == first.established_at);
    CHECK(now.fingerprint == first.fingerprint);
    CHECK(now.not_after == first.not_after);
    CHECK_FALSE(now.octets == first.octets);
  }
  w.clock.advance(1s);
  CHECK_FALSE(offers(w));
}

TEST_CASE("a session is not offered") {
  world_type w({pin_of("good"), pin_of("other")});
  w.establish();
  REQUIRE(w.store.size() == 1);

  SECTION("after its pin was withdrawn") {
    w.repin({pin_of("other")});
    CHECK_FALSE(offers(w));
  }
  SECTION("after its pin became a fallback whose window has ended") {
    w.repin({pin_of("good", pin_role::fallback, w.clock.now().wall - 1s), pin_of("other")});
    CHECK_FALSE(offers(w));
  }
  SECTION("after its leaf has expired") {
    session_binding one = w.store.bindings()[0];
    one.not_after = w.clock.now().wall - 1s;
    w.store.clear();
    w.store.put(one, octets);
    CHECK_FALSE(offers(w));
  }
  SECTION("before its leaf is valid") {
    session_binding one = w.store.bindings()[0];
    one.not_before = w.clock.now().wall + 1s;
    w.store.clear();
    w.store.put(one, octets);
    CHECK_FALSE(offers(w));
  }
  SECTION("a day after its full handshake") {
    w.clock.advance(24h + 1s);
    CHECK_FALSE(offers(w));
  }
  SECTION("if it comes from the future") {
    session_binding one = w.store.bindings()[0];
    one.established_at = w.clock.now().wall + 1s;
    w.store.clear();
    w.store.put(one, octets);
    CHECK_FALSE(offers(w));
  }
  SECTION("to another guard") {
    w.guarding = w.made("two");
    CHECK_FALSE(offers(w));
  }
  SECTION("under other anchors, or unknown ones") {
    attempt one(w, anchors_identity{{{8}}, true});
    CHECK_FALSE(one.offered());
    attempt two(w, anchors_identity{our_anchors.digest, false});
    CHECK_FALSE(two.offered());
    CHECK_FALSE(two.session.sessions_allowed());
  }
  SECTION("to another kind of identity") {
    attempt one(w, our_anchors, target{"localhost", 443, identity::sip});
    CHECK_FALSE(one.offered());
  }
  SECTION("if its octets are other ones") {
    session_binding one = w.store.bindings()[0];
    auto changed = octets;
    changed[2] ^= 1;
    w.store.clear();
    w.store.put(one, changed);
    CHECK_FALSE(offers(w));
  }
  SECTION("if the library does not take it") {
    attempt one(w);
    CHECK(one.offered());
    w.store.clear();
    w.establish();
    scripted_session stubborn;
    stubborn.allow_sessions(false);
    auto guarded = w.guarding->attach(&stubborn, w.permit(), our_anchors);
    CHECK(stubborn.offers() == 0);
    CHECK(w.store.size() == 1);
  }
  CHECK(w.breaker.state({whom, ""}) == breaker_state::closed);
  CHECK(w.told.alerts().empty());
}

TEST_CASE("an SPKI pin resumes a session whose key is known, and only such a one") {
  world_type w({key_pin_of("good")});
  w.establish();
  const session_binding kept = w.store.bindings()[0];
  CHECK(offers(w));
  session_binding keyless = kept;
  keyless.has_key = false;
  w.store.put(keyless, octets);
  CHECK_FALSE(offers(w));
}

TEST_CASE("a store that lies about what a session is bound to gains nothing") {
  world_of<lying_store> w;
  const auto lie = [&](auto change) {
    w.store.clear();
    w.establish();
    session_binding other = w.store.bindings()[0];
    change(other);
    w.store.other = other;
    return offers(w);
  };
  CHECK(lie([](session_binding&) {}));
  CHECK_FALSE(lie([](session_binding& b) { b.whose.host = short_text<max_host_bytes>("other"); }));
  CHECK_FALSE(lie([](session_binding& b) { b.whose.port = 5061; }));
  CHECK_FALSE(lie([](session_binding& b) { b.whose.kind = identity::sip; }));
  CHECK_FALSE(lie([](session_binding& b) { b.whose.anchors.octets[0] ^= 1; }));
  CHECK_FALSE(lie([](session_binding& b) { b.whose.guard.octets[0] ^= 1; }));
  CHECK_FALSE(lie(
      [](session_binding& b) { b.whose.backend = short_text<max_backend_name_bytes>("openssl"); }));
  CHECK_FALSE(lie([](session_binding& b) { b.whose.library.patch = 4; }));
  CHECK_FALSE(lie([](session_binding& b) { b.fingerprint.octets[0] ^= 1; }));
  CHECK(lie([](session_binding& b) { b.sequence = 99; }));  // recorded, not compared
}

TEST_CASE("what has changed between the offer and confirm is asked again") {
  world_type w({pin_of("good"), pin_of("other")});
  w.establish();
  SECTION("the age") {
    w.clock.advance(24h);
    attempt one(w);
    REQUIRE(one.offered());
    w.clock.advance(1s);
    CHECK(one.resumed() == reason::resumption_unbound);
  }
  SECTION("the leaf's validity") {
    session_binding bound = w.store.bindings()[0];
    bound.not_after = w.clock.now().wall;
    w.store.clear();
    w.store.put(bound, octets);
    attempt one(w);
    REQUIRE(one.offered());
    w.clock.advance(1s);
    CHECK(one.resumed() == reason::resumption_unbound);
  }
  SECTION("a fallback's window") {
    w.repin({pin_of("good", pin_role::fallback, w.clock.now().wall), pin_of("other")});
    attempt one(w);
    REQUIRE(one.offered());
    w.clock.advance(1s);
    CHECK(one.resumed() == reason::resumption_unbound);
  }
  CHECK(w.breaker.state({whom, ""}) == breaker_state::closed);
}

TEST_CASE("confirm accepts nothing that this connection did not offer") {
  world_type w;
  SECTION("nothing was stored") {
    attempt one(w);
    CHECK(one.resumed() == reason::resumption_unbound);
  }
  SECTION("the library resumed something else") {
    w.establish();
    attempt one(w);
    CHECK(one.resumed(with([](handshake_facts& f) { f.offered = false; })) ==
          reason::resumption_unbound);
  }
  SECTION("another version than the session's") {
    w.establish();
    attempt one(w);
    CHECK(one.resumed(with([](handshake_facts& f) { f.version = tls_version::tls1_2; })) ==
          reason::resumption_unbound);
  }
  SECTION("the hooks are gone") {
    w.establish();
    attempt one(w);
    CHECK(one.resumed(with([](handshake_facts& f) { f.hooks_intact = false; })) ==
          reason::backend_unfit);
  }
  SECTION("without (EC)DHE or an extended master secret") {
    w.establish();
    attempt one(w);
    CHECK(one.resumed(with([](handshake_facts& f) { f.authenticated = false; })) ==
          reason::backend_unfit);
  }
  SECTION("before the peer's Finished") {
    w.establish();
    attempt one(w);
    CHECK(one.resumed(with([](handshake_facts& f) { f.finished = false; })) == reason::unbound);
  }
  SECTION("a certificate was judged, and the library calls it resumed") {
    w.establish();
    attempt one(w);
    one.session.play({leaf("good"), {true, 0}, true, resumed_facts});
    CHECK(one.guarded.confirm().reason() == reason::resumption_unbound);
  }
  SECTION("a second handshake begins after it was resumed") {
    w.establish();
    attempt one(w);
    REQUIRE(one.resumed() == reason::none);
    one.session.start();
    CHECK(one.guarded.confirm().reason() == reason::backend_unfit);
  }
  CHECK(w.breaker.state({whom, ""}) == breaker_state::closed);
}

TEST_CASE("a server that declines is judged by its certificate") {
  world_type w;
  w.establish();
  SECTION("the pinned one") {
    attempt one(w);
    REQUIRE(one.offered());
    one.session.give_session(octets);
    REQUIRE(one.session.play({leaf("good"),
                              {true, 0},
                              true,
                              {true, false, true, true, 0, false, true, tls_version::tls1_2}}));
    CHECK(one.guarded.confirm());
    CHECK_FALSE(w.last().resumed);
    w.clock.advance(1h);
    one.guarded.keep_sessions();
    CHECK(w.store.bindings().at(0).version == tls_version::tls1_2);
  }
  SECTION("another one") {
    attempt one(w);
    REQUIRE(one.offered());
    CHECK_FALSE(one.session.play({leaf("other")}));
    CHECK(one.guarded.confirm().reason() == reason::pin_mismatch);
    CHECK_FALSE(w.last().resumed);
  }
}

TEST_CASE("nothing is kept of a connection that a pin did not accept") {
  const handshake_facts kept{true, false, true, true, 0, false, true, tls_version::tls1_3};
  SECTION("observed") {
    world_of<open_store, allow_observation> w({pin_of("other")});
    w.manifest.standing.observe_until = w.clock.now().wall + 24h;
    scripted_session session;
    auto guarded = w.guarding->attach(&session, w.permit(), our_anchors);
    session.give_session(octets);
    REQUIRE(session.play({leaf("good"), {true, 0}, true, kept}));
    REQUIRE(guarded.confirm().matched() == matched::observed);
    guarded.keep_sessions();
    CHECK(w.store.size() == 0);
  }
  SECTION("observed now, although it was pinned when it was stored") {
    world_of<open_store, allow_observation> w;
    w.establish();
    w.repin({pin_of("other")});
    w.manifest.standing.observe_until = w.clock.now().wall + 24h;
    CHECK_FALSE(offers(w));
  }
  SECTION("refused, or not confirmed yet") {
    world_type w;
    scripted_session session;
    auto guarded = w.guarding->attach(&session, w.permit(), our_anchors);
    session.give_session(octets);
    guarded.keep_sessions();
    session.play({leaf("good"), {true, 0}, true, kept});
    guarded.keep_sessions();
    CHECK(w.store.size() == 0);
    REQUIRE(guarded.confirm());
    guarded.keep_sessions();
    CHECK(w.store.size() == 1);
  }
  SECTION("without proof of an extended master secret") {
    world_type w;
    w.establish({true, false, true, true, 0, false, false, tls_version::tls1_2});
    CHECK(w.store.size() == 0);
  }
  SECTION("whose hooks were replaced since") {
    world_type w;
    scripted_session session;
    auto guarded = w.guarding->attach(&session, w.permit(), our_anchors);
    session.give_session(octets);
    REQUIRE(session.play({leaf("good"), {true, 0}, true, kept}));
    REQUIRE(guarded.confirm());
    session.set_facts(with([](handshake_facts& f) { f.resumed = f.hooks_intact = false; }));
    guarded.keep_sessions();
    session.set_facts(resumed_facts);
    guarded.keep_sessions();
    CHECK(w.store.size() == 0);
  }
}

TEST_CASE("a locked target is refused before any session is looked for") {
  world_type w;
  w.establish();
  const int takes = w.store.takes;
  w.lock();
  const int tried = w.store.takes;
  static_cast<void>(w.guarding->admit(whom));  // the probe, and given back
  CHECK(w.store.takes == tried);
  CHECK(tried == takes);
  CHECK(w.store.size() == 1);
}

TEST_CASE("a probe of a locked target neither resumes nor keeps") {
  world_type w;
  w.establish();
  w.lock();
  w.clock.advance(301s);
  auto permit = w.permit();
  REQUIRE(permit.probe());
  scripted_session session;
  auto guarded = w.guarding->attach(&session, permit, our_anchors);
  CHECK_FALSE(session.sessions_allowed());
  CHECK(session.offers() == 0);
  session.give_session(octets);
  session.play({leaf("good")});
  CHECK(guarded.confirm().reason() == reason::breaker_locked);
  guarded.keep_sessions();
  CHECK(w.store.size() == 1);
}

TEST_CASE("a guard whose name for sharing is empty, or that has none to say, resumes nothing") {
  world_type w;
  w.guarding = w.made("");
  scripted_session session;
  auto guarded = w.guarding->attach(&session, w.permit(), our_anchors);
  CHECK_FALSE(session.sessions_allowed());
}

TEST_CASE("a resumed connection is reassessed from what it is bound to") {
  world_type w({pin_of("good"), pin_of("other")});
  w.establish();
  attempt one(w);
  REQUIRE(one.resumed() == reason::none);
  CHECK(one.guarded.reassess());
  SECTION("its pin is gone") {
    w.repin({pin_of("other")});
    CHECK(one.guarded.reassess().reason() == reason::pin_mismatch);
  }
  SECTION("its leaf has expired") {
    w.clock.advance(24h * 365);
    CHECK(one.guarded.reassess().reason() == reason::validity);
  }
  CHECK_FALSE(one.guarded.confirm());
  CHECK(w.last().resumed);
}

TEST_CASE("a guard without a store allows no sessions and refuses what resumes") {
  world w;
  scripted_session session;
  auto permit = w.permit();
  auto guarded = w.guarding.attach(&session, permit, our_anchors);
  CHECK_FALSE(session.sessions_allowed());
  session.resume();
  CHECK(guarded.confirm().reason() == reason::resumption_unbound);
}
