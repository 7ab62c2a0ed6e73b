// Included by one translation unit per backend, which says before: `backend`; `versions`; `expected`,
// whether a way is resumed at all; `offer_alone(session, octets)`, which makes the library by itself
// offer a session under a hook that rejects everything.

namespace {

using namespace std::chrono_literals;
using cotter::reason;

const cotter::target whom{"localhost", 443};

struct installed {
  std::string kind;
  int version;
  bool tickets;

  std::string directives() const {
    const bool old = version == 0x0303;
    if (kind == "nginx") {
      return std::string("ssl_protocols ") + (old ? "TLSv1.2; " : "TLSv1.3; ") +
             (tickets ? "ssl_session_tickets on; ssl_session_cache off;"
                      : "ssl_session_tickets off; ssl_session_cache shared:lab:1m;");
    }
    return std::string(old ? "ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2"
                           : "ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.3") +
           (tickets ? "" : " no-tls-tickets");
  }
  /// HAProxy has a cache beside its tickets.
  bool resumable() const { return expected(version, tickets) || kind == "haproxy"; }
  std::string spelled() const {
    return kind + (version == 0x0303 ? ", TLS 1.2" : ", TLS 1.3") +
           (tickets ? ", tickets" : ", stateful");
  }
};

installed each_server() {
  const std::string kind = GENERATE("nginx", "haproxy");
  const int version = GENERATE(from_range(std::begin(versions), std::end(versions)));
  const bool tickets = GENERATE(true, false);
  return {kind, version, tickets};
}

struct caller : lab::phone<backend> {
  using lab::phone<backend>::phone;
  lab::answer dial(const lab::real_server& to, const cotter::target& name = whom) {
    return lab::dial<lab::phone<backend>, backend>(*this, context, to.port(), name);
  }
};

/// What the server says to a session offered under a hook that rejects everything: 'r', or 0 if the
/// handshake failed.
char said_alone(const lab::real_server& to, const lab::octets& session) {
  typename backend::context context;
  REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
  typename backend::client client(context);
  lab::on_socket wire(client, to.port());
  offer_alone(context, client, session);
  if (wire.drive([&] { return client.handshake(); }).next != cotter::want::nothing) return 0;
  const std::string text = lab::get(client, wire);
  const std::size_t at = text.find("resumed=");
  return at == std::string::npos ? char{0} : text[at + 8];
}

void full(const lab::answer& seen) {
  INFO("verdict " << to_string(seen.verdict.reason()));
  CHECK(seen.verdict);
  CHECK(seen.said == '.');
  CHECK_FALSE(seen.audited_resumed);
}
void resumed(const lab::answer& seen) {
  INFO("verdict " << to_string(seen.verdict.reason()));
  CHECK(seen.verdict);
  CHECK(seen.said == 'r');
  CHECK(seen.audited_resumed);
}

}  // namespace

TEST_CASE("nginx and haproxy resume, and only what may be resumed") {
  const installed how = each_server();
  INFO(how.spelled());
  lab::real_server server(how.kind, how.directives());
  lab::open_store store;
  caller one(store);
  full(one.dial(server));
  if (!how.resumable()) {
    full(one.dial(server));
    CHECK(store.size() == 0);
    return;
  }
  resumed(one.dial(server));
  resumed(one.dial(server));
  const auto kept = store.all();
  REQUIRE_FALSE(kept.empty());
  const auto restore = [&] {
    store.clear();
    for (const auto& each : kept) store.put(each.binding, each.session);
  };

  // Each of these would have been resumed: the server says so at the end.
  full(one.dial(server, {"127.0.0.1", 443}));
  restore();
  full(one.dial(server, {"localhost", 5061}));
  restore();
  caller another(store);
  full(another.dial(server));
  restore();
  one.pin({{"other"}});
  CHECK(one.dial(server).verdict.reason() == reason::pin_mismatch);
  restore();
  const auto now = one.clock.now().wall;
  one.pin({{"other"}, {"good", cotter::pin_role::fallback, now - 1s}});
  CHECK(one.dial(server).verdict.reason() == reason::fallback_expired);
  restore();
  one.pin();
  one.breaker = lab::watched_breaker();
  one.clock.set_wall(now + 24h + 1s);
  full(one.dial(server));
  restore();
  one.clock.set_wall(now - 60s);
  full(one.dial(server));
  restore();
  one.clock.set_wall(kept.back().binding.not_after + 1s);
  store.rebind([&](cotter::session_binding& b) { b.established_at = one.clock.now().wall; });
  CHECK(one.dial(server).verdict.reason() == reason::validity);
  one.clock.set_wall(now);
  restore();
  store.rebind([](cotter::session_binding& b) { ++b.whose.library.patch; });
  full(one.dial(server));
  restore();
  store.rebind([](cotter::session_binding& b) { b.whose.anchors.octets[0] ^= 1; });
  full(one.dial(server));
  restore();
  resumed(one.dial(server));

  // Under a hook that rejects everything. nginx may forget a session of its cache that it gave out.
  CHECK(said_alone(server, kept.back().session) == 'r');
}

TEST_CASE("a server that was started anew knows no session, and gets a full handshake") {
  const installed how = each_server();
  if (!how.resumable()) return;
  INFO(how.spelled());
  lab::real_server server(how.kind, how.directives());
  lab::open_store store;
  caller one(store);
  full(one.dial(server));
  REQUIRE(store.size() > 0);
  server.stop();
  server.start(how.directives(), "good");
  full(one.dial(server));
  resumed(one.dial(server));
  server.stop();
  server.start(how.directives(), "other");
  CHECK(one.dial(server).verdict.reason() == reason::pin_mismatch);
}

TEST_CASE("a server that shows another certificate, its ticket keys the same") {
  const int version = GENERATE(from_range(std::begin(versions), std::end(versions)));
  const std::string kind = GENERATE("nginx", "haproxy");
  if (!expected(version, true)) return;
  const installed how{kind, version, true};
  INFO(how.spelled());
  lab::open_store store;
  caller one(store);
  one.pin({{"good"}, {"other", cotter::pin_role::fallback}});
  lab::real_server server(kind, how.directives());  // for its directory
  server.stop();
  const std::string keys = server.directory() + "/ticket-keys";
  std::FILE* out = std::fopen(keys.c_str(), "wb");
  REQUIRE(out != nullptr);
  for (char key = 'A'; key < 'D'; ++key) {
    // nginx: 80 octets; HAProxy: at least three lines of 48 octets in base64.
    for (int i = 0; kind == "haproxy" && i < 64; ++i) std::fputc(key, out);
    if (kind == "haproxy") std::fputc('\n', out);
  }
  for (int i = 0; kind == "nginx" && i < 80; ++i) std::fputc(i * 3 + 1, out);
  REQUIRE(std::fclose(out) == 0);
  const std::string directives =
      how.directives() + (kind == "nginx" ? " ssl_session_ticket_key " + keys + ";"
                                          : " tls-ticket-keys " + keys);
  server.start(directives, "good");
  full(one.dial(server));
  const auto kept = store.all();
  server.stop();
  server.start(directives, "other");
  const auto seen = one.dial(server);
  if (kind == "haproxy") {
    resumed(seen);  // the old leaf is pinned still, and stands for the connection
    CHECK(seen.verdict.fingerprint() == kept.back().binding.fingerprint);
    CHECK(seen.verdict.matched() == cotter::matched::primary);
  } else {
    full(seen);  // nginx ties its sessions to its certificates
    CHECK(seen.verdict.matched() == cotter::matched::fallback);
  }
  store.clear();
  for (const auto& each : kept) store.put(each.binding, each.session);
  one.pin({{"other"}});
  full(one.dial(server));
  if (kind == "haproxy") CHECK(said_alone(server, kept.back().session) == 'r');
}

TEST_CASE("500 connections to nginx, all but the first resumed") {
  const int version = *(std::end(versions) - 1);
  const installed how{"nginx", version, expected(version, true)};
  lab::real_server server(how.kind, how.directives());
  lab::open_store store;
  caller one(store);
  full(one.dial(server));
  int resumptions = 0;
  for (int i = 0; i < 499; ++i) {
    const auto seen = one.dial(server);
    resumptions += seen.verdict && seen.said == 'r' && seen.audited_resumed ? 1 : 0;
  }
  CHECK(resumptions == 499);
  CHECK(store.size() <= 8);
}
