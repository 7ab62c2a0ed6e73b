// SPDX-License-Identifier: BSL-1.0
#include <cotter/posix/line_file_sender.hpp>

#include <cotter/testing/laws/audit_sender.hpp>

#include <audit/support/local_receiver.hpp>
#include <audit/support/numbered.hpp>
#include <support/laws.hpp>

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace cotter;
using numbered::within;
namespace fs = std::filesystem;

using plain_sender = posix::line_file_sender<numbered::render>;
static_assert(audit_sender<plain_sender>);

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The lines of a file; one without its newline is last, and marked.
std::vector<std::string> lines(const std::string& path) {
  std::vector<std::string> out;
  const std::string all = content(path);
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = all.find('\n', at);
    out.push_back(end == all.npos ? all.substr(at) + " (torn)" : all.substr(at, end - at));
    at = end == all.npos ? all.size() : end + 1;
  }
  return out;
}

/// The lines of all generations, oldest first.
std::vector<std::string> all_lines(const std::string& path, unsigned kept) {
  std::vector<std::string> out;
  for (unsigned n = kept + 1; n-- > 0;) {
    const auto some = lines(n == 0 ? path : path + "." + std::to_string(n));
    out.insert(out.end(), some.begin(), some.end());
  }
  return out;
}

void write(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
}

/// A disk that is full after so many more octets, or cannot make anything durable.
struct failing_calls : posix::system_calls {
  static inline long room = -1;      ///< -1: no end
  static inline int syncs_fail = 0;  ///< errno of each
  static inline int renames_fail = 0;

  static void heal() noexcept { room = -1, syncs_fail = 0, renames_fail = 0; }
  static ssize_t write(int file, const void* from, std::size_t size_bytes, off_t at) noexcept {
    if (room < 0) return system_calls::write(file, from, size_bytes, at);
    if (room == 0) {
      errno = ENOSPC;
      return -1;
    }
    const auto some = std::min(size_bytes, static_cast<std::size_t>(room));
    room -= static_cast<long>(some);
    return system_calls::write(file, from, some, at);
  }
  static int sync(int file) noexcept {
    if (syncs_fail == 0) return system_calls::sync(file);
    errno = syncs_fail;
    return -1;
  }
  static int rename(int directory, const char* from, const char* to) noexcept {
    if (renames_fail == 0) return system_calls::rename(directory, from, to);
    errno = renames_fail;
    return -1;
  }
};

using failing_sender = posix::line_file_sender<numbered::render, failing_calls>;

}  // namespace

TEST_CASE("line_file_sender keeps the laws of audit_sender") {
  temporary_directory here;
  failing_calls::heal();
  failing_sender sender(here.file("audit.jsonl"));
  testing::audit_sender_material<failing_sender> lent{sender};
  lent.received = [&] { return lines(here.file("audit.jsonl")); };
  lent.withhold = [](bool so) { failing_calls::room = so ? 0 : -1; };
  require_laws(testing::check_audit_sender_laws(lent));
}

TEST_CASE("a file is made for its owner alone, a line for each event") {
  temporary_directory here;
  const mode_t before = ::umask(0);
  plain_sender sender(here.file("audit.jsonl"));
  const auto some = numbered::events(1, 3);
  const delivery sent = sender.deliver(some, within(1000));
  ::umask(before);
  CHECK(sent.settled == 3);
  CHECK(numbered::numbers_in(lines(here.file("audit.jsonl"))) == numbered::from_to(1, 3));
  CHECK(fs::status(here.file("audit.jsonl")).permissions() ==
        (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("an event that is rendered as nothing is settled and leaves no line") {
  temporary_directory here;
  plain_sender sender(here.file("audit.jsonl"), {0, true});
  CHECK(sender.deliver(numbered::events(7, 1), within(1000)).settled == 1);
  CHECK_FALSE(fs::exists(here.file("audit.jsonl")));
  CHECK(sender.deliver(numbered::events(6, 3), within(1000)).settled == 3);
  CHECK(numbered::numbers_in(lines(here.file("audit.jsonl"))) == std::vector<std::uint64_t>{6, 8});
}

TEST_CASE("what is no file of this user's own, or may be written by others, is left alone") {
  temporary_directory here;
  const std::string path = here.file("audit.jsonl");
  const auto some = numbered::events(1, 1);
  const auto refused = [&](errc why) {
    plain_sender sender(path);
    const delivery sent = sender.deliver(some, within(200));
    CHECK(sent.settled == 0);
    CHECK(sent.why.what == why);
  };
  write(here.file("victim"), "precious\n");
  fs::create_symlink(here.file("victim"), path);
  refused(errc::state_foreign);
  CHECK(content(here.file("victim")) == "precious\n");
  fs::remove(path);

  fs::create_directory(path);
  refused(errc::state_foreign);
  fs::remove(path);

  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  refused(errc::state_foreign);
  fs::remove(path);

  write(path, "");
  for (const fs::perms others : {fs::perms::group_write, fs::perms::others_write}) {
    fs::permissions(path, fs::perms::owner_all | others);
    refused(errc::state_foreign);
  }
  fs::permissions(path, fs::perms::owner_all | fs::perms::group_read);
  CHECK(plain_sender(path).deliver(some, within(200)).settled == 1);
  fs::remove(path);

  CHECK(plain_sender(here.file("absent/audit.jsonl")).deliver(some, within(200)).why.what ==
        errc::state_unwritable);
}

TEST_CASE("a line that a crash left unfinished is closed before anything follows it") {
  temporary_directory here;
  write(here.file("audit.jsonl"), "{\"whole\":1}\n{\"half");
  plain_sender sender(here.file("audit.jsonl"));
  CHECK(sender.deliver(numbered::events(1, 2), within(1000)).settled == 2);
  const auto all = lines(here.file("audit.jsonl"));
  REQUIRE(all.size() == 4);
  CHECK(all[0] == "{\"whole\":1}");
  CHECK(all[1] == "{\"half");
  CHECK(numbered::number_in(all[2]) == 1);
  CHECK(numbered::number_in(all[3]) == 2);
}

TEST_CASE("what a full disk takes only in part is taken back, and nothing of it settled") {
  temporary_directory here;
  failing_calls::heal();
  failing_sender sender(here.file("audit.jsonl"), {100, false});
  CHECK(sender.deliver(numbered::events(1, 2), within(1000)).settled == 2);
  const std::string before = content(here.file("audit.jsonl"));
  for (const long room : {0L, 1L, 50L, 200L, 300L}) {
    failing_calls::room = room;
    const delivery sent = sender.deliver(numbered::events(3, 4), within(1000));
    CHECK(sent.settled == 0);
    CHECK(sent.why.what == errc::state_unwritable);
    CHECK(sent.why.native == ENOSPC);
    CHECK(content(here.file("audit.jsonl")) == before);
  }
  failing_calls::heal();
  CHECK(sender.deliver(numbered::events(3, 4), within(1000)).settled == 4);
  CHECK(numbered::numbers_in(lines(here.file("audit.jsonl"))) == numbered::from_to(1, 6));
}

TEST_CASE("what is not on the disk for certain is not settled") {
  temporary_directory here;
  failing_calls::heal();
  failing_sender sender(here.file("audit.jsonl"));
  CHECK(sender.deliver(numbered::events(1, 1), within(1000)).settled == 1);
  failing_calls::syncs_fail = EIO;
  const delivery sent = sender.deliver(numbered::events(2, 2), within(1000));
  CHECK(sent.settled == 0);
  CHECK(sent.why.native == EIO);
  failing_calls::heal();
  CHECK(sender.deliver(numbered::events(2, 2), within(1000)).settled == 2);
  CHECK(numbered::numbers_in(lines(here.file("audit.jsonl"))) == numbered::from_to(1, 3));
}

TEST_CASE("rotation keeps files below their bound, as many as asked, and loses no line of them") {
  temporary_directory here;
  const std::string path = here.file("audit.jsonl");
  constexpr unsigned kept = 3;
  plain_sender sender(path, {120, false}, {1000, kept});  // four lines of 191 octets and a newline
  CHECK(sender.deliver(numbered::events(1, 12), within(1000)).settled == 12);
  CHECK(numbered::numbers_in(all_lines(path, kept)) == numbered::from_to(1, 12));
  for (std::uint64_t next = 13; next < 60; ++next) {
    CHECK(sender.deliver(numbered::events(next, 1), within(1000)).settled == 1);
  }
  const auto numbers = numbered::numbers_in(all_lines(path, kept));
  CHECK(numbers.size() > 12);
  CHECK(numbers == numbered::from_to(60 - numbers.size(), 59));
  std::size_t files = 0;
  for (const auto& one : fs::directory_iterator(here.file(""))) {
    ++files;
    CHECK(one.file_size() <= 1000);
    CHECK(one.file_size() > 0);
    CHECK(fs::status(one).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  }
  CHECK(files == 1 + kept);
}

TEST_CASE("a line longer than the bound has a file for itself, and 0 is no bound") {
  temporary_directory here;
  plain_sender sender(here.file("a"), {500, false}, {300, 9});
  CHECK(sender.deliver(numbered::events(1, 3), within(1000)).settled == 3);
  CHECK(numbered::numbers_in(all_lines(here.file("a"), 9)) == numbered::from_to(1, 3));
  CHECK(lines(here.file("a.1")).size() == 1);
  plain_sender endless(here.file("b"), {500, false}, {0, 1});
  CHECK(endless.deliver(numbered::events(1, 300), within(5000)).settled == 300);
  CHECK(numbered::numbers_in(lines(here.file("b"))) == numbered::from_to(1, 300));
  CHECK_FALSE(fs::exists(here.file("b.1")));
}

TEST_CASE("a rotation that fails settles nothing and loses nothing") {
  temporary_directory here;
  failing_calls::heal();
  failing_sender sender(here.file("a"), {500, false}, {600, 2});
  CHECK(sender.deliver(numbered::events(1, 1), within(1000)).settled == 1);
  failing_calls::renames_fail = EACCES;
  const delivery sent = sender.deliver(numbered::events(2, 2), within(1000));
  CHECK(sent.settled == 0);
  CHECK(sent.why == error{errc::state_unwritable, 0, EACCES});
  failing_calls::heal();
  CHECK(sender.deliver(numbered::events(2, 2), within(1000)).settled == 2);
  CHECK(numbered::numbers_in(all_lines(here.file("a"), 2)) == numbered::from_to(1, 3));
}

TEST_CASE("a file that was moved away or deleted is followed by a new one") {
  temporary_directory here;
  plain_sender sender(here.file("a"));
  CHECK(sender.deliver(numbered::events(1, 2), within(1000)).settled == 2);
  fs::rename(here.file("a"), here.file("moved"));
  CHECK(sender.deliver(numbered::events(3, 1), within(1000)).settled == 1);
  fs::remove(here.file("a"));
  CHECK(sender.deliver(numbered::events(4, 1), within(1000)).settled == 1);
  CHECK(numbered::numbers_in(lines(here.file("moved"))) == numbered::from_to(1, 2));
  CHECK(numbered::numbers_in(lines(here.file("a"))) == numbered::from_to(4, 4));
}

TEST_CASE("a sender waits for another one's delivery, and no longer than it may") {
  temporary_directory here;
  plain_sender sender(here.file("a"));
  CHECK(sender.deliver(numbered::events(1, 1), within(1000)).settled == 1);
  const int other = ::open(here.file("a").c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(posix::system_calls::lock(other, F_WRLCK, 0) == 0);
  const auto began = std::chrono::steady_clock::now();
  const delivery sent = sender.deliver(numbered::events(2, 1), within(150));
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(sent.settled == 0);
  CHECK(sent.why.what == errc::state_busy);
  CHECK(took >= std::chrono::milliseconds{150});
  CHECK(took < std::chrono::milliseconds{650});
  ::close(other);
  CHECK(sender.deliver(numbered::events(2, 1), within(150)).settled == 1);
}

TEST_CASE("several processes share a file, and its rotation, without losing or tearing a line") {
  temporary_directory here;
  const std::string path = here.file("a");
  constexpr std::uint64_t each = 400;
  constexpr unsigned processes = 3;
  constexpr unsigned kept = 400;
  std::vector<pid_t> children;
  for (unsigned p = 0; p < processes; ++p) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      plain_sender sender(path, {p * 40, false}, {2000, kept});
      std::uint64_t next = p * each + 1;
      const std::uint64_t last = (p + 1) * each;
      while (next <= last) {
        const auto some = numbered::events(next, std::min<std::uint64_t>(5, last + 1 - next));
        const delivery sent = sender.deliver(some, within(20'000));
        if (sent.why.what != errc::ok) ::_exit(1);
        next += sent.settled;
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  auto numbers = numbered::numbers_in(all_lines(path, kept));
  std::sort(numbers.begin(), numbers.end());
  CHECK(numbers == numbered::from_to(1, each * processes));
  CHECK(fs::exists(path + ".20"));
}

TEST_CASE("a process that is killed while it delivers leaves all that was settled, whole") {
  temporary_directory here;
  const std::string path = here.file("a");
  constexpr unsigned kept = 2000;
  std::uint64_t settled = 0;
  for (unsigned round = 0; round < 12; ++round) {
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      plain_sender sender(path, {30, false}, {3000, kept});
      for (std::uint64_t next = settled + 1;;) {
        const delivery sent = sender.deliver(numbered::events(next, 3), within(20'000));
        if (sent.settled != 3) ::_exit(1);
        next += 3;
        const std::uint64_t last = next - 1;
        if (::write(pipe[1], &last, sizeof last) != sizeof last) ::_exit(2);
      }
    }
    ::close(pipe[1]);
    ::usleep(7'000 + round * 1'700);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    for (std::uint64_t last; ::read(pipe[0], &last, sizeof last) == sizeof last;) settled = last;
    ::close(pipe[0]);
  }
  REQUIRE(settled > 30);
  std::map<std::uint64_t, unsigned> times;
  for (const std::uint64_t number : numbered::numbers_in(all_lines(path, kept))) ++times[number];
  for (std::uint64_t number = 1; number <= settled; ++number) {
    if (times[number] == 0) FAIL_CHECK("lost: " << number);
  }
}
