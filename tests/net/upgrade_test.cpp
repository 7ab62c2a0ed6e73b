// SPDX-License-Identifier: BSL-1.0
#include <cotter/net/upgrade.hpp>

#include <net/support/frames.hpp>
#include <support/catch.hpp>

#include <optional>
#include <string>

namespace {

using cotter::errc;
using cotter::upgrade_request;
using cotter::upgrade_response;
using cotter::write_upgrade;

// The key and its answer are RFC 6455 1.3's own.
constexpr auto key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr auto accept_value = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

upgrade_request asking() {
  upgrade_request ask;
  ask.host = "sip.example.com";
  ask.path = "/ws?x=1";
  return ask;
}

std::string answer(const std::string& rest = {}) {
  return std::string("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: ") +
         accept_value + "\r\n" + rest + "\r\n";
}

/// Reads `text` in pieces of `piece` octets; the error, or `ok` with the rest in `*rest`.
errc read(const std::string& text, const std::string& subprotocol = {}, std::size_t piece = 65536,
          std::string* rest = nullptr) {
  upgrade_response response(accept_value, subprotocol);
  std::size_t at = 0;
  while (at < text.size() && !response.complete()) {
    const auto used =
        response.read(frames::octets(text).subspan(at, std::min(piece, text.size() - at)));
    if (!used) return used.error().what;
    at += *used;
  }
  if (rest != nullptr) *rest = text.substr(at);
  return response.complete() ? errc::ok : errc::timeout;
}

TEST_CASE("The request is what RFC 6455 4.1 prescribes, octet by octet", "[net][upgrade]") {
  upgrade_request ask = asking();
  ask.subprotocol = "sip";
  ask.fields = {{"Origin", "https://example.com"}};
  CHECK(*write_upgrade(ask, key) ==
        "GET /ws?x=1 HTTP/1.1\r\nHost: sip.example.com\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n"
        "Origin: https://example.com\r\n\r\n");
  ask.port = 8443;
  CHECK(frames::field(*write_upgrade(ask, key), "Host") == "sip.example.com:8443");
  ask.host = "2001:db8::1";
  CHECK(frames::field(*write_upgrade(ask, key), "Host") == "[2001:db8::1]:8443");
}

TEST_CASE("Nothing that a caller gives can break out of its line", "[net][upgrade]") {
  using namespace std::string_literals;
  for (const std::string& value :
       {"a\r\nX: b"s, "a\nb"s, "a\rb"s, "a\0b"s, "a\x7f"s, " a"s, "a "s}) {
    upgrade_request ask = asking();
    ask.fields = {{"X-Note", value}};
    CHECK(write_upgrade(ask, key).error().what == errc::invalid_header);
  }
  for (const std::string& name : {""s, "X Y"s, "X:"s, "X\r\nY"s, "X\0"s, "(X)"s}) {
    upgrade_request ask = asking();
    ask.fields = {{name, "v"}};
    CHECK(write_upgrade(ask, key).error().what == errc::invalid_header);
  }
  for (const std::string& protocol : {"sip, x"s, "sip\r\nX: y"s, "s ip"s}) {
    upgrade_request ask = asking();
    ask.subprotocol = protocol;
    CHECK(write_upgrade(ask, key).error().what == errc::invalid_header);
  }
  for (const std::string& path : {""s, "ws"s, "/a b"s, "/a\r\nX: y"s, "/#f"s, "/\0"s}) {
    upgrade_request ask = asking();
    ask.path = path;
    CHECK(write_upgrade(ask, key).error().what == errc::invalid_url);
  }
  upgrade_request ask = asking();
  ask.host = "Sip.example.com";
  CHECK(write_upgrade(ask, key).error().what == errc::invalid_host);
  ask = asking();
  ask.port = 0;
  CHECK(write_upgrade(ask, key).error().what == errc::invalid_port);
}

TEST_CASE("The upgrade's own fields cannot be given twice", "[net][upgrade]") {
  for (const char* name : {"Host", "upgrade", "Connection", "Sec-WebSocket-Key",
                           "sec-websocket-extensions", "Content-Length", "Transfer-Encoding"}) {
    CAPTURE(name);
    upgrade_request ask = asking();
    ask.fields = {{name, "x"}};
    CHECK(write_upgrade(ask, key).error().what == errc::invalid_header);
  }
}

TEST_CASE("A request larger than the limit is refused", "[net][upgrade]") {
  upgrade_request ask = asking();
  ask.fields = {{"X-Note", std::string(cotter::max_upgrade_bytes, 'a')}};
  CHECK(write_upgrade(ask, key).error().what == errc::invalid_header);
}

TEST_CASE("The right answer is accepted in pieces of any size, and what follows it is left",
          "[net][upgrade]") {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{65536}}) {
    std::string rest;
    CHECK(read(answer("Sec-WebSocket-Protocol: sip\r\n") + "\x81\x02hi", "sip", piece, &rest) ==
          errc::ok);
    if (piece == 65536) CHECK(rest == "\x81\x02hi");
  }
  CHECK(read(answer("Server: x\r\nConnection: keep-alive\r\n")) == errc::ok);
}

TEST_CASE("Whatever else a server answers is refused", "[net][upgrade]") {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text = answer();
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  CHECK(read(with("101 Switching Protocols", "200 OK")) == errc::upgrade_refused);
  CHECK(read("HTTP/1.1 302 Found\r\nLocation: wss://evil.example/\r\nContent-Length: 0\r\n\r\n") ==
        errc::upgrade_refused);
  CHECK(read("HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nhello") ==
        errc::upgrade_refused);
  CHECK(read("HTTP/1.1 100 Continue\r\n\r\n" + answer()) == errc::upgrade_refused);
  CHECK(read(with("HTTP/1.1", "HTTP/1.0")) == errc::upgrade_refused);
  CHECK(read(with("Upgrade: websocket", "Upgrade: h2c")) == errc::upgrade_refused);
  CHECK(read(with("Upgrade: websocket\r\n", "")) == errc::upgrade_refused);
  CHECK(read(with("Connection: Upgrade", "Connection: close")) == errc::upgrade_refused);
  CHECK(read(with("s3pP", "S3pP")) == errc::upgrade_refused);
  CHECK(read(with("Sec-WebSocket-Accept", "X-Accept")) == errc::upgrade_refused);
  CHECK(read(answer(std::string("Sec-WebSocket-Accept: ") + accept_value + "\r\n")) ==
        errc::upgrade_refused);
  CHECK(read(answer("Sec-WebSocket-Extensions: permessage-deflate\r\n")) == errc::upgrade_refused);
}

TEST_CASE("The server must agree to the subprotocol offered, and to no other", "[net][upgrade]") {
  CHECK(read(answer(), "sip") == errc::upgrade_refused);
  CHECK(read(answer("Sec-WebSocket-Protocol: msrp\r\n"), "sip") == errc::upgrade_refused);
  CHECK(read(answer("Sec-WebSocket-Protocol: sip, msrp\r\n"), "sip") == errc::upgrade_refused);
  CHECK(read(answer("Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Protocol: sip\r\n"), "sip") ==
        errc::upgrade_refused);
  CHECK(read(answer("Sec-WebSocket-Protocol: sip\r\n")) == errc::upgrade_refused);
}

TEST_CASE("What is not HTTP, or does not end, is a protocol error", "[net][upgrade]") {
  CHECK(read("SSH-2.0-OpenSSH_9.2\r\n") == errc::protocol_error);
  CHECK(read(std::string(100, '\0')) == errc::protocol_error);
  CHECK(read("HTTP/1.1 101 x\r\nX: a\x01z\r\nbad header\r\n\r\n") == errc::protocol_error);
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{65536}}) {
    CHECK(read("HTTP/1.1 101 x\r\nX: " + std::string(20000, 'a') + "\r\n\r\n", {}, piece) ==
          errc::protocol_error);
  }
}

}  // namespace
