// SPDX-License-Identifier: BSL-1.0
#include <cotter/posix/audit_spool.hpp>

#include "scripted_audit_calls.hpp"
#include "spool_lab.hpp"

#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <csignal>
#include <fstream>
#include <memory>
#include <random>
#include <string>

using namespace cotter;
using spool_lab::acceptance;
using spool_lab::change;
using spool_lab::collector;
using spool_lab::lab;
using spool_lab::no_hurry;
using spool_lab::refusal;
using spool_lab::script;
using spool_lab::scripted_audit_calls;

namespace {

using scripted_spool = posix::basic_audit_spool<scripted_audit_calls>;
using scripted_reader = posix::basic_audit_spool_reader<scripted_audit_calls>;

/// What a child has begun to record, and what `record` has returned for.
struct progress {
  std::atomic<std::uint64_t> begun{0};
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> repeats_begun{0};
  std::atomic<std::uint64_t> repeats_done{0};
  std::atomic<std::uint64_t> dropped{0};
};
template <typename Shared>
class shared_memory {
 public:
  shared_memory()
      : at_(::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                   0)) {
    REQUIRE(at_ != MAP_FAILED);
    new (at_) Shared;
  }
  shared_memory(const shared_memory&) = delete;
  shared_memory& operator=(const shared_memory&) = delete;
  ~shared_memory() { ::munmap(at_, sizeof(Shared)); }
  Shared* operator->() const { return static_cast<Shared*>(at_); }

 private:
  void* at_;
};

std::string unique_host(int round, std::uint64_t i) {
  return "u" + std::to_string(round) + "-" + std::to_string(i);
}
audit_record unique_record(const std::string& host, std::uint64_t i) {
  return i % 3 == 0 ? refusal(host) : acceptance(host);
}

/// Until somebody ends it: records of which no two are equal, and now and then one that repeats.
template <typename Spool>
[[noreturn]] void record_forever(const std::string& path, int round, progress& shared) {
  auto spool = std::make_unique<Spool>(path);
  if (!spool->open()) ::_exit(1);
  for (std::uint64_t i = 0;; ++i) {
    const std::string host = unique_host(round, i);
    ++shared.begun;
    spool->record(unique_record(host, i));
    ++shared.done;
    if (i % 2 == 0) {
      ++shared.repeats_begun;
      spool->record(i % 4 == 0 ? refusal("repeated") : acceptance("repeated"));
      ++shared.repeats_done;
    }
    if (spool->dropped() != 0) ::_exit(2);
  }
}

int end_of(pid_t child) {
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

}  // namespace

TEST_CASE("kill -9 at 400 random points loses nothing that record returned for") {
  lab here({256u << 20, 128u << 10});
  std::mt19937 random(20261121);
  std::uniform_int_distribution<unsigned> delay(0, 3000);
  collector got;
  std::uint64_t accepted = 0;
  std::uint64_t repeats = 0;
  std::uint64_t repeats_begun = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t lost = 0;
  constexpr int rounds = 400;
  std::vector<std::uint64_t> done;
  for (int round = 0; round < rounds; ++round) {
    shared_memory<progress> shared;
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) record_forever<posix::audit_spool>(here.path, round, *shared.operator->());
    ::usleep(delay(random));
    // Sometimes while somebody reads.
    if (round % 4 == 0) here.drain(got, "siem", std::chrono::milliseconds(2));
    REQUIRE(::kill(child, SIGKILL) == 0);
    REQUIRE(WIFSIGNALED(end_of(child)));
    done.push_back(shared->done);
    accepted += shared->done + shared->repeats_done;
    repeats += shared->repeats_done;
    repeats_begun += shared->repeats_begun;
    in_flight += shared->begun + shared->repeats_begun - shared->done - shared->repeats_done;
  }
  here.drain(got);
  const auto hosts = got.hosts();
  for (int round = 0; round < rounds; ++round) {
    for (std::uint64_t i = 0; i < done[static_cast<std::size_t>(round)]; ++i) {
      if (!hosts.contains(unique_host(round, i))) ++lost;
    }
  }
  std::uint64_t repeated = 0;
  for (const auto& [id, r] : got.unique) {
    if (r.host == "repeated") repeated += r.weight();
  }
  CHECK(lost == 0);
  CHECK(repeated >= repeats);
  CHECK(repeated <= repeats_begun);
  CHECK(got.losses() == 0);
  CHECK(got.contradictions == 0);
  CHECK(got.total() >= accepted);
  CHECK(got.total() <= accepted + in_flight);
  CHECK(accepted > 10'000);
  CHECK(in_flight > rounds / 8);
  CHECK(here.segments().empty());
  WARN(rounds << " kills: accepted " << accepted << " (of them " << repeats
              << " repeats), delivered " << got.total() << " in " << got.unique.size()
              << " events, of which " << got.total() - accepted << " of " << in_flight
              << " in flight; duplicated " << got.duplicates << ", dropped and counted "
              << got.losses() << ", lost " << lost);
}

TEST_CASE("4 processes record while a fifth delivers: each event once") {
  lab here({64u << 20, 128u << 10});
  std::array<pid_t, 4> children{};
  constexpr std::uint64_t each = 3000;
  for (int c = 0; c < 4; ++c) {
    children[static_cast<std::size_t>(c)] = ::fork();
    if (children[static_cast<std::size_t>(c)] != 0) continue;
    auto spool = std::make_unique<posix::audit_spool>(here.path);
    if (!spool->open()) ::_exit(1);
    for (std::uint64_t i = 0; i < each; ++i) {
      const std::string host = unique_host(c, i);
      spool->record(unique_record(host, i));
      spool->record(refusal("repeated", static_cast<std::int64_t>(i / 10)));
    }
    const bool whole = spool->appended() + spool->suppressed() == 2 * each;
    spool.reset();
    ::_exit(whole ? 0 : 2);
  }
  collector got;
  int drains = 0;
  for (int alive = 4; alive > 0;) {
    here.drain(got);
    ++drains;
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended <= 0) continue;
    CHECK(status == 0);
    --alive;
  }
  here.drain(got);
  CHECK(got.hosts().size() == 4 * each + 1);
  CHECK(got.total() == 4 * each * 2);
  CHECK(got.duplicates == 0);
  CHECK(got.losses() == 0);
  CHECK(here.segments().empty());
  WARN("4 processes, " << drains << " drains meanwhile: accepted " << 8 * each << ", delivered "
                       << got.total() << ", duplicated " << got.duplicates
                       << ", dropped and counted " << got.losses() << ", lost "
                       << 8 * each - got.total());
}

namespace {

constexpr std::uint64_t in_a_story = 12;

/// A little of everything.
void record_story(scripted_spool& spool, std::atomic<std::uint64_t>* told = nullptr) {
  const auto tell = [&](const audit_record& what) {
    spool.record(what);
    if (told != nullptr) ++*told;
  };
  tell(refusal("a", 0));
  tell(acceptance("a", 0));
  tell(refusal("a", 1));
  tell(acceptance("a", 2));
  tell(change(3));
  tell(acceptance("b", 4));
  tell(refusal("b", 5));
  tell(refusal("a", 6));
  tell(refusal("a", 70));
  tell(acceptance("a", 71));
  tell(refusal("c", 72));
  tell(acceptance("c", 72));
}

}  // namespace

TEST_CASE("whichever call of a writer fails, every record is kept or counted") {
  for (const bool torn : {false, true}) {
    for (const int native : {EIO, ENOSPC}) {
      for (int at = 1;; ++at) {
        REQUIRE(at < 300);
        lab here;
        script = {};
        script.fail_at = at;
        script.torn = torn;
        script.native = native;
        auto spool = std::make_unique<scripted_spool>(here.path);
        const bool opened = static_cast<bool>(spool->open());
        const bool open = opened || spool->why().what == errc::state_unwritable ||
                          spool->why().what == errc::spool_full;
        record_story(*spool);
        const std::string hit = script.name;
        const std::uint64_t kept = spool->appended() + spool->suppressed();
        const std::uint64_t dropped = spool->dropped();
        spool.reset();
        script = {};
        CAPTURE(at, hit, torn, native, opened);
        CHECK(kept + dropped == in_a_story);
        collector got;
        here.drain(got);
        CHECK(got.plain() + got.repeats() >= kept);
        if (open) {
          // Together with the losses that it tells of: all of them. An event whose sync failed may
          // be there, though it was counted.
          CHECK(got.total() == in_a_story);
        }
        CHECK(got.contradictions == 0);
        if (hit.empty() && script.name.empty() && at > 40) break;
      }
    }
  }
}

TEST_CASE("a disk that fails from some call on, for good: what was kept before it is delivered") {
  for (int at = 1; at < 60; ++at) {
    lab here;
    script = {};
    script.fail_at = at;
    script.forever = true;
    script.native = EROFS;
    auto spool = std::make_unique<scripted_spool>(here.path);
    static_cast<void>(spool->open());
    record_story(*spool);
    const std::uint64_t kept = spool->appended() + spool->suppressed();
    CAPTURE(at, kept);
    CHECK(kept + spool->dropped() == in_a_story);
    spool.reset();
    script = {};
    collector got;
    here.drain(got);
    CHECK(got.plain() + got.repeats() >= kept);
    CHECK(got.total() <= in_a_story);
  }
}

TEST_CASE("kill -9 at every call of a writer loses and doubles nothing") {
  for (const bool torn : {false, true}) {
    bool finished = false;
    for (int at = 1; !finished; ++at) {
      REQUIRE(at < 300);
      lab here;
      shared_memory<progress> shared;
      const pid_t child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        script = {};
        script.fail_at = at;
        script.kill = true;
        script.torn = torn;
        auto spool = std::make_unique<scripted_spool>(here.path);
        if (!spool->open()) ::_exit(1);
        record_story(*spool, &shared->done);
        spool.reset();
        ::_exit(0);
      }
      const int status = end_of(child);
      finished = WIFEXITED(status);
      if (finished) REQUIRE(WEXITSTATUS(status) == 0);
      collector got;
      here.drain(got);
      CAPTURE(at, torn);
      CHECK(got.losses() == 0);
      CHECK(got.total() >= shared->done.load());
      CHECK(got.total() <= shared->done.load() + 1);
      if (finished) CHECK(at > 25);
    }
  }
}

namespace {

/// A receiver whose memory outlives the drainer: a line for each event.
struct file_sender {
  std::string path;
  delivery deliver(std::span<const audit_event> events, std::chrono::steady_clock::time_point) {
    std::ofstream out(path, std::ios::app);
    for (const audit_event& e : events) {
      std::array<char, event_id_chars> text{};
      const std::size_t size = to_chars(e.id, text);
      out << std::string_view(text.data(), size) << ' '
          << (e.what.suppressed_count != 0 ? e.what.suppressed_count : 1) << '\n';
    }
    delivery done;
    done.settled = events.size();
    return done;
  }
};
struct lines {
  explicit lines(const std::string& path) {
    std::ifstream in(path);
    std::string id;
    std::uint64_t weight = 0;
    while (in >> id >> weight) {
      const auto [known, fresh] = unique.emplace(id, weight);
      if (!fresh) ++duplicates;
      if (known->second != weight) ++contradictions;
    }
    for (const auto& [one, count] : unique) total += count;
  }
  std::map<std::string, std::uint64_t> unique{};
  std::uint64_t duplicates = 0;
  std::uint64_t contradictions = 0;
  std::uint64_t total = 0;
};

/// Twelve records of a writer that has ended without warning.
void abandon_story(const std::string& path) {
  script = {};
  auto spool = std::make_unique<scripted_spool>(path);
  REQUIRE(spool->open());
  record_story(*spool);
  script.fail_at = 1;
  script.forever = true;
  spool.reset();
  script = {};
}

/// As many records again, in several segments.
void abandon_segments(const std::string& path) {
  posix::audit_spool spool(path);
  REQUIRE(spool.open());
  const std::vector<std::uint8_t> leaf(24'000, 0x30);
  for (std::uint64_t i = 0; i < in_a_story; ++i) {
    const std::string host = unique_host(0, i);
    audit_record what = refusal(host);
    what.leaf = leaf;
    spool.record(what);
  }
}

void drain_in_twos(const std::string& path, const std::string& to) {
  scripted_reader reader(path, "siem");
  if (!reader.open()) return;
  file_sender sender{to};
  posix::audit_drainer<file_sender, scripted_audit_calls> drainer(reader, sender,
                                                                  {.max_events = 2});
  drainer.drain(no_hurry());
}

}  // namespace

TEST_CASE("a drainer killed at every call delivers all of it, at least once, under the same ids") {
  std::uint64_t duplicates = 0;
  bool finished = false;
  int at = 1;
  for (; !finished; ++at) {
    REQUIRE(at < 1000);
    lab here({1u << 20, 128u << 10});
    const std::string to = here.directory / "received";
    abandon_story(here.path);
    abandon_segments(here.path);
    REQUIRE(here.segments().size() > 3);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      script = {};
      script.fail_at = at;
      script.kill = true;
      drain_in_twos(here.path, to);
      ::_exit(0);
    }
    finished = WIFEXITED(end_of(child));
    script = {};
    drain_in_twos(here.path, to);
    const lines got(to);
    CAPTURE(at);
    CHECK(got.total == 2 * in_a_story);
    CHECK(got.contradictions == 0);
    CHECK(got.duplicates <= 2);
    CHECK(here.segments().empty());
    duplicates += got.duplicates;
  }
  CHECK(at > 60);
  CHECK(duplicates > 0);
  WARN("drainer killed at each of " << at << " calls: lost 0, duplicated " << duplicates);
}

TEST_CASE("whichever call of a drainer fails, the next one delivers what is left") {
  for (const bool forever : {false, true}) {
    for (int at = 1; at < 220; ++at) {
      lab here;
      const std::string to = here.directory / "received";
      abandon_story(here.path);
      script = {};
      script.fail_at = at;
      script.forever = forever;
      drain_in_twos(here.path, to);
      const std::string hit = script.name;
      script = {};
      drain_in_twos(here.path, to);
      const lines got(to);
      CAPTURE(at, hit, forever);
      CHECK(got.total == in_a_story);
      CHECK(got.contradictions == 0);
      // What could not be removed then is removed now.
      drain_in_twos(here.path, to);
      CHECK(here.segments().empty());
    }
  }
}

namespace {

/// Fills a disk that is smaller than the spool's bound; the answer is what the child ends with.
int fill_the_disk(const std::string& path, progress& shared) {
  auto spool = std::make_unique<posix::audit_spool>(path);
  if (!spool->open()) return 10;
  for (std::uint64_t i = 0; i < 8000; ++i) {
    const std::string host = unique_host(0, i);
    spool->record(unique_record(host, i));
    ++shared.done;
    if (spool->dropped() > 500) break;
  }
  shared.dropped = spool->dropped();
  if (spool->dropped() == 0) return 11;
  if (spool->why().what != errc::state_unwritable) return 12;
  if (spool->appended() + spool->dropped() != shared.done) return 13;
  // No warning.
  ::kill(::getpid(), SIGKILL);
  return 14;
}

}  // namespace

TEST_CASE("a disk that is full: kept or counted, also when the process is killed then") {
  bool mounted = true;
  for (const bool mounts : {true, false}) {
    lab here({64u << 20, 256u << 10});
    shared_memory<progress> shared;
    const std::string kept = here.directory / "kept";
    int status = 0;
    if (mounts) {
      // A small disk that only the child sees; what is on it is copied out before it ends.
      const pid_t child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("none", here.path.c_str(), "tmpfs", 0, "size=640k,mode=0700") != 0) {
          ::_exit(77);
        }
        if (!posix::audit_spool::create(here.path, {64u << 20, 256u << 10}) ||
            !posix::audit_spool_reader::enroll(here.path, "siem")) {
          ::_exit(20);
        }
        const pid_t filler = ::fork();
        if (filler == 0) ::_exit(fill_the_disk(here.path, *shared.operator->()));
        int end = 0;
        ::waitpid(filler, &end, 0);
        std::error_code failed;
        std::filesystem::copy(here.path, kept, failed);
        ::_exit(failed ? 21 : WIFSIGNALED(end) ? 0 : WEXITSTATUS(end));
      }
      status = end_of(child);
      REQUIRE(WIFEXITED(status));
      if (WEXITSTATUS(status) == 77) {
        mounted = false;
        continue;
      }
      REQUIRE(WEXITSTATUS(status) == 0);
      std::filesystem::remove_all(here.path);
      std::filesystem::rename(kept, here.path);
      ::chmod(here.path.c_str(), 0700);
    } else {
      const pid_t child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        struct rlimit most {};
        most.rlim_cur = most.rlim_max = 100'000;
        ::signal(SIGXFSZ, SIG_IGN);
        if (::setrlimit(RLIMIT_FSIZE, &most) != 0) ::_exit(15);
        ::_exit(fill_the_disk(here.path, *shared.operator->()));
      }
      status = end_of(child);
      REQUIRE(WIFSIGNALED(status));
    }
    collector got;
    here.drain(got);
    CHECK(got.losses(errc::state_unwritable) == shared->dropped);
    CHECK(got.total() == shared->done);
    CHECK(got.duplicates == 0);
    WARN((mounts ? "disk of 640 KiB full" : "files no longer than 100 kB")
         << ", then kill -9: accepted " << shared->done << ", delivered " << got.plain()
         << ", duplicated " << got.duplicates << ", dropped and counted " << got.losses()
         << ", lost " << shared->done - got.total());
  }
  if (!mounted) WARN("no disk could be mounted: only the limit of a file's size was tried");
}
