// SPDX-License-Identifier: BSL-1.0
#include <cotter/posix/audit_spool.hpp>

#include "scripted_audit_calls.hpp"
#include "spool_lab.hpp"

#include <cotter/testing/laws/audit_sink.hpp>

#include <backends/support/counting_malloc.hpp>
#include <support/laws.hpp>

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

using namespace cotter;
using namespace std::chrono_literals;
using spool_lab::acceptance;
using spool_lab::change;
using spool_lab::collector;
using spool_lab::lab;
using spool_lab::refusal;
using spool_lab::script;
using spool_lab::scripted_audit_calls;

namespace {

using scripted_spool = posix::basic_audit_spool<scripted_audit_calls>;

template <typename Spool>
std::uint64_t given(const Spool& spool) {
  return spool.appended() + spool.suppressed() + spool.dropped();
}

}  // namespace

TEST_CASE("audit_spool keeps the laws of audit_sink") {
  lab here;
  auto spool = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(spool->open());
  require_laws(testing::check_audit_sink_laws(
      *spool,
      [&](const auto&) {
        // A reader of the test's own that settles nothing.
        posix::audit_spool_reader reader(here.path, "siem");
        REQUIRE(reader.open());
        const auto events = reader.next(1000, 1u << 20);
        REQUIRE(events);
        std::vector<spool_lab::received> all;
        for (const audit_event& e : *events) all.push_back(spool_lab::keep(e));
        return all;
      },
      [](const auto& s) { return s.appended() + s.suppressed(); },
      [](const auto& s) { return s.dropped(); }));
}

TEST_CASE("what is recorded is delivered, whole, in order, and once") {
  lab here;
  auto spool = std::make_unique<posix::audit_spool>(
      here.path, posix::audit_spool_options{.client = "phone 17"});
  REQUIRE(spool->open());
  const std::vector<std::uint8_t> leaf(20'000, 0x30);
  const std::array<pin, 2> pins{};
  audit_record first = refusal("a.example", 1);
  first.leaf = leaf;
  first.pins = pins;
  spool->record(first);
  spool->record(acceptance("b.example", 2));
  spool->record(change(3));
  collector got;
  const auto report = here.drain(got);
  CHECK(report.delivered == 3);
  CHECK(report.why == error{});
  CHECK(report.left_bytes == 0);
  REQUIRE(got.all.size() == 3);
  CHECK(got.all[0].host == "a.example");
  CHECK(got.all[0].client == "phone 17");
  CHECK(got.all[0].type == audit_type::refused);
  CHECK(got.all[0].leaf_bytes == leaf.size());
  CHECK(got.all[0].pins == 2);
  CHECK(got.all[0].at == spool_lab::at(1));
  CHECK(got.all[1].type == audit_type::accepted);
  CHECK(got.all[2].type == audit_type::manifest);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(got.all[i].id.origin == spool->origin());
    CHECK(got.all[i].id.number == i + 1);
  }
  collector more;
  CHECK(here.drain(more).delivered == 0);
  spool->record(acceptance("c.example", 4));
  CHECK(here.drain(more).delivered == 1);
  spool->close();
  CHECK(here.drain(more).delivered == 0);
  CHECK(here.segments().empty());
}

TEST_CASE("only create makes a spool, and only in a place of the user's own") {
  stores::private_directory above{stores::in_memory};
  const std::string path = above / "spool";
  auto open = [](const std::string& where) {
    return std::make_unique<posix::audit_spool>(where)->open().error().what;
  };
  CHECK(open(path) == errc::state_absent);
  CHECK(posix::audit_spool::create(path, {1u << 20, 1024}).error().what == errc::invalid_value);
  CHECK(posix::audit_spool::create(path, {1u << 20, 512u << 10}).error().what ==
        errc::invalid_value);
  CHECK(posix::audit_spool::create(above / "no/such").error().what == errc::state_absent);
  REQUIRE(posix::audit_spool::create(path + "/"));
  CHECK(posix::audit_spool::create(path).error().what == errc::state_exists);
  CHECK(open(path) == errc::ok);
  CHECK(open(path + "/") == errc::ok);

  REQUIRE(::symlink(path.c_str(), (above / "link").c_str()) == 0);
  CHECK(open(above / "link") == errc::state_foreign);
  CHECK(open(above / "link/") == errc::state_foreign);
  REQUIRE(::chmod(path.c_str(), 0750) == 0);
  CHECK(open(path) == errc::state_foreign);
  REQUIRE(::chmod(path.c_str(), 0700) == 0);

  REQUIRE(::mkdir((above / "other").c_str(), 0700) == 0);
  CHECK(open(above / "other") == errc::state_foreign);
  REQUIRE(posix::audit_spool::create(above / "other"));
  CHECK(open(above / "other") == errc::ok);
  stores::put_octets(above / "file", {'x'});
  CHECK(open(above / "file") == errc::state_foreign);

  REQUIRE(::link((path + "/spool").c_str(), (above / "second").c_str()) == 0);
  CHECK(open(path) == errc::state_foreign);
  REQUIRE(::unlink((above / "second").c_str()) == 0);
  auto mark = stores::octets_in(path + "/spool");
  for (const std::size_t place : {std::size_t{9}, mark.size() / 2 + 9}) mark[place] ^= 1;
  stores::put_octets(path + "/spool", mark);
  CHECK(open(path) == errc::state_damaged);
  auto named = std::make_unique<posix::audit_spool>(
      above / "other",
      posix::audit_spool_options{
          .client = std::string_view(
              "a name that is longer than the sixty-four octets that there is room for")});
  CHECK(named->open().error().what == errc::too_large);
}

TEST_CASE("a record before open, and after close, is counted as dropped") {
  lab here;
  auto spool = std::make_unique<posix::audit_spool>(here.path);
  spool->record(refusal("a"));
  CHECK(spool->dropped() == 1);
  CHECK(spool->why().what == errc::state_absent);
  REQUIRE(spool->open());
  CHECK(spool->open().error().what == errc::state_exists);
  spool->close();
  spool->record(refusal("a"));
  CHECK(spool->dropped() == 2);
  collector got;
  here.drain(got);
  CHECK(got.losses(errc::state_absent) == 1);
}

TEST_CASE("a refusal is on the disk when record returns, an acceptance is one write") {
  lab here;
  auto spool = std::make_unique<scripted_spool>(here.path);
  script = {};
  REQUIRE(spool->open());
  auto calls_of = [&](const audit_record& what) {
    script = {};
    script.listens = true;
    spool->record(what);
    script.listens = false;
    return script.heard;
  };
  using calls = std::vector<std::string>;
  // The first time, the file's name as well.
  CHECK(calls_of(refusal("a")) == calls{"write", "sync data", "sync"});
  CHECK(calls_of(refusal("b")) == calls{"write", "sync data"});
  CHECK(calls_of(acceptance("a")) == calls{"write"});
  CHECK(calls_of(change()) == calls{"write", "sync data"});
  audit_record observed = refusal("c");
  observed.outcome = verdict::observe(reason::pin_mismatch);
  CHECK(calls_of(observed) == calls{"write", "sync data"});
  audit_record breaker = refusal("c");
  breaker.subject = audit_subject::breaker;
  CHECK(calls_of(breaker) == calls{"write", "sync data"});
  // Repeats are counted in place, those of a refusal on the disk at first, and then once a second.
  CHECK(calls_of(refusal("a", 5)) == calls{"write", "sync data"});
  CHECK(calls_of(refusal("a", 5)) == calls{"write"});
  CHECK(calls_of(acceptance("a", 5)) == calls{"write"});
  // Into another file: its name and all of it before the refusal is told.
  while (true) {
    const calls heard = calls_of(refusal("roll " + std::to_string(given(*spool)), 6));
    if (heard == calls{"write", "sync data"}) continue;
    REQUIRE(heard.size() > 3);
    CHECK(calls(heard.end() - 3, heard.end()) == calls{"write", "sync data", "sync"});
    break;
  }
}

TEST_CASE("recording takes nothing from the heap, whatever it has to do") {
  lab here(spool_lab::smallest);
  auto spool = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(spool->open());
  std::vector<std::string> hosts;
  for (int i = 0; i < 6000; ++i) hosts.push_back("host-" + std::to_string(i / 2));
  const std::size_t before = heap::allocations();
  for (const std::string& host : hosts) spool->record(acceptance(host));
  for (const std::string& host : hosts) spool->record(refusal(host));
  const std::size_t after = heap::allocations();
  CHECK(after == before);
  CHECK(spool->dropped() > 0);
  CHECK(spool->suppressed() > 0);
  CHECK(given(*spool) == 12'000);
}

TEST_CASE("repeats within the window are counted, and told in one record") {
  lab here;
  auto spool = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(spool->open());
  for (int i = 0; i < 50; ++i) spool->record(refusal("a", i));
  CHECK(spool->appended() == 1);
  CHECK(spool->suppressed() == 49);
  collector got;
  here.drain(got);
  CHECK(got.all.size() == 1);
  // Another kind: each field that counts.
  spool->record(refusal("b", 50));
  spool->record(refusal("a", 50, reason::pkix));
  audit_record region = refusal("a", 50);
  region.region = "eu";
  spool->record(region);
  audit_record backend = refusal("a", 50);
  backend.backend = "mbedtls";
  spool->record(backend);
  audit_record leaf = refusal("a", 50);
  leaf.outcome = verdict::refuse(reason::pin_mismatch).with_fingerprint({});
  spool->record(leaf);
  audit_record port = refusal("a", 50);
  port.endpoint.port = 443;
  spool->record(port);
  spool->record(acceptance("a", 50));
  CHECK(spool->appended() == 8);
  // The window is over.
  spool->record(refusal("a", 60));
  CHECK(spool->appended() == 9);
  here.drain(got);
  REQUIRE(got.all.size() == 10);
  const auto& told = got.all[8];
  CHECK(told.suppressed_count == 49);
  CHECK(told.since == spool_lab::at(0));
  CHECK(told.at == spool_lab::at(49));
  CHECK(told.host == "a");
  CHECK(told.why == reason::pin_mismatch);
  CHECK(got.total() == given(*spool));
  // What repeats again is told when the spool is closed.
  spool->record(refusal("a", 61));
  spool->close();
  here.drain(got);
  REQUIRE(got.all.size() == 11);
  CHECK(got.all[10].suppressed_count == 1);
  CHECK(got.duplicates == 0);
}

TEST_CASE("a clock that is set back ends a window, and a window of 0 counts nothing") {
  lab here;
  auto spool = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(spool->open());
  spool->record(refusal("a", 100));
  spool->record(refusal("a", 101));
  spool->record(refusal("a", 10));
  CHECK(spool->appended() == 2);
  spool->record(refusal("a", 69));
  CHECK(spool->suppressed() == 2);
  audit_record far = refusal("a");
  far.at = instant{std::chrono::seconds{std::numeric_limits<std::int64_t>::max()}};
  spool->record(far);
  far.at = instant{std::chrono::seconds{std::numeric_limits<std::int64_t>::min()}};
  spool->record(far);
  CHECK(spool->appended() == 4);
  auto each = std::make_unique<posix::audit_spool>(
      here.path, posix::audit_spool_options{.coalesce_window = 0s});
  REQUIRE(each->open());
  for (int i = 0; i < 5; ++i) each->record(refusal("a"));
  CHECK(each->appended() == 5);
  // A program that makes no more decisions says itself that the window is over.
  auto idle = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(idle->open());
  idle->record(refusal("idle", 0));
  idle->record(refusal("idle", 1));
  collector got;
  here.drain(got);
  const auto before = got.all.size();
  idle->settle(spool_lab::at(59));
  here.drain(got);
  CHECK(got.all.size() == before);
  idle->settle(spool_lab::at(60));
  here.drain(got);
  REQUIRE(got.all.size() == before + 1);
  CHECK(got.all.back().suppressed_count == 1);
}

TEST_CASE("more kinds than slots: the oldest is told, and every one is counted") {
  lab here;
  auto spool = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(spool->open());
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 40; ++i) {
      const std::string host = "h" + std::to_string(i);
      spool->record(refusal(host, round));
      spool->record(refusal(host, round));
    }
  }
  CHECK(spool->suppressed() >= 120);
  spool->close();
  collector got;
  here.drain(got);
  CHECK(got.total() == 240);
  CHECK(got.hosts().size() == 40);
}

TEST_CASE("1,000 refusals a second cost one append in a window, and one sync a second") {
  lab here;
  auto spool = std::make_unique<scripted_spool>(here.path);
  script = {};
  REQUIRE(spool->open());
  script.listens = true;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 60'000; ++i) spool->record(refusal("a", i / 1000));
  const auto took =
      std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - began);
  script.listens = false;
  const auto syncs = std::count(script.heard.begin(), script.heard.end(), "sync data");
  CHECK(syncs >= 2);
  CHECK(syncs <= 2 + took.count());
  script = {};
  spool->close();
  collector got;
  here.drain(got);
  CHECK(got.all.size() == 2);
  CHECK(got.total() == 60'000);
}

TEST_CASE("a full spool drops acceptances first, keeps what it has, and counts every one") {
  lab here(spool_lab::smallest);
  auto spool = std::make_unique<scripted_spool>(here.path);
  script = {};
  REQUIRE(spool->open());
  int n = 0;
  while (spool->dropped() == 0) spool->record(acceptance("a" + std::to_string(n++)));
  for (int i = 0; i < 100; ++i) spool->record(acceptance("a" + std::to_string(n++)));
  CHECK(spool->why().what == errc::spool_full);
  const std::uint64_t accepted = spool->appended();
  CHECK(spool->dropped(audit_type::accepted) == 101);
  // Three quarters are all that acceptances get.
  CHECK(here.bytes() > spool_lab::smallest.max_bytes / 16 * 11);
  CHECK(here.bytes() <= spool_lab::smallest.max_bytes / 4 * 3);
  for (int i = 0; i < 50; ++i) spool->record(refusal("r" + std::to_string(i)));
  CHECK(spool->appended() == accepted + 50);
  CHECK(spool->dropped(audit_type::refused) == 0);
  // Nobody reports a loss while there is no room for what is lost.
  spool->record(acceptance("a" + std::to_string(n++)));
  std::uint64_t refused = 50;
  while (spool->dropped(audit_type::refused) == 0) {
    spool->record(refusal("r" + std::to_string(refused++)));
  }
  CHECK(refused > 200);
  CHECK(here.bytes() <= spool_lab::smallest.max_bytes);
  CHECK(given(*spool) == static_cast<std::uint64_t>(n) + refused);
  const std::uint64_t dropped = spool->dropped();

  collector got;
  here.drain(got);
  CHECK(got.plain() == spool->appended());
  CHECK(got.losses() == 0);
  // Within a second the directory is not looked through again.
  script.milliseconds = 2000;
  spool->record(acceptance("room again", 500));
  CHECK(spool->dropped() == dropped);
  here.drain(got);
  CHECK(got.losses(errc::spool_full) == dropped);
  CHECK(got.total() == given(*spool));
  CHECK(got.all.back().type == audit_type::loss);
  CHECK(got.all.back().since == spool_lab::at(0));
  spool->close();
  here.drain(got);
  CHECK(got.total() == given(*spool));
  WARN("bound of 512 KiB: recorded " << given(*spool) << " = delivered " << got.plain()
                                     << " + suppressed " << got.repeats()
                                     << " + dropped and counted " << got.losses() << ", lost 0");
}

TEST_CASE("the bound holds for all processes together, and each counts what it drops") {
  lab here(spool_lab::smallest);
  std::vector<std::unique_ptr<scripted_spool>> spools;
  script = {};
  for (int i = 0; i < 6; ++i) {
    spools.push_back(std::make_unique<scripted_spool>(here.path));
    static_cast<void>(spools.back()->open());
  }
  std::uint64_t recorded = 0;
  for (int i = 0; i < 1500; ++i) {
    for (auto& each : spools) {
      each->record(i % 2 == 0 ? acceptance("a" + std::to_string(i))
                              : refusal("r" + std::to_string(i)));
      ++recorded;
    }
    REQUIRE(here.bytes() <= spool_lab::smallest.max_bytes);
  }
  std::uint64_t sum = 0;
  for (auto& each : spools) {
    sum += given(*each);
    each.reset();
  }
  CHECK(sum == recorded);
  collector got;
  here.drain(got);
  CHECK(got.total() == recorded);
  CHECK(got.losses() > 0);
}

TEST_CASE("the child of a fork writes a file of its own") {
  lab here;
  auto spool = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(spool->open());
  spool->record(refusal("before"));
  spool->record(refusal("before"));
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    spool->record(refusal("child"));
    spool->record(refusal("before"));
    spool->record(refusal("before"));
    spool.reset();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  spool->record(refusal("after"));
  spool.reset();
  collector got;
  here.drain(got);
  CHECK(got.total() == 6);
  CHECK(got.repeats() == 2);
  CHECK(got.duplicates == 0);
  std::set<std::array<std::uint8_t, 16>> origins;
  for (const auto& one : got.all) origins.insert(one.id.origin);
  CHECK(origins.size() == 2);
}

TEST_CASE("an event whose sync fails is in another file as well, under the same id") {
  lab here;
  auto spool = std::make_unique<scripted_spool>(here.path);
  script = {};
  REQUIRE(spool->open());
  spool->record(refusal("a"));
  script = {};
  script.only = "sync data";
  script.fail_at = 1;
  spool->record(refusal("b"));
  CHECK(spool->why().what == errc::state_unwritable);
  CHECK(spool->why().native == EIO);
  CHECK(here.segments().size() == 2);
  script = {};
  spool->record(refusal("c"));
  spool->close();
  collector got;
  here.drain(got);
  CHECK(got.duplicates == 1);
  CHECK(got.contradictions == 0);
  CHECK(got.total() == 3);
}

TEST_CASE("a write that fails leaves no number for another event") {
  lab here;
  auto spool = std::make_unique<scripted_spool>(here.path);
  script = {};
  REQUIRE(spool->open());
  spool->record(refusal("a"));
  for (const bool torn : {false, true}) {
    script = {};
    script.only = "write";
    script.native = ENOSPC;
    script.torn = torn;
    script.fail_at = 1;
    spool->record(refusal(torn ? "torn" : "failed"));
  }
  script = {};
  CHECK(spool->dropped() == 2);
  CHECK(spool->why().native == ENOSPC);
  spool->record(refusal("b"));
  spool->close();
  collector got;
  here.drain(got);
  CHECK(got.hosts() == std::set<std::string>{"a", "b"});
  CHECK(got.losses(errc::state_unwritable) == 2);
  CHECK(got.total() == 4);
  REQUIRE(got.all.size() == 3);
  CHECK(got.all[0].id.number == 1);
  CHECK(got.all[1].id.number == 4);
}

TEST_CASE("what others put into the directory takes room, and stops nobody") {
  lab here(spool_lab::smallest);
  const std::string name = std::string(32, 'a') + "-0000000000000001.events";
  const std::string file = here.path + "/" + name;
  stores::put_octets(file, std::vector<char>(100, 'x'));
  REQUIRE(::symlink(
              "/dev/null",
              (here.path + "/" + std::string(32, 'b') + "-0000000000000001.events").c_str()) == 0);
  REQUIRE(::mkdir((here.path + "/" + std::string(32, 'c') + "-0000000000000001.events").c_str(),
                  0700) == 0);
  auto spool = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(spool->open());
  spool->record(refusal("a"));
  CHECK(spool->appended() == 1);
  spool.reset();
  stores::put_octets(here.path + "/other", std::vector<char>(600'000, 'x'));
  auto full = std::make_unique<posix::audit_spool>(here.path);
  CHECK(full->open().error().what == errc::spool_full);
  full->record(refusal("b"));
  CHECK(full->dropped() == 1);
  REQUIRE(::unlink((here.path + "/other").c_str()) == 0);
  full.reset();
  // A process that finds room later tells what it had to drop until then.
  stores::put_octets(here.path + "/other", std::vector<char>(600'000, 'x'));
  auto late = std::make_unique<scripted_spool>(here.path);
  script = {};
  CHECK(late->open().error().what == errc::spool_full);
  late->record(refusal("c"));
  late->record(acceptance("c"));
  REQUIRE(::unlink((here.path + "/other").c_str()) == 0);
  script.milliseconds = 2000;
  late->record(refusal("d"));
  late.reset();
  std::filesystem::remove(here.path + "/" + std::string(32, 'c') + "-0000000000000001.events");
  collector got;
  here.drain(got);
  CHECK(got.losses(errc::spool_full) == 2);
  CHECK(got.hosts() == std::set<std::string>{"a", "d"});
}

TEST_CASE("a shorter event in the place of one that was torn is read, and nothing behind it") {
  lab here;
  auto spool = std::make_unique<scripted_spool>(here.path);
  script = {};
  REQUIRE(spool->open());
  const std::vector<std::uint8_t> leaf(20'000, 0x30);
  audit_record large = refusal("large");
  large.leaf = leaf;
  script.only = "write";
  script.torn = true;
  script.fail_at = 1;
  spool->record(large);
  script = {};
  spool->record(refusal("a"));
  script.fail_at = 1;
  script.forever = true;
  spool.reset();
  script = {};
  collector got;
  here.drain(got);
  CHECK(got.losses(errc::spool_damaged) == 0);
  CHECK(got.total() == 2);
}
