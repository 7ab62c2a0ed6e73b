// SPDX-License-Identifier: BSL-1.0
#include <cotter/posix/audit_spool_reader.hpp>

#include "scripted_audit_calls.hpp"
#include "spool_lab.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>

using namespace cotter;
using spool_lab::acceptance;
using spool_lab::collector;
using spool_lab::lab;
using spool_lab::refusal;
using spool_lab::script;

using scripted_spool = posix::basic_audit_spool<spool_lab::scripted_audit_calls>;

namespace {

/// A segment, and what an undamaged reading of it gives.
struct specimen {
  explicit specimen(bool closed) : here(spool_lab::smallest) {
    auto spool = std::make_unique<scripted_spool>(here.path,
                                                  posix::audit_spool_options{.client = "specimen"});
    script = {};
    REQUIRE(spool->open());
    std::vector<std::uint8_t> leaf(60, 0xc7);
    for (int i = 0; i < 6; ++i) {
      const std::string host = "h" + std::to_string(i);
      audit_record what = i % 2 == 0 ? refusal(host) : acceptance(host);
      if (i == 2) what.leaf = leaf;
      spool->record(what);
    }
    spool->record(refusal("h0", 1));
    spool->record(refusal("h0", 2));
    spool->record(acceptance("h1", 3));
    recorded = 9;
    if (!closed) {
      script.only = "write";
      script.fail_at = script.count + 1;
      spool->record(refusal("dropped", 4));
      ++recorded;
      // Its end comes without warning: nothing more is written.
      script = {};
      script.fail_at = 1;
      script.forever = true;
    }
    spool.reset();
    script = {};
    const auto names = here.segments();
    REQUIRE(names.size() == 1);
    file = names[0];
    octets = stores::octets_in(file);
    cursor = stores::octets_in(here.path + "/cursor.siem");
    intact = read();
    REQUIRE(intact.total() == recorded);
    REQUIRE(intact.losses() == (closed ? 0u : 1u));
    locate_frames();
  }

  /// Everything that a reader gives, without settling any of it.
  collector read() const {
    collector got;
    posix::audit_spool_reader reader(here.path, "siem");
    REQUIRE(reader.open());
    const auto events = reader.next(10'000, 1u << 24);
    REQUIRE(events);
    for (const audit_event& e : *events) got.take(e);
    return got;
  }
  collector read(const std::vector<char>& changed) const {
    stores::put_octets(file, changed);
    return read();
  }

  struct frame {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::uint64_t number = 0;
  };
  void locate_frames() {
    std::vector<std::uint8_t> bytes(octets.begin(), octets.end());
    const auto name = posix::audit_format::parse_segment_name(
        std::filesystem::path(file).filename().string(), ".events");
    REQUIRE(name);
    origin = name->origin;
    const std::uint32_t seed = posix::audit_format::seed_of(*name);
    for (std::size_t from = posix::audit_format::header_bytes;;) {
      const auto found = posix::audit_format::find_frame(bytes, from, seed);
      if (found.is != posix::audit_format::frame_found::what::frame) break;
      frames.push_back({found.at, found.at + found.header.frame_bytes(), found.header.number});
      from = frames.back().end;
    }
  }
  [[nodiscard]] bool has(const collector& got, std::uint64_t number) const {
    const auto found = got.unique.find({origin, number});
    const auto whole = intact.unique.find({origin, number});
    return found != got.unique.end() && found->second == whole->second;
  }

  lab here;
  std::uint64_t recorded = 0;
  std::string file;
  std::vector<char> octets;
  std::vector<char> cursor;
  collector intact;
  std::array<std::uint8_t, 16> origin{};
  std::vector<frame> frames;
};

}  // namespace

TEST_CASE("one bit changed anywhere in a segment: intact events come, damaged ones are counted") {
  for (const bool closed : {true, false}) {
    const specimen one(closed);
    std::uint64_t damaged = 0;
    std::uint64_t counted = 0;
    for (std::size_t i = 0; i < one.octets.size(); ++i) {
      auto changed = one.octets;
      changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
      const collector got = one.read(changed);
      CAPTURE(closed, i);
      std::uint64_t hit = 0;
      for (const auto& f : one.frames) {
        if (i >= f.begin && i < f.end) {
          hit = f.number;
        } else {
          REQUIRE(one.has(got, f.number));
        }
      }
      if (hit == 0) {
        // Every part of the header is there twice.
        REQUIRE(got.unique == one.intact.unique);
        continue;
      }
      REQUIRE_FALSE(got.unique.contains({one.origin, hit}));
      ++damaged;
      if (got.losses(errc::spool_damaged) != 0) ++counted;
      REQUIRE(got.losses(errc::spool_damaged) >= 1);
      REQUIRE(got.total() >= one.recorded);
      // Nothing says how many repeats a frame told of that is gone, but the slot it settles.
      REQUIRE(got.total() <= one.recorded + 2);
    }
    CHECK(damaged == counted);
    WARN("bit flips in " << one.octets.size() << " octets, one in each: " << damaged
                         << " damaged a frame, as many were counted, intact frames lost 0");
  }
}

TEST_CASE(
    "a segment cut at any length: what is whole comes, and what a closed one misses is counted") {
  for (const bool closed : {true, false}) {
    const specimen one(closed);
    for (std::size_t size = 0; size <= one.octets.size(); ++size) {
      auto changed = one.octets;
      changed.resize(size);
      const collector got = one.read(changed);
      CAPTURE(closed, size);
      std::uint64_t cut = 0;
      for (const auto& f : one.frames) {
        if (f.end <= size) {
          REQUIRE(one.has(got, f.number));
        } else {
          ++cut;
        }
      }
      if (size < posix::audit_format::header_bytes) {
        REQUIRE(got.losses(errc::spool_damaged) >= 1);
      } else if (closed) {
        REQUIRE(got.losses(errc::spool_damaged) >= cut);
      }
    }
  }
}

TEST_CASE("octets at random, in place of a segment or a part of it, end nothing") {
  const specimen one(false);
  std::uint32_t state = 1;
  const auto random = [&state] { return state = state * 1664525u + 1013904223u, state >> 8; };
  for (int round = 0; round < 400; ++round) {
    auto changed = one.octets;
    const std::size_t begin = random() % changed.size();
    const std::size_t end = std::min(changed.size(), begin + 1 + random() % 2000);
    for (std::size_t i = begin; i < end; ++i) changed[i] = static_cast<char>(random());
    const collector got = one.read(changed);
    for (const auto& f : one.frames) {
      if (f.end <= begin || f.begin >= end) REQUIRE(got.unique.contains({one.origin, f.number}));
    }
  }
  stores::put_octets(one.file, std::vector<char>(100'000, static_cast<char>(0xc7)));
  CHECK(one.read().plain() == 0);
}

TEST_CASE("a frame inside a certificate is no event, though what is around it is damaged") {
  specimen one(true);
  // The whole of another spool's frame, as a leaf: its checksums go on from another origin.
  const specimen other(true);
  lab here;
  auto spool = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(spool->open());
  audit_record what = refusal("outer");
  const auto& inner = other.frames[0];
  const std::vector<std::uint8_t> leaf(
      other.octets.begin() + static_cast<std::ptrdiff_t>(inner.begin),
      other.octets.begin() + static_cast<std::ptrdiff_t>(inner.end));
  what.leaf = leaf;
  spool->record(what);
  spool->record(refusal("after"));
  spool.reset();
  auto octets = stores::octets_in(here.segments().at(0));
  octets[posix::audit_format::header_bytes + 4] ^= 1;  // its length
  stores::put_octets(here.segments().at(0), octets);
  collector got;
  here.drain(got);
  CHECK(got.hosts() == std::set<std::string>{"after"});
  CHECK(got.losses(errc::spool_damaged) == 1);
}

TEST_CASE("what a writer that ended left open is told once, under the same id each time") {
  specimen one(false);
  const collector again = one.read();
  CHECK(again.unique == one.intact.unique);
  CHECK(again.repeats() == 3);
  CHECK(again.losses(errc::state_unwritable) == 1);
  for (const auto& [id, r] : again.unique) {
    if (r.suppressed_count == 0) continue;
    CHECK(id.origin[0] == static_cast<std::uint8_t>(~one.origin[0]));
    CHECK(r.client == "specimen");
    if (r.host == "h0") {
      CHECK(r.suppressed_count == 2);
      CHECK(r.since == spool_lab::at(0));
      CHECK(r.at == spool_lab::at(2));
    }
  }
  collector got;
  const auto report = one.here.drain(got);
  CHECK(got.unique == one.intact.unique);
  CHECK(report.delivered == got.all.size());
  one.here.drain(got);
  CHECK(got.duplicates == 0);
  CHECK(one.here.segments().empty());
}

TEST_CASE("a slot that a frame has settled is not told again") {
  lab here;
  auto spool = std::make_unique<scripted_spool>(here.path);
  script = {};
  REQUIRE(spool->open());
  spool->record(refusal("a", 0));
  spool->record(refusal("a", 1));
  spool->record(refusal("a", 100));  // tells of the one before
  script.fail_at = 1;
  script.forever = true;
  spool.reset();
  script = {};
  collector got;
  here.drain(got);
  CHECK(got.total() == 3);
  CHECK(got.all.size() == 3);
}

TEST_CASE("a segment stays until every output has passed it, and its writer is gone") {
  lab here(spool_lab::smallest);
  REQUIRE(posix::audit_spool_reader::enroll(here.path, "slow"));
  auto spool = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(spool->open());
  int n = 0;
  while (here.segments().size() < 3) spool->record(acceptance("a" + std::to_string(n++)));
  collector fast;
  here.drain(fast);
  CHECK(fast.plain() == static_cast<std::uint64_t>(n));
  CHECK(here.segments().size() == 3);
  collector slow;
  here.drain(slow, "slow");
  CHECK(slow.unique == fast.unique);
  // The one that is written to stays.
  CHECK(here.segments().size() == 1);
  spool->record(acceptance("more"));
  spool.reset();
  here.drain(slow, "slow");
  CHECK(here.segments().size() == 1);
  CHECK(slow.plain() == static_cast<std::uint64_t>(n) + 1);
  REQUIRE(posix::audit_spool_reader::withdraw(here.path, "slow"));
  here.drain(fast);
  CHECK(fast.plain() == static_cast<std::uint64_t>(n) + 1);
  CHECK(here.segments().empty());
}

TEST_CASE("an output has one reader, and is its cursor") {
  lab here;
  using reader_type = posix::audit_spool_reader;
  CHECK(reader_type::enroll(here.path, "siem").error().what == errc::state_exists);
  for (const char* bad : {"", "a/b", "A", "..", "a.b", "123456789012345678901234567890123"}) {
    CHECK(reader_type::enroll(here.path, bad).error().what == errc::invalid_value);
  }
  CHECK(reader_type::enroll(here.directory / "none", "siem").error().what == errc::state_absent);
  CHECK(reader_type(here.path, "absent").open().error().what == errc::state_absent);
  CHECK(reader_type::withdraw(here.path, "absent").error().what == errc::state_absent);
  reader_type one(here.path, "siem");
  REQUIRE(one.open());
  reader_type two(here.path, "siem");
  CHECK(two.open().error().what == errc::state_busy);
  CHECK(reader_type::withdraw(here.path, "siem").error().what == errc::state_busy);
  one.close();
  CHECK(two.open());
  CHECK_FALSE(one.next(1, 1));
}

TEST_CASE(
    "a cursor that was changed anywhere begins anew: everything comes again, nothing is lost") {
  lab here;
  REQUIRE(posix::audit_spool_reader::enroll(here.path, "slow"));
  auto spool = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(spool->open());
  for (int i = 0; i < 5; ++i) spool->record(refusal("h" + std::to_string(i)));
  collector got;
  here.drain(got);
  const std::string file = here.path + "/cursor.siem";
  const auto good = stores::octets_in(file);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const bool cut : {false, true}) {
      auto changed = good;
      if (cut) {
        changed.resize(i);
      } else {
        changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
      }
      stores::put_octets(file, changed);
      posix::audit_spool_reader reader(here.path, "siem");
      REQUIRE(reader.open());
      CHECK(reader.restarted());
      const auto events = reader.next(100, 1u << 20);
      REQUIRE(events);
      CHECK(events->size() == 5);
    }
  }
  // One output's cursor is none of another one's.
  stores::put_octets(file, stores::octets_in(here.path + "/cursor.slow"));
  posix::audit_spool_reader reader(here.path, "siem");
  REQUIRE(reader.open());
  CHECK(reader.restarted());
  // Nothing is removed on the word of a cursor that is damaged.
  spool.reset();
  stores::put_octets(here.path + "/cursor.slow", {'x'});
  reader.close();
  here.drain(got);
  CHECK(here.segments().size() == 1);
  CHECK(got.unique.size() == 5);
}

TEST_CASE("a batch is bounded by events and by octets, and goes on where it was settled") {
  lab here;
  auto spool = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(spool->open());
  const std::vector<std::uint8_t> leaf(10'000, 1);
  for (int i = 0; i < 10; ++i) {
    const std::string host = "h" + std::to_string(i);
    audit_record what = refusal(host);
    what.leaf = leaf;
    spool->record(what);
  }
  posix::audit_spool_reader reader(here.path, "siem");
  REQUIRE(reader.open());
  CHECK(reader.next(3, 1u << 20)->size() == 3);
  CHECK(reader.next(100, 25'000)->size() == 2);
  CHECK(reader.next(100, 1)->size() == 1);
  CHECK(reader.next(4, 1u << 20)->size() == 4);
  reader.settle(2);
  auto next = reader.next(1, 1u << 20);
  REQUIRE(next->size() == 1);
  CHECK(next->front().what.endpoint.host == "h2");
  CHECK(reader.left_bytes() > 80'000);
  reader.settle(1);
  REQUIRE(reader.save());
  reader.close();
  // What was settled and not saved comes again.
  REQUIRE(reader.open());
  next = reader.next(100, 1u << 20);
  REQUIRE(next->size() == 7);
  CHECK(next->front().what.endpoint.host == "h3");
  reader.settle(7);
  reader.close();
  REQUIRE(reader.open());
  CHECK(reader.next(100, 1u << 20)->size() == 7);
}

TEST_CASE("a file that is not the user's own holds back its origin, and no other one") {
  lab here;
  auto one = std::make_unique<posix::audit_spool>(here.path);
  auto two = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(one->open());
  REQUIRE(two->open());
  one->record(refusal("one"));
  two->record(refusal("two"));
  one.reset();
  two.reset();
  const std::string file = here.segments().at(0);
  REQUIRE(::chmod(file.c_str(), 0640) == 0);
  posix::audit_spool_reader reader(here.path, "siem");
  REQUIRE(reader.open());
  CHECK(reader.next(10, 1u << 20)->size() == 1);
  CHECK(reader.why().what == errc::state_foreign);
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
  CHECK(reader.next(10, 1u << 20)->size() == 2);
  CHECK(reader.why().what == errc::ok);
}

TEST_CASE("a segment that somebody removed is counted frame by frame") {
  lab here(spool_lab::smallest);
  auto spool = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(spool->open());
  int n = 0;
  collector got;
  while (here.segments().size() < 3) {
    spool->record(acceptance("a" + std::to_string(n++)));
    if (n == 1) here.drain(got);
  }
  spool.reset();
  REQUIRE(::unlink(here.segments().at(1).c_str()) == 0);
  here.drain(got);
  CHECK(got.losses(errc::spool_damaged) > 100);
  CHECK(got.total() == static_cast<std::uint64_t>(n));
}

TEST_CASE("what a writer left half made is removed once it is old, and nobody has it") {
  lab here;
  const std::string stem = here.path + "/" + std::string(32, 'a') + "-000000000000000";
  const std::array<std::string, 3> files{stem + "1.new", stem + "2.new", stem + "3.new"};
  for (const std::string& file : files) stores::put_octets(file, {'x'});
  for (const std::size_t old : {std::size_t{0}, std::size_t{1}}) {
    std::filesystem::last_write_time(
        files[old], std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
  }
  const int held = posix::system_calls::open(AT_FDCWD, files[1].c_str(), O_RDWR);
  REQUIRE(posix::system_calls::lock(held, F_WRLCK, 0) == 0);
  collector got;
  here.drain(got);
  CHECK_FALSE(std::filesystem::exists(files[0]));
  CHECK(std::filesystem::exists(files[1]));
  CHECK(std::filesystem::exists(files[2]));
  posix::system_calls::close(held);
}

TEST_CASE("who only looks sees what there is, writes nothing and holds nothing back") {
  lab here;
  auto spool = std::make_unique<posix::audit_spool>(here.path);
  REQUIRE(spool->open());
  for (int i = 0; i < 3; ++i) spool->record(refusal("h" + std::to_string(i)));
  const std::uint64_t before = here.bytes();
  const auto seen = [&here](const char* output) {
    posix::audit_spool_reader view(here.path, output);
    REQUIRE(view.look());
    const auto some = view.next(100, 1u << 20);
    REQUIRE(some);
    const std::size_t count = some->size();
    view.settle(count);
    CHECK(view.save());
    return count;
  };
  CHECK(seen("") == 3);
  CHECK(seen("") == 3);
  CHECK(seen("siem") == 3);
  CHECK(here.bytes() == before);
  posix::audit_spool_reader nobody(here.path, "nobody");
  CHECK(nobody.look().error().what == errc::state_absent);

  posix::audit_spool_reader open_view(here.path, "");
  REQUIRE(open_view.look());
  collector got;
  CHECK(here.drain(got).delivered == 3);
  CHECK(seen("siem") == 0);
  spool.reset();
  here.drain(got);
  CHECK(here.segments().empty());
  const auto late = open_view.next(100, 1u << 20);
  REQUIRE(late);
  CHECK(late->empty());
}
