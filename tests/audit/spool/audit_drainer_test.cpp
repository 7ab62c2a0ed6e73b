// SPDX-License-Identifier: BSL-1.0
#include <cotter/posix/audit_drainer.hpp>

#include "scripted_audit_calls.hpp"
#include "spool_lab.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <string>

using namespace cotter;
using namespace std::chrono_literals;
using spool_lab::collector;
using spool_lab::lab;
using spool_lab::no_hurry;
using spool_lab::refusal;

namespace {

/// A receiver that does what a test says.
struct scripted_sender {
  std::function<delivery(std::span<const audit_event>)> answer{};
  collector got{};
  int calls = 0;

  delivery deliver(std::span<const audit_event> events, std::chrono::steady_clock::time_point) {
    ++calls;
    const delivery done = answer(events);
    for (const audit_event& e : events.first(done.settled)) got.take(e);
    return done;
  }
};

struct scripted_jitter {
  inline static std::uint64_t next = 0;
  template <typename Calls>
  static std::uint64_t draw() noexcept {
    return next;
  }
};
using drainer_type = posix::audit_drainer<scripted_sender, posix::audit_calls, scripted_jitter>;

delivery refuse(std::uint32_t status, std::chrono::seconds retry_after = {}) {
  delivery done;
  done.why = {errc::report_refused, 0, static_cast<std::int32_t>(status)};
  done.status = status;
  done.retry_after = retry_after;
  return done;
}
delivery settle(std::size_t count) {
  delivery done;
  done.settled = count;
  return done;
}
const auto take_all = [](std::span<const audit_event> events) { return settle(events.size()); };

struct drain_lab : lab {
  explicit drain_lab(int events) {
    REQUIRE(spool->open());
    for (int i = 0; i < events; ++i) spool->record(refusal("h" + std::to_string(i)));
    REQUIRE(reader.open());
  }
  std::unique_ptr<posix::audit_spool> spool = std::make_unique<posix::audit_spool>(path);
  posix::audit_spool_reader reader{path, "siem"};
  scripted_sender sender{take_all};
};

const instant now = spool_lab::at(0);

}  // namespace

TEST_CASE("a drain delivers in as many batches as there are, and says what came of it") {
  drain_lab here(250);
  drainer_type drainer(here.reader, here.sender);
  const auto report = drainer.drain(no_hurry(), now);
  CHECK(report.delivered == 250);
  CHECK(report.withheld == 0);
  CHECK(report.left_bytes == 0);
  CHECK(report.why == error{});
  CHECK(report.next_attempt == instant{});
  CHECK(here.sender.calls == 3);
  CHECK(here.sender.got.hosts().size() == 250);
  CHECK(here.sender.got.duplicates == 0);
  CHECK(drainer.drain(no_hurry()).delivered == 0);
}

TEST_CASE("what is withheld is settled and counted apart") {
  drain_lab here(10);
  here.sender.answer = [](std::span<const audit_event> events) {
    delivery done = settle(events.size());
    done.withheld = 4;
    return done;
  };
  drainer_type drainer(here.reader, here.sender);
  const auto report = drainer.drain(no_hurry(), now);
  CHECK(report.delivered == 6);
  CHECK(report.withheld == 4);
  CHECK(report.left_bytes == 0);
}

TEST_CASE("only what the receiver has settled is not offered again") {
  drain_lab here(10);
  here.sender.answer = [](std::span<const audit_event>) {
    delivery done = refuse(500);
    done.settled = 3;
    return done;
  };
  drainer_type drainer(here.reader, here.sender);
  auto report = drainer.drain(no_hurry(), now);
  CHECK(report.delivered == 3);
  CHECK(report.why.what == errc::report_refused);
  CHECK(report.status == 500);
  CHECK(report.left_bytes > 0);
  CHECK(report.next_attempt == now + 1s);
  here.sender.answer = take_all;
  CHECK(drainer.drain(no_hurry(), now).delivered == 0);
  CHECK(here.sender.calls == 1);
  report = drainer.drain(no_hurry(), now + 1s);
  CHECK(report.delivered == 7);
  CHECK(here.sender.got.duplicates == 0);
  CHECK(here.sender.got.hosts().size() == 10);
}

TEST_CASE("a sender that claims too much, nothing, or has no memory settles what it can") {
  drain_lab here(10);
  drainer_type drainer(here.reader, here.sender);
  here.sender.answer = [](std::span<const audit_event>) -> delivery { throw std::bad_alloc(); };
  auto report = drainer.drain(no_hurry(), now);
  CHECK(report.why.what == errc::out_of_memory);
  CHECK(report.delivered == 0);
  here.sender.answer = [](std::span<const audit_event>) { return delivery{}; };
  report = drainer.drain(no_hurry(), now + 10s);
  CHECK(report.why.what == errc::timeout);
  CHECK(here.sender.calls == 2);
  struct boaster {
    delivery deliver(std::span<const audit_event>, std::chrono::steady_clock::time_point) {
      delivery done = settle(1'000'000);
      done.withheld = 2'000'000;
      return done;
    }
  } boast;
  posix::audit_drainer proud(here.reader, boast);
  report = proud.drain(no_hurry(), now + 1000s);
  CHECK(report.delivered == 0);
  CHECK(report.withheld == 10);
}

TEST_CASE("a receiver that fails is left alone for longer each time, never longer than the bound") {
  for (const std::uint64_t jitter : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{12345}}) {
    drain_lab here(3);
    here.sender.answer = [](std::span<const audit_event>) { return refuse(503); };
    scripted_jitter::next = jitter;
    instant clock = now;
    std::chrono::seconds least{1};
    for (int i = 0; i < 20; ++i) {
      drainer_type drainer(here.reader, here.sender);
      const auto report = drainer.drain(no_hurry(), clock);
      const auto wait = report.next_attempt - clock;
      CHECK(here.sender.calls == i + 1);
      CHECK(wait >= std::min<std::chrono::seconds>(least, 150s));
      CHECK(wait <= 300s);
      if (jitter == 0) CHECK(wait == std::min<std::chrono::seconds>(least, 150s));
      least *= 2;
      // Not a second too early, and not by another process.
      here.reader.close();
      REQUIRE(here.reader.open());
      drainer_type early(here.reader, here.sender);
      CHECK(early.drain(no_hurry(), report.next_attempt - 1s).next_attempt == report.next_attempt);
      CHECK(here.sender.calls == i + 1);
      clock = report.next_attempt;
    }
    here.sender.answer = take_all;
    drainer_type drainer(here.reader, here.sender);
    CHECK(drainer.drain(no_hurry(), clock).delivered == 3);
    CHECK(here.reader.retry().failures == 0);
  }
  scripted_jitter::next = 0;
}

TEST_CASE("Retry-After is honoured, for a day at most, and no clock set back makes it longer") {
  drain_lab here(3);
  here.sender.answer = [](std::span<const audit_event>) { return refuse(429, 3600s); };
  auto drain = [&](instant when) {
    here.reader.close();
    REQUIRE(here.reader.open());
    drainer_type drainer(here.reader, here.sender);
    return drainer.drain(no_hurry(), when);
  };
  CHECK(drain(now).next_attempt == now + 3600s);
  CHECK(drain(now + 3599s).next_attempt == now + 3600s);
  CHECK(here.sender.calls == 1);
  // The clock is set back by a year: the wait was measured by another clock, and is over.
  const instant a_year_ago = now - std::chrono::hours(24 * 365);
  CHECK(drain(a_year_ago).next_attempt == a_year_ago + 3600s);
  CHECK(here.sender.calls == 2);
  CHECK(drain(a_year_ago + 3599s).next_attempt == a_year_ago + 3600s);
  CHECK(here.sender.calls == 2);
  CHECK(drain(a_year_ago - 1s).next_attempt == a_year_ago - 1s + 3600s);
  CHECK(here.sender.calls == 3);
  here.sender.answer = [](std::span<const audit_event>) { return refuse(429, 1'000'000h); };
  CHECK(drain(now + 3600s).next_attempt == now + 3600s + 24h);
  here.sender.answer = [](std::span<const audit_event>) { return refuse(429, -5s); };
  CHECK(drain(now + 3600s + 24h).next_attempt < now + 3700s + 24h);
  here.sender.answer = take_all;
  CHECK(drain(now + 49h).delivered == 3);
}

TEST_CASE("a delivery that is too large is halved until it fits") {
  drain_lab here(100);
  std::size_t largest = 0;
  here.sender.answer = [&largest](std::span<const audit_event> events) {
    if (events.size() > 10) return refuse(413);
    largest = std::max(largest, events.size());
    return settle(events.size());
  };
  drainer_type drainer(here.reader, here.sender);
  const auto report = drainer.drain(no_hurry(), now);
  CHECK(report.delivered == 100);
  CHECK(report.why == error{});
  CHECK(largest > 4);
  CHECK(here.sender.got.duplicates == 0);
  // One event alone that is too large is a failure like any other.
  here.spool->record(refusal("large"));
  here.sender.answer = [](std::span<const audit_event>) { return refuse(413); };
  CHECK(drainer.drain(no_hurry(), now).status == 413);
  CHECK(drainer.drain(no_hurry(), now).next_attempt > now);
}

TEST_CASE("an event that a receiver will not have for its leaf does not hold up the rest") {
  drain_lab here(3);
  const std::vector<std::uint8_t> leaf(20'000, 0x30);
  audit_record large = refusal("large");
  large.leaf = leaf;
  here.spool->record(large);
  here.spool->record(refusal("after"));
  for (const std::uint32_t status : {413u, 400u, 422u}) {
    here.sender.answer = [status](std::span<const audit_event> events) {
      for (const audit_event& one : events) {
        if (!one.what.leaf.empty()) return refuse(status);
      }
      return settle(0);
    };
    drainer_type drainer(here.reader, here.sender);
    CHECK(drainer.drain(no_hurry(), now + std::chrono::hours(status)).delivered == 0);
  }
  here.sender.answer = [](std::span<const audit_event> events) {
    for (const audit_event& one : events) {
      if (!one.what.leaf.empty()) return refuse(413);
    }
    return settle(events.size());
  };
  drainer_type drainer(here.reader, here.sender);
  const auto report = drainer.drain(no_hurry(), now + std::chrono::hours(1000));
  CHECK(report.delivered == 5);
  CHECK(report.left_bytes == 0);
  CHECK(report.why == error{});
}

TEST_CASE("a leaf that makes the receiver fail in another way does not hold up the rest either") {
  for (const std::uint32_t status : {403u, 500u, 0u}) {
    drain_lab here(20);
    const std::vector<std::uint8_t> leaf(20'000, 0x30);
    audit_record large = refusal("large");
    large.leaf = leaf;
    here.spool->record(large);
    for (int i = 0; i < 20; ++i) here.spool->record(refusal("after" + std::to_string(i)));
    here.sender.answer = [status](std::span<const audit_event> events) {
      for (const audit_event& one : events) {
        if (one.what.leaf.empty()) continue;
        delivery failed = refuse(status);
        if (status == 0) failed.why = {errc::report_truncated, 0, 0};
        return failed;
      }
      return settle(events.size());
    };
    drainer_type drainer(here.reader, here.sender);
    std::uint64_t delivered = 0;
    instant when = now;
    for (int turn = 0; turn < 100 && delivered < 41; ++turn, when += 1h) {
      delivered += drainer.drain(no_hurry(), when).delivered;
    }
    INFO(status);
    CHECK(delivered == 41);
  }
}

TEST_CASE("a drain ends by its deadline, and does not begin after it") {
  drain_lab here(1000);
  here.sender.answer = [](std::span<const audit_event> events) {
    const auto until = std::chrono::steady_clock::now() + 30ms;
    while (std::chrono::steady_clock::now() < until) {
    }
    return settle(events.size());
  };
  drainer_type drainer(here.reader, here.sender);
  auto report = drainer.drain(std::chrono::steady_clock::now() - 1s, now);
  CHECK(report.delivered == 0);
  CHECK(report.why.what == errc::timeout);
  CHECK(here.sender.calls == 0);
  report = drainer.drain(std::chrono::steady_clock::now() + 45ms, now);
  CHECK(report.delivered > 0);
  CHECK(report.delivered < 1000);
  CHECK(report.left_bytes > 0);
  here.sender.answer = take_all;
  CHECK(drainer.drain(no_hurry(), now).delivered + report.delivered == 1000);
  CHECK(here.sender.got.duplicates == 0);
}

namespace {

void week_without_collector(const posix::audit_spool_bounds& bounds) {
  lab here(bounds);
  auto spool =
      std::make_unique<posix::basic_audit_spool<spool_lab::scripted_audit_calls>>(here.path);
  spool_lab::script = {};
  REQUIRE(spool->open());
  posix::audit_spool_reader reader(here.path, "siem");
  REQUIRE(reader.open());
  scripted_sender sender{[](std::span<const audit_event>) { return refuse(500); }};
  scripted_jitter::next = 77;
  std::uint64_t recorded = 0;
  int attempts = 0;
  constexpr int week = 7 * 24 * 3600;
  instant next{};
  for (int second = 0; second < week; second += 60) {
    const instant clock = spool_lab::at(second);
    spool_lab::script.milliseconds = second * 1000LL;
    // Each minute one call that is accepted, each hour one that is refused.
    spool->record(spool_lab::acceptance("calls.example", second));
    ++recorded;
    if (second % 3600 == 0) {
      spool->record(refusal("refused.example", second));
      ++recorded;
    }
    if (clock >= next) {
      drainer_type drainer(reader, sender);
      next = drainer.drain(no_hurry(), clock).next_attempt;
      ++attempts;
    }
  }
  CHECK(attempts < week / 150 + 20);
  CHECK(here.bytes() <= bounds.max_bytes);
  sender.answer = take_all;
  drainer_type drainer(reader, sender);
  drainer.drain(no_hurry(), spool_lab::at(week));
  spool_lab::script.milliseconds = (week + 10) * 1000LL;
  spool->record(refusal("refused.example", week));
  ++recorded;
  spool->close();
  drainer.drain(no_hurry(), spool_lab::at(week + 1));
  CHECK(sender.got.total() == recorded);
  CHECK(sender.got.duplicates == 0);
  CHECK(here.segments().empty());
  WARN("collector down for 7 days, "
       << bounds.max_bytes / 1024 << " KiB: recorded " << recorded << ", attempts " << attempts
       << ", delivered " << sender.got.plain() << " and " << sender.got.repeats()
       << " as repeats, duplicated " << sender.got.duplicates << ", dropped and counted "
       << sender.got.losses() << ", lost " << recorded - sender.got.total());
  scripted_jitter::next = 0;
}

}  // namespace

TEST_CASE("a collector that is down for a week costs the spool nothing but room") {
  week_without_collector({});
  week_without_collector(spool_lab::smallest);
}

TEST_CASE("on a disk that is full the cursor goes on in its own place, and segments are removed") {
  lab here({1u << 20, 128u << 10});
  {
    posix::audit_spool spool(here.path);
    REQUIRE(spool.open());
    const std::vector<std::uint8_t> leaf(24'000, 0x30);
    for (int i = 0; i < 14; ++i) {
      const std::string host = "h" + std::to_string(i);
      audit_record what = refusal(host);
      what.leaf = leaf;
      spool.record(what);
    }
  }
  REQUIRE(here.segments().size() > 2);
  for (const char* fails : {"create", "write"}) {
    {
      posix::basic_audit_spool_reader<spool_lab::scripted_audit_calls> reader(here.path, "siem");
      REQUIRE(reader.open());
      auto& script = spool_lab::script;
      script = {};
      script.only = fails;
      script.fail_at = 1;
      script.native = ENOSPC;
      REQUIRE(reader.next(6, 1u << 20));
      const std::size_t before = here.segments().size();
      reader.settle(6);
      REQUIRE(reader.save());
      CHECK(script.name == fails);
      CHECK(here.segments().size() < before);
      CHECK_FALSE(std::filesystem::exists(here.path + "/cursor.siem.new"));
      script = {};
    }
    posix::audit_spool_reader again(here.path, "siem");
    REQUIRE(again.open());
    CHECK_FALSE(again.restarted());
  }
  collector rest;
  here.drain(rest);
  CHECK(rest.total() == 2);
  CHECK(rest.losses() == 0);
}
