// SPDX-License-Identifier: BSL-1.0
#include <cotter/posix/sealed_file_store.hpp>

#include "support/private_directory.hpp"
#include "support/scripted_calls.hpp"

#include <cotter/backends/openssl.hpp>
#include <cotter/policies/breaker/stored_breaker.hpp>

#include <support/catch.hpp>

#include <sys/wait.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

using namespace cotter;
using namespace std::chrono_literals;
using stores::octets_in;
using stores::private_directory;
using stores::put_octets;
using stores::scripted_calls;

namespace {

constexpr std::size_t capacity = 200;
using file_store = posix::sealed_file_store<backends::openssl, posix::key_file_vault, capacity>;

static_assert(state_store<file_store>);

const std::array<std::uint8_t, 3> first_image{1, 2, 3};
const std::array<std::uint8_t, 5> second_image{9, 8, 7, 6, 5};

/// What `begin` gives, as a code.
template <typename Store>
errc look(Store& store) {
  std::array<std::uint8_t, capacity> into{};
  const auto size = store.begin(into);
  if (size) store.cancel();
  return size ? errc::ok : size.error().what;
}

template <typename Store>
std::vector<std::uint8_t> image_in(Store& store) {
  std::array<std::uint8_t, capacity> into{};
  const auto size = store.begin(into);
  REQUIRE(size);
  store.cancel();
  return {into.begin(), into.begin() + static_cast<std::ptrdiff_t>(*size)};
}

template <typename Store>
result<void> put_image(Store& store, bytes_view image) {
  std::array<std::uint8_t, capacity> into{};
  const auto size = store.begin(into);
  REQUIRE(size);
  return store.commit(image);
}

struct lab {
  lab() {
    REQUIRE(vault.create<backends::openssl>());
    REQUIRE(store.create(first_image));
  }

  private_directory directory;
  std::string path = directory / "state";
  posix::key_file_vault vault{directory / "key"};
  file_store store{{path, "phone"}, vault};
};

}  // namespace

TEST_CASE("what was committed is there for the next object, and for no one without the key") {
  lab here;
  REQUIRE(put_image(here.store, second_image));
  file_store again{{here.path, "phone"}, here.vault};
  CHECK(image_in(again) == std::vector<std::uint8_t>(second_image.begin(), second_image.end()));
  CHECK(again.id() == here.store.id());
  CHECK(again.resistance() == rollback_resistance::none);

  posix::key_file_vault other{here.directory / "other-key"};
  REQUIRE(other.create<backends::openssl>());
  file_store without{{here.path, "phone"}, other};
  CHECK(look(without) == errc::state_damaged);
}

TEST_CASE("no octet of the image or of the key is in the state's files") {
  lab here;
  std::array<std::uint8_t, 32> secret{};
  secret.fill(0xa5);
  REQUIRE(put_image(here.store, secret));
  seal_key key;
  REQUIRE(here.vault.key(key));
  for (const char* name : {"state", "state.next", "state.lock"}) {
    const auto octets = octets_in(here.directory / name);
    const std::string text(octets.begin(), octets.end());
    CHECK(text.find(std::string(8, '\xa5')) == std::string::npos);
    CHECK(text.find(std::string(reinterpret_cast<const char*>(key.octets.data()), 8)) ==
          std::string::npos);
  }
}

TEST_CASE("state is made once, and never by looking") {
  private_directory directory;
  posix::key_file_vault vault{directory / "key"};
  file_store store{{directory / "state", "phone"}, vault};
  CHECK(look(store) == errc::state_absent);
  CHECK_FALSE(std::filesystem::exists(directory / "state"));
  REQUIRE(vault.create<backends::openssl>());
  CHECK(look(store) == errc::state_absent);
  REQUIRE(store.create(first_image));
  CHECK(store.create(first_image).error().what == errc::state_exists);
  CHECK(vault.create<backends::openssl>().error().what == errc::state_exists);
  CHECK(look(store) == errc::ok);
  CHECK(file_store({directory / "more", ""}, vault).create(first_image).error().what ==
        errc::too_large);
  CHECK(file_store({directory / "more", std::string(65, 'n')}, vault)
            .create(first_image)
            .error()
            .what == errc::too_large);
}

TEST_CASE("a file that is gone is absent, whichever it is") {
  for (const char* name : {"state", "state.lock", "key"}) {
    lab here;
    std::filesystem::remove(here.directory / name);
    file_store later{{here.path, "phone"}, here.vault};
    INFO(name);
    CHECK(look(later) == errc::state_absent);
  }
}

TEST_CASE("the second file may be gone: the next commit makes it anew") {
  lab here;
  std::filesystem::remove(here.directory / "state.next");
  REQUIRE(put_image(here.store, second_image));
  CHECK(image_in(here.store).size() == second_image.size());
  REQUIRE(put_image(here.store, first_image));
  CHECK(image_in(here.store).size() == first_image.size());
}

TEST_CASE("every cut and every flipped bit is damage") {
  lab here;
  const auto whole = octets_in(here.path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    put_octets(here.path, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    file_store later{{here.path, "phone"}, here.vault};
    INFO(size);
    REQUIRE(look(later) == errc::state_damaged);
  }
  auto longer = whole;
  longer.push_back(0);
  put_octets(here.path, longer);
  CHECK(look(here.store) == errc::state_damaged);
  std::size_t damaged = 0;
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    auto changed = whole;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    put_octets(here.path, changed);
    file_store later{{here.path, "phone"}, here.vault};
    INFO(bit);
    const errc what = look(later);
    REQUIRE((what == errc::state_damaged || what == errc::state_foreign));
    if (what == errc::state_damaged) ++damaged;
  }
  // All but those of the name and its size, which are looked at first.
  CHECK(damaged >= 8 * (whole.size() - 2 - 64));
  put_octets(here.path, whole);
  CHECK(look(here.store) == errc::ok);
}

TEST_CASE("state of another name, store or key is foreign or damaged, never taken") {
  lab here;
  file_store sibling{{here.directory / "sibling", "desk"}, here.vault};
  REQUIRE(sibling.create(second_image));
  std::filesystem::copy_file(here.directory / "sibling", here.path,
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(look(here.store) == errc::state_foreign);
  file_store by_name{{here.path, "phone"}, here.vault};
  CHECK(look(by_name) == errc::state_foreign);

  // The same name and key, but another store: known to whoever saw the first, or was told of it.
  lab there;
  const store_id known = there.store.id();
  std::filesystem::remove(there.path);
  std::filesystem::remove(there.directory / "state.next");
  std::filesystem::remove(there.directory / "state.lock");
  file_store anew{{there.path, "phone"}, there.vault};
  REQUIRE(anew.create(second_image));
  CHECK(look(there.store) == errc::state_foreign);
  file_store told{{there.path, "phone", known}, there.vault};
  CHECK(look(told) == errc::state_foreign);
  file_store told_right{{there.path, "phone", anew.id()}, there.vault};
  CHECK(look(told_right) == errc::ok);
}

TEST_CASE(
    "without a counter an older copy passes for a newcomer, as declared, and for no one else") {
  lab here;
  const auto old = octets_in(here.path);
  REQUIRE(put_image(here.store, second_image));
  put_octets(here.path, old);
  CHECK(look(here.store) == errc::state_rolled_back);
  file_store newcomer{{here.path, "phone"}, here.vault};
  CHECK(newcomer.resistance() == rollback_resistance::none);
  CHECK(image_in(newcomer).size() == first_image.size());
}

TEST_CASE("files that others can read, write, own or swap are foreign") {
  for (const char* name : {"state", "state.lock", "key"}) {
    INFO(name);
    {
      lab here;
      for (const mode_t mode : {0604u, 0640u, 0602u, 0620u, 0610u}) {
        REQUIRE(::chmod((here.directory / name).c_str(), mode) == 0);
        file_store later{{here.path, "phone"}, here.vault};
        CHECK(look(later) == errc::state_foreign);
      }
    }
    {
      lab here;
      std::filesystem::rename(here.directory / name, here.directory / "elsewhere");
      std::filesystem::create_symlink(here.directory / "elsewhere", here.directory / name);
      file_store later{{here.path, "phone"}, here.vault};
      CHECK(look(later) == errc::state_foreign);
    }
    {
      lab here;
      std::filesystem::create_hard_link(here.directory / name, here.directory / "again");
      file_store later{{here.path, "phone"}, here.vault};
      CHECK(look(later) == errc::state_foreign);
    }
    {
      lab here;
      std::filesystem::remove(here.directory / name);
      REQUIRE(::mkfifo((here.directory / name).c_str(), 0600) == 0);
      file_store later{{here.path, "phone"}, here.vault};
      const auto before = std::chrono::steady_clock::now();
      CHECK(look(later) == errc::state_foreign);
      CHECK(std::chrono::steady_clock::now() - before < 2s);
    }
    if (::geteuid() == 0) {
      lab here;
      REQUIRE(::chown((here.directory / name).c_str(), 65534, 65534) == 0);
      file_store later{{here.path, "phone"}, here.vault};
      CHECK(look(later) == errc::state_foreign);
    }
  }
  lab here;
  std::filesystem::remove(here.directory / "state.next");
  std::filesystem::create_symlink(here.directory / "victim", here.directory / "state.next");
  std::array<std::uint8_t, capacity> into{};
  REQUIRE(here.store.begin(into));
  CHECK(here.store.commit(second_image).error().what == errc::state_unwritable);
  CHECK_FALSE(std::filesystem::exists(here.directory / "victim"));
}

TEST_CASE("a directory that others can write, or own, is foreign") {
  for (const mode_t mode : {0770u, 0707u, 0720u}) {
    lab here;
    REQUIRE(::chmod(here.directory.path().c_str(), mode) == 0);
    CHECK(look(here.store) == errc::state_foreign);
    REQUIRE(::chmod(here.directory.path().c_str(), 0700) == 0);
    CHECK(look(here.store) == errc::ok);
  }
  if (::geteuid() == 0) {
    lab here;
    REQUIRE(::chown(here.directory.path().c_str(), 65534, 65534) == 0);
    CHECK(look(here.store) == errc::state_foreign);
    REQUIRE(::chown(here.directory.path().c_str(), 0, 0) == 0);
  }
}

TEST_CASE("a stuck lock is waited for no longer than its bound, and opens nothing") {
  lab here;
  file_store other{{here.path, "phone"}, here.vault};
  std::array<std::uint8_t, capacity> into{};
  REQUIRE(other.begin(into));
  const auto before = std::chrono::steady_clock::now();
  CHECK(look(here.store) == errc::state_busy);
  const auto waited = std::chrono::steady_clock::now() - before;
  CHECK(waited >= longest_lock_wait - 2ms);
  CHECK(waited < 10 * longest_lock_wait);  // a busy machine is not a hang
  other.cancel();
  CHECK(look(here.store) == errc::ok);
}

TEST_CASE("another lock file under the same name is not taken for the one that was locked") {
  lab here;
  CHECK(look(here.store) == errc::ok);
  std::filesystem::remove(here.directory / "state.lock");
  put_octets(here.directory / "state.lock", {});
  REQUIRE(::chmod((here.directory / "state.lock").c_str(), 0600) == 0);
  CHECK(look(here.store) == errc::state_foreign);
}

TEST_CASE("attempts in flight are counted over objects, and end with theirs") {
  lab here;
  auto other =
      std::make_unique<file_store>(posix::sealed_file_options{here.path, "phone"}, here.vault);
  REQUIRE(look(*other) == errc::ok);
  REQUIRE(look(here.store) == errc::ok);
  const auto one = other->enter(2, 3);
  const auto two = here.store.enter(2, 3);
  REQUIRE((one && two));
  CHECK(*one != *two);
  CHECK(here.store.in_flight(2, 3) == 2);
  CHECK(other->in_flight(2, 3) == 2);
  CHECK(here.store.in_flight(1, 3) == 0);
  REQUIRE(other->enter(2, 3));
  CHECK_FALSE(here.store.enter(2, 3));
  here.store.leave(2, *two);
  here.store.leave(2, *two);
  here.store.leave(2, *one);  // not its own
  CHECK(here.store.in_flight(2, 3) == 2);
  other.reset();
  CHECK(here.store.in_flight(2, 3) == 0);
  CHECK_FALSE(here.store.enter(16, 3));
  CHECK(here.store.in_flight(16, 3) == 3);
}

TEST_CASE("what others entered under a higher limit is in flight under a lower one, too") {
  lab here;
  file_store other{{here.path, "phone"}, here.vault};
  REQUIRE(look(other) == errc::ok);
  REQUIRE(look(here.store) == errc::ok);
  std::array<std::uint16_t, 5> slots{};
  for (std::uint16_t& slot : slots) slot = *other.enter(2, 5);
  for (std::size_t i = 0; i < 3; ++i) other.leave(2, slots[i]);
  CHECK(here.store.in_flight(2, 3) == 2);
  CHECK(other.in_flight(2, 3) == 2);
  CHECK(here.store.in_flight(1, 3) == 0);
  CHECK(here.store.in_flight(3, 3) == 0);
}

TEST_CASE("the child of a fork waits for its parent's transaction, and ends none of its attempts") {
  lab here;
  REQUIRE(look(here.store) == errc::ok);
  const auto slot = here.store.enter(2, 3);
  REQUIRE(slot);
  file_store other{{here.path, "phone"}, here.vault};
  REQUIRE(look(other) == errc::ok);
  const auto in_child = [](auto body) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) ::_exit(body() ? 0 : 1);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  };

  std::array<std::uint8_t, capacity> into{};
  CHECK(in_child([&] {
    here.store.leave(2, *slot);
    return here.store.enter(2, 3).error().what == errc::state_full && look(here.store) == errc::ok;
  }));
  CHECK(other.in_flight(2, 3) == 1);

  REQUIRE(other.begin(into));
  CHECK(in_child([&] { return look(here.store) == errc::state_busy; }));
  CHECK(in_child([&] { return look(other) == errc::state_busy; }));
  // Its end is not the end of the transaction.
  CHECK(in_child([&] {
    other.cancel();
    return true;
  }));
  CHECK(look(here.store) == errc::state_busy);
  other.cancel();
  CHECK(look(here.store) == errc::ok);

  // Both from the same object, as in a server that forks its workers.
  int ready[2];
  int go[2];
  REQUIRE((::pipe(ready) == 0 && ::pipe(go) == 0));
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const bool began = static_cast<bool>(here.store.begin(into));
    char octet = began ? 'y' : 'n';
    if (::write(ready[1], &octet, 1) != 1 || ::read(go[0], &octet, 1) != 1) ::_exit(2);
    here.store.cancel();
    ::_exit(began && here.store.in_flight(2, 3) == 1 ? 0 : 1);
  }
  char octet = 0;
  REQUIRE(::read(ready[0], &octet, 1) == 1);
  CHECK(octet == 'y');
  CHECK(look(here.store) == errc::state_busy);
  REQUIRE(::write(go[1], &octet, 1) == 1);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  for (const int end : {ready[0], ready[1], go[0], go[1]}) ::close(end);
}

namespace {

/// What is to be done to the lock file while somebody waits for it.
void (*while_waiting)() = nullptr;

struct waiting_calls : posix::system_calls {
  static void pause() noexcept {
    if (while_waiting != nullptr) std::exchange(while_waiting, nullptr)();
    posix::system_calls::pause();
  }
};

}  // namespace

TEST_CASE("a lock file that was replaced while it was waited for locks nothing") {
  static lab here;
  static std::array<std::uint8_t, capacity> into{};
  posix::sealed_file_store<backends::openssl, posix::key_file_vault, capacity, 16, waiting_calls>
      late{{here.path, "phone"}, here.vault};
  REQUIRE(look(late) == errc::ok);
  REQUIRE(here.store.begin(into));
  while_waiting = [] {
    std::filesystem::remove(here.directory / "state.lock");
    put_octets(here.directory / "state.lock", {});
    ::chmod((here.directory / "state.lock").c_str(), 0600);
    here.store.cancel();
  };
  CHECK(look(late) == errc::state_foreign);
}

namespace {

/// A vault that counts, and does as the test says.
struct counting_vault {
  posix::key_file_vault file;
  std::uint64_t count = 0;

  rollback_resistance resistance() noexcept { return rollback_resistance::hardware; }
  result<void> key(seal_key& out) noexcept { return file.key(out); }
  result<std::uint64_t> counter() noexcept { return count; }
  result<void> advance(std::uint64_t to) noexcept {
    count = to;
    return {};
  }
};

}  // namespace

TEST_CASE("state that is newer than what vouches for it is not vouched for") {
  private_directory directory;
  counting_vault vault{posix::key_file_vault{directory / "key"}};
  REQUIRE(vault.file.create<backends::openssl>());
  using vouched_store = posix::sealed_file_store<backends::openssl, counting_vault, capacity>;
  vouched_store store{{directory / "state", "phone"}, vault};
  REQUIRE(store.create(first_image));
  REQUIRE(put_image(store, second_image));
  REQUIRE(put_image(store, second_image));
  vault.count = 1;
  vouched_store later{{directory / "state", "phone"}, vault};
  CHECK(look(later) == errc::state_rolled_back);
  vault.count = 4;
  CHECK(look(later) == errc::state_rolled_back);
  vault.count = 3;
  CHECK(look(later) == errc::ok);
}

TEST_CASE("a vault that counted but could not say so is asked again, and nothing is doubled") {
  struct silent_vault : counting_vault {
    bool answers = true;
    result<void> advance(std::uint64_t to) noexcept {
      static_cast<void>(counting_vault::advance(to));
      return answers ? result<void>() : errc::state_busy;
    }
  };
  private_directory directory;
  silent_vault vault{{posix::key_file_vault{directory / "key"}}};
  REQUIRE(vault.file.create<backends::openssl>());
  posix::sealed_file_store<backends::openssl, silent_vault, capacity> store{
      {directory / "state", "phone"}, vault};
  REQUIRE(store.create(first_image));
  vault.answers = false;
  REQUIRE(put_image(store, second_image));
  CHECK(image_in(store).size() == second_image.size());
}

TEST_CASE("a commit whose lock file was replaced meanwhile does not overwrite another's") {
  lab here;
  REQUIRE(look(here.store) == errc::ok);
  std::array<std::uint8_t, capacity> into{};
  REQUIRE(here.store.begin(into));
  std::filesystem::remove(here.directory / "state.lock");
  put_octets(here.directory / "state.lock", {});
  REQUIRE(::chmod((here.directory / "state.lock").c_str(), 0600) == 0);
  file_store other{{here.path, "phone"}, here.vault};
  REQUIRE(put_image(other, second_image));
  CHECK(here.store.commit(first_image).error().what == errc::state_unwritable);
  CHECK(image_in(other).size() == second_image.size());
}

TEST_CASE("what a vault counts is on the disk before, its name too") {
  struct logged_calls : scripted_calls {
    static std::string& log() {
      static std::string text;
      return text;
    }
    static int create(int directory, const char* name) noexcept {
      log() += 'c';
      return scripted_calls::create(directory, name);
    }
    static int sync_data(int file) noexcept {
      log() += 'd';
      return scripted_calls::sync_data(file);
    }
    static int sync(int file) noexcept {
      log() += 's';
      return scripted_calls::sync(file);
    }
    static int exchange(int, const char*, const char*) noexcept {
      log() += 'x';
      errno = EINVAL;
      return -1;
    }
  };
  struct logging_vault : counting_vault {
    result<void> advance(std::uint64_t to) noexcept {
      logged_calls::log() += 'V';
      return counting_vault::advance(to);
    }
  };
  stores::script = {};
  private_directory directory;
  logging_vault vault{{posix::key_file_vault{directory / "key"}}};
  REQUIRE(vault.file.create<backends::openssl>());
  posix::sealed_file_store<backends::openssl, logging_vault, capacity, 16, logged_calls> store{
      {directory / "state", "phone"}, vault};
  REQUIRE(store.create(first_image));
  std::string& log = logged_calls::log();
  log.clear();
  REQUIRE(put_image(store, second_image));
  CHECK(log == "dVxs");
  // Without an exchange of names the second file is a new one from now on.
  log.clear();
  REQUIRE(put_image(store, first_image));
  CHECK(log == "cdsVxs");
  // So is what `begin` puts in force after an interruption.
  const auto older = octets_in(directory / "state");
  REQUIRE(put_image(store, second_image));
  put_octets(directory / "state.next", octets_in(directory / "state"));
  REQUIRE(::chmod((directory / "state.next").c_str(), 0600) == 0);
  put_octets(directory / "state", older);
  log.clear();
  CHECK(image_in(store).size() == second_image.size());
  CHECK(log == "xs");
}

TEST_CASE(
    "whatever call fails, the old image stays, the code says what, and the next commit works") {
  using failing_store = posix::sealed_file_store<backends::openssl, posix::key_file_vault, capacity,
                                                 16, scripted_calls>;
  for (const int native : {EIO, ENOSPC, EROFS, EDQUOT}) {
    for (const bool torn : {false, true}) {
      stores::script = {};
      lab here;
      failing_store store{{here.path, "phone"}, here.vault};
      REQUIRE(look(store) == errc::ok);  // the lock file is opened once
      stores::script = {};
      REQUIRE(put_image(store, first_image));
      const int calls = stores::script.count;
      CHECK(calls >= 12);
      int unwritable = 0;
      for (int at = 1; at <= calls; ++at) {
        stores::script = {};
        stores::script.fail_at = at;
        stores::script.native = native;
        stores::script.torn = torn;
        std::array<std::uint8_t, capacity> into{};
        const auto size = store.begin(into);
        result<void> done = size ? result<void>() : result<void>(size.error());
        if (size) done = store.commit(second_image);
        const std::string hit = stores::script.name;
        stores::script = {};
        INFO(at << ": " << hit);
        REQUIRE_FALSE(done);
        const errc what = done.error().what;
        CHECK(what == (size ? errc::state_unwritable : errc::state_unreadable));
        CHECK(done.error().native == native);
        if (size) ++unwritable;
        const auto now = image_in(store);
        // What follows the exchange of names cannot take it back.
        CHECK((now.size() == first_image.size() || hit == "sync"));
        REQUIRE(put_image(store, first_image));
      }
      CHECK(unwritable >= 6);
    }
  }
}

TEST_CASE("where names cannot be exchanged the second replaces the first") {
  struct plain_calls : scripted_calls {
    static int exchange(int, const char*, const char*) noexcept {
      errno = EINVAL;
      return -1;
    }
  };
  stores::script = {};
  lab here;
  posix::sealed_file_store<backends::openssl, posix::key_file_vault, capacity, 16, plain_calls>
      store{{here.path, "phone"}, here.vault};
  for (int i = 0; i < 3; ++i) {
    REQUIRE(put_image(store, second_image));
    CHECK(image_in(store).size() == second_image.size());
    REQUIRE(put_image(store, first_image));
    CHECK(image_in(store).size() == first_image.size());
  }
}

TEST_CASE("a refusal is written through blocks that are there already") {
  lab here;
  struct no_room : scripted_calls {
    static int create(int, const char*) noexcept {
      errno = ENOSPC;
      return -1;
    }
    static int allocate(int, off_t) noexcept {
      errno = ENOSPC;
      return -1;
    }
  };
  stores::script = {};
  posix::sealed_file_store<backends::openssl, posix::key_file_vault, capacity, 16, no_room> store{
      {here.path, "phone"}, here.vault};
  for (int i = 0; i < 10; ++i) REQUIRE(put_image(store, second_image));
}

TEST_CASE("an acceptance with nothing to clear writes nothing, and a mismatch writes once") {
  using ledger = breaker_ledger<16, 288>;
  using counted_store = posix::sealed_file_store<backends::openssl, posix::key_file_vault,
                                                 ledger::image_bytes, 16, scripted_calls>;
  private_directory directory;
  stores::script = {};
  posix::key_file_vault vault{directory / "key"};
  REQUIRE(vault.create<backends::openssl>());
  counted_store store{{directory / "state", "phone"}, vault};
  std::array<std::uint8_t, ledger::image_bytes> image{};
  REQUIRE(store.create(bytes_view(image).first(stored_breaker<counted_store>::fresh_image(image))));
  stored_breaker<counted_store> breaker(store);
  const breaker_key key{{"sip.example.com", 5061}, {}};
  time_reading now{};
  now.steady = 1h;
  {
    auto known = breaker.reserve(key, now, 1);  // writes the key down
    REQUIRE(known.held());
    breaker.success(known, now);
  }
  const auto counter = [&] { return octets_in(directory / "state"); };
  auto before = counter();
  for (int i = 0; i < 5; ++i) {
    auto one = breaker.reserve(key, now, 1);
    REQUIRE(one.held());
    breaker.success(one, now);
  }
  CHECK(counter() == before);
  auto one = breaker.reserve(key, now, 1);
  CHECK(counter() == before);
  breaker.mismatch(one, now);
  const auto after = counter();
  CHECK(after != before);
  constexpr std::size_t at_counter = 32;
  CHECK(static_cast<unsigned char>(after[at_counter]) ==
        static_cast<unsigned char>(before[at_counter]) + 1);
}
