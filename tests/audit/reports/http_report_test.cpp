// SPDX-License-Identifier: BSL-1.0
#include <cotter/net/http_report.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using cotter::bytes_view;
using cotter::errc;
using cotter::instant;
using cotter::parse_http_date;
using cotter::parse_retry_after;
using cotter::report_answer;
using cotter::report_head;
using cotter::write_report_head;

namespace {

constexpr instant rfc_example{784'111'777s};  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr instant recently{1'800'000'000s};   // 2027

bytes_view octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// What an answer comes to, in pieces of a size.
struct outcome {
  errc why = errc::ok;
  bool complete = false;
  bool keeps_alive = false;
  unsigned status = 0;
  std::chrono::seconds retry_after{};

  friend bool operator==(const outcome&, const outcome&) = default;
};
outcome read(std::string_view text, std::size_t piece, bool ends = false) {
  report_answer answer;
  outcome seen;
  while (!text.empty() && seen.why == errc::ok && !answer.complete()) {
    const std::string_view some = text.substr(0, piece);
    text.remove_prefix(some.size());
    if (const auto done = answer.read(octets(some)); !done) seen.why = done.error().what;
  }
  if (ends && seen.why == errc::ok) {
    if (const auto done = answer.end(); !done) seen.why = done.error().what;
  }
  seen.complete = answer.complete();
  seen.keeps_alive = answer.keeps_alive();
  seen.status = answer.status();
  seen.retry_after = answer.retry_after(recently);
  return seen;
}
/// The same whatever the pieces, or the test fails.
outcome read(std::string_view text, bool ends = false) {
  const outcome whole = read(text, text.size() + 1, ends);
  outcome single = read(text, 1, ends);
  // Octets behind the end are seen only with the end.
  if (whole.complete && single.complete) single.keeps_alive = whole.keeps_alive;
  CHECK(whole == single);
  return whole;
}

}  // namespace

TEST_CASE("an HTTP-date is read in each of its three forms") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", recently) == rfc_example);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", recently) == rfc_example);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994", recently) == rfc_example);
  CHECK(parse_http_date("Sun Nov 16 08:49:37 1994", recently) == rfc_example + 240h);
  CHECK(parse_http_date("Fri, 31 Dec 9999 23:59:60 GMT", recently));
  // Two digits: at most fifty years ahead.
  CHECK(parse_http_date("Sunday, 06-Nov-77 08:49:37 GMT", recently) >
        parse_http_date("Sunday, 06-Nov-78 08:49:37 GMT", recently));
  static_assert(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", recently) == rfc_example);
}

TEST_CASE("what is no HTTP-date is none") {
  for (const std::string_view text :
       {"", "Sun", "Sun,", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Son, 06 Nov 1994 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov  0 08:49:37 1994", "Sun Nov  6 08:49:37 1994 GMT", "1994-11-06T08:49:37Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text, recently));
  }
}

TEST_CASE("Retry-After is read in both forms and bounded") {
  CHECK(parse_retry_after("0", recently) == 0s);
  CHECK(parse_retry_after("120", recently) == 120s);
  CHECK(parse_retry_after("86400", recently) == 86'400s);
  CHECK(parse_retry_after("86401", recently) == 86'400s);
  CHECK(parse_retry_after(std::string(60, '9'), recently) == 86'400s);
  for (const std::string_view text : {"", "-1", "+1", "1.5", "1s", "1 2", "0x10", "soon"}) {
    CHECK(parse_retry_after(text, recently) == 0s);
  }
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", rfc_example - 90s) == 90s);
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", rfc_example) == 0s);
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", rfc_example + 90s) == 0s);
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", rfc_example - 900h) == 86'400s);
}

TEST_CASE("an answer is complete with its content") {
  const outcome one = read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(one == outcome{errc::ok, true, true, 200, 0s});
  CHECK(read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") ==
        outcome{errc::ok, true, false, 200, 0s});
  CHECK(read("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n") ==
        outcome{errc::ok, true, false, 200, 0s});
  CHECK(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n") ==
        outcome{errc::ok, true, true, 200, 0s});
  CHECK(read("HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n") ==
        outcome{errc::ok, true, true, 204, 0s});
  CHECK(read("HTTP/1.1 200 OK\r\n\r\nabc", true) == outcome{errc::ok, true, false, 200, 0s});
  CHECK_FALSE(read("HTTP/1.1 200 OK\r\n\r\nabc").complete);
}

TEST_CASE("octets behind an answer forbid another request on its connection") {
  CHECK_FALSE(read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nH").keeps_alive);
}

TEST_CASE("an interim answer is none, and what it says is forgotten") {
  CHECK(read("HTTP/1.1 103 Early\r\nRetry-After: 5\r\nContent-Length: 4\r\n\r\n"
             "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n") ==
        outcome{errc::ok, true, true, 503, 0s});
  CHECK(read("HTTP/1.1 100 Continue\r\n\r\n", true).why == errc::report_truncated);
  CHECK(read("HTTP/1.1 100 Continue\r\n\r\n").status == 0);
}

TEST_CASE("Retry-After is found among the fields and nowhere else") {
  const auto with = [](const std::string& fields) {
    return read("HTTP/1.1 429 No\r\n" + fields + "Content-Length: 0\r\n\r\n").retry_after;
  };
  CHECK(with("Retry-After: 5\r\n") == 5s);
  CHECK(with("rEtRy-aFtEr:\t5 \t\r\n") == 5s);
  CHECK(with("X-Retry-After: 5\r\n") == 0s);
  CHECK(with("X: y\r\nRetry-After: 5\r\nY: 6\r\n") == 5s);
  CHECK(with("Retry-After: " + std::string(100, '0') + "5\r\n") == 0s);
  CHECK(with(std::string(100, 'N') + ": 7\r\nRetry-After: 5\r\n") == 5s);
  CHECK(read("HTTP/1.1 429 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nRetry-After: 5\r\n\r\n")
            .retry_after == 0s);
}

TEST_CASE("an answer that ends too early is no answer, at every octet") {
  for (const std::string_view whole :
       {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      const outcome cut = read(whole.substr(0, size), true);
      CHECK(cut.why == errc::report_truncated);
      CHECK_FALSE(cut.complete);
    }
    CHECK(read(whole, true).why == errc::ok);
  }
}

TEST_CASE("header sections are bounded, interim ones too, and content is left where it gets long") {
  std::string header = "HTTP/1.1 200 OK\r\n";
  while (header.size() < cotter::max_report_header_bytes) header += "X: y\r\n";
  CHECK(read(header + "\r\n").why == errc::message_too_big);
  std::string interim;
  while (interim.size() < cotter::max_report_header_bytes) interim += "HTTP/1.1 100 C\r\n\r\n";
  CHECK(read(interim).why == errc::message_too_big);

  const std::string content(cotter::max_report_content_bytes + 16'384, 'c');
  const outcome one = read("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + content);
  CHECK(one == outcome{errc::ok, true, false, 200, 0s});
  const std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + content;
  CHECK(read(chunks).complete);
}

TEST_CASE("what is not HTTP is an error") {
  for (const std::string_view text :
       {"SSH-2.0-OpenSSH\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 099 No\r\n\r\n",
        "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 101 S\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "POST / HTTP/1.1\r\n\r\n"}) {
    CAPTURE(text);
    const outcome one = read(text);
    CHECK(one.why == errc::protocol_error);
    CHECK_FALSE(one.complete);
  }
}

TEST_CASE("the head of a request says what it is asked to, and no more") {
  report_head ask;
  ask.host = "siem.example.com";
  ask.path = "/api?x=1";
  CHECK(*write_report_head(ask, "application/json", 12) ==
        "POST /api?x=1 HTTP/1.1\r\nHost: siem.example.com\r\nUser-Agent: cotter\r\n"
        "Content-Type: application/json\r\nContent-Length: 12\r\n\r\n");
  ask.host = "::1";
  ask.port = 8443;
  ask.path = "/";
  ask.authorization = "Splunk t";
  ask.fields = {{"X-A", "b"}};
  CHECK(*write_report_head(ask, "application/json", 0) ==
        "POST / HTTP/1.1\r\nHost: [::1]:8443\r\nUser-Agent: cotter\r\n"
        "Content-Type: application/json\r\nContent-Length: 0\r\nAuthorization: Splunk t\r\n"
        "X-A: b\r\n\r\n");
}

TEST_CASE("a head that would break out of its lines is not written") {
  report_head good;
  good.host = "siem.example.com";
  const auto fault = [&good](auto change) {
    report_head ask = good;
    change(ask);
    const auto made = write_report_head(ask, "application/json", 0);
    return made ? errc::ok : made.error().what;
  };
  CHECK(fault([](report_head&) {}) == errc::ok);
  CHECK(fault([](report_head& a) { a.host = "a b"; }) == errc::invalid_host);
  CHECK(fault([](report_head& a) { a.port = 0; }) == errc::invalid_port);
  CHECK(fault([](report_head& a) { a.path = "x"; }) == errc::invalid_url);
  CHECK(fault([](report_head& a) { a.path = "/ HTTP/1.1\r\n"; }) == errc::invalid_url);
  CHECK(fault([](report_head& a) { a.authorization = "a\r\nb"; }) == errc::invalid_header);
  CHECK(fault([](report_head& a) { a.authorization = std::string("a\0b", 3); }) ==
        errc::invalid_header);
  CHECK(fault([](report_head& a) { a.authorization = std::string(20'000, 'a'); }) ==
        errc::invalid_header);
  CHECK(fault([](report_head& a) { a.fields = {{"A\r\nB", "c"}}; }) == errc::invalid_header);
  CHECK(fault([](report_head& a) {
          a.fields = {{"Transfer-Encoding", "chunked"}};
        }) == errc::invalid_header);
  CHECK(write_report_head(good, "a\r\nb", 0).error().what == errc::invalid_header);
  CHECK(write_report_head(good, "", 0).error().what == errc::invalid_header);
}
