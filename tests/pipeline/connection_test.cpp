// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/connection.hpp>

#include "bench.hpp"

#include <string>
#include <type_traits>

using namespace bench;

static_assert(!std::is_copy_constructible_v<connection_type>);
static_assert(!std::is_move_constructible_v<connection_type>);
static_assert(!std::is_copy_assignable_v<connection_type>);
static_assert(!std::is_move_assignable_v<connection_type>);

namespace {

/// A connection attached to a session of its own, in whatever state a test brings it to.
struct attached {
  world& w;
  scripted_session session;
  guard_type::permit permit = w.permit();
  connection_type guarded{w.guarding, &session, permit};

  explicit attached(world& in) : w(in) {}
};

/// Everything that a mismatch would have changed, unchanged.
void check_not_counted(world& w) {
  CHECK(w.streak() == 0);
  CHECK(w.state() == breaker_state::closed);
  CHECK(w.told.alerts().empty());
}

}  // namespace

TEST_CASE("a pinned leaf with a trusted chain is accepted, and only after confirm") {
  world w;
  attached one(w);
  CHECK(one.session.play({leaf("good")}));
  CHECK_FALSE(one.guarded.verdict());
  CHECK(w.decisions() == 0);

  const verdict accepted = one.guarded.confirm();
  CHECK(accepted);
  CHECK(accepted.matched() == matched::primary);
  CHECK(accepted.pin_label() == "the label");
  CHECK(accepted.fingerprint() == not_sha256::of(leaf("good")));
  CHECK(one.guarded.verdict());

  REQUIRE(w.decisions() == 1);
  CHECK(w.last().why == reason::none);
  CHECK(w.last().by == matched::primary);
  CHECK(w.last().backend == "scripted");
  CHECK(w.last().host == "localhost");
  CHECK(w.last().pin_label == "the label");
  CHECK(w.last().has_fingerprint);
  CHECK(w.last().at == w.clock.now().wall);
}

TEST_CASE("confirm may be asked again, and is written down once") {
  world w;
  attached one(w);
  REQUIRE(one.session.play({leaf("good")}));
  for (int i = 0; i < 3; ++i) CHECK(one.guarded.confirm());
  CHECK(w.decisions() == 1);
}

TEST_CASE("the target reaches the backend as the pin set spells it") {
  world w;
  attached one(w);
  CHECK(one.session.attached_to().same_endpoint(whom));
}

TEST_CASE("a leaf that is not pinned aborts the handshake and counts once") {
  world w;
  attached one(w);
  CHECK_FALSE(one.session.play({leaf("other")}));
  CHECK(one.guarded.verdict().reason() == reason::pin_mismatch);
  CHECK(one.guarded.verdict().fingerprint() == not_sha256::of(leaf("other")));
  for (int i = 0; i < 3; ++i) CHECK(one.guarded.confirm().reason() == reason::pin_mismatch);
  CHECK(w.decisions() == 1);
  CHECK(w.last().why == reason::pin_mismatch);
  CHECK(w.last().has_fingerprint);
  CHECK(w.streak() == 1);
}

TEST_CASE("key pins match the key as it came, in whatever certificate") {
  world w({key_pin_of("good")});
  const verdict accepted = w.attempt("good");
  CHECK(accepted);
  CHECK(accepted.pin_label() == "key");
  CHECK(w.attempt("other").reason() == reason::pin_mismatch);
}

TEST_CASE("a digest of the certificate never matches a key pin, nor the other way round") {
  pin crossed = pin_of("good");
  crossed.form = pin_form::spki;
  CHECK(world({crossed}).attempt("good").reason() == reason::pin_mismatch);
  pin other_way = key_pin_of("good");
  other_way.form = pin_form::certificate;
  CHECK(world({other_way}).attempt("good").reason() == reason::pin_mismatch);
}

TEST_CASE("a fallback is accepted as such, and a primary before it") {
  world w({pin_of("other"), pin_of("good", pin_role::fallback)});
  CHECK(w.attempt("good").matched() == matched::fallback);
  CHECK(w.attempt("other").matched() == matched::primary);
  world both({pin_of("good", pin_role::fallback), pin_of("good")});
  CHECK(both.attempt("good").matched() == matched::primary);
}

TEST_CASE("a fallback is good until its last second, and then refused without counting") {
  world w({pin_of("other"), pin_of("good", pin_role::fallback,
                                   view_of(leaf("good")).not_before + 2h)});
  w.clock.advance(1h);
  CHECK(w.attempt("good").matched() == matched::fallback);
  w.clock.advance(1s);
  CHECK(w.attempt("good").reason() == reason::fallback_expired);
  CHECK(w.last().why == reason::fallback_expired);
  check_not_counted(w);
}

TEST_CASE("a chain that the library does not trust is refused as pkix, and never counts") {
  world w;
  for (const char* name : {"good", "other"}) {
    const verdict refused = w.attempt(name, {false, 19});
    CHECK(refused.reason() == reason::pkix);
    CHECK(refused.detail().native == 19);
    CHECK(refused.has_fingerprint());
  }
  check_not_counted(w);
}

TEST_CASE("cotter's own checks do not depend on the library's word") {
  world w({pin_of("expired"), pin_of("not-yet"), pin_of("wrong-name"), pin_of("cn-only")});
  CHECK(w.attempt("expired").reason() == reason::validity);
  CHECK(w.attempt("not-yet").reason() == reason::validity);
  CHECK(w.attempt("wrong-name").reason() == reason::hostname);
  CHECK(w.attempt("cn-only").reason() == reason::hostname);
  check_not_counted(w);
}

TEST_CASE("the leaf's own fault is named before the chain's, and both before the pin's") {
  world w;
  CHECK(w.attempt("expired", {false, 10}).reason() == reason::validity);
  CHECK(w.attempt("wrong-name", {false, 62}).reason() == reason::hostname);
  CHECK(w.attempt("other", {false, 20}).reason() == reason::pkix);
  CHECK(w.attempt("expired").reason() == reason::validity);
  check_not_counted(w);
}

TEST_CASE("octets that are no certificate are refused with their fault, and never count") {
  world w;
  pki::octets cut = leaf("good");
  cut.pop_back();
  const verdict refused = w.attempt(scripted_handshake{cut});
  CHECK(refused.reason() == reason::malformed_certificate);
  CHECK(refused.detail().what == errc::truncated);
  CHECK_FALSE(refused.has_fingerprint());
  CHECK(w.attempt(scripted_handshake{}).reason() == reason::malformed_certificate);
  check_not_counted(w);
}

TEST_CASE("the clock's floor makes no certificate older than it is") {
  world w;
  w.manifest.standing.issued_at = view_of(leaf("good")).not_after + 1s;
  CHECK(w.attempt("good").reason() == reason::validity);
  CHECK(w.last().at == w.manifest.standing.issued_at);
}

TEST_CASE("before the handshake is over, confirm refuses and may be asked again") {
  world w;
  attached one(w);
  CHECK(one.guarded.confirm().reason() == reason::unbound);
  one.session.start();
  one.session.leaf(leaf("good"));
  CHECK(one.session.chain({true, 0}));
  CHECK(one.guarded.confirm().reason() == reason::unbound);
  CHECK(w.decisions() == 0);
  one.session.set_facts(good_facts);
  CHECK(one.guarded.confirm());
  CHECK(w.decisions() == 1);
}

TEST_CASE("a server without the key gets the hook's yes and never a success") {
  world w;
  w.try_once("other");
  REQUIRE(w.streak() == 1);
  for (int i = 0; i < 5; ++i) {
    CHECK(w.attempt({leaf("good"), {true, 0}, false}).reason() == reason::unbound);
  }
  CHECK(w.streak() == 1);
  CHECK(w.attempt("good"));
  CHECK(w.streak() == 0);
}

TEST_CASE("facts that are not all good refuse, whatever the hook said") {
  const auto with = [](auto change) {
    handshake_facts facts = good_facts;
    change(facts);
    world w;
    const verdict refused = w.attempt({leaf("good"), {true, 0}, true, facts});
    check_not_counted(w);
    CHECK(w.decisions() == 1);
    CHECK_FALSE(refused);
    return refused.reason();
  };
  CHECK(with([](handshake_facts& f) { f.resumed = true; }) == reason::resumption_unbound);
  CHECK(with([](handshake_facts& f) { f.hooks_intact = false; }) == reason::backend_unfit);
  CHECK(with([](handshake_facts& f) { f.authenticated = false; }) == reason::backend_unfit);
}

TEST_CASE("a handshake that no hook saw is not accepted") {
  for (const bool resumed : {false, true}) {
    world w;
    attached one(w);
    handshake_facts facts = good_facts;
    facts.resumed = resumed;
    one.session.set_facts(facts);
    CHECK(one.guarded.confirm().reason() ==
          (resumed ? reason::resumption_unbound : reason::backend_unfit));
    CHECK(w.decisions() == 1);
  }
}

TEST_CASE("an acceptance is taken back when the hooks are replaced later, and is not given again") {
  world w;
  attached one(w);
  REQUIRE(one.session.play({leaf("good")}));
  REQUIRE(one.guarded.confirm());
  one.session.set_facts({true, false, false, true, 0});
  CHECK(one.guarded.confirm().reason() == reason::backend_unfit);
  one.session.set_facts(good_facts);
  CHECK(one.guarded.confirm().reason() == reason::backend_unfit);
  CHECK_FALSE(one.guarded.verdict());
  REQUIRE(w.decisions() == 2);
  CHECK(w.last().why == reason::backend_unfit);
}

TEST_CASE("an acceptance taken back is written down with the breaker as it is then") {
  world w;
  attached one(w);
  REQUIRE(one.session.play({leaf("good")}));
  REQUIRE(one.guarded.confirm());
  for (int i = 0; i < 3; ++i) {
    w.try_once("other");
    w.clock.advance(300s);
  }
  REQUIRE(w.state() == breaker_state::locked);
  one.session.set_facts({true, true, true, true, 0});
  CHECK(one.guarded.confirm().reason() == reason::resumption_unbound);
  CHECK(w.last().breaker == breaker_state::locked);
}

TEST_CASE("a second handshake on a decided connection is refused") {
  for (const bool confirmed : {false, true}) {
    world w;
    attached one(w);
    REQUIRE(one.session.play({leaf("good")}));
    if (confirmed) REQUIRE(one.guarded.confirm());
    one.session.start();
    one.session.leaf(leaf("good"));
    CHECK_FALSE(one.session.chain({true, 0}));
    CHECK(one.guarded.confirm().reason() == reason::backend_unfit);
    CHECK(w.decisions() == (confirmed ? 2 : 1));
    check_not_counted(w);
  }
}

TEST_CASE("a handshake that begins anew before it is decided forgets what it saw") {
  world w;
  attached one(w);
  one.session.start();
  one.session.leaf(leaf("good"));
  one.session.start();
  CHECK_FALSE(one.session.chain({true, 0}));
  CHECK(one.guarded.verdict().reason() == reason::backend_unfit);
  CHECK_FALSE(one.guarded.verdict().has_fingerprint());
}

TEST_CASE("calls out of order refuse") {
  const auto refused = [](auto calls) {
    world w;
    attached one(w);
    calls(one.session);
    CHECK_FALSE(one.session.chain({true, 0}));
    one.session.set_facts(good_facts);
    CHECK(one.guarded.confirm().reason() == reason::backend_unfit);
    CHECK(w.decisions() == 1);
    check_not_counted(w);
  };
  refused([](scripted_session&) {});
  refused([](scripted_session& s) { s.start(); });
  refused([](scripted_session& s) { s.leaf(leaf("good")); });
  refused([](scripted_session& s) {
    s.start();
    s.leaf(leaf("good"));
    s.leaf(leaf("good"));
  });
  refused([](scripted_session& s) {
    s.start();
    s.leaf(leaf("good"));
    CHECK(s.chain({true, 0}));
  });
}

TEST_CASE("a refusal is final: nothing that follows changes it") {
  world w;
  attached one(w);
  CHECK_FALSE(one.session.play({leaf("other")}));
  one.session.start();
  one.session.leaf(leaf("good"));
  CHECK_FALSE(one.session.chain({true, 0}));
  one.session.set_facts(good_facts);
  CHECK(one.guarded.confirm().reason() == reason::pin_mismatch);
  CHECK(w.decisions() == 1);
  CHECK(w.streak() == 1);
}

TEST_CASE("a session that cannot be attached to is refused, and gives its attempt back") {
  world w;
  for (int i = 0; i < 5; ++i) {
    scripted_session session;
    session.fail_attach(errc::unfit_backend);
    auto guarded = w.guarding.attach(&session, w.permit());
    CHECK(guarded.verdict().reason() == reason::backend_unfit);
    CHECK(guarded.verdict().detail().what == errc::unfit_backend);
    CHECK_FALSE(session.play({leaf("good")}));
    CHECK_FALSE(guarded.confirm());
  }
  CHECK(w.decisions() == 5);
  check_not_counted(w);
  CHECK(w.guarding.admit(whom));
}

TEST_CASE("a connection that dies undecided gives its attempt back and detaches") {
  world w;
  for (int i = 0; i < 5; ++i) {
    scripted_session session;
    {
      auto guarded = w.guarding.attach(&session, w.permit());
      session.start();
      session.leaf(leaf("good"));
      CHECK(session.chain({true, 0}));
      CHECK(session.attached());
    }
    CHECK_FALSE(session.attached());
  }
  CHECK(w.decisions() == 5);
  CHECK(w.last().why == reason::unbound);
  check_not_counted(w);
}

TEST_CASE("a connection can be asked without knowing its backend") {
  world w;
  attached one(w);
  connection_base& any = one.guarded;
  REQUIRE(one.session.play({leaf("good")}));
  CHECK(any.confirm());
  CHECK(any.verdict());
}

TEST_CASE("a SIP identity is judged by SIP's rules") {
  world w({pin_of("wrong-name"), pin_of("good")});
  for (const auto& [name, expected] :
       {std::pair{"good", reason::none}, std::pair{"wrong-name", reason::hostname}}) {
    scripted_session session;
    auto admission = w.guarding.admit({"localhost", 443, identity::sip});
    auto guarded = w.guarding.attach(&session, *admission);
    session.play({leaf(name)});
    session.set_facts(good_facts);
    CHECK(guarded.confirm().reason() == expected);
    CHECK(w.last().kind == identity::sip);
  }
}
