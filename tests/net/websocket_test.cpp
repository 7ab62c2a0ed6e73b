// SPDX-License-Identifier: BSL-1.0
#include <cotter/net/websocket.hpp>

#include <net/support/frames.hpp>
#include <support/catch.hpp>

#include <optional>
#include <string>
#include <vector>

namespace {

using cotter::errc;
using cotter::step;
using cotter::want;
using cotter::websocket_kind;
using cotter::websocket_message;
using cotter::websocket_session;

/// A session and the server's side of it, with nothing between them.
struct pair {
  explicit pair(cotter::websocket_limits limits = {}, bool open = true)
      : session(frames::crypto, limits) {
    ask.host = "sip.example.com";
    if (!open) return;
    REQUIRE(session.upgrade(ask).next == want::input);
    say(frames::accepting(heard()));
    REQUIRE(session.upgrade(ask).next == want::nothing);
  }

  /// What the session has sent since.
  std::string heard() {
    std::string out;
    while (!session.pending().empty()) {
      out += frames::text(session.pending().first(1));
      session.sent(1);
    }
    return out;
  }
  frames::client_frame heard_frame() {
    backlog += heard();
    const auto one = frames::take(backlog);
    REQUIRE(one);
    return *one;
  }
  void say(const std::string& octets) {
    std::size_t at = 0;
    while (at < octets.size()) at += session.feed(frames::octets(octets).subspan(at));
  }
  errc read(websocket_message& into) {
    const step taken = session.read(into);
    if (taken.next == want::input) return errc::timeout;
    return taken.next == want::nothing ? errc::ok : taken.why.what;
  }

  websocket_session session;
  cotter::upgrade_request ask;
  std::string backlog;
};

TEST_CASE("Without random octets or SHA-1 nothing is asked for", "[net][websocket]") {
  const auto no_random = [](void*, std::span<std::uint8_t>) { return false; };
  const auto no_sha1 = [](void*, cotter::bytes_view, std::span<std::uint8_t, 20>) { return false; };
  for (const cotter::websocket_crypto& unfit :
       {cotter::websocket_crypto{},
        cotter::websocket_crypto{no_random, frames::crypto.sha1, nullptr},
        cotter::websocket_crypto{frames::crypto.random, no_sha1, nullptr}}) {
    websocket_session session(unfit);
    cotter::upgrade_request ask;
    ask.host = "sip.example.com";
    const step refused = session.upgrade(ask);
    CHECK(refused.next == want::failed);
    CHECK(refused.why.what == errc::unfit_backend);
    CHECK(session.pending().empty());
    CHECK(session.upgrade(ask).next == want::failed);
  }
}

TEST_CASE("Text and binary messages arrive whole", "[net][websocket]") {
  pair p;
  websocket_message got;
  CHECK(p.read(got) == errc::timeout);
  p.say(frames::frame(0x81, "hello") + frames::frame(0x82, std::string("\0\xff", 2)) +
        frames::frame(0x81, ""));
  REQUIRE(p.read(got) == errc::ok);
  CHECK(got.kind == websocket_kind::text);
  CHECK(got.payload == "hello");
  REQUIRE(p.read(got) == errc::ok);
  CHECK(got.kind == websocket_kind::binary);
  CHECK(got.payload == std::string("\0\xff", 2));
  REQUIRE(p.read(got) == errc::ok);
  CHECK(got.payload.empty());
  CHECK(p.read(got) == errc::timeout);
}

TEST_CASE("A message that comes with the answer to the upgrade is not lost", "[net][websocket]") {
  pair p({}, false);
  REQUIRE(p.session.upgrade(p.ask).next == want::input);
  p.say(frames::accepting(p.heard()) + frames::frame(0x81, "early"));
  REQUIRE(p.session.upgrade(p.ask).next == want::nothing);
  websocket_message got;
  REQUIRE(p.read(got) == errc::ok);
  CHECK(got.payload == "early");
}

TEST_CASE("Everything that is sent is masked, each frame with its own mask", "[net][websocket]") {
  pair p;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{5}, std::size_t{126}, std::size_t{70000}}) {
    const std::string payload(size, 'x');
    REQUIRE(p.session.write(websocket_kind::text, frames::octets(payload)).next == want::nothing);
    const auto sent = p.heard_frame();
    CHECK(sent.first == 0x81);
    CHECK(sent.masked);
    CHECK(sent.payload == payload);
  }
  std::string first;
  for (int i = 0; i < 2; ++i) {
    REQUIRE(p.session.write(websocket_kind::binary, frames::octets("same")).next == want::nothing);
    const std::string raw = p.heard();
    CHECK(raw[0] == '\x82');
    CHECK(raw != first);
    first = raw;
  }
}

TEST_CASE("Fragments are joined, with control frames between them", "[net][websocket]") {
  pair p;
  websocket_message got;
  p.say(frames::frame(0x01, "he") + frames::frame(0x89, "are you there") +
        frames::frame(0x00, "l") + frames::frame(0x80, "lo"));
  REQUIRE(p.read(got) == errc::ok);
  CHECK(got.payload == "hello");
  const auto pong = p.heard_frame();
  CHECK(pong.first == 0x8a);
  CHECK(pong.masked);
  CHECK(pong.payload == "are you there");
}

TEST_CASE("A character split between fragments and reads is whole again", "[net][websocket]") {
  pair p;
  websocket_message got;
  const std::string octets = frames::frame(0x01, "\xe2\x82") + frames::frame(0x80, "\xac");
  for (const char c : octets) {
    p.say(std::string(1, c));
    if (p.read(got) == errc::ok) break;
  }
  CHECK(got.payload == "\xe2\x82\xac");
}

TEST_CASE("A pong is counted and kept", "[net][websocket]") {
  pair p;
  websocket_message got;
  REQUIRE(p.session.ping(frames::octets("42")).next == want::nothing);
  CHECK(p.heard_frame().first == 0x89);
  p.say(frames::frame(0x8a, "42"));
  CHECK(p.read(got) == errc::timeout);
  CHECK(p.session.pongs() == 1);
  CHECK(p.session.last_pong() == "42");
  CHECK(p.session.ping(frames::octets(std::string(126, 'x'))).why.what == errc::too_large);
}

struct breach {
  const char* what;
  std::string octets;
  errc why;
  unsigned code;
};

TEST_CASE("A peer that breaks the protocol is told so and heard no more", "[net][websocket]") {
  const std::vector<breach> breaches = {
      {"a reserved bit", frames::frame(0xc1, "x"), errc::protocol_error, 1002},
      {"a masked frame", std::string("\x81\x81\0\0\0\0x", 7), errc::protocol_error, 1002},
      {"a reserved opcode", frames::frame(0x83, "x"), errc::protocol_error, 1002},
      {"a continuation of nothing", frames::frame(0x80, "x"), errc::protocol_error, 1002},
      {"a message inside a message", frames::frame(0x01, "x") + frames::frame(0x81, "y"),
       errc::protocol_error, 1002},
      {"a fragmented ping", frames::frame(0x09, "x"), errc::protocol_error, 1002},
      {"a ping of 126 octets", frames::frame(0x89, std::string(126, 'x')), errc::protocol_error,
       1002},
      {"text that is not UTF-8", frames::frame(0x81, "\xc0\x80"), errc::protocol_error, 1007},
      {"text that ends inside a character", frames::frame(0x81, "\xe2\x82"), errc::protocol_error,
       1007},
      {"a message above the limit", frames::frame(0x82, std::string(1001, 'x')),
       errc::message_too_big, 1009},
      {"fragments above the limit",
       frames::frame(0x02, std::string(600, 'x')) + frames::frame(0x80, std::string(600, 'x')),
       errc::message_too_big, 1009},
      {"a length of 2^62", std::string("\x82\x7f\x40\0\0\0\0\0\0\0x", 11), errc::message_too_big,
       1009},
      {"a Close frame of one octet", frames::frame(0x88, "x"), errc::protocol_error, 1002},
      {"a close code that is reserved", frames::frame(0x88, frames::close_payload(1005)),
       errc::protocol_error, 1002},
  };
  for (const breach& one : breaches) {
    CAPTURE(one.what);
    pair p({1000});
    websocket_message got;
    p.say(one.octets);
    CHECK(code(p.read(got)) == code(one.why));
    const auto close = p.heard_frame();
    CHECK(close.first == 0x88);
    CHECK(close.masked);
    CHECK(close.payload == frames::close_payload(one.code));
    CHECK_FALSE(p.session.is_open());
    CHECK(p.session.write(websocket_kind::text, {}).why.what == one.why);
    p.say(frames::frame(0x81, "hello"));
    CHECK(p.read(got) == one.why);
    CHECK(p.heard().empty());
    CHECK(p.session.peer_close().code == 1006);
  }
}

TEST_CASE("A message of exactly the limit is accepted", "[net][websocket]") {
  pair p({1000});
  websocket_message got;
  p.say(frames::frame(0x82, std::string(1000, 'x')));
  CHECK(p.read(got) == errc::ok);
  CHECK(got.payload.size() == 1000);
}

TEST_CASE("The peer's Close is answered, and its code and reason kept", "[net][websocket]") {
  pair p;
  websocket_message got;
  p.say(frames::frame(0x81, "last") + frames::frame(0x88, frames::close_payload(1001, "going")));
  REQUIRE(p.read(got) == errc::ok);
  CHECK(got.payload == "last");
  CHECK(p.read(got) == errc::closed);
  CHECK(p.session.peer_close().code == 1001);
  CHECK(p.session.peer_close().reason == "going");
  const auto echo = p.heard_frame();
  CHECK(echo.first == 0x88);
  CHECK(echo.payload == frames::close_payload(1001, "going"));
  CHECK(p.session.write(websocket_kind::text, {}).why.what == errc::closed);
  CHECK(p.session.close(1000, {}).next == want::nothing);
  CHECK(p.heard().empty());
}

TEST_CASE("A Close frame without code is 1005", "[net][websocket]") {
  pair p;
  websocket_message got;
  p.say(frames::frame(0x88, ""));
  CHECK(p.read(got) == errc::closed);
  CHECK(p.session.peer_close().code == 1005);
}

TEST_CASE("Closing sends once, drops what still comes, and ends with the peer's Close",
          "[net][websocket]") {
  pair p;
  CHECK(p.session.close(3000, "done").next == want::input);
  const auto close = p.heard_frame();
  CHECK(close.first == 0x88);
  CHECK(close.payload == frames::close_payload(3000, "done"));
  CHECK(p.session.write(websocket_kind::text, {}).why.what == errc::closed);
  p.say(frames::frame(0x81, "late") + frames::frame(0x81, "later"));
  CHECK(p.session.close(3000, "done").next == want::input);
  p.say(frames::frame(0x88, frames::close_payload(3000, "done")));
  CHECK(p.session.close(3000, "done").next == want::nothing);
  CHECK(p.heard().empty());
  CHECK(p.session.peer_close().code == 3000);
}

TEST_CASE("What must not be sent is refused before anything is", "[net][websocket]") {
  pair p;
  for (const int code : {999, 1004, 1005, 1006, 1012, 1015, 2999, 5000}) {
    CHECK(p.session.close(static_cast<std::uint16_t>(code), {}).why.what == errc::protocol_error);
  }
  CHECK(p.session.close(1000, "\xff").why.what == errc::protocol_error);
  CHECK(p.session.close(1000, std::string(124, 'x')).why.what == errc::too_large);
  for (const char* text : {"\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80", "\xe2\x82", "a\xff"}) {
    CHECK(p.session.write(websocket_kind::text, frames::octets(text)).why.what ==
          errc::protocol_error);
  }
  CHECK(p.heard().empty());
  CHECK(p.session.is_open());
  CHECK(
      p.session.write(websocket_kind::text, frames::octets("\xf4\x8f\xbf\xbf \xee\x80\x80")).next ==
      want::nothing);
}

TEST_CASE("A connection that ends without Close is not a close", "[net][websocket]") {
  pair p;
  websocket_message got;
  p.say(frames::frame(0x01, "half"));
  p.session.end_of_input();
  CHECK(p.read(got) == errc::tls_closed);
  CHECK(p.session.peer_close().code == 1006);
}

TEST_CASE("A connection that ends before the answer is a refusal", "[net][websocket]") {
  pair p({}, false);
  REQUIRE(p.session.upgrade(p.ask).next == want::input);
  p.say("HTTP/1.1 101 Switching");
  p.session.end_of_input();
  CHECK(p.session.upgrade(p.ask).why.what == errc::upgrade_refused);
}

TEST_CASE("Nothing is read or written before the upgrade", "[net][websocket]") {
  pair p({}, false);
  websocket_message got;
  p.say(frames::frame(0x81, "hello"));
  CHECK(p.read(got) == errc::closed);
  CHECK(p.session.write(websocket_kind::text, {}).why.what == errc::closed);
  CHECK(p.session.close(1000, {}).why.what == errc::closed);
  CHECK(p.heard().empty());
}

TEST_CASE("A session is upgraded once", "[net][websocket]") {
  pair p;
  p.say(frames::accepting({}));
  CHECK(p.session.upgrade(p.ask).why.what == errc::protocol_error);
  CHECK(p.heard().empty());
}

TEST_CASE("Without random octets nothing is sent unmasked", "[net][websocket]") {
  static bool broken = false;
  broken = false;
  cotter::websocket_crypto crypto = frames::crypto;
  crypto.random = [](void* user, std::span<std::uint8_t> out) {
    return !broken && frames::random(user, out);
  };
  websocket_session session(crypto);
  cotter::upgrade_request ask;
  ask.host = "a.example";
  REQUIRE(session.upgrade(ask).next == want::input);
  const std::string answer = frames::accepting(frames::text(session.pending()));
  session.sent(session.pending().size());
  REQUIRE(session.feed(frames::octets(answer)) == answer.size());
  REQUIRE(session.upgrade(ask).next == want::nothing);
  broken = true;
  CHECK(session.write(websocket_kind::text, frames::octets("hello")).why.what ==
        errc::unfit_backend);
  CHECK(session.pending().empty());
  CHECK_FALSE(session.is_open());
}

TEST_CASE("A flood of tiny messages is taken one read at a time", "[net][websocket]") {
  pair p;
  std::string flood;
  for (int i = 0; i < 20000; ++i) flood += frames::frame(0x81, "x");
  p.say(flood);
  websocket_message got;
  int count = 0;
  while (p.read(got) == errc::ok) ++count;
  CHECK(count == 20000);
}

}  // namespace
