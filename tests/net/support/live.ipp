// Included by live_test.cpp and boost_live_test.cpp, which name the Asio: `asio_api`, `net`,
// `error_code`, `is(ec, code)`.

using namespace std::chrono_literals;
using cotter::errc;
using cotter::reason;
using tcp = asio_api::ip::tcp;
using backend = cotter::backends::openssl;
using stream_type = net::tls_stream<tcp::socket, backend>;
using client_type = net::wss_client<stream_type>;
using server_stream = asio_api::ssl::stream<tcp::socket>;

const pki::authority& trusted() {
  static const pki::authority one;
  return one;
}

/// What a server saw: whether its handshake completed, and how many application octets came.
struct witness {
  std::atomic<bool> finished{false};
  std::atomic<std::size_t> octets{0};
};

/// A TLS server on the loopback, in a thread, and everything a client needs to reach it.
class scene {
 public:
  using talk = std::function<void(server_stream&, witness&)>;

  explicit scene(talk play, const pki::authority& signer = trusted(), bool right_pin = true)
      : scene(signer, right_pin) {
    serve([this, play = std::move(play)](tcp::socket socket) {
      asio_api::ssl::context tls(asio_api::ssl::context::tls_server);
      SSL_CTX_set_alpn_select_cb(tls.native_handle(), &choose_protocol, nullptr);
      SSL_CTX_set_max_proto_version(tls.native_handle(), max_version);
      tls.use_certificate_chain(asio_api::buffer(leaf.certificate_pem));
      tls.use_private_key(asio_api::buffer(leaf.key_pem), asio_api::ssl::context::pem);
      server_stream session(std::move(socket), tls);
      error_code ec;
      session.handshake(server_stream::server, ec);
      seen.finished = !ec;
      if (!ec) play(session, seen);
      // Whatever a client that was refused might still send.
      char some[4096];
      while (!ec) seen.octets += session.read_some(asio_api::buffer(some), ec);
    });
  }
  ~scene() { end(); }

  /// A server that is none.
  static std::unique_ptr<scene> plain(std::function<void(tcp::socket&)> play) {
    std::unique_ptr<scene> made(new scene(trusted(), true));
    made->serve([play = std::move(play)](tcp::socket socket) { play(socket); });
    return made;
  }

  void end() {
    client.reset();
    stream.reset();
    io.restart();
    io.poll();
    if (thread_.joinable()) thread_.join();
  }
  /// Connects TCP.
  void reach() { stream->lowest_layer().connect(endpoint()); }
  [[nodiscard]] tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }
  [[nodiscard]] auto permit() { return std::move(*guard.admit({"localhost", endpoint().port()})); }
  void run() {
    io.restart();
    io.run_for(10s);
    REQUIRE(io.stopped());
  }
  error_code handshake() {
    reach();
    error_code out = asio_api::error::would_block;
    stream->async_handshake(guard, permit(), [&](error_code ec) { out = ec; });
    run();
    return out;
  }

  asio_api::io_context io;
  pki::credentials leaf;
  backend::context context;
  cotter::owned_pin_set pins;
  cotter::memory_breaker<> breaker{cotter::breaker_config{}};
  cotter::testing::recording_sink sink;
  cotter::guard<cotter::owned_pin_set&, cotter::memory_breaker<>&, cotter::embedded_manifest,
                cotter::testing::recording_sink&>
      guard{pins, breaker, cotter::embedded_manifest{}, sink};
  std::optional<stream_type> stream;
  std::optional<client_type> client;
  witness seen;
  int max_version = TLS1_3_VERSION;

 private:
  scene(const pki::authority& signer, bool right_pin)
      : leaf(signer.issue()),
        acceptor_(far_io_, tcp::endpoint(asio_api::ip::address_v4::loopback(), 0)) {
    const std::string anchors = trusted().pem();
    REQUIRE(context.load_anchors(
        {reinterpret_cast<const std::uint8_t*>(anchors.data()), anchors.size()}));
    REQUIRE(context.offer_alpn("http/1.1"));
    cotter::pin one;
    one.digest = leaf.fingerprint;
    if (!right_pin) one.digest.octets[31] = static_cast<std::uint8_t>(one.digest.octets[31] ^ 1);
    REQUIRE(pins.add({"localhost", endpoint().port()}, {&one, 1}));
    stream.emplace(io.get_executor(), context);
    client.emplace(io.get_executor(), context);
  }
  void serve(std::function<void(tcp::socket)> with) {
    thread_ = std::thread([this, with = std::move(with)] { with(acceptor_.accept()); });
  }
  static int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                             const unsigned char* in, unsigned in_size, void*) {
    static constexpr unsigned char http[] = "\x08http/1.1";
    return SSL_select_next_proto(const_cast<unsigned char**>(out), out_size, http, 9, in,
                                 in_size) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  asio_api::io_context far_io_;
  tcp::acceptor acceptor_;
  std::thread thread_;
};

void echo(server_stream& stream, witness& seen) {
  char some[4096];
  error_code ec;
  while (!ec) {
    const std::size_t size = stream.read_some(asio_api::buffer(some), ec);
    seen.octets += size;
    if (!ec) asio_api::write(stream, asio_api::buffer(some, size), ec);
  }
}

void until_end(tcp::socket& socket) {
  char some[4096];
  error_code ec;
  while (!ec) socket.read_some(asio_api::buffer(some), ec);
}

TEST_CASE("Over OpenSSL, callbacks talk and close in good order", "[net][live]") {
  scene s(&echo);
  s.max_version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  REQUIRE_FALSE(s.handshake());
  CHECK(s.stream->verdict().matched() == cotter::matched::primary);
  CHECK(s.stream->verdict().fingerprint() == s.leaf.fingerprint);
  CHECK(backend::tls_version(s.stream->native_handle()) ==
        (s.max_version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
  CHECK(backend::negotiated_alpn(s.stream->native_handle()) == "http/1.1");
  std::string got(5, ' ');
  bool done = false;
  asio_api::async_write(*s.stream, asio_api::buffer("hello", 5), [&](error_code ec, std::size_t) {
    REQUIRE_FALSE(ec);
    asio_api::async_read(*s.stream, asio_api::buffer(got), [&](error_code rec, std::size_t) {
      REQUIRE_FALSE(rec);
      s.stream->async_shutdown([&](error_code sec) { done = !sec; });
    });
  });
  s.run();
  CHECK(done);
  CHECK(got == "hello");
  s.end();
  CHECK(s.seen.octets == 5);
}

TEST_CASE("Over OpenSSL, blocking calls and futures talk", "[net][live]") {
  scene s(&echo);
  s.reach();
  std::string got(5, ' ');
  SECTION("blocking") {
    s.stream->handshake(s.guard, s.permit());
    asio_api::write(*s.stream, asio_api::buffer("hello", 5));
    asio_api::read(*s.stream, asio_api::buffer(got));
    s.stream->shutdown();
  }
  SECTION("futures") {
    auto work = asio_api::make_work_guard(s.io);
    std::thread runner([&] { s.io.run(); });
    s.stream->async_handshake(s.guard, s.permit(), asio_api::use_future).get();
    asio_api::async_write(*s.stream, asio_api::buffer("hello", 5), asio_api::use_future).get();
    asio_api::async_read(*s.stream, asio_api::buffer(got), asio_api::use_future).get();
    work.reset();
    runner.join();
  }
  CHECK(got == "hello");
}

#if defined(ASIO_HAS_CO_AWAIT) || defined(BOOST_ASIO_HAS_CO_AWAIT)
TEST_CASE("Over OpenSSL, a coroutine is a whole WSS client", "[net][live]") {
  scene s([](server_stream& stream, witness&) {
    std::string in;
    error_code ec;
    asio_api::read_until(stream, asio_api::dynamic_buffer(in), "\r\n\r\n", ec);
    asio_api::write(stream, asio_api::buffer(frames::accepting(in)), ec);
    in.clear();
    std::optional<frames::client_frame> one;
    while (!ec && !(one = frames::take(in))) {
      char some[512];
      in.append(some, stream.read_some(asio_api::buffer(some), ec));
    }
    if (one) asio_api::write(stream, asio_api::buffer(frames::frame(0x81, one->payload)), ec);
  });
  const std::string url = "wss://localhost:" + std::to_string(s.endpoint().port()) + "/ws";
  std::string answer;
  const auto talk = [&]() -> asio_api::awaitable<void> {
    net::wss_options options;
    options.subprotocol = "sip";
    cotter::websocket_message got;
    co_await s.client->async_connect(s.guard, url, options, asio_api::use_awaitable);
    co_await s.client->async_write("hello", asio_api::use_awaitable);
    co_await s.client->async_read(got, asio_api::use_awaitable);
    answer = got.payload;
  };
  asio_api::co_spawn(s.io, talk, [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  s.run();
  CHECK(answer == "hello");
}
#endif

TEST_CASE("Over OpenSSL, no refusal lets one application octet out", "[net][live]") {
  SECTION("a pin that does not match") {
    scene s(&echo, trusted(), false);
    s.max_version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    CHECK(is(s.handshake(), reason::pin_mismatch));
    CHECK(s.stream->verdict().fingerprint() == s.leaf.fingerprint);
    error_code ec;
    s.stream->write_some(asio_api::buffer("secret", 6), ec);
    CHECK(is(ec, errc::not_confirmed));
    s.end();
    CHECK_FALSE(s.seen.finished);
    CHECK(s.seen.octets == 0);
    CHECK(s.sink.decisions().size() == 1);
  }
  SECTION("another authority") {
    const pki::authority other;
    scene s(&echo, other);
    CHECK(is(s.handshake(), reason::pkix));
    s.end();
    CHECK_FALSE(s.seen.finished);
    CHECK(s.seen.octets == 0);
  }
  SECTION("a WSS client with the wrong pin") {
    scene s(&echo, trusted(), false);
    error_code out;
    s.client->async_connect(s.guard, "wss://localhost:" + std::to_string(s.endpoint().port()) + "/",
                            {}, [&](error_code ec) { out = ec; });
    s.run();
    CHECK(is(out, reason::pin_mismatch));
    s.end();
    CHECK_FALSE(s.seen.finished);
    CHECK(s.seen.octets == 0);
  }
}

TEST_CASE("Over OpenSSL, a server that is none is a clear error", "[net][live]") {
  SECTION("it hangs") {
    auto s = scene::plain(&until_end);
    s->stream->expires_after(100ms);
    CHECK(is(s->handshake(), errc::timeout));
  }
  SECTION("it closes at once") {
    auto s = scene::plain([](tcp::socket& socket) {
      char some[4096];
      error_code ec;
      socket.read_some(asio_api::buffer(some), ec);
    });
    CHECK(is(s->handshake(), errc::tls_truncated));
  }
  SECTION("it talks plain HTTP") {
    auto s = scene::plain([](tcp::socket& socket) {
      error_code ec;
      asio_api::write(socket, asio_api::buffer(std::string("HTTP/1.1 400 Bad Request\r\n\r\n")),
                      ec);
      until_end(socket);
    });
    CHECK(is(s->handshake(), errc::tls_failure));
    CHECK(s->stream->last_error().native != 0);
  }
  SECTION("it sends garbage") {
    auto s = scene::plain([](tcp::socket& socket) {
      error_code ec;
      asio_api::write(socket, asio_api::buffer(std::string(5000, '\x5a')), ec);
      until_end(socket);
    });
    CHECK(is(s->handshake(), errc::tls_failure));
  }
}

TEST_CASE("Over OpenSSL, an end without close_notify is a truncation", "[net][live]") {
  const bool polite = GENERATE(true, false);
  scene s([polite](server_stream& stream, witness&) {
    error_code ec;
    asio_api::write(stream, asio_api::buffer("last", 4), ec);
    if (polite) {
      // Waits for the client's close_notify, which comes when it is destroyed at the latest.
      stream.shutdown(ec);
    } else {
      stream.next_layer().shutdown(tcp::socket::shutdown_send, ec);
    }
  });
  REQUIRE_FALSE(s.handshake());
  std::string got;
  error_code out;
  asio_api::async_read(*s.stream, asio_api::dynamic_buffer(got),
                       [&](error_code ec, std::size_t) { out = ec; });
  s.run();
  CHECK(got == "last");
  CHECK(out == (polite ? error_code(asio_api::error::eof) : make(errc::tls_truncated)));
}

TEST_CASE("Over OpenSSL, megabytes flow both ways through key updates", "[net][live]") {
  const std::string up(2'000'000, 'u');
  const std::string down(2'000'000, 'd');
  scene s([&](server_stream& stream, witness& seen) {
    std::string some(65536, ' ');
    error_code ec;
    // One after the other on this side: the client must read while its own writes are stuck.
    for (std::size_t at = 0; at < down.size() && !ec; at += 250'000) {
      SSL_key_update(stream.native_handle(), SSL_KEY_UPDATE_REQUESTED);
      asio_api::write(stream, asio_api::buffer(down.data() + at, 250'000), ec);
    }
    while (seen.octets < up.size() && !ec) {
      seen.octets += stream.read_some(asio_api::buffer(some), ec);
    }
  });
  REQUIRE_FALSE(s.handshake());
  std::string got(down.size(), ' ');
  int done = 0;
  asio_api::async_write(*s.stream, asio_api::buffer(up), [&](error_code ec, std::size_t) {
    CHECK_FALSE(ec);
    ++done;
  });
  asio_api::async_read(*s.stream, asio_api::buffer(got), [&](error_code ec, std::size_t) {
    CHECK_FALSE(ec);
    ++done;
  });
  s.run();
  CHECK(done == 2);
  CHECK(got == down);
  s.end();
  CHECK(s.seen.octets == up.size());
}
