// SPDX-License-Identifier: BSL-1.0
// The processes of trail_test.py, which starts them, ends them, and knows what it was told.
//
// usage: trail init SPOOL BYTES SEGMENT_BYTES
//        trail write SPOOL NAME BEGIN DECISIONS PAUSE_US plain|mixed
//        trail drain SPOOL PORT BEGIN END AUTHORIZATION QUERY
//
// BEGIN and END are civil times, in seconds, of a clock that this test keeps. COTTER_LAB_PKI is set.
#include <cotter/backends/openssl.hpp>
#include <cotter/json/audit_event.hpp>
#include <cotter/net/https_reporter.hpp>
#include <cotter/pipeline/guard.hpp>
#include <cotter/policies/breaker/memory_breaker.hpp>
#include <cotter/policies/manifest/embedded_manifest.hpp>
#include <cotter/posix/audit_drainer.hpp>
#include <cotter/posix/audit_spool.hpp>
#include <cotter/testing/manual_clock.hpp>
#include <cotter/testing/scripted_backend.hpp>

#include <support/pki.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

using namespace cotter;
using namespace std::chrono_literals;

namespace {

constexpr const char* output = "siem";
constexpr int repeated_port = 7;

int fail(const error& why) {
  const std::string_view word = code(why.what);
  std::fprintf(stderr, "%.*s %d\n", static_cast<int>(word.size()), word.data(), why.native);
  return 1;
}

/// A line in one write: it is in the pipe, or none of it is.
template <typename... Values>
void say(const char* format, const Values&... values) noexcept {
  char line[512];
  const int size = std::snprintf(line, sizeof line, format, values...);
  if (size <= 0 || static_cast<std::size_t>(size) >= sizeof line ||
      ::write(STDOUT_FILENO, line, static_cast<std::size_t>(size)) != size) {
    std::abort();
  }
}

/// Says of each record that it has begun, and what `record` had done with it when it returned.
class telling_spool {
 public:
  using leaf_keeper = posix::audit_spool::leaf_keeper;

  explicit telling_spool(posix::audit_spool& spool) noexcept : spool_(spool) {}

  void record(const audit_record& what) noexcept {
    const std::string_view host = what.endpoint.host;
    const std::string_view type = to_string(type_of(what));
    const auto tell = [&](const char* outcome) {
      say("%s %.*s %.*s %u\n", outcome, static_cast<int>(type.size()), type.data(),
          static_cast<int>(host.size()), host.data(), unsigned{what.endpoint.port});
    };
    tell("begun");
    const std::uint64_t kept = spool_.appended();
    const std::uint64_t counted = spool_.suppressed();
    spool_.record(what);
    // Repeats that were counted before may have been lost with this one.
    tell(spool_.appended() > kept ? "kept" : spool_.suppressed() > counted ? "counted" : "dropped");
  }

 private:
  posix::audit_spool& spool_;
};

/// One pin for whomever one asks for.
struct one_pin {
  struct handle {
    std::optional<pinned_target> is{};
    explicit operator bool() const noexcept { return is.has_value(); }
    const pinned_target& operator*() const noexcept { return *is; }
  };
  handle find(const target& whom, const ip_address&) const noexcept {
    pinned_target found;
    found.endpoint = whom;
    found.pins = {&only, 1};
    return {found};
  }
  pin only;
};

int write(const std::string& path, const std::string& name, instant begin, int decisions,
          unsigned pause_us, bool mixed) {
  const pki::octets good = pki::certificate("good");
  const pki::octets other = pki::certificate("other");
  const pki::octets large = pki::certificate("large");
  posix::audit_spool spool(path, {.client = name});
  if (const auto opened = spool.open(); !opened && opened.error().what != errc::spool_full &&
                                        opened.error().what != errc::state_unwritable) {
    return fail(opened.error());
  }
  telling_spool sink(spool);
  testing::manual_clock clock(begin, 1h);
  const one_pin pins{{testing::not_sha256::of(good), pin_form::certificate, pin_role::primary,
                      no_expiry, "the primary"}};
  const auto breaker = std::make_unique<memory_breaker<2048>>(breaker_config{2, 1, 300s, 0ms});
  guard guarding{pins, *breaker, embedded_manifest{1, begin - 24h}, sink, clock};
  const auto attempt = [&](std::string_view host, int port, const pki::octets& leaf) {
    auto admission = guarding.admit({host, static_cast<std::uint16_t>(port)});
    if (!admission) return;
    testing::scripted_session session;
    auto guarded = guarding.attach(&session, *admission);
    session.play({leaf});
    static_cast<void>(guarded.confirm());
  };
  for (int i = 0; i < decisions; ++i) {
    attempt("127.0.0.1", 1000 + i, i % 3 != 0 ? good : i % 15 == 0 ? large : other);
    if (mixed && i % 4 == 0) attempt("127.0.0.1", repeated_port, good);
    // The collector's own host.
    if (mixed && i % 16 == 5) attempt("localhost", 5061, other);
    clock.advance(1s);
    if (pause_us != 0) ::usleep(pause_us);
  }
  spool.close();
  say("%s\n", "closed");
  return 0;
}

int drain(const std::string& path, std::uint16_t port, instant now, instant end,
          const std::string& authorization, const std::string& query) {
  backends::openssl::context tls;
  if (!tls.valid() || !tls.load_anchors_file(pki::path("ca.pem").c_str())) return fail({});
  net::https_reporter_options options;
  options.authorization = authorization;
  options.endpoints = {{net::asio_api::ip::address_v4::loopback(), port}};
  net::https_reporter<backends::openssl, json::cotter_event> sender(
      tls, "https://localhost:" + std::to_string(port) + "/audit?" + query, {}, std::move(options));
  if (sender.problem().what != errc::ok) return fail(sender.problem());
  posix::audit_spool_reader reader(path, output);
  if (const auto opened = reader.open(); !opened) return fail(opened.error());
  posix::audit_drainer drainer(reader, sender);
  while (now <= end) {
    const auto report = drainer.drain(std::chrono::steady_clock::now() + 5s, now);
    const std::string_view why = code(report.why.what);
    const auto next = std::max(report.next_attempt, now + 1s);
    say("drained %lld %llu %llu %llu %.*s %u %lld\n",
        static_cast<long long>(now.time_since_epoch().count()),
        static_cast<unsigned long long>(report.delivered),
        static_cast<unsigned long long>(report.withheld),
        static_cast<unsigned long long>(report.left_bytes), static_cast<int>(why.size()),
        why.data(), report.status,
        static_cast<long long>(report.next_attempt.time_since_epoch().count()));
    // Nothing to do, or nothing that can be done: what is asked for next is asked a little later.
    if (report.next_attempt <= now) ::usleep(1000);
    now = next;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char* const> args(argv, static_cast<std::size_t>(argc));
  const std::string_view verb = argc > 2 ? args[1] : "";
  const auto number = [&](std::size_t i) { return std::atoll(args[i]); };
  const auto time = [&](std::size_t i) { return instant{std::chrono::seconds{number(i)}}; };
  if (verb == "init" && argc == 5) {
    const auto made = posix::audit_spool::create(
        args[2], {static_cast<std::uint64_t>(number(3)), static_cast<std::uint32_t>(number(4))});
    if (!made) return fail(made.error());
    const auto enrolled = posix::audit_spool_reader::enroll(args[2], output);
    return enrolled ? 0 : fail(enrolled.error());
  }
  if (verb == "write" && argc == 8) {
    return write(args[2], args[3], time(4), static_cast<int>(number(5)),
                 static_cast<unsigned>(number(6)), std::string_view(args[7]) == "mixed");
  }
  if (verb == "drain" && argc == 8) {
    return drain(args[2], static_cast<std::uint16_t>(number(3)), time(4), time(5), args[6],
                 args[7]);
  }
  return 2;
}
