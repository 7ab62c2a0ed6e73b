// What every backend's senders do with every collector. Included once per executable, inside an
// unnamed namespace that provides `net` (either face of it) and `tested` (the backend).

using namespace std::chrono_literals;
using cotter::audit_event;
using cotter::delivery;
using cotter::errc;
using cotter::reason;
using reports::see;
using context = tested::context;
using endpoint = net::collector_options::endpoint;
using steady = std::chrono::steady_clock;

/// Renders an event as the name of its backend, and those without one as nothing.
struct as_array {
  static constexpr std::string_view batch_type = "application/cloudevents-batch+json";
  void operator()(const audit_event& event, std::string& out) const {
    if (!event.what.backend.empty()) out += "\"" + std::string(event.what.backend) + "\"";
  }
};
struct one_by_one {
  static constexpr bool single = true;
  void operator()(const audit_event& event, std::string& out) const { as_array{}(event, out); }
};
struct plain {
  void operator()(const audit_event& event, std::string& out) const { out += event.what.backend; }
};

using reporter = net::https_reporter<tested, as_array>;
using options = net::https_reporter_options;
static_assert(cotter::audit_sender<reporter>);
static_assert(cotter::audit_sender<net::https_reporter<tested, one_by_one>>);
static_assert(cotter::audit_sender<net::syslog_tls_sender<tested, plain>>);

reports::collector_process& collector() {
  static reports::collector_process only;
  return only;
}

audit_event event(std::string_view text, std::string_view host = "sip.example.com") {
  audit_event made;
  made.what.backend = text;
  made.what.endpoint = {host, 5061};
  return made;
}
const std::vector<audit_event>& three() {
  static const std::vector<audit_event> events{event("a"), event("b"), event("c")};
  return events;
}

void trust(context& in, const std::string& anchors = "ca.pem") {
  REQUIRE(in.valid());
  REQUIRE(in.load_anchors_file(pki::path(anchors).c_str()));
}

endpoint at(std::uint16_t port) { return {net::asio_api::ip::address_v4::loopback(), port}; }
endpoint at(const std::string& listener) { return at(collector().port(listener)); }

std::string origin(const std::string& listener, const std::string& host = "localhost") {
  return "https://" + host + ":" + std::to_string(collector().port(listener));
}
std::string sha256_of(const pki::octets& certificate) {
  tested::hasher hasher;
  cotter::sha256_digest digest;
  REQUIRE(hasher.prepare());
  hasher.update(certificate);
  REQUIRE(hasher.finish(digest));
  return reports::hex({reinterpret_cast<const char*>(digest.octets.data()), 32});
}

/// The path that is answered like this.
std::string answered(std::string_view how, std::string_view octets) {
  return "/raw/" + std::string(how) + "/" + reports::hex(octets);
}

/// A port at which nobody listens.
std::uint16_t closed_port() {
  net::asio_api::io_context io;
  net::asio_api::ip::tcp::acceptor taken(io,
                                         endpoint(net::asio_api::ip::address_v4::loopback(), 0));
  return taken.local_endpoint().port();
}

std::size_t open_files() {
  std::size_t count = 0;
  for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) != -1 ? 1u : 0u;
  return count;
}

/// One `deliver` of three events to `listener`, answered as `path` says.
struct trial {
  explicit trial(const std::string& path, const std::string& listener = "good",
                 std::chrono::milliseconds patience = 10s, options more = {}) {
    context tls;
    trust(tls);
    if (more.endpoints.empty()) more.endpoints = {at(listener)};
    reporter to(tls, origin(listener) + path, {}, std::move(more));
    REQUIRE(to.problem().what == errc::ok);
    const auto began = steady::now();
    came_to = to.deliver(three(), began + patience);
    took = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - began);
    verdict = to.verdict();
  }

  delivery came_to{};
  std::chrono::milliseconds took{};
  cotter::verdict verdict{};
};

/// Nothing is settled, and the collector saw exactly one request.
delivery refused_after_one_request(const std::string& path) {
  const trial one(path);
  const auto seen = see(collector(), 1);
  CHECK(seen.requests.size() == 1);
  CHECK(one.came_to.settled == 0);
  CHECK(one.came_to.withheld == 0);
  return one.came_to;
}

constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// --- what settles ---------------------------------------------------------------------------------

TEST_CASE("an agreement settles the batch, which is one POST of an array") {
  options more;
  more.authorization = "Bearer 0123-secret";
  more.fields = {{"X-Tenant", "phones"}};
  const trial one(answered("keep", ok) + "?source=phone&token=t", "good", 10s, std::move(more));
  CHECK(one.came_to.settled == 3);
  CHECK(one.came_to.why.what == errc::ok);
  CHECK(one.came_to.status == 200);
  CHECK(one.verdict);
  const auto seen = see(collector(), 1);
  REQUIRE(seen.requests.size() == 1);
  const auto& request = seen.requests[0];
  CHECK(request[1].ends_with("?source=phone&token=t"));
  CHECK(request[3] == R"(["a","b","c"])");
  const std::string& fields = request[2];
  CHECK(fields.find("content-type=application/cloudevents-batch+json;") != std::string::npos);
  CHECK(fields.find("authorization=Bearer 0123-secret") != std::string::npos);
  CHECK(fields.find("x-tenant=phones") != std::string::npos);
  CHECK(fields.find("host=localhost:" + std::to_string(collector().port("good"))) !=
        std::string::npos);
  REQUIRE(seen.ends.size() == 1);
  CHECK(seen.ends[0][2] == "closed");
}

TEST_CASE("whatever is an agreement is taken as one") {
  const std::string_view answer = GENERATE(
      as<std::string_view>{}, "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
      "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n0\r\nTrailer: t\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const trial one(answered("hold", answer));
  CHECK(one.came_to.settled == 3);
  CHECK(one.came_to.why.what == errc::ok);
  CHECK(one.took < 5s);
  CHECK(see(collector(), 1).requests.size() == 1);
}

TEST_CASE("content that ends with the connection is whole if the connection ends in good order") {
  const std::string_view answer = "HTTP/1.0 200 OK\r\n\r\nthank you";
  CHECK(trial(answered("close", answer)).came_to.settled == 3);
  see(collector(), 1);
  const trial cut(answered("cut", answer));
  CHECK(cut.came_to.settled == 0);
  CHECK(cut.came_to.why.what == errc::report_truncated);
  see(collector(), 1);
}

TEST_CASE("content that is too long to be read is left, and the agreement stands") {
  const trial one("/large/200000000");
  CHECK(one.came_to.settled == 3);
  CHECK(one.took < 5s);
  const auto seen = see(collector(), 1);
  CHECK(seen.requests.size() == 1);
}

// --- what does not --------------------------------------------------------------------------------

TEST_CASE("a collector that is down for a week settles nothing and costs nothing") {
  context tls;
  trust(tls);
  const std::uint16_t port = closed_port();
  reporter to(tls, "https://localhost:" + std::to_string(port) + "/", {}, [&] {
    options more;
    more.endpoints = {at(port)};
    return more;
  }());
  static_cast<void>(to.deliver(three(), steady::now() + 5s));
  const std::size_t before = open_files();
  for (int i = 0; i < 7 * 24 * 12; ++i) {
    const delivery came_to = to.deliver(three(), steady::now() + 5s);
    if (came_to.settled == 0 && came_to.why.what == errc::connect_failed) continue;
    FAIL("attempt " << i << " came to " << cotter::code(came_to.why.what));
  }
  CHECK(open_files() == before);
}

TEST_CASE("an error of the collector settles nothing and names its status") {
  const int status = GENERATE(400, 401, 403, 404, 408, 413, 425, 429, 500, 502, 503, 599);
  const delivery came_to = refused_after_one_request(answered(
      "keep", "HTTP/1.1 " + std::to_string(status) + " No\r\nContent-Length: 3\r\n\r\nno\n"));
  CHECK(came_to.why.what == errc::report_refused);
  CHECK(came_to.why.native == status);
  CHECK(came_to.status == static_cast<std::uint32_t>(status));
  CHECK(came_to.retry_after == 0s);
}

TEST_CASE("the collector's wish to be left alone is passed on, in either form, and bounded") {
  const auto with = [](const std::string& fields) {
    return refused_after_one_request(
               answered("keep", "HTTP/1.1 429 Too Many\r\n" + fields + "Content-Length: 0\r\n\r\n"))
        .retry_after;
  };
  CHECK(with("Retry-After: 120\r\n") == 120s);
  CHECK(with("retry-after:7  \r\n") == 7s);
  CHECK(with("Retry-After: 99999999999999999999\r\n") == cotter::max_retry_after);
  CHECK(with("Retry-After: soon\r\n") == 0s);
  // Counted from the collector's own clock.
  CHECK(with("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:50:37 "
             "GMT\r\n") == 60s);
  CHECK(with("Retry-After: Fri, 31 Dec 2999 23:59:59 GMT\r\n") == cotter::max_retry_after);
  CHECK(with("Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n") == 0s);
}

TEST_CASE("half an answer settles nothing, wherever it was cut and however") {
  const std::string_view half =
      GENERATE(as<std::string_view>{}, "", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\nContent-Le",
               "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
               "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123456789",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
               "HTTP/1.1 100 Continue\r\n\r\n");
  const std::string_view how = GENERATE(as<std::string_view>{}, "close", "cut", "reset");
  CAPTURE(how, half);
  const delivery came_to = refused_after_one_request(answered(how, half));
  CHECK(came_to.why.what == errc::report_truncated);
}

TEST_CASE("a redirect is never followed, wherever it leads") {
  const int status = GENERATE(300, 301, 302, 303, 304, 307, 308);
  const std::string trap = std::to_string(collector().port("trap"));
  const std::string location =
      GENERATE_COPY("http://127.0.0.1:" + trap + "/", "https://127.0.0.1:" + trap + "/",
                    answered("keep", ok), origin("good") + answered("keep", ok));
  const trial one(answered("keep", "HTTP/1.1 " + std::to_string(status) + " Go\r\nLocation: " +
                                       location + "\r\nContent-Length: 0\r\n\r\n"));
  CHECK(one.came_to.settled == 0);
  CHECK(one.came_to.why.what == errc::report_redirected);
  CHECK(one.came_to.why.native == status);
  const auto seen = see(collector(), 1);
  CHECK(seen.requests.size() == 1);
  CHECK(seen.touched == 0);
  CHECK(collector().next(20ms).empty());
}

TEST_CASE("a header without end is left") {
  const trial one("/flood");
  CHECK(one.came_to.settled == 0);
  CHECK(one.came_to.why.what == errc::message_too_big);
  CHECK(one.took < 5s);
  see(collector(), 1);
}

TEST_CASE("an answer that does not come, or comes too slowly, ends at the deadline") {
  const std::string path = GENERATE(answered("hold", ""), answered("hold", "HTTP/1.1 200 OK\r\n"),
                                    "/drip/" + reports::hex(ok));
  const trial one(path, "good", 700ms);
  CHECK(one.came_to.settled == 0);
  CHECK(one.came_to.why.what == errc::timeout);
  CHECK(one.took >= 690ms);
  CHECK(one.took < 1500ms);
  see(collector(), 1);
}

TEST_CASE("what is not HTTP, or another protocol, settles nothing") {
  const std::string_view answer =
      GENERATE(as<std::string_view>{}, "220 mail.example.com ESMTP\r\n", "HTTP/2.0 200 OK\r\n\r\n",
               "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
               "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
               "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  const delivery came_to = refused_after_one_request(answered("hold", answer));
  CHECK(came_to.why.what == errc::protocol_error);
}

TEST_CASE("an agreement to a request that was not read settles nothing") {
  context tls;
  trust(tls);
  const std::string large(30'000'000, 'x');
  const std::vector<audit_event> events{event(large)};
  options more;
  more.endpoints = {at("good")};
  reporter to(tls, origin("good") + "/early/hold/" + reports::hex(ok), {}, std::move(more));
  // `hold` reads on, and so the request gets through; `reset` does not.
  CHECK(to.deliver(events, steady::now() + 20s).settled == 1);
  see(collector(), 1);
  options again;
  again.endpoints = {at("good")};
  reporter cut(tls, origin("good") + "/early/reset/" + reports::hex(ok), {}, std::move(again));
  const delivery came_to = cut.deliver(events, steady::now() + 20s);
  CHECK(came_to.settled == 0);
  CHECK(came_to.why.what == errc::report_truncated);
  see(collector(), 1);
}

TEST_CASE("a refusal of a request that nobody reads is heard all the same") {
  context tls;
  trust(tls);
  const std::string large(30'000'000, 'x');
  const std::vector<audit_event> events{event(large)};
  for (const std::string how : {"hold", "deaf"}) {
    options more;
    more.endpoints = {at("good")};
    const std::string answer = "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n";
    reporter to(tls, origin("good") + "/early/" + how + "/" + reports::hex(answer), {},
                std::move(more));
    const auto began = steady::now();
    const delivery came_to = to.deliver(events, began + 10s);
    CHECK(came_to.settled == 0);
    CHECK(came_to.why.what == errc::report_refused);
    CHECK(came_to.status == 413);
    CHECK(steady::now() < began + 3s);
    see(collector(), 1);
  }
}

// --- who the collector is -------------------------------------------------------------------------

TEST_CASE("a collector that does not prove who it is gets no octet of HTTP") {
  const auto [listener, why] = GENERATE(table<std::string, reason>({
      {"foreign", reason::pkix},
      {"wrong-name", reason::hostname},
      {"cn-only", reason::hostname},
      {"expired", reason::validity},
      {"not-yet", reason::validity},
  }));
  const trial one(answered("keep", ok), listener);
  CHECK(one.came_to.settled == 0);
  CHECK(one.came_to.why.what == errc::tls_failure);
  CHECK(one.verdict.reason() == why);
  const auto seen = see(collector(), 1);
  CHECK(seen.requests.empty());
  REQUIRE(seen.ends.size() == 1);
  CHECK(seen.ends[0][1] == "0");
}

TEST_CASE("pins are asked for beside everything else, and instead of nothing") {
  const auto pinned = [](const std::string& spelling, cotter::pin_role role,
                         cotter::instant not_after = cotter::no_expiry) {
    options more;
    auto parsed = cotter::parse_pin(spelling);
    REQUIRE(parsed);
    parsed->role = role;
    parsed->not_after = not_after;
    more.pins = {*parsed};
    return more;
  };
  const auto leaf = [](const std::string& name) {
    return "cert-sha256:" + sha256_of(pki::certificate(name));
  };
  const cotter::instant now = cotter::system_clock{}.now().wall;
  {
    const trial one(answered("keep", ok), "good", 10s,
                    pinned(leaf("good"), cotter::pin_role::primary));
    CHECK(one.came_to.settled == 3);
    CHECK(see(collector(), 1).requests.size() == 1);
  }
  {
    const trial one(answered("keep", ok), "good", 10s,
                    pinned(leaf("good"), cotter::pin_role::fallback, now + 1h));
    CHECK(one.verdict.matched() == cotter::matched::fallback);
    CHECK(see(collector(), 1).requests.size() == 1);
  }
  struct refusal {
    std::string listener;
    options more;
    reason why;
  };
  std::vector<refusal> refusals;
  refusals.push_back(
      {"good", pinned(leaf("other"), cotter::pin_role::primary), reason::pin_mismatch});
  refusals.push_back({"good", pinned(leaf("good"), cotter::pin_role::fallback, now - 1h),
                      reason::fallback_expired});
  refusals.push_back({"foreign", pinned(leaf("foreign"), cotter::pin_role::primary), reason::pkix});
  refusals.push_back(
      {"expired", pinned(leaf("expired"), cotter::pin_role::primary), reason::validity});
  refusals.push_back(
      {"wrong-name", pinned(leaf("wrong-name"), cotter::pin_role::primary), reason::hostname});
  for (refusal& each : refusals) {
    const trial one(answered("keep", ok), each.listener, 10s, std::move(each.more));
    CHECK(one.came_to.settled == 0);
    CHECK(one.verdict.reason() == each.why);
    const auto seen = see(collector(), 1);
    REQUIRE(seen.ends.size() == 1);
    CHECK(seen.ends[0][1] == "0");
  }
}

TEST_CASE("each version of TLS that the library speaks will do") {
  context probe;
  const bool newest = static_cast<bool>(
      probe.limit_versions(cotter::tls_version::tls1_3, cotter::tls_version::tls1_3));
  CHECK(trial(answered("keep", ok), "tls12").came_to.settled == 3);
  CHECK(see(collector(), 1).ends.at(0)[3] == "TLSv1.2");
  if (!newest) return;
  CHECK(trial(answered("keep", ok), "tls13").came_to.settled == 3);
  CHECK(see(collector(), 1).ends.at(0)[3] == "TLSv1.3");
}

TEST_CASE("the environment names neither anchors nor a proxy") {
  const std::string trap = "http://127.0.0.1:" + std::to_string(collector().port("trap"));
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"}) {
    ::setenv(name, trap.c_str(), 1);
  }
  ::setenv("SSL_CERT_FILE", pki::path("other-ca.pem").c_str(), 1);
  ::setenv("SSL_CERT_DIR", pki::path("").c_str(), 1);
  const trial good(answered("keep", ok));
  CHECK(good.came_to.settled == 3);
  CHECK(see(collector(), 1).touched == 0);
  const trial foreign(answered("keep", ok), "foreign");
  CHECK(foreign.came_to.settled == 0);
  CHECK(see(collector(), 1).touched == 0);
  ::setenv("SSL_CERT_FILE", pki::path("ca.pem").c_str(), 1);
  {
    context none;
    options more;
    more.endpoints = {at("good")};
    reporter to(none, origin("good") + answered("keep", ok), {}, std::move(more));
    CHECK(to.deliver(three(), steady::now() + 10s).settled == 0);
    const auto seen = see(collector(), 1);
    CHECK(seen.requests.empty());
  }
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy",
                           "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
    ::unsetenv(name);
  }
}

TEST_CASE("a collector may ask for the client's own certificate") {
  context tls;
  trust(tls);
  REQUIRE(tls.use_credentials(pki::path("client.pem").c_str(), pki::path("client.key").c_str()));
  options more;
  more.endpoints = {at("mutual")};
  reporter to(tls, origin("mutual") + answered("keep", ok), {}, std::move(more));
  CHECK(to.deliver(three(), steady::now() + 10s).settled == 3);
  see(collector(), 1);

  const trial without(answered("keep", ok), "mutual");
  CHECK(without.came_to.settled == 0);
  CHECK(without.came_to.why.what != errc::ok);
  CHECK(see(collector(), 1).requests.empty());
}

// --- batches and connections ----------------------------------------------------------------------

/// Five events, two at a time.
struct batches {
  explicit batches(const std::string& path, std::string_view own_host = "sip.example.com") {
    context tls;
    trust(tls);
    options more;
    more.endpoints = {at("good")};
    more.max_events = 2;
    reporter to(tls, origin("good") + path, {}, std::move(more));
    const std::vector<audit_event> events{event("1"), event("2", own_host), event("3"), event("4"),
                                          event("5")};
    came_to = to.deliver(events, steady::now() + 10s);
  }
  delivery came_to{};
};

TEST_CASE("batches of one delivery share a connection, and the next has a new one") {
  for (int i = 0; i < 2; ++i) {
    CHECK(batches(answered("keep", ok)).came_to.settled == 5);
    const auto seen = see(collector(), 1);
    REQUIRE(seen.requests.size() == 3);
    CHECK(seen.requests[0][3] == R"(["1","2"])");
    CHECK(seen.requests[1][3] == R"(["3","4"])");
    CHECK(seen.requests[2][3] == R"(["5"])");
  }
}

TEST_CASE("a connection that the collector closes is followed by another") {
  const std::string path = GENERATE(
      answered("close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
      answered("close", ok),  // without a word
      answered("cut", ok), answered("close", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
  CHECK(batches(path).came_to.settled == 5);
  const auto seen = see(collector(), 3);
  CHECK(seen.requests.size() == 3);
}

TEST_CASE("octets behind an answer are nobody's answer") {
  CHECK(batches(answered("keep", std::string(ok) + std::string(ok))).came_to.settled == 5);
  const auto seen = see(collector(), 3);
  CHECK(seen.ends.size() == 3);
}

TEST_CASE("a request is no larger than it may be, unless one event is") {
  context tls;
  trust(tls);
  options more;
  more.endpoints = {at("good")};
  more.max_body_bytes = 20;
  reporter to(tls, origin("good") + answered("keep", ok), {}, std::move(more));
  const std::string wide(30, 'w');
  const std::vector<audit_event> events{event("1"), event("2"), event(wide), event("3")};
  CHECK(to.deliver(events, steady::now() + 10s).settled == 4);
  const auto seen = see(collector(), 1);
  REQUIRE(seen.requests.size() == 3);
  CHECK(seen.requests[0][3] == R"(["1","2"])");
  CHECK(seen.requests[1][3] == "[\"" + wide + "\"]");
}

TEST_CASE("a rendering that stands alone is sent alone") {
  context tls;
  trust(tls);
  options more;
  more.endpoints = {at("good")};
  net::https_reporter<tested, one_by_one> to(tls, origin("good") + answered("keep", ok), {},
                                             std::move(more));
  CHECK(to.deliver(three(), steady::now() + 10s).settled == 3);
  const auto seen = see(collector(), 1);
  REQUIRE(seen.requests.size() == 3);
  CHECK(seen.requests[2][3] == "\"c\"");
  CHECK(seen.requests[0][2].find("content-type=application/json;") != std::string::npos);
}

TEST_CASE("events about the collector's own host are withheld and never sent") {
  const std::string_view own =
      GENERATE(as<std::string_view>{}, "localhost", "LOCALHOST", "localhost.");
  const batches one(answered("keep", ok), own);
  CHECK(one.came_to.settled == 5);
  CHECK(one.came_to.withheld == 1);
  const auto seen = see(collector(), 1);
  REQUIRE(seen.requests.size() == 2);
  CHECK(seen.requests[0][3] == R"(["1","3"])");
  CHECK(seen.requests[1][3] == R"(["4","5"])");

  // Alone, they are settled without a packet, whether the collector is there or not.
  context tls;
  trust(tls);
  reporter down(tls, "https://localhost:" + std::to_string(closed_port()) + "/");
  const std::vector<audit_event> events{event("1", own), event("2", own)};
  const delivery came_to = down.deliver(events, steady::now() + 5s);
  CHECK(came_to.settled == 2);
  CHECK(came_to.withheld == 2);
  CHECK(came_to.why.what == errc::ok);
  const std::vector<audit_event> mixed{event("1", own), event("2"), event("3", own)};
  const delivery stopped = down.deliver(mixed, steady::now() + 5s);
  CHECK(stopped.settled == 1);
  CHECK(stopped.withheld == 1);
  CHECK(stopped.why.what == errc::connect_failed);
}

TEST_CASE("an address is the same host in each of its spellings") {
  using net::detail::is_same_host;
  CHECK(is_same_host("127.0.0.1", "127.0.0.1"));
  CHECK(is_same_host("127.0.0.1", "::ffff:127.0.0.1"));
  CHECK(is_same_host("127.0.0.1", "[::ffff:7f00:1]"));
  CHECK(is_same_host("::1", "[0:0:0:0:0:0:0:1]"));
  CHECK_FALSE(is_same_host("127.0.0.1", "127.0.0.2"));
  CHECK_FALSE(is_same_host("siem.example.com", "example.com"));
  CHECK_FALSE(is_same_host("siem.example.com", ""));
}

TEST_CASE("an event of which there is nothing to say is settled") {
  context tls;
  trust(tls);
  reporter down(tls, "https://localhost:" + std::to_string(closed_port()) + "/");
  const std::vector<audit_event> events{event(""), event("")};
  CHECK(down.deliver(events, steady::now() + 5s).settled == 2);
  CHECK(down.deliver({}, steady::now() + 5s).why.what == errc::ok);
}

// --- addresses ------------------------------------------------------------------------------------

TEST_CASE("the host is resolved, by the system or by the program, or is an address") {
  context tls;
  trust(tls);
  for (const std::string host : {"localhost", "127.0.0.1"}) {
    reporter to(tls, origin("good", host) + answered("keep", ok));
    CHECK(to.deliver(three(), steady::now() + 10s).settled == 3);
    see(collector(), 1);
  }
  options more;
  std::string asked;
  more.resolve = [&asked](const std::string& host, std::uint16_t port, auto) {
    asked = host;
    return std::vector<endpoint>{at(closed_port()), at(port)};
  };
  reporter to(tls, origin("good") + answered("keep", ok), {}, std::move(more));
  CHECK(to.deliver(three(), steady::now() + 10s).settled == 3);
  CHECK(asked == "localhost");
  see(collector(), 1);

  options nowhere;
  nowhere.resolve = [](const std::string&, std::uint16_t, auto) { return std::vector<endpoint>(); };
  reporter lost(tls, "https://siem.example.com/", {}, std::move(nowhere));
  CHECK(lost.deliver(three(), steady::now() + 5s).why.what == errc::resolve_failed);
  reporter invalid(tls, "https://does-not-exist.invalid/");
  const errc why = invalid.deliver(three(), steady::now() + 3s).why.what;
  CHECK((why == errc::resolve_failed || why == errc::timeout));
}

TEST_CASE("a deadline that has passed is kept") {
  const trial one(answered("keep", ok), "good", 0ms);
  CHECK(one.came_to.settled == 0);
  CHECK(one.came_to.why.what == errc::timeout);
}

TEST_CASE("a URL or an option that is not fit sends nothing") {
  context tls;
  trust(tls);
  const auto problem = [&](std::string_view url, options more = {}) {
    reporter to(tls, url, {}, std::move(more));
    CHECK(to.origin().empty());
    const delivery came_to = to.deliver(three(), steady::now() + 5s);
    CHECK(came_to.settled == 0);
    CHECK(came_to.why == to.problem());
    return to.problem().what;
  };
  CHECK(problem("http://siem.example.com/") == errc::insecure_scheme);
  CHECK(problem("wss://siem.example.com/") == errc::invalid_url);
  CHECK(problem("https://user:password@siem.example.com/") == errc::invalid_url);
  CHECK(problem("https://siem.example.com/#x") == errc::invalid_url);
  CHECK(problem("https://SIEM.example.com/") == errc::invalid_host);
  CHECK(problem("") == errc::invalid_url);
  for (const std::string value : {"Bearer a\r\nX: y", "a\nb", " a", "a\x7f"}) {
    options more;
    more.authorization = value;
    CHECK(problem("https://siem.example.com/", std::move(more)) == errc::invalid_header);
  }
  for (const std::string name : {"Host", "content-length", "Content-Type", "X Y", ""}) {
    options more;
    more.fields = {{name, "v"}};
    CHECK(problem("https://siem.example.com/", std::move(more)) == errc::invalid_header);
  }
  reporter fit(tls, "https://siem.example.com:8443/secret/path?token=t");
  CHECK(fit.problem().what == errc::ok);
  CHECK(fit.origin() == "https://siem.example.com:8443");
}

// --- syslog ---------------------------------------------------------------------------------------

using sender = net::syslog_tls_sender<tested, plain>;

/// The message that says `text`, in its frame.
std::string framed(const audit_event& of, std::string_view text) {
  std::string message;
  cotter::append_syslog_message(of, {}, text, message);
  return std::to_string(message.size()) + " " + message;
}
std::string framed(std::string_view text) { return framed(event(text), text); }

struct syslog_trial {
  explicit syslog_trial(const std::string& listener, std::chrono::milliseconds patience = 10s,
                        std::vector<audit_event> events = {event("one"), event("two\nlines")}) {
    context tls;
    trust(tls);
    net::syslog_tls_options more;
    more.endpoints = {at(listener)};
    more.longest_bytes = 2'100;
    sender to(tls, "localhost", collector().port(listener), {}, {}, std::move(more));
    came_to = to.deliver(events, steady::now() + patience);
    verdict = to.verdict();
  }
  delivery came_to{};
  cotter::verdict verdict{};
};

TEST_CASE("syslog messages are counted, and settled by the collector's close_notify") {
  const std::string listener = GENERATE("syslog", "syslog12");
  const syslog_trial one(listener);
  CHECK(one.came_to.settled == 2);
  CHECK(one.came_to.why.what == errc::ok);
  const auto seen = see(collector(), 1);
  REQUIRE(seen.frames.size() == 1);
  CHECK(seen.frames[0] == framed("one") + framed("two\nlines"));
  CHECK(seen.ends.at(0)[2] == "closed");
}

TEST_CASE("many syslog messages arrive whole") {
  const std::string text(2000, 's');
  const std::vector<audit_event> many(1000, event(text));
  const syslog_trial one("syslog", 20s, many);
  CHECK(one.came_to.settled == 1000);
  const auto seen = see(collector(), 1);
  REQUIRE(seen.frames.size() == 1);
  CHECK(seen.frames[0].size() == 1000 * framed(text).size());
}

TEST_CASE("a syslog message that is longer than it may be is cut as text, and says so") {
  const std::string text(2'200, 's');
  const syslog_trial one("syslog", 10s, {event(text)});
  CHECK(one.came_to.settled == 1);
  std::string cut;
  cotter::append_cut(event(text), text.size(), cut);
  CHECK(see(collector(), 1).frames.at(0) == framed(event(text), cut));
}

TEST_CASE("a syslog collector that does not close in good order has settled nothing") {
  const syslog_trial cut("syslog-cut");
  CHECK(cut.came_to.settled == 0);
  CHECK(cut.came_to.why.what == errc::tls_truncated);
  CHECK(see(collector(), 1).frames.size() == 1);

  const syslog_trial deaf("syslog-deaf", 700ms);
  CHECK(deaf.came_to.settled == 0);
  CHECK(deaf.came_to.why.what == errc::timeout);
  see(collector(), 1);
}

TEST_CASE("a syslog collector that closes before it has been told all has settled nothing") {
  const std::string text(2'000, 's');
  const syslog_trial hasty("syslog-hasty", 20s, std::vector<audit_event>(6'000, event(text)));
  CHECK(hasty.came_to.settled == 0);
  CHECK(hasty.came_to.why.what == errc::tls_closed);
  see(collector(), 1);
}

TEST_CASE("a syslog collector that does not prove who it is gets nothing") {
  const syslog_trial one("syslog-foreign");
  CHECK(one.came_to.settled == 0);
  CHECK(one.came_to.why.what == errc::tls_failure);
  CHECK(one.verdict.reason() == reason::pkix);
  CHECK(see(collector(), 1).ends.at(0)[1] == "0");
}

TEST_CASE("syslog withholds what is about the collector itself") {
  const syslog_trial one(
      "syslog", 10s,
      {event("own", "localhost"), event("other"), event("own", "LocalHost"), event("")});
  CHECK(one.came_to.settled == 4);
  CHECK(one.came_to.withheld == 2);
  CHECK(see(collector(), 1).frames.at(0) == framed("other"));
  context tls;
  trust(tls);
  sender down(tls, "localhost", closed_port());
  const std::vector<audit_event> events{event("1", "localhost"), event("2"),
                                        event("3", "localhost")};
  const delivery came_to = down.deliver(events, steady::now() + 5s);
  CHECK(came_to.settled == 1);
  CHECK(came_to.withheld == 1);
  CHECK(sender(tls, "Not Canonical").deliver(events, steady::now() + 5s).why.what ==
        errc::invalid_host);
  CHECK(sender(tls, "localhost", 0).problem().what == errc::invalid_port);
}
