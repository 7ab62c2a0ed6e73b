// SPDX-License-Identifier: BSL-1.0
#include <cotter/net/wss_client.hpp>

#include <net/support/toy_server.hpp>
#include <support/catch.hpp>

#include <asio.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

/// A stream without TLS that a test has sworn is safe, as wss_transport documents.
struct sworn_socket : asio::local::stream_protocol::socket {
  using asio::local::stream_protocol::socket::socket;
  bool confirmed = true;
};
template <>
struct cotter::net::wss_transport<sworn_socket> {
  static constexpr bool secure = true;
  static bool confirmed(const sworn_socket& on) { return on.confirmed; }
  static cotter::websocket_crypto crypto(sworn_socket&) { return frames::crypto; }
};

namespace {

using namespace std::chrono_literals;
using cotter::errc;
using cotter::reason;
using cotter::websocket_kind;
using cotter::websocket_message;
using tcp = asio::ip::tcp;
using stream_type = cotter::net::tls_stream<tcp::socket, toy::backend>;
using client_type = cotter::net::wss_client<stream_type>;
using peer = toy::server<tcp::socket>;

static_assert(!cotter::net::wss_transport<tcp::socket>::secure);
static_assert(!cotter::net::wss_transport<asio::local::stream_protocol::socket>::secure);
static_assert(cotter::net::wss_transport<stream_type>::secure);
static_assert(std::is_nothrow_move_constructible_v<client_type>);

/// A client and a listening server that plays in a thread.
class scene {
 public:
  explicit scene(std::function<void(peer&)> play, bool right_pin = true)
      : guarded(right_pin), acceptor_(far_io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    client.emplace(io.get_executor(), context, cotter::websocket_limits{1000});
    thread_ = std::thread([this, play = std::move(play)] {
      std::error_code ec;
      tcp::socket socket = acceptor_.accept(ec);
      if (ec) return;
      ++accepted;
      peer server(std::move(socket));
      play(server);
      heard = server.heard();
    });
  }
  ~scene() { end(); }
  /// The client goes, then the server.
  void end() {
    client.reset();
    io.restart();
    io.poll();
    if (!thread_.joinable()) return;
    // Wakes an accept that nobody has answered.
    if (accepted == 0) {
      std::error_code ignored;
      tcp::socket(far_io_).connect(acceptor_.local_endpoint(), ignored);
    }
    thread_.join();
  }
  void run() {
    io.restart();
    io.run_for(5s);
    REQUIRE(io.stopped());
  }
  /// Connects over the loopback, whatever the URL says.
  std::error_code connect(const std::string& url, const std::string& subprotocol = {},
                          std::chrono::milliseconds timeout = 4s) {
    cotter::net::wss_options options;
    options.subprotocol = subprotocol;
    options.timeout = timeout;
    options.endpoints = {acceptor_.local_endpoint()};
    return connect(url, options);
  }
  std::error_code connect(const std::string& url, const cotter::net::wss_options& options) {
    std::error_code out = asio::error::would_block;
    client->async_connect(guarded.guard, url, options, [&](std::error_code ec) { out = ec; });
    CHECK(out == asio::error::would_block);
    run();
    return out;
  }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  asio::io_context io;
  toy::guarded guarded;
  toy::backend::context context;
  std::optional<client_type> client;
  std::string heard;
  std::atomic<int> accepted{0};

 private:
  asio::io_context far_io_;
  tcp::acceptor acceptor_;
  std::thread thread_;
};

/// A server that does everything right, then `more`.
std::function<void(peer&)> upgrading(std::function<void(peer&)> more = [](peer& s) {
  s.listen();
}) {
  return [more = std::move(more)](peer& server) {
    if (!server.greet()) return server.listen();
    const std::string request = server.hear_request();
    if (request.empty()) return;
    server.data(frames::accepting(request));
    more(server);
  };
}

constexpr auto url = "wss://toy.example/ws";

TEST_CASE("From a URL to messages both ways and a close in good order", "[net][wss]") {
  scene s(upgrading([](peer& server) {
    const auto one = server.hear_frame();
    CHECK(one.first == 0x81);
    CHECK(one.masked);
    server.data(frames::frame(0x81, one.payload + " to you"));
    server.data(frames::frame(0x02, "bi") + frames::frame(0x89, "?") + frames::frame(0x80, "n"));
    const auto pong = server.hear_frame();
    CHECK(pong.first == 0x8a);
    const auto close = server.hear_frame();
    CHECK(close.payload == frames::close_payload(1000, "bye"));
    server.data(frames::frame(0x81, "late") + frames::frame(0x88, close.payload));
    server.listen();
  }));
  REQUIRE_FALSE(s.connect(url, "sip"));
  CHECK(s.client->is_open());
  CHECK(s.client->http_status() == 101);
  CHECK(s.client->next_layer().verdict());

  websocket_message got;
  std::string order;
  s.client->async_write("hello", [&](std::error_code ec) {
    REQUIRE_FALSE(ec);
    order += 'w';
  });
  s.client->async_read(got, [&](std::error_code ec) {
    REQUIRE_FALSE(ec);
    CHECK(got.payload == "hello to you");
    s.client->async_read(got, [&](std::error_code rec) {
      REQUIRE_FALSE(rec);
      CHECK(got.kind == websocket_kind::binary);
      CHECK(got.payload == "bin");
      s.client->async_close(1000, "bye", [&](std::error_code cec) {
        CHECK_FALSE(cec);
        order += 'c';
      });
    });
  });
  s.run();
  CHECK(order == "wc");
  CHECK(s.client->peer_close().code == 1000);
  CHECK(s.client->peer_close().reason == "bye");
  CHECK_FALSE(s.client->is_open());
}

TEST_CASE("The name is resolved when no endpoints are given", "[net][wss]") {
  scene s(upgrading());
  toy::guarded guarded(true, s.port());
  std::error_code out = asio::error::would_block;
  s.client->async_connect(guarded.guard, "wss://localhost:" + std::to_string(s.port()) + "/", {},
                          [&](std::error_code ec) { out = ec; });
  s.run();
  CHECK_FALSE(out);
  s.end();
}

#if defined(ASIO_HAS_CO_AWAIT)
TEST_CASE("A coroutine reads as the twenty lines it is", "[net][wss]") {
  scene s(upgrading([](peer& server) {
    server.data(frames::frame(0x81, server.hear_frame().payload));
    server.listen();
  }));
  toy::guarded guarded(true, s.port());
  std::string answer;
  const auto talk = [&]() -> asio::awaitable<void> {
    const std::string to = "wss://localhost:" + std::to_string(s.port()) + "/";
    websocket_message got;
    co_await s.client->async_connect(guarded.guard, to, {}, asio::use_awaitable);
    co_await s.client->async_write("hello", asio::use_awaitable);
    co_await s.client->async_read(got, asio::use_awaitable);
    answer = got.payload;
  };
  asio::co_spawn(s.io, talk, [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  s.run();
  CHECK(answer == "hello");
  s.end();
}
#endif

TEST_CASE("Blocking calls upgrade, write, read and close", "[net][wss]") {
  asio::io_context io;
  asio::io_context far_io;
  sworn_socket near(io);
  asio::local::stream_protocol::socket far(far_io);
  asio::local::connect_pair(near, far);
  std::thread thread([&] {
    std::string in;
    std::error_code ec;
    asio::read_until(far, asio::dynamic_buffer(in), "\r\n\r\n", ec);
    asio::write(far, asio::buffer(frames::accepting(in) + frames::frame(0x81, "hi") +
                                  frames::frame(0x88, frames::close_payload(1001))),
                ec);
    in.clear();
    asio::read(far, asio::dynamic_buffer(in), ec);
  });
  {
    cotter::net::wss_client<sworn_socket> client(std::move(near));
    std::error_code ec;
    cotter::upgrade_request ask;
    ask.host = "a.example";
    client.next_layer().confirmed = false;
    client.upgrade(ask, ec);
    CHECK(ec == errc::not_confirmed);
    client.next_layer().confirmed = true;
    client.upgrade(ask, ec);
    REQUIRE_FALSE(ec);
    client.write("hello", ec);
    CHECK_FALSE(ec);
    client.ping("p", ec);
    CHECK_FALSE(ec);
    websocket_message got;
    client.read(got, ec);
    CHECK_FALSE(ec);
    CHECK(got.payload == "hi");
    client.read(got, ec);
    CHECK(ec == errc::closed);
    CHECK(client.peer_close().code == 1001);
    client.close(1000, "", ec);
    CHECK_FALSE(ec);
    client.write("more", ec);
    CHECK(ec == errc::closed);
  }
  thread.join();
}

TEST_CASE("What is refused before TCP never reaches the network", "[net][wss]") {
  scene s(upgrading());
  SECTION("a scheme without TLS") {
    CHECK(s.connect("ws://toy.example/") == errc::insecure_scheme);
  }
  SECTION("http") { CHECK(s.connect("http://toy.example/") == errc::insecure_scheme); }
  SECTION("a scheme without WebSocket") {
    CHECK(s.connect("sips:toy.example") == errc::invalid_url);
  }
  SECTION("a host that is not canonical") {
    CHECK(s.connect("wss://Toy.example/") == errc::invalid_host);
  }
  SECTION("a host without pins") {
    CHECK(s.connect("wss://other.example/") == reason::no_pins);
    CHECK(s.client->next_layer().verdict().reason() == reason::no_pins);
  }
  SECTION("a subprotocol that would break out of its line") {
    CHECK(s.connect(url, "sip\r\nX: y") == errc::invalid_header);
  }
  SECTION("a header that would break out of its line") {
    cotter::net::wss_options options;
    options.fields = {{"X-Note", "a\r\nY: z"}};
    CHECK(s.connect(url, options) == errc::invalid_header);
  }
  CHECK(s.accepted == 0);
  CHECK_FALSE(s.client->is_open());
}

TEST_CASE("A certificate that is not pinned never sees the request", "[net][wss]") {
  scene s([](peer& server) {
    server.greet();
    server.listen();
  }, false);
  CHECK(s.connect(url) == reason::pin_mismatch);
  CHECK(s.client->next_layer().verdict().has_fingerprint());
  s.end();
  CHECK(s.heard == "HA");
}

TEST_CASE("A server that answers wrongly is refused", "[net][wss]") {
  const auto answering = [](std::function<std::string(std::string)> answer) {
    return [answer](peer& server) {
      if (!server.greet()) return;
      server.data(answer(server.hear_request()));
      server.listen();
    };
  };
  SECTION("a redirect is not followed") {
    scene s(answering([](const std::string&) {
      return std::string("HTTP/1.1 302 Found\r\nLocation: wss://toy.example/\r\n\r\n");
    }));
    CHECK(s.connect(url) == errc::upgrade_refused);
    CHECK(s.client->http_status() == 302);
  }
  SECTION("a wrong key") {
    scene s(answering([](const std::string& request) {
      return frames::accepting("\r\nSec-WebSocket-Key: x\r\n" + request);
    }));
    CHECK(s.connect(url) == errc::upgrade_refused);
  }
  SECTION("a subprotocol that is not answered") {
    scene s(answering([](std::string request) {
      request.erase(request.find("Sec-WebSocket-Protocol"), 29);
      return frames::accepting(request);
    }));
    CHECK(s.connect(url, "sip") == errc::upgrade_refused);
  }
  SECTION("garbage") {
    scene s(
        answering([](const std::string&) { return std::string("\x16\x03\x01\x02garbage\r\n"); }));
    CHECK(s.connect(url) == errc::protocol_error);
  }
  SECTION("a header without end") {
    scene s(answering([](const std::string&) {
      return "HTTP/1.1 101 x\r\nX: " + std::string(30000, 'a');
    }));
    CHECK(s.connect(url) == errc::protocol_error);
  }
  SECTION("close_notify instead of an answer") {
    scene s([](peer& server) {
      if (!server.greet()) return;
      server.hear_request();
      server.say(toy::record('C'));
      server.listen();
    });
    CHECK(s.connect(url) == errc::upgrade_refused);
  }
  SECTION("a cut instead of an answer") {
    scene s([](peer& server) {
      if (!server.greet()) return;
      server.hear_request();
    });
    CHECK(s.connect(url) == errc::tls_truncated);
  }
}

TEST_CASE("One deadline covers every stage", "[net][wss][deadline]") {
  SECTION("a server that never greets") {
    scene s([](peer& server) { server.listen(); });
    CHECK(s.connect(url, {}, 50ms) == errc::timeout);
  }
  SECTION("a server that never answers the upgrade") {
    scene s([](peer& server) {
      server.greet();
      server.listen();
    });
    CHECK(s.connect(url, {}, 50ms) == errc::timeout);
  }
  SECTION("an address that does not answer, or a name that does not exist") {
    scene s(upgrading());
    toy::guarded guarded(true, 9);
    std::error_code out;
    cotter::net::wss_options options;
    options.timeout = 200ms;
    options.endpoints = {{asio::ip::make_address("192.0.2.1"), 9}};  // RFC 5737: nobody's
    s.client->async_connect(guarded.guard, "wss://toy.example:9/", options,
                            [&](std::error_code ec) { out = ec; });
    s.run();
    CHECK((out == errc::timeout || out == errc::connect_failed));
  }
  SECTION("an accepted connection outlives it") {
    scene s(upgrading([](peer& server) {
      std::this_thread::sleep_for(150ms);
      server.data(frames::frame(0x81, "late"));
      server.listen();
    }));
    REQUIRE_FALSE(s.connect(url, {}, 100ms));
    websocket_message got;
    std::error_code out;
    s.client->async_read(got, [&](std::error_code ec) { out = ec; });
    s.run();
    CHECK_FALSE(out);
    CHECK(got.payload == "late");
  }
}

TEST_CASE("A port that refuses is connect_failed, with the reason under it", "[net][wss]") {
  scene s(upgrading());
  cotter::net::wss_options options;
  {
    asio::io_context io;
    tcp::acceptor taken(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    options.endpoints = {taken.local_endpoint()};
  }
  CHECK(s.connect(url, options) == errc::connect_failed);
  CHECK(s.client->transport_error() == asio::error::connection_refused);
}

TEST_CASE("Connecting can be cancelled at any stage", "[net][wss][cancel]") {
  const auto cancelled = [](scene& s, const std::string& to, bool resolve) {
    asio::cancellation_signal signal;
    std::error_code out;
    cotter::net::wss_options options;
    toy::guarded guarded(true, s.port());
    if (!resolve) options.endpoints = {{asio::ip::address_v4::loopback(), s.port()}};
    s.client->async_connect(
        guarded.guard, to, options,
        asio::bind_cancellation_slot(signal.slot(), [&](std::error_code ec) { out = ec; }));
    if (resolve) {
      signal.emit(asio::cancellation_type::terminal);
    }
    asio::steady_timer later(s.io, 30ms);
    later.async_wait([&](std::error_code) { signal.emit(asio::cancellation_type::terminal); });
    s.run();
    s.end();
    return out;
  };
  SECTION("resolving") {
    scene s([](peer& server) { server.listen(); });
    CHECK(cancelled(s, "wss://localhost:" + std::to_string(s.port()) + "/", true) ==
          asio::error::operation_aborted);
  }
  SECTION("shaking hands") {
    scene s([](peer& server) { server.listen(); });
    CHECK(cancelled(s, "wss://toy.example:" + std::to_string(s.port()) + "/", false) ==
          asio::error::operation_aborted);
  }
  SECTION("upgrading") {
    scene s([](peer& server) {
      server.greet();
      server.listen();
    });
    CHECK(cancelled(s, "wss://toy.example:" + std::to_string(s.port()) + "/", false) ==
          asio::error::operation_aborted);
  }
}

TEST_CASE("A message above the limit ends the connection with 1009", "[net][wss]") {
  frames::client_frame close;
  scene s(upgrading([&](peer& server) {
    server.data(frames::frame(0x82, std::string(1001, 'x')));
    close = server.hear_frame();
    server.listen();
  }));
  REQUIRE_FALSE(s.connect(url));
  websocket_message got;
  std::error_code out;
  s.client->async_read(got, [&](std::error_code ec) { out = ec; });
  s.run();
  CHECK(out == errc::message_too_big);
  s.end();
  CHECK(close.payload == frames::close_payload(1009));
}

TEST_CASE("A cancelled read loses no message, and a ping flows meanwhile", "[net][wss][cancel]") {
  scene s(upgrading([](peer& server) {
    const auto ping = server.hear_frame();
    CHECK(ping.first == 0x89);
    server.data(frames::frame(0x8a, ping.payload) + frames::frame(0x81, "whole"));
    server.listen();
  }));
  REQUIRE_FALSE(s.connect(url));
  websocket_message got;
  std::error_code first;
  std::error_code second = asio::error::would_block;
  asio::cancellation_signal signal;
  s.client->async_read(got, asio::bind_cancellation_slot(signal.slot(), [&](std::error_code ec) {
                         first = ec;
                         s.client->async_ping("42", [](std::error_code e) { CHECK_FALSE(e); });
                         s.client->async_read(got, [&](std::error_code e) { second = e; });
                       }));
  asio::steady_timer later(s.io, 20ms);
  later.async_wait([&](std::error_code) { signal.emit(asio::cancellation_type::terminal); });
  s.run();
  CHECK(first == asio::error::operation_aborted);
  CHECK_FALSE(second);
  CHECK(got.payload == "whole");
  CHECK(s.client->pongs() == 1);
  CHECK(s.client->last_pong() == "42");
}

TEST_CASE("Destroying a client ends its read", "[net][wss][cancel]") {
  scene s(upgrading());
  REQUIRE_FALSE(s.connect(url));
  websocket_message got;
  std::error_code out;
  s.client->async_read(got, [&](std::error_code ec) { out = ec; });
  s.client.reset();
  s.run();
  CHECK(out == asio::error::operation_aborted);
}

TEST_CASE("A flood of pings with nobody reading the pongs stops the reading", "[net][wss]") {
  std::atomic<bool> swallowed{false};
  scene s(upgrading([&](peer& server) {
    std::string flood;
    for (int i = 0; i < 400; ++i) flood += frames::frame(0x89, std::string(125, 'p'));
    for (int i = 0; i < 1200 && server.data(flood); ++i) {
    }
    swallowed = true;
  }));
  REQUIRE_FALSE(s.connect(url));
  websocket_message got;
  std::error_code out;
  s.client->async_read(got, [&](std::error_code ec) { out = ec; });
  s.io.restart();
  s.io.run_for(300ms);
  CHECK_FALSE(swallowed);
  s.client.reset();
  s.run();
  CHECK(out == asio::error::operation_aborted);
}

}  // namespace
