// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/verified_connection.hpp>

#include <pipeline/bench.hpp>

#include <chrono>
#include <string>
#include <type_traits>
#include <vector>

using namespace bench;

namespace {

/// A clock that the test turns while the connection has its copy.
struct shown_clock {
  const manual_clock* shown = nullptr;
  time_reading now() const noexcept { return shown->now(); }
};
using peer_type = verified_peer<shown_clock>;
using verified_type = verified_connection<scripted_backend, shown_clock>;
static_assert(!std::is_copy_constructible_v<verified_type>);
static_assert(!std::is_move_constructible_v<verified_type>);

struct attached {
  explicit attached(std::vector<pin> asked = {}, target to = whom)
      : pins(std::move(asked)), peer{to, pins, pins.empty(), {&clock}}, verified(&session, peer) {}

  /// One whole attempt with this certificate; what confirm said.
  verdict attempt(const std::string& name, chain_outcome chain = {true, 0}) {
    return attempt(scripted_handshake{leaf(name), chain});
  }
  verdict attempt(const scripted_handshake& script) {
    static_cast<void>(session.play(script));
    return verified.confirm();
  }

  manual_clock clock{view_of(leaf("good")).not_before + 1h, 100h};
  std::vector<pin> pins;
  scripted_session session;
  peer_type peer;
  verified_type verified;
};

reason refused(attached&& one, const std::string& name, chain_outcome chain = {true, 0}) {
  const verdict v = one.attempt(name, chain);
  CHECK_FALSE(v);
  CHECK_FALSE(one.verified.verdict());
  CHECK(one.verified.confirm().reason() == v.reason());
  return v.reason();
}

}  // namespace

TEST_CASE("no pins are no pins unless the program says that it has none") {
  manual_clock clock{view_of(leaf("good")).not_before + 1h, 100h};
  scripted_session session;
  peer_type peer{whom, {}, false, {&clock}};
  verified_type verified(&session, peer);
  CHECK_FALSE(session.play({leaf("good")}));
  CHECK(verified.confirm().reason() == reason::no_pins);
}

TEST_CASE("a trusted chain with good name and validity is accepted without pins, after confirm") {
  attached one;
  CHECK(one.session.attached_to().same_endpoint(whom));
  CHECK(one.verified.verdict().reason() == reason::unbound);
  CHECK(one.session.play({leaf("good")}));
  CHECK_FALSE(one.verified.verdict());
  const verdict accepted = one.verified.confirm();
  CHECK(accepted);
  CHECK(accepted.fingerprint() == not_sha256::of(leaf("good")));
  CHECK(accepted.pin_label().empty());
  CHECK(one.verified.verdict());
  CHECK(one.verified.confirm());
  CHECK_FALSE(one.verified.diagnosis());
}

TEST_CASE("chain, name and validity cannot be done without, pinned or not") {
  for (const bool pinned : {false, true}) {
    const auto with = [pinned](const std::string& name) {
      return attached(pinned ? std::vector<pin>{pin_of(name)} : std::vector<pin>{});
    };
    CHECK(refused(with("good"), "good", {false, -7}) == reason::pkix);
    CHECK(refused(with("wrong-name"), "wrong-name") == reason::hostname);
    CHECK(refused(with("cn-only"), "cn-only") == reason::hostname);
    CHECK(refused(with("expired"), "expired") == reason::validity);
    CHECK(refused(with("not-yet"), "not-yet") == reason::validity);
  }
  attached one;
  CHECK(one.attempt("good", {false, -7}).detail().native == -7);
}

TEST_CASE("where there are pins, one of them matches or nothing is accepted") {
  CHECK(attached({pin_of("good")}).attempt("good").pin_label() == "the label");
  CHECK(attached({key_pin_of("good")}).attempt("good"));
  CHECK(attached({pin_of("other"), pin_of("good", pin_role::fallback)}).attempt("good").matched() ==
        matched::fallback);
  CHECK(refused(attached({pin_of("other")}), "good") == reason::pin_mismatch);
  CHECK(refused(attached({key_pin_of("other")}), "good") == reason::pin_mismatch);
  const instant past = view_of(leaf("good")).not_before;
  CHECK(refused(attached({pin_of("good", pin_role::fallback, past)}), "good") ==
        reason::fallback_expired);
}

TEST_CASE("a refusal aborts the handshake") {
  attached one({pin_of("other")});
  CHECK_FALSE(one.session.play({leaf("good")}));
  CHECK(one.verified.verdict().reason() == reason::pin_mismatch);
}

TEST_CASE("what the library did not finish, resumed, or let be tampered with is refused") {
  const auto with = [](auto change) {
    handshake_facts facts = good_facts;
    change(facts);
    attached one;
    return one.attempt({leaf("good"), {true, 0}, true, facts}).reason();
  };
  CHECK(with([](handshake_facts&) {}) == reason::none);
  CHECK(with([](handshake_facts& f) { f.finished = false; }) == reason::unbound);
  CHECK(with([](handshake_facts& f) { f.resumed = true; }) == reason::resumption_unbound);
  CHECK(with([](handshake_facts& f) { f.hooks_intact = false; }) == reason::backend_unfit);
  CHECK(with([](handshake_facts& f) { f.authenticated = false; }) == reason::backend_unfit);

  attached later;
  REQUIRE(later.attempt("good"));
  handshake_facts facts = good_facts;
  facts.hooks_intact = false;
  later.session.set_facts(facts);
  CHECK(later.verified.confirm().reason() == reason::backend_unfit);
  later.session.set_facts(good_facts);
  CHECK(later.verified.confirm().reason() == reason::backend_unfit);
}

TEST_CASE("a library that skips a step or takes one twice is refused") {
  {
    attached one;
    one.session.set_facts(good_facts);
    CHECK(one.verified.confirm().reason() == reason::backend_unfit);
  }
  {
    attached one;
    one.session.start();
    CHECK_FALSE(one.session.chain({true, 0}));
    one.session.set_facts(good_facts);
    CHECK(one.verified.confirm().reason() == reason::backend_unfit);
  }
  {
    attached one;
    one.session.leaf(leaf("good"));
    CHECK_FALSE(one.session.chain({true, 0}));
  }
  {
    attached one;
    one.session.start();
    one.session.leaf(leaf("good"));
    CHECK(one.session.chain({true, 0}));
    one.session.start();
    one.session.leaf(leaf("good"));
    CHECK_FALSE(one.session.chain({true, 0}));
    one.session.set_facts(good_facts);
    CHECK(one.verified.confirm().reason() == reason::backend_unfit);
  }
  {
    attached one;
    REQUIRE(one.attempt("good"));
    one.session.start();
    CHECK(one.verified.confirm().reason() == reason::backend_unfit);
  }
}

TEST_CASE("a session that is unfit, or a host that is not canonical, lets nothing through") {
  manual_clock clock{view_of(leaf("good")).not_before + 1h, 100h};
  {
    scripted_session session;
    session.fail_attach(errc::unfit_session);
    verified_type one(&session, {whom, {}, true, {&clock}});
    CHECK_FALSE(session.play({leaf("good")}));
    CHECK(one.confirm().reason() == reason::backend_unfit);
    CHECK(one.verdict().detail().what == errc::unfit_session);
  }
  for (const std::string_view host : {"", "LOCALHOST", "localhost."}) {
    attached one({}, {host, 443});
    CHECK_FALSE(one.session.play({leaf("good")}));
    CHECK(one.verified.confirm().reason() == reason::hostname);
    CHECK(one.verified.verdict().detail().what == errc::invalid_host);
  }
}

TEST_CASE("a connection that has lived for a while is asked again") {
  const instant end = view_of(leaf("good")).not_before + 2h;
  attached one({pin_of("good", pin_role::fallback, end)});
  CHECK(one.verified.reassess().reason() == reason::unbound);
  REQUIRE(one.attempt("good"));
  CHECK(one.verified.reassess().matched() == matched::fallback);
  one.clock.advance(2h);
  CHECK(one.verified.reassess().reason() == reason::fallback_expired);
  CHECK_FALSE(one.verified.confirm());

  attached old;
  REQUIRE(old.attempt("good"));
  old.clock.advance(400 * 24h);
  CHECK(old.verified.reassess().reason() == reason::validity);
  CHECK_FALSE(old.verified.verdict());
}

TEST_CASE("a connection that is over leaves its session detached") {
  scripted_session session;
  manual_clock clock{view_of(leaf("good")).not_before + 1h, 100h};
  {
    verified_type one(&session, {whom, {}, true, {&clock}});
    CHECK(session.attached());
  }
  CHECK_FALSE(session.attached());
}
