// Included by one translation unit per backend, which says before: `backend`; `ways`, the versions
// and kinds of session that its library knows; `resumes_alone(server, octets)`, whether the library
// by itself resumes a session although its hook rejects everything; `user_session`, one that the
// application got by itself and can put into a connection.

namespace {

using namespace std::chrono_literals;
using cotter::reason;
using lab::open_store;

using way = kind_of_session;

way each_way() {
  return ways[GENERATE(range(std::size_t{0}, std::size(ways)))];
}

peer::options serving(const way& how, const std::string& leaf = "good") {
  peer::options made = lab::serve(leaf, how.version);
  made.tickets = how.tickets;
  return made;
}

std::string spelled(const way& how) {
  return std::string(how.version == 0x0303 ? "TLS 1.2" : "TLS 1.3") +
         (how.tickets ? ", tickets" : ", stateful");
}

using phone = lab::phone<backend>;

/// A phone with sessions of one full handshake in its store, and copies of them.
struct established {
  way how = each_way();
  peer::server server{serving(how)};
  open_store store{};
  phone one{store};
  std::vector<open_store::kept> sessions{};

  explicit established(std::vector<lab::pinned> pins = {{}}) {
    INFO(spelled(how));
    one.pin(pins);
    lab::full(one.call(server), pins[0].leaf == "good" ? cotter::matched::primary
                                                       : cotter::matched::fallback);
    sessions = store.all();
    REQUIRE_FALSE(sessions.empty());
  }
  /// That the server would have taken the session, and the library asked no hook.
  void would_have_resumed() {
    INFO(spelled(how));
    CHECK(resumes_alone(server, sessions.back().session));
  }
};

}  // namespace

TEST_CASE("a connection is resumed, again and again, as the one it comes from") {
  established e;
  INFO(spelled(e.how));
  const auto bound = e.sessions.back().binding;
  CHECK(bound.whose.host.view() == "localhost");
  CHECK(bound.version == (e.how.version == 0x0303 ? cotter::tls_version::tls1_2
                                                  : cotter::tls_version::tls1_3));
  for (int i = 0; i < 5; ++i) {
    e.one.clock.advance(1h);
    const auto seen = e.one.call(e.server);
    lab::resumed(seen);
    CHECK(seen.verdict.fingerprint() == bound.fingerprint);
    REQUIRE_FALSE(e.store.all().empty());
    for (const auto& kept : e.store.all()) {
      CHECK(kept.binding.established_at == bound.established_at);
      CHECK(kept.binding.fingerprint == bound.fingerprint);
    }
  }
  CHECK(e.one.breaker.successes == 6);
  CHECK(e.one.breaker.mismatches == 0);
  e.one.clock.advance(20h);
  lab::full(e.one.call(e.server));
  CHECK(e.store.all().back().binding.established_at == e.one.clock.now().wall);
}

TEST_CASE("every session that a server sends is kept, and used once") {
  established e;
  INFO(spelled(e.how));
  const std::size_t tickets = e.how.version == 0x0303 ? 1 : 2;  // OpenSSL's server sends two
  CHECK(e.sessions.size() == tickets);
  for (std::size_t i = 0; i < tickets; ++i) {
    bool was_there = false;
    const auto seen = e.one.call(
        e.server, {"localhost", 443},
        [&](auto) { was_there = e.store.size() == tickets - i; },
        [&](auto) { CHECK(e.store.size() == tickets - i - 1); },
        [&](auto, auto&) {
          // Nothing new is kept, so that only what was there is left.
          e.store.clear();
          for (std::size_t k = 0; k + 1 < tickets - i; ++k) {
            e.store.put(e.sessions[k].binding, e.sessions[k].session);
          }
        });
    CHECK(was_there);
    CHECK(seen.server_resumed);
    e.store.clear();
    for (std::size_t k = 0; k + 1 < tickets - i; ++k) {
      e.store.put(e.sessions[k].binding, e.sessions[k].session);
    }
  }
  lab::full(e.one.call(e.server));
}

TEST_CASE("a pin withdrawn: the session is not offered") {
  established e;
  e.one.pin({{"other"}});
  lab::refused(e.one.call(e.server), reason::pin_mismatch);
  e.would_have_resumed();
}

TEST_CASE("a fallback past its window: the session is not offered") {
  established e({{"other"}, {"good", cotter::pin_role::fallback, cotter::library_made_at + 24h * 3650}});
  const auto now = e.one.clock.now().wall;
  e.one.pin({{"other"}, {"good", cotter::pin_role::fallback, now + 1h}});
  lab::resumed(e.one.call(e.server), cotter::matched::fallback);
  REQUIRE_FALSE(e.store.all().empty());
  e.sessions = e.store.all();
  e.one.clock.advance(1h + 1s);
  lab::refused(e.one.call(e.server), reason::fallback_expired);
  CHECK(e.one.breaker.mismatches == 0);
  e.would_have_resumed();
}

TEST_CASE("a leaf that has expired: the session is not offered") {
  established e;
  const auto expires = e.sessions.back().binding.not_after;
  e.one.clock.set_wall(expires - 1h);
  e.store.clear();
  lab::full(e.one.call(e.server));
  e.sessions = e.store.all();
  lab::resumed(e.one.call(e.server));
  e.sessions = e.store.all();
  e.one.clock.set_wall(expires + 1s);
  lab::refused(e.one.call(e.server), reason::validity);
  e.would_have_resumed();
}

TEST_CASE("a locked target is refused before TCP, whatever session there is") {
  established e;
  e.one.pin({{"other"}});
  e.store.clear();
  while (e.one.breaker.state({{"localhost", 443}, {}}) != cotter::breaker_state::locked) {
    (void)e.one.call(e.server);
    e.one.clock.advance(301s);
  }
  e.one.pin();
  for (const auto& kept : e.sessions) e.store.put(kept.binding, kept.session);
  const auto seen = e.one.call(e.server);
  CHECK_FALSE(seen.admitted);
  CHECK(seen.verdict.reason() == reason::breaker_locked);
  CHECK(e.store.size() == e.sessions.size());
  e.would_have_resumed();
}

TEST_CASE("what was only observed is not kept, and is refused when observation has ended") {
  const way how = each_way();
  INFO(spelled(how));
  peer::server server(serving(how));
  open_store store;
  lab::phone<backend, open_store, cotter::allow_observation> one(store, cotter::allow_observation{});
  one.pin({{"other"}});
  one.manifest.standing.observe_until = one.clock.now().wall + 1h;
  lab::full(one.call(server), cotter::matched::observed);
  CHECK(store.size() == 0);
  one.clock.advance(1h + 1s);
  lab::refused(one.call(server), reason::pin_mismatch);
}

TEST_CASE("a session that was pinned is not resumed because its pin is observed now") {
  const way how = each_way();
  INFO(spelled(how));
  peer::server server(serving(how));
  open_store store;
  lab::phone<backend, open_store, cotter::allow_observation> one(store, cotter::allow_observation{});
  lab::full(one.call(server));
  one.pin({{"other"}});
  one.manifest.standing.observe_until = one.clock.now().wall + 1h;
  lab::full(one.call(server), cotter::matched::observed);
}

TEST_CASE("another host, port or kind of name on the same server: a full handshake") {
  established e;
  const auto put_back = [&] {
    e.store.clear();
    for (const auto& kept : e.sessions) e.store.put(kept.binding, kept.session);
  };
  lab::full(e.one.call(e.server, {"127.0.0.1", 443}));
  put_back();
  lab::full(e.one.call(e.server, {"localhost", 5061}));
  put_back();
  lab::full(e.one.call(e.server, {"localhost", 443, cotter::identity::sip}));
  e.would_have_resumed();
}

TEST_CASE("another guard on the same store: a full handshake, unless both share by name") {
  const way how = each_way();
  INFO(spelled(how));
  peer::server server(serving(how));
  open_store store;
  SECTION("neither has a name") {
    phone one(store);
    lab::full(one.call(server));
    phone two(store);
    lab::full(two.call(server));
    lab::resumed(one.call(server));
  }
  using cotter::share_sessions;
  using sharing = lab::phone<backend, open_store, share_sessions>;
  SECTION("of different names") {
    sharing one(store, share_sessions{"desk"});
    lab::full(one.call(server));
    sharing two(store, share_sessions{"agent"});
    lab::full(two.call(server));
  }
  SECTION("of one name") {
    sharing one(store, share_sessions{"desk"});
    lab::full(one.call(server));
    sharing two(store, share_sessions{"desk"});
    lab::resumed(two.call(server));
  }
}

TEST_CASE("a session of the application's own is never resumed") {
  established e;
  INFO(spelled(e.how));
  // What the application has stands for another certificate than what is stored.
  e.server.become(serving(e.how, "other"));
  user_session own(e.server);
  const bool stored = GENERATE(false, true);
  INFO((stored ? "beside one of the store" : "without one of the store"));
  const auto prepare = [&] {
    e.store.clear();
    for (const auto& kept : e.sessions) {
      if (stored) e.store.put(kept.binding, kept.session);
    }
  };
  // The certificate that this server shows by now is another one: only a session could be accepted.
  SECTION("put in after attach") {
    prepare();
    const auto seen = e.one.call_after_attach(e.server, [&](auto ssl) { own.give(ssl); });
    if (seen.verdict) {
      // Nothing but the store's own can have been resumed.
      CHECK(stored);
      CHECK_FALSE(gives_way);
      lab::resumed(seen);
    } else {
      CHECK((!stored || gives_way));
      const auto why = seen.verdict.reason();
      CHECK((why == reason::resumption_unbound || why == reason::unbound ||
             why == reason::pin_mismatch));
      CHECK(seen.application_bytes == 0);
      if (seen.server_resumed) CHECK(why == reason::resumption_unbound);
    }
  }
  SECTION("put in before attach") {
    prepare();
    const auto seen = e.one.call(
        e.server, {"localhost", 443}, [&](auto ssl) { own.give(ssl); }, lab::leave_alone,
        lab::leave_alone);
    if (seen.verdict) {
      CHECK(stored);
      lab::resumed(seen);
    } else {
      CHECK(seen.application_bytes == 0);
      CHECK_FALSE(seen.server_resumed);
    }
  }
  SECTION("put in when all is over, it is not kept") {
    prepare();
    const auto seen = e.one.call(
        e.server, {"localhost", 443}, lab::leave_alone, lab::leave_alone,
        [&](auto ssl, auto&) {
          e.store.clear();
          own.give(ssl);
        });
    for (const auto& kept : e.store.all()) CHECK_FALSE(own.is(kept.session));
    (void)seen;
  }
}

TEST_CASE("a session of another backend is not resumed, even under this one's name") {
  established e;
  INFO(spelled(e.how));
  e.store.rebind([](cotter::session_binding& b) {
    b.whose.backend = cotter::short_text<cotter::max_backend_name_bytes>("another");
  });
  lab::full(e.one.call(e.server));
  auto binding = e.sessions.back().binding;
  const auto octets = another_librarys_session();
  typename backend::hasher whole;
  REQUIRE(whole.prepare());
  whole.update(octets);
  REQUIRE(whole.finish(binding.octets));
  e.store.clear();
  e.store.put(binding, octets);
  lab::full(e.one.call(e.server));
}

TEST_CASE("a session made under another version of the library is not resumed") {
  established e;
  e.store.rebind([](cotter::session_binding& b) { ++b.whose.library.patch; });
  lab::full(e.one.call(e.server));
  e.would_have_resumed();
}

TEST_CASE("a session older than a day, or from the future, is not resumed") {
  established e;
  SECTION("older than a day") { e.one.clock.advance(24h + 1s); }
  SECTION("from the future") { e.one.clock.set_wall(e.one.clock.now().wall - 1s); }
  lab::full(e.one.call(e.server));
  e.would_have_resumed();
}

TEST_CASE("under other anchors, or anchors nobody names, a full handshake") {
  established e;
  const cotter::target whom{"localhost", 443};
  SECTION("others") {
    typename backend::context more;
    REQUIRE(more.load_anchors_file(lab::file("ca.pem").c_str()));
    REQUIRE(more.load_anchors_file(lab::file("other-ca.pem").c_str()));
    CHECK_FALSE(more.anchors().digest == e.one.context.anchors().digest);
    lab::full(e.one.call(e.server, whom, more, lab::leave_alone, lab::leave_alone,
                         lab::leave_alone));
  }
  SECTION("the same ones in another context") {
    typename backend::context same;
    REQUIRE(same.load_anchors_file(lab::file("ca.pem").c_str()));
    lab::resumed(e.one.call(e.server, whom, same, lab::leave_alone, lab::leave_alone,
                            lab::leave_alone));
  }
  e.would_have_resumed();
}

TEST_CASE("a server that refuses to resume gets a full handshake") {
  established e;
  INFO(spelled(e.how));
  peer::server elsewhere(serving(e.how));
  lab::full(e.one.call(elsewhere));
  CHECK_FALSE(e.store.all().empty());
}

TEST_CASE("a server that changes its certificate between") {
  established e({{"good"}, {"other", cotter::pin_role::fallback}});
  INFO(spelled(e.how));
  e.server.become(serving(e.how, "other"));
  SECTION("while both are pinned, the session stands for the old one") {
    const auto seen = e.one.call(e.server);
    lab::resumed(seen);
    CHECK(seen.verdict.fingerprint() == e.sessions.back().binding.fingerprint);
  }
  SECTION("once the old one is withdrawn, the new one is judged") {
    e.one.pin({{"other"}});
    lab::full(e.one.call(e.server));
    lab::resumed(e.one.call(e.server));
    e.would_have_resumed();
  }
  SECTION("with the old one pinned alone, and the session refused") {
    e.one.pin();
    peer::server changed(serving(e.how, "other"));
    lab::refused(e.one.call(changed), reason::pin_mismatch);
    CHECK(e.one.breaker.mismatches == 1);
  }
}

TEST_CASE("a key pin resumes too") {
  established e({{"good", cotter::pin_role::primary, cotter::no_expiry, true}});
  lab::resumed(e.one.call(e.server));
  e.one.pin({{"other", cotter::pin_role::primary, cotter::no_expiry, true}});
  lab::refused(e.one.call(e.server), reason::pin_mismatch);
}

TEST_CASE("octets that were tampered with are not offered") {
  established e;
  INFO(spelled(e.how));
  const auto whole = e.sessions.back();
  // Each octet; the handshake that follows is the same for all, so a few will do for that.
  std::size_t offered = 0;
  for (std::size_t at = 0; at < whole.session.size(); at += 1 + whole.session.size() / 40) {
    auto changed = whole.session;
    changed[at] ^= 0x10;
    e.store.clear();
    e.store.put(whole.binding, changed);
    const auto seen = e.one.call(e.server);
    if (seen.server_resumed || !seen.verdict) ++offered;
  }
  CHECK(offered == 0);
}

TEST_CASE("a server without extended master secret leaves nothing to resume") {
  const way how = each_way();
  if (how.version != 0x0303) return;
  INFO(spelled(how));
  auto without = serving(how);
  without.extended_master_secret = false;
  peer::server server(without);
  open_store store;
  phone one(store);
  lab::full(one.call(server));
  CHECK(store.size() == 0);
  lab::full(one.call(server));
}

TEST_CASE("a version that is no longer allowed is not resumed") {
  const way how = each_way();
  if (how.version != 0x0303 || std::size(ways) < 4) return;
  INFO(spelled(how));
  peer::options any = serving(how);
  peer::server server(any);
  open_store store;
  phone one(store);
  lab::full(one.call(server));
  REQUIRE(one.context.limit_versions(cotter::tls_version::tls1_3, cotter::tls_version::tls1_3));
  const auto seen = one.call(server);  // it knows TLS 1.2 only
  CHECK_FALSE(seen.verdict);
  CHECK_FALSE(seen.server_finished);
}

TEST_CASE("a HelloRetryRequest does not spoil a resumption") {
  established e;
  if (e.how.version != 0x0304) return;
  auto slow = serving(e.how);
  slow.groups = "P-384:P-521";
  e.server.become(slow);
  if (survives_retry) {
    lab::resumed(e.one.call(e.server));
    return;
  }
  // It costs one attempt, and no accepted one.
  const auto seen = e.one.call(e.server);
  CHECK_FALSE(seen.verdict);
  CHECK(seen.application_bytes == 0);
  CHECK(e.one.breaker.mismatches == 0);
  while (e.store.size() != 0) e.store.clear();
  lab::full(e.one.call(e.server));
}

TEST_CASE("resumption without (EC)DHE is never accepted") {
  established e;
  if (e.how.version != 0x0304) return;
  INFO(spelled(e.how));
  auto without = serving(e.how);
  without.groups = no_group_of(e.one.context);
  without.psk_without_dhe = true;
  e.server.become(without);
  const auto seen = e.one.call_after_attach(e.server, [](auto ssl) { accept_psk_alone(ssl); });
  CHECK(seen.client_finished == knows_psk_ke);  // or nothing was shown
  CHECK(seen.server_resumed == knows_psk_ke);
  CHECK_FALSE(seen.verdict);
  CHECK(seen.application_bytes == 0);
}

TEST_CASE("octets that were forged, digest and all, are never accepted as something else") {
  established e;
  INFO(spelled(e.how));
  const auto whole = e.sessions.back();
  const std::size_t step = 1 + whole.session.size() / octets_to_forge;
  int accepted = 0;
  for (std::size_t at = 0; at < whole.session.size(); at += step) {
    auto changed = whole;
    changed.session[at] ^= static_cast<std::uint8_t>(1u << (at % 8));
    typename backend::hasher digest;
    REQUIRE(digest.prepare());
    digest.update(changed.session);
    REQUIRE(digest.finish(changed.binding.octets));
    e.store.clear();
    e.store.put(changed.binding, changed.session);
    const auto seen = e.one.call(e.server);
    if (seen.verdict) {
      ++accepted;
      CHECK(seen.verdict.fingerprint() == whole.binding.fingerprint);
      CHECK(seen.audited_resumed == seen.server_resumed);
    } else {
      CHECK(seen.application_bytes == 0);
    }
    e.one.breaker = lab::watched_breaker();
  }
  CHECK(accepted > 0);
}
