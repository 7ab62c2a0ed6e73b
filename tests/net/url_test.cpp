// SPDX-License-Identifier: BSL-1.0
#include <cotter/net/url.hpp>

#include <support/catch.hpp>

#include <string>

namespace {

using cotter::errc;
using cotter::parse_url;
using cotter::url_scheme;

struct accepted {
  const char* text;
  url_scheme scheme;
  const char* host;
  std::uint16_t port;
  const char* path;
};

struct refused {
  const char* text;
  errc why;
  std::uint32_t offset;
};

static_assert(parse_url("wss://sip.example.com/ws")->port == 443);
static_assert(parse_url("ws://sip.example.com/").error().what == errc::insecure_scheme);

TEST_CASE("A URL is taken apart into what goes where", "[net][url]") {
  const accepted cases[] = {
      {"wss://sip.example.com", url_scheme::wss, "sip.example.com", 443, "/"},
      {"WSS://sip.example.com:8443/ws?a=%2Fb", url_scheme::wss, "sip.example.com", 8443,
       "/ws?a=%2Fb"},
      {"https://a.example/x/y", url_scheme::https, "a.example", 443, "/x/y"},
      {"https://[2001:db8::1]:444/", url_scheme::https, "2001:db8::1", 444, "/"},
      {"wss://192.0.2.7/", url_scheme::wss, "192.0.2.7", 443, "/"},
      {"sips:sip.example.com", url_scheme::sips, "sip.example.com", 5061, "/"},
      {"sips:[2001:db8::1]:5071", url_scheme::sips, "2001:db8::1", 5071, "/"},
      {"tls://sip.example.com:1", url_scheme::tls, "sip.example.com", 1, "/"},
      {"tls://sip.example.com:65535", url_scheme::tls, "sip.example.com", 65535, "/"},
  };
  for (const accepted& one : cases) {
    CAPTURE(one.text);
    const auto parsed = parse_url(one.text);
    REQUIRE(parsed);
    CHECK(parsed->scheme == one.scheme);
    CHECK(parsed->host == one.host);
    CHECK(parsed->port == one.port);
    CHECK(parsed->path == one.path);
  }
}

TEST_CASE("A URL at fault is refused where the fault is", "[net][url]") {
  const refused cases[] = {
      {"", errc::invalid_url, 0},
      {"sip.example.com", errc::invalid_url, 0},
      {"://a.example", errc::invalid_url, 0},
      {"ftp://a.example/", errc::invalid_url, 0},
      {"ws://a.example/", errc::insecure_scheme, 0},
      {"HTTP://a.example/", errc::insecure_scheme, 0},
      {"sip:a.example", errc::insecure_scheme, 0},
      {"wss:/a.example/", errc::invalid_url, 4},
      {"wss:///ws", errc::invalid_host, 6},
      {"wss://A.example/", errc::invalid_host, 6},
      {"wss://a.example./", errc::invalid_host, 15},
      {"wss://b\xc3\xbc.example/", errc::invalid_host, 7},
      {"wss://user@a.example/", errc::invalid_url, 10},
      {"wss://a.example@evil.example/", errc::invalid_url, 15},
      {"sips:user@a.example", errc::invalid_url, 9},
      {"sips:a.example;transport=ws", errc::invalid_host, 14},
      {"wss://[::1", errc::invalid_host, 6},
      {"wss://[::0001]/", errc::invalid_host, 9},
      {"wss://[192.0.2.7]/", errc::invalid_host, 6},
      {"wss://[::1]x/", errc::invalid_url, 11},
      {"wss://::1/", errc::invalid_host, 6},
      {"wss://a.example:/", errc::invalid_port, 16},
      {"wss://a.example:0/", errc::invalid_port, 16},
      {"wss://a.example:65536/", errc::invalid_port, 16},
      {"wss://a.example:443333/", errc::invalid_port, 21},
      {"wss://a.example:4a3/", errc::invalid_port, 17},
      {"wss://a.example:0443/", errc::invalid_port, 16},
      {"tls://a.example", errc::invalid_port, 15},
      {"tls://a.example:1/x", errc::invalid_port, 17},
      {"wss://a.example?x=1", errc::invalid_url, 15},
      {"wss://a.example/#f", errc::invalid_url, 16},
      {"wss://a.example/a b", errc::invalid_url, 17},
      {"wss://a.example/a\r\nX: y", errc::invalid_url, 17},
      {"wss://a.example/%zz", errc::invalid_url, 16},
      {"wss://a.example/%2", errc::invalid_url, 16},
  };
  for (const refused& one : cases) {
    CAPTURE(one.text);
    const auto parsed = parse_url(one.text);
    REQUIRE_FALSE(parsed);
    CHECK(code(parsed.error().what) == code(one.why));
    CHECK(parsed.error().offset_bytes == one.offset);
  }
}

TEST_CASE("A NUL inside a URL ends nothing", "[net][url]") {
  using namespace std::string_view_literals;
  CHECK(parse_url("wss://a.example\0.evil.example/"sv).error().what == errc::invalid_host);
  CHECK(parse_url("wss://a.example/\0x"sv).error().what == errc::invalid_url);
}

TEST_CASE("Only sips asks for the naming rules of SIP", "[net][url]") {
  CHECK(parse_url("sips:a.example")->endpoint().kind == cotter::identity::sip);
  CHECK(parse_url("wss://a.example")->endpoint().kind == cotter::identity::host);
  CHECK(parse_url("tls://a.example:5061")->endpoint().kind == cotter::identity::host);
}

TEST_CASE("A scheme is spelled as it is read", "[net][url]") {
  for (const std::string text :
       {"wss://a.example", "https://a.example", "sips:a.example", "tls://a.example:5061"}) {
    CAPTURE(text);
    const auto parsed = parse_url(text);
    REQUIRE(parsed);
    CHECK(to_string(parsed->scheme) == text.substr(0, text.find(':')));
  }
}

}  // namespace
