// SPDX-License-Identifier: BSL-1.0
#include <cotter/net/tls_stream.hpp>

#include <net/support/toy_server.hpp>
#include <support/catch.hpp>

#include <asio.hpp>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace {

using namespace std::chrono_literals;
using cotter::errc;
using cotter::reason;
using socket_type = asio::local::stream_protocol::socket;
using stream_type = cotter::net::tls_stream<socket_type, toy::backend>;
using peer = toy::server<socket_type>;

/// A client stream and, in a thread, whatever plays the server.
template <typename Play>
class scene {
 public:
  explicit scene(Play play, bool right_pin = true) : guarded(right_pin), play_(std::move(play)) {
    socket_type near(io);
    socket_type far(far_io);
    asio::local::connect_pair(near, far);
    stream.emplace(std::move(near), context);
    server.emplace(std::move(far));
  }
  ~scene() {
    stream.reset();
    io.restart();
    io.poll();
    join();
  }
  /// The server begins.
  void start() {
    thread_ = std::thread([this] { play_(*server); });
  }
  /// Waits until the server has played to its end.
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  void handshake(std::error_code& ec) { stream->handshake(guarded.guard, guarded.permit(), ec); }
  /// Runs what is outstanding, at most five seconds.
  void run() {
    io.restart();
    io.run_for(5s);
    REQUIRE(io.stopped());
  }

  asio::io_context io;
  asio::io_context far_io;
  toy::guarded guarded;
  toy::backend::context context;
  std::optional<stream_type> stream;
  std::optional<peer> server;

 private:
  Play play_;
  std::thread thread_;
};

const auto echo_once = [](peer& server) {
  if (!server.greet()) return server.listen();
  std::string payload;
  if (server.hear(payload) == 'D') server.data(payload);
  server.listen();
};
const auto hang = [](peer& server) { server.listen(); };

static_assert(std::is_same_v<stream_type::lowest_layer_type, socket_type::lowest_layer_type>);
static_assert(std::is_nothrow_move_constructible_v<stream_type>);
static_assert(!std::is_copy_constructible_v<stream_type>);

TEST_CASE("Blocking calls shake hands, write, read and shut down", "[net][tls]") {
  scene s(echo_once);
  s.start();
  s.stream->handshake(s.guarded.guard, s.guarded.permit());
  CHECK(s.stream->verdict());
  CHECK(s.stream->verdict().matched() == cotter::matched::primary);
  CHECK(asio::write(*s.stream, asio::buffer("hello", 5)) == 5);
  std::string got(5, ' ');
  CHECK(asio::read(*s.stream, asio::buffer(got)) == 5);
  CHECK(got == "hello");
  s.stream->shutdown();
  s.stream.reset();
  s.join();
  CHECK(s.server->heard() == "HFDC");
}

TEST_CASE("Callbacks shake hands, write, read and shut down", "[net][tls]") {
  scene s(echo_once);
  s.start();
  std::string got(5, ' ');
  std::string order;
  s.stream->async_handshake(s.guarded.guard, s.guarded.permit(), [&](std::error_code ec) {
    REQUIRE_FALSE(ec);
    order += 'h';
    asio::async_write(*s.stream, asio::buffer("hello", 5), [&](std::error_code wec, std::size_t) {
      REQUIRE_FALSE(wec);
      order += 'w';
      asio::async_read(*s.stream, asio::buffer(got), [&](std::error_code rec, std::size_t) {
        REQUIRE_FALSE(rec);
        order += 'r';
        s.stream->async_shutdown([&](std::error_code sec) {
          REQUIRE_FALSE(sec);
          order += 's';
        });
      });
    });
  });
  CHECK(order.empty());
  s.run();
  CHECK(order == "hwrs");
  CHECK(got == "hello");
}

TEST_CASE("Futures shake hands, write and read", "[net][tls]") {
  scene s(echo_once);
  s.start();
  auto work = asio::make_work_guard(s.io);
  std::thread runner([&] { s.io.run(); });
  std::string got(5, ' ');
  s.stream->async_handshake(s.guarded.guard, s.guarded.permit(), asio::use_future).get();
  CHECK(asio::async_write(*s.stream, asio::buffer("hello", 5), asio::use_future).get() == 5);
  CHECK(asio::async_read(*s.stream, asio::buffer(got), asio::use_future).get() == 5);
  CHECK(got == "hello");
  auto again = s.stream->async_handshake(s.guarded.guard, s.guarded.permit(), asio::use_future);
  CHECK_THROWS_AS(again.get(), std::system_error);
  work.reset();
  runner.join();
}

#if defined(ASIO_HAS_CO_AWAIT)
TEST_CASE("Coroutines shake hands, write and read", "[net][tls]") {
  scene s(echo_once);
  s.start();
  std::string got(5, ' ');
  bool done = false;
  const auto talk = [&]() -> asio::awaitable<void> {
    co_await s.stream->async_handshake(s.guarded.guard, s.guarded.permit(), asio::use_awaitable);
    co_await asio::async_write(*s.stream, asio::buffer("hello", 5), asio::use_awaitable);
    co_await asio::async_read(*s.stream, asio::buffer(got), asio::use_awaitable);
    done = true;
  };
  asio::co_spawn(s.io, talk, [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  s.run();
  CHECK(done);
  CHECK(got == "hello");
}
#endif

TEST_CASE("A pin that does not match ends the handshake before Finished", "[net][tls]") {
  scene s([](peer& server) {
    server.greet();
    server.listen();
  }, false);
  s.start();
  std::error_code ec;
  SECTION("blocking") { s.handshake(ec); }
  SECTION("asynchronous") {
    s.stream->async_handshake(s.guarded.guard, s.guarded.permit(),
                              [&](std::error_code e) { ec = e; });
    s.run();
  }
  CHECK(ec == reason::pin_mismatch);
  CHECK(s.stream->verdict().reason() == reason::pin_mismatch);
  CHECK(s.stream->verdict().has_fingerprint());
  CHECK_FALSE(s.stream->confirmed());

  std::error_code write_error;
  CHECK(s.stream->write_some(asio::buffer("secret", 6), write_error) == 0);
  CHECK(write_error == errc::not_confirmed);
  s.stream.reset();
  s.join();
  CHECK(s.server->heard() == "HA");
}

TEST_CASE("A refusal by confirm sends nothing more, not even Finished", "[net][tls]") {
  scene s([](peer& server) {
    server.greet();
    server.listen();
  });
  s.context.script.facts.hooks_intact = false;
  s.start();
  std::error_code ec;
  SECTION("blocking") { s.handshake(ec); }
  SECTION("asynchronous") {
    s.stream->async_handshake(s.guarded.guard, s.guarded.permit(),
                              [&](std::error_code e) { ec = e; });
    s.run();
  }
  CHECK(ec == reason::backend_unfit);
  std::error_code write_error;
  s.stream->write_some(asio::buffer("secret", 6), write_error);
  CHECK(write_error == errc::not_confirmed);
  s.stream->shutdown(write_error);
  CHECK(write_error == errc::not_confirmed);
  s.stream.reset();
  s.join();
  CHECK(s.server->heard() == "H");
}

TEST_CASE("Nothing flows before the handshake", "[net][tls]") {
  scene s(hang);
  s.start();
  char octet = 'x';
  std::error_code ec;
  s.stream->write_some(asio::buffer(&octet, 1), ec);
  CHECK(ec == errc::not_confirmed);
  s.stream->read_some(asio::buffer(&octet, 1), ec);
  CHECK(ec == errc::not_confirmed);
  CHECK_THROWS_AS(s.stream->shutdown(), std::system_error);
  int count = 0;
  s.stream->async_write_some(asio::buffer(&octet, 1), [&](std::error_code e, std::size_t size) {
    CHECK(e == errc::not_confirmed);
    CHECK(size == 0);
    ++count;
  });
  s.stream->async_read_some(asio::buffer(&octet, 1), [&](std::error_code e, std::size_t) {
    CHECK(e == errc::not_confirmed);
    ++count;
  });
  CHECK(count == 0);
  s.run();
  CHECK(count == 2);
  CHECK(s.stream->verdict().reason() == reason::unbound);
  s.stream.reset();
  s.join();
  CHECK(s.server->heard().empty());
}

TEST_CASE("A stream has one handshake, a permit one stream", "[net][tls]") {
  scene s(echo_once);
  s.start();
  std::error_code ec;
  s.handshake(ec);
  REQUIRE_FALSE(ec);
  s.handshake(ec);
  CHECK(ec == errc::unfit_session);
  CHECK(s.stream->confirmed());

  scene other(hang);
  other.start();
  auto permit = other.guarded.permit();
  const auto taken = std::move(permit);
  other.stream->handshake(other.guarded.guard, std::move(permit), ec);
  CHECK(ec == reason::backend_unfit);
  CHECK(other.stream->verdict().detail().what == errc::permit_spent);
  other.stream.reset();
  other.join();
  CHECK(other.server->heard().empty());
}

TEST_CASE("An end is an eof only after close_notify", "[net][tls]") {
  const bool polite = GENERATE(true, false);
  scene s([polite](peer& server) {
    server.greet();
    server.data("last");
    if (polite) server.say(toy::record('C'));
    server.close();
  });
  s.start();
  std::error_code ec;
  s.handshake(ec);
  REQUIRE_FALSE(ec);
  std::string got(4, ' ');
  CHECK(asio::read(*s.stream, asio::buffer(got), ec) == 4);
  s.join();
  SECTION("blocking") { s.stream->read_some(asio::buffer(got), ec); }
  SECTION("asynchronous") {
    s.stream->async_read_some(asio::buffer(got), [&](std::error_code e, std::size_t) { ec = e; });
    s.run();
  }
  if (polite) {
    CHECK(ec == asio::error::eof);
  } else {
    CHECK(ec == errc::tls_truncated);
  }
}

TEST_CASE("A server that closes early or talks something else fails the handshake", "[net][tls]") {
  std::error_code ec;
  SECTION("closes at once") {
    scene s([](peer& server) { server.close(); });
    s.start();
    s.join();
    s.handshake(ec);
    // Sending to it may fail before its end is read.
    CHECK((ec == errc::tls_truncated || ec == asio::error::broken_pipe));
  }
  SECTION("closes after the hello") {
    scene s([](peer& server) {
      server.hear();
      server.close();
    });
    s.start();
    s.handshake(ec);
    CHECK(ec == errc::tls_truncated);
  }
  SECTION("garbage") {
    scene s([](peer& server) {
      server.say(toy::record('?', "HTTP/1.1 400 Bad Request"));
      server.listen();
    });
    s.start();
    s.handshake(ec);
    CHECK(ec == errc::tls_failure);
    CHECK(s.stream->last_error().native == 42);
    s.stream.reset();
    s.join();
    CHECK(s.server->heard() == "HA");
  }
}

TEST_CASE("A large write and a large read run side by side", "[net][tls]") {
  std::string up(700'000, 'u');
  std::string down(900'000, 'd');
  std::string arrived;
  scene s([&](peer& server) {
    server.greet();
    std::thread sender([&] { server.data(down); });
    std::string payload;
    while (arrived.size() < up.size() && server.hear(payload) == 'D') arrived += payload;
    sender.join();
    server.listen();
  });
  s.context.room_bytes = 5000;
  s.start();
  std::error_code ec;
  s.handshake(ec);
  REQUIRE_FALSE(ec);
  std::string got(down.size(), ' ');
  int done = 0;
  asio::async_write(*s.stream, asio::buffer(up), [&](std::error_code e, std::size_t size) {
    CHECK_FALSE(e);
    CHECK(size == up.size());
    ++done;
  });
  asio::async_read(*s.stream, asio::buffer(got), [&](std::error_code e, std::size_t) {
    CHECK_FALSE(e);
    ++done;
  });
  s.run();
  CHECK(done == 2);
  CHECK(got == down);
  s.stream.reset();
  s.join();
  CHECK(arrived == up);
}

TEST_CASE("A read that answers a key update while a write is stuck waits for nobody",
          "[net][tls]") {
  std::promise<void> may_drain;
  std::string arrived;
  scene s([&](peer& server) {
    server.greet();
    server.say(toy::record('K'));
    server.data("data");
    may_drain.get_future().wait();
    server.listen();
  });
  s.start();
  std::error_code ec;
  s.handshake(ec);
  REQUIRE_FALSE(ec);
  const std::string up(3'000'000, 'u');
  bool written = false;
  bool read = false;
  asio::async_write(*s.stream, asio::buffer(up), [&](std::error_code e, std::size_t) {
    CHECK_FALSE(e);
    written = true;
  });
  std::string got(4, ' ');
  asio::async_read(*s.stream, asio::buffer(got), [&](std::error_code e, std::size_t) {
    CHECK_FALSE(e);
    read = true;
    CHECK_FALSE(written);
    may_drain.set_value();
  });
  s.run();
  CHECK(read);
  CHECK(written);
  s.stream.reset();
  s.join();
  const std::string& heard = s.server->heard();
  CHECK(std::count(heard.begin(), heard.end(), 'U') == 1);
  CHECK(heard.find_first_not_of("HFDU") == std::string::npos);
}

TEST_CASE("The answer to a key update goes out although nobody writes", "[net][tls]") {
  scene s([](peer& server) {
    server.greet();
    server.say(toy::record('K') + toy::record('D', "x"));
    server.listen();
  });
  s.start();
  std::error_code ec;
  s.handshake(ec);
  char octet = ' ';
  SECTION("blocking") { s.stream->read_some(asio::buffer(&octet, 1), ec); }
  SECTION("asynchronous") {
    s.stream->async_read_some(asio::buffer(&octet, 1),
                              [&](std::error_code e, std::size_t) { ec = e; });
    s.run();
  }
  CHECK_FALSE(ec);
  CHECK(octet == 'x');
  s.stream.reset();
  s.join();
  CHECK(s.server->heard() == "HFU");
}

TEST_CASE("A handshake can be cancelled by its own slot", "[net][tls][cancel]") {
  scene s(hang);
  s.start();
  asio::cancellation_signal signal;
  std::error_code ec;
  s.stream->async_handshake(
      s.guarded.guard, s.guarded.permit(),
      asio::bind_cancellation_slot(signal.slot(), [&](std::error_code e) { ec = e; }));
  asio::steady_timer later(s.io, 20ms);
  later.async_wait([&](std::error_code) { signal.emit(asio::cancellation_type::terminal); });
  s.run();
  CHECK(ec == asio::error::operation_aborted);
  CHECK_FALSE(s.stream->confirmed());
}

TEST_CASE("A cancelled read loses nothing", "[net][tls][cancel]") {
  std::promise<void> go_on;
  scene s([&](peer& server) {
    server.greet();
    server.say(toy::record('D', "hello").substr(0, 5));
    go_on.get_future().wait();
    server.say(toy::record('D', "hello").substr(5));
    server.listen();
  });
  s.start();
  std::error_code ec;
  s.handshake(ec);
  asio::cancellation_signal signal;
  std::string got(5, ' ');
  s.stream->async_read_some(
      asio::buffer(got),
      asio::bind_cancellation_slot(signal.slot(), [&](std::error_code e, std::size_t size) {
        ec = e;
        CHECK(size == 0);
      }));
  asio::steady_timer later(s.io, 20ms);
  later.async_wait([&](std::error_code) { signal.emit(asio::cancellation_type::terminal); });
  s.run();
  CHECK(ec == asio::error::operation_aborted);
  go_on.set_value();
  CHECK(asio::read(*s.stream, asio::buffer(got), ec) == 5);
  CHECK(got == "hello");
}

TEST_CASE("A write cancelled behind a stuck one leaves it alone", "[net][tls][cancel]") {
  scene s([](peer& server) { server.greet(); });
  s.start();
  std::error_code ec;
  s.handshake(ec);
  s.join();
  asio::cancellation_signal signal;
  const std::string up(3'000'000, 'u');
  std::size_t taken = 0;
  asio::async_write(*s.stream, asio::buffer(up),
                    asio::bind_cancellation_slot(signal.slot(),
                                                 [&](std::error_code e, std::size_t size) {
                                                   ec = e;
                                                   taken = size;
                                                 }));
  asio::steady_timer later(s.io, 30ms);
  later.async_wait([&](std::error_code) { signal.emit(asio::cancellation_type::terminal); });
  s.run();
  CHECK(ec == asio::error::operation_aborted);
  CHECK(taken > 0);
  CHECK(taken < up.size());
}

TEST_CASE("A deadline ends every outstanding operation, and lets others begin after it",
          "[net][tls][deadline]") {
  SECTION("a handshake with a server that hangs") {
    scene s(hang);
    s.start();
    std::error_code ec;
    s.stream->expires_after(30ms);
    s.stream->async_handshake(s.guarded.guard, s.guarded.permit(),
                              [&](std::error_code e) { ec = e; });
    s.run();
    CHECK(ec == errc::timeout);
  }
  SECTION("a read and a write at once") {
    std::promise<void> go_on;
    scene s([&](peer& server) {
      server.greet();
      go_on.get_future().wait();
      server.data("late");
      server.listen();
    });
    s.start();
    std::error_code ec;
    s.handshake(ec);
    int timeouts = 0;
    const std::string up(3'000'000, 'u');
    std::string got(4, ' ');
    s.stream->expires_after(30ms);
    asio::async_write(*s.stream, asio::buffer(up), [&](std::error_code e, std::size_t) {
      timeouts += e == errc::timeout;
    });
    s.stream->async_read_some(asio::buffer(got), [&](std::error_code e, std::size_t) {
      timeouts += e == errc::timeout;
    });
    s.run();
    CHECK(timeouts == 2);
    s.stream->async_read_some(asio::buffer(got), [&](std::error_code e, std::size_t) {
      timeouts += e == errc::timeout;
    });
    s.run();
    CHECK(timeouts == 3);
    s.stream->expires_never();
    go_on.set_value();
    asio::async_read(*s.stream, asio::buffer(got), [&](std::error_code e, std::size_t) { ec = e; });
    s.run();
    CHECK_FALSE(ec);
    CHECK(got == "late");
  }
  SECTION("a deadline that is not reached does not keep the context busy") {
    scene s(echo_once);
    s.start();
    s.stream->expires_after(60s);
    std::error_code ec = asio::error::would_block;
    s.stream->async_handshake(s.guarded.guard, s.guarded.permit(),
                              [&](std::error_code e) { ec = e; });
    const auto begin = std::chrono::steady_clock::now();
    s.run();
    CHECK_FALSE(ec);
    CHECK(std::chrono::steady_clock::now() - begin < 4s);
  }
}

TEST_CASE("Closing or destroying ends what is outstanding", "[net][tls][cancel]") {
  scene s(hang);
  s.start();
  std::error_code ec;
  s.stream->async_handshake(s.guarded.guard, s.guarded.permit(),
                            [&](std::error_code e) { ec = e; });
  SECTION("closing the next layer") { s.stream->next_layer().close(); }
  SECTION("destroying the stream") { s.stream.reset(); }
  SECTION("assigning another stream") {
    *s.stream = stream_type(socket_type(s.io), s.context);
  }
  s.run();
  // Under a closed socket Asio begins nothing more: which error it gives depends on the moment.
  CHECK((ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor));
}

TEST_CASE("A closed stream says so alike at any moment", "[net][tls][cancel]") {
  scene s(hang);
  s.start();
  std::error_code ec;
  s.stream->async_handshake(s.guarded.guard, s.guarded.permit(),
                            [&](std::error_code e) { ec = e; });
  SECTION("at once") { s.stream->close(); }
  SECTION("while it waits") {
    s.io.run_for(20ms);
    s.stream->close();
  }
  s.run();
  CHECK(ec == asio::error::operation_aborted);
}

TEST_CASE("A stream moves while an operation is outstanding", "[net][tls]") {
  scene s(echo_once);
  std::error_code ec = asio::error::would_block;
  s.stream->async_handshake(s.guarded.guard, s.guarded.permit(),
                            [&](std::error_code e) { ec = e; });
  stream_type moved = std::move(*s.stream);
  s.start();
  s.run();
  CHECK_FALSE(ec);
  CHECK(moved.confirmed());
  moved.close();
}

TEST_CASE("A handler runs where it was bound to run", "[net][tls]") {
  scene s(echo_once);
  s.start();
  asio::io_context elsewhere;
  bool ran = false;
  auto work = asio::make_work_guard(elsewhere);
  s.stream->async_handshake(s.guarded.guard, s.guarded.permit(),
                            asio::bind_executor(elsewhere, [&](std::error_code) {
                              ran = true;
                              work.reset();
                            }));
  std::thread other([&] { elsewhere.run(); });
  s.io.run_for(1s);
  other.join();
  CHECK(ran);
}

TEST_CASE("An lvalue handler is copied, not robbed", "[net][tls]") {
  scene s(hang);
  s.start();
  auto count = std::make_shared<int>(0);
  const auto counting = [count](std::error_code, std::size_t) { ++*count; };
  auto handler = counting;
  char octet = ' ';
  s.stream->async_read_some(asio::buffer(&octet, 1), handler);
  s.stream->async_write_some(asio::buffer(&octet, 1), handler);
  handler(std::error_code(), 0);
  s.run();
  CHECK(*count == 3);
}

TEST_CASE("Empty buffers move nothing and wait for nothing", "[net][tls]") {
  scene s(echo_once);
  s.start();
  std::error_code ec;
  s.handshake(ec);
  CHECK(s.stream->read_some(asio::mutable_buffer(), ec) == 0);
  CHECK_FALSE(ec);
  CHECK(s.stream->write_some(asio::const_buffer(), ec) == 0);
  CHECK_FALSE(ec);
}

TEST_CASE("A next layer may be borrowed", "[net][tls]") {
  asio::io_context io;
  asio::io_context far_io;
  socket_type near(io);
  socket_type far(far_io);
  asio::local::connect_pair(near, far);
  peer server(std::move(far));
  std::thread thread([&] { echo_once(server); });
  toy::guarded guarded;
  toy::backend::context context;
  {
    cotter::net::tls_stream<socket_type&, toy::backend> stream(near, context);
    std::error_code ec;
    stream.handshake(guarded.guard, guarded.permit(), ec);
    CHECK_FALSE(ec);
  }
  CHECK(near.is_open());
  near.close();
  thread.join();
}

}  // namespace
