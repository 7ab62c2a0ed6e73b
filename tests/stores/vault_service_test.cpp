// SPDX-License-Identifier: BSL-1.0
#include <cotter/posix/vault_service.hpp>

#include "support/private_directory.hpp"
#include "support/scripted_calls.hpp"
#include "support/vault_lab.hpp"

#include <cotter/posix/sealed_file_store.hpp>

#include <support/catch.hpp>

#include <sys/time.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <string>

using namespace cotter;
using namespace std::chrono_literals;
using stores::octets_in;
using stores::private_directory;
using stores::put_octets;
using stores::vault_lab;

namespace {

constexpr std::size_t capacity = 100;
using file_store = posix::sealed_file_store<backends::openssl, posix::service_vault, capacity>;

const std::array<std::uint8_t, 3> first_image{1, 2, 3};
const std::array<std::uint8_t, 5> second_image{9, 8, 7, 6, 5};

errc look(file_store& store) {
  std::array<std::uint8_t, capacity> into{};
  const auto size = store.begin(into);
  if (size) store.cancel();
  return size ? errc::ok : size.error().what;
}

result<void> put_image(file_store& store, bytes_view image) {
  std::array<std::uint8_t, capacity> into{};
  const auto size = store.begin(into);
  REQUIRE(size);
  return store.commit(image);
}

errc counter_error(posix::service_vault& vault) {
  const auto asked = vault.counter();
  return asked ? errc::ok : asked.error().what;
}

/// Runs `body` in a process of another user; what it returns is its exit status.
template <typename Body>
int as_user(uid_t user, Body body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int status = 98;
    try {
      status = ::setgid(user) == 0 && ::setuid(user) == 0 ? body() : 99;
    } catch (...) {  // must not go on with the tests as somebody else
    }
    ::_exit(status);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("a service keeps a key and a counter that goes up by one, over its own restart") {
  vault_lab service;
  posix::service_vault vault{service.socket(), "phone"};
  CHECK(vault.resistance() == rollback_resistance::other_principal);
  CHECK(counter_error(vault) == errc::state_absent);
  REQUIRE(vault.create());
  CHECK(vault.create().error().what == errc::state_exists);
  seal_key before;
  REQUIRE(vault.key(before));
  CHECK(*vault.counter() == 0);
  CHECK(vault.advance(2).error().what == errc::state_rolled_back);
  REQUIRE(vault.advance(1));
  CHECK(vault.advance(1).error().what == errc::state_rolled_back);
  CHECK(vault.advance(0).error().what == errc::state_rolled_back);
  service.stop();
  CHECK(counter_error(vault) == errc::state_absent);
  service.start();
  seal_key after;
  REQUIRE(vault.key(after));
  CHECK(after.octets == before.octets);
  CHECK(*vault.counter() == 1);
}

TEST_CASE("a service gives each user his own, and nothing to those it does not serve") {
  constexpr uid_t phone = 1;
  constexpr uid_t stranger = 2;
  vault_lab service({0, phone});
  posix::service_vault mine{service.socket(), "phone"};
  REQUIRE(mine.create());
  CHECK(as_user(stranger, [&] {
          posix::service_vault same{service.socket(), "phone"};
          return counter_error(same) == errc::state_foreign &&
                         same.create().error().what == errc::state_foreign
                     ? 0
                     : 1;
        }) == 0);
  seal_key key;
  REQUIRE(mine.key(key));
  CHECK(as_user(phone, [&] {
          posix::service_vault same{service.socket(), "phone"};
          if (counter_error(same) != errc::state_absent || !same.create()) return 1;
          seal_key other;
          return same.key(other) && other.octets != key.octets ? 0 : 2;
        }) == 0);
  CHECK(as_user(phone, [&] {
          return ::access((service.state() + "/1.phone").c_str(), F_OK) == 0 ? 1 : 0;
        }) == 0);
}

TEST_CASE("a service run by the program's own user, or not by the keeper, is foreign") {
  vault_lab service({0, vault_lab::keeper});
  CHECK(as_user(vault_lab::keeper, [&] {
          posix::service_vault vault{service.socket(), "phone"};
          return counter_error(vault) == errc::state_foreign ? 0 : 1;
        }) == 0);
  posix::service_vault wrong{service.socket(), "phone", uid_t{1}};
  CHECK(counter_error(wrong) == errc::state_foreign);
  posix::service_vault right{service.socket(), "phone", vault_lab::keeper};
  CHECK(right.create());
}

TEST_CASE("a service that does not answer is waited for no longer than its bound") {
  vault_lab service;
  posix::service_vault vault{service.socket(), "phone"};
  REQUIRE(vault.create());
  REQUIRE(::kill(service.process(), SIGSTOP) == 0);
  const auto before = std::chrono::steady_clock::now();
  CHECK(counter_error(vault) == errc::state_busy);
  CHECK(std::chrono::steady_clock::now() - before < 10 * posix::longest_vault_wait);
  REQUIRE(::kill(service.process(), SIGCONT) == 0);
  CHECK(*vault.counter() == 0);
}

TEST_CASE("a service hangs up on what is no request, and serves on") {
  vault_lab service;
  posix::service_vault vault{service.socket(), "phone"};
  REQUIRE(vault.create());
  for (const std::size_t size : {1u, 77u, 78u, 79u, 200u}) {
    const int channel = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address;
    REQUIRE(posix::detail::socket_address(service.socket(), address));
    REQUIRE(::connect(channel, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    const std::string noise(size, '\x7f');
    REQUIRE(::send(channel, noise.data(), noise.size(), MSG_NOSIGNAL) >= 0);
    std::array<std::uint8_t, posix::vault_reply::size_bytes + 1> in{};
    const ssize_t got = ::recv(channel, in.data(), in.size(), 0);
    posix::vault_reply reply;
    REQUIRE(got == static_cast<ssize_t>(posix::vault_reply::size_bytes));
    REQUIRE(posix::detail::read_reply(bytes_view(in).first(posix::vault_reply::size_bytes), reply));
    CHECK(reply.what == errc::state_damaged);
    ::close(channel);
  }
  // More silent clients than it serves at once: they are hung up on, not served for ever.
  std::array<int, 80> silent{};
  for (int& one : silent) {
    one = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address;
    REQUIRE(posix::detail::socket_address(service.socket(), address));
    static_cast<void>(::connect(one, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
  bool served = false;
  for (int tries = 0; tries < 40 && !served; ++tries) served = counter_error(vault) == errc::ok;
  CHECK(served);
  for (const int one : silent) ::close(one);
}

namespace {

/// Opens connections, as many as the service lets in, and keeps them open until it is ended.
[[noreturn]] void crowd(const std::string& path) {
  sockaddr_un address;
  if (!posix::detail::socket_address(path, address)) ::_exit(2);
  std::array<int, 500> kept{};
  for (std::size_t i = 0;; i = (i + 1) % kept.size()) {
    if (kept[i] > 0) ::close(kept[i]);
    kept[i] = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    static_cast<void>(
        ::connect(kept[i], reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
}

}  // namespace

TEST_CASE("a user who keeps connections open, served or not, keeps out no other") {
  for (const uid_t user : {uid_t{1}, uid_t{2}}) {
    vault_lab service({0, 1});
    posix::service_vault vault{service.socket(), "phone"};
    REQUIRE(vault.create());
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      if (::setgid(user) != 0 || ::setuid(user) != 0) ::_exit(1);
      crowd(service.socket());
    }
    ::usleep(200'000);
    int served = 0;
    for (int i = 0; i < 20; ++i) served += counter_error(vault) == errc::ok ? 1 : 0;
    INFO("user " << user);
    CHECK(served >= 18);
    ::kill(child, SIGKILL);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
  }
}

namespace {

/// A disk that takes its time.
struct slow_calls : posix::system_calls {
  static int sync(int file) noexcept {
    ::usleep(20'000);
    return posix::system_calls::sync(file);
  }
};

}  // namespace

TEST_CASE("a user who asks for one write after the other delays another by one") {
  stores::basic_vault_lab<slow_calls> service({0, 1});
  posix::service_vault vault{service.socket(), "phone"};
  REQUIRE(vault.create());
  std::array<pid_t, 10> writers{};
  for (pid_t& writer : writers) {
    writer = ::fork();
    REQUIRE(writer >= 0);
    if (writer != 0) continue;
    if (::setgid(1) != 0 || ::setuid(1) != 0) ::_exit(1);
    posix::service_vault own{service.socket(), "v" + std::to_string(::getpid())};
    static_cast<void>(own.create());
    for (std::uint64_t to = 1;;) {
      const auto now = own.counter();
      if (now) to = *now + 1;
      static_cast<void>(own.advance(to));
    }
  }
  ::usleep(300'000);
  int served = 0;
  for (int i = 0; i < 20; ++i) served += counter_error(vault) == errc::ok ? 1 : 0;
  CHECK(served == 20);
  for (const pid_t writer : writers) {
    ::kill(writer, SIGKILL);
    REQUIRE(::waitpid(writer, nullptr, 0) == writer);
  }
}

TEST_CASE("what somebody asked for who has given up since does not happen") {
  vault_lab service;
  posix::service_vault vault{service.socket(), "phone"};
  REQUIRE(vault.create());
  REQUIRE(::kill(service.process(), SIGSTOP) == 0);
  CHECK(vault.advance(1).error().what == errc::state_busy);
  REQUIRE(::kill(service.process(), SIGCONT) == 0);
  CHECK(*vault.counter() == 0);
  REQUIRE(vault.advance(1));
  CHECK(*vault.counter() == 1);
}

TEST_CASE("a program's timers do not end its wait for the service") {
  vault_lab service;
  posix::service_vault vault{service.socket(), "phone"};
  REQUIRE(vault.create());
  struct sigaction often {};
  struct sigaction before {};
  often.sa_handler = [](int) {};
  REQUIRE(::sigaction(SIGALRM, &often, &before) == 0);
  struct itimerval timer {};
  timer.it_interval.tv_usec = timer.it_value.tv_usec = 100;
  REQUIRE(::setitimer(ITIMER_REAL, &timer, nullptr) == 0);
  int served = 0;
  for (int i = 0; i < 200; ++i) served += counter_error(vault) == errc::ok ? 1 : 0;
  timer = {};
  ::setitimer(ITIMER_REAL, &timer, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
  CHECK(served == 200);
}

namespace {

struct logged_calls : stores::scripted_calls {
  static std::string& log() {
    static std::string text;
    return text;
  }
  static ssize_t write(int file, const void* from, std::size_t size_bytes, off_t at) noexcept {
    log() += 'w';
    return scripted_calls::write(file, from, size_bytes, at);
  }
  static int sync(int file) noexcept {
    struct stat about {};
    log() += ::fstat(file, &about) == 0 && S_ISDIR(about.st_mode) ? 'D' : 's';
    return scripted_calls::sync(file);
  }
  static int rename(int directory, const char* from, const char* to) noexcept {
    log() += 'r';
    return scripted_calls::rename(directory, from, to);
  }
};

}  // namespace

TEST_CASE("what a service answers is on its disk, and what it could not write did not happen") {
  stores::script = {};
  private_directory directory;
  posix::vault_service<backends::openssl, logged_calls> service(directory.path().string(), {7});
  REQUIRE(service.check());
  const auto ask = [&](posix::vault_verb what, std::uint64_t to = 0) {
    std::array<std::uint8_t, posix::vault_request::size_bytes> octets;
    posix::detail::write_request(octets, {what, "phone", to});
    return service.answer(7, octets);
  };
  std::string& log = logged_calls::log();
  using enum posix::vault_verb;
  log.clear();
  REQUIRE(ask(create).what == errc::ok);
  CHECK(log == "wsrD");
  log.clear();
  REQUIRE(ask(advance, 1).what == errc::ok);
  CHECK(log == "wsrD");
  const auto first_key = ask(key).key.octets;
  CHECK(ask(counter).key.octets == seal_key{}.octets);

  std::uint64_t at = 1;
  for (const bool torn : {false, true}) {
    for (int call = 1; call < 100; ++call) {
      stores::script = {};
      stores::script.fail_at = call;
      stores::script.native = ENOSPC;
      stores::script.torn = torn;
      const errc what = ask(advance, at + 1).what;
      const std::string hit = stores::script.name;
      stores::script = {};
      INFO(call << ": " << hit);
      const auto now = ask(counter);
      REQUIRE(now.what == errc::ok);
      if (what == errc::ok) {
        CHECK(hit.empty());
        CHECK(now.counter == at + 1);
        at = now.counter;
        break;
      }
      // After the exchange of names it cannot be taken back.
      CHECK((now.counter == at || (hit == "sync" && now.counter == at + 1)));
      CHECK((what == errc::state_unwritable || what == errc::state_unreadable));
      at = now.counter;
      const auto again = ask(key);
      CHECK(again.key.octets == first_key);
    }
  }

  const std::string file = directory / "7.phone";
  REQUIRE(::chmod(file.c_str(), 0640) == 0);
  CHECK(ask(key).what == errc::state_foreign);
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
  auto octets = octets_in(file);
  octets.pop_back();
  put_octets(file, octets);
  CHECK(ask(key).what == errc::state_damaged);
  CHECK(ask(create).what == errc::state_damaged);
}

TEST_CASE("a directory has one service at a time") {
  private_directory directory;
  using kept = posix::vault_service<backends::openssl>;
  kept second(directory.path().string(), {0});
  {
    kept first(directory.path().string(), {0});
    REQUIRE(first.check());
    REQUIRE(first.check());
    CHECK(second.check().error().what == errc::state_busy);
    CHECK_FALSE(second.serve(-1, -1));
  }
  CHECK(second.check());
}

TEST_CASE("a service keeps nothing where others may look, and answers no one it does not serve") {
  private_directory directory;
  posix::vault_service<backends::openssl> service(directory.path().string(), {7});
  for (const mode_t mode : {0750u, 0701u, 0704u}) {
    REQUIRE(::chmod(directory.path().c_str(), mode) == 0);
    CHECK(service.check().error().what == errc::state_foreign);
  }
  REQUIRE(::chmod(directory.path().c_str(), 0700) == 0);
  REQUIRE(service.check());
  std::array<std::uint8_t, posix::vault_request::size_bytes> octets;
  for (const auto what : {posix::vault_verb::create, posix::vault_verb::key,
                          posix::vault_verb::counter, posix::vault_verb::advance}) {
    posix::detail::write_request(octets, {what, "phone", 1});
    const auto reply = service.answer(8, octets);
    CHECK(reply.what == errc::state_foreign);
    CHECK(reply.key.octets == seal_key{}.octets);
  }
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("a user may have so many vaults, and no more") {
  vault_lab service;
  using kept = posix::vault_service<backends::openssl>;
  for (std::size_t i = 0; i < kept::most_vaults_per_user; ++i) {
    REQUIRE(posix::service_vault(service.socket(), "v" + std::to_string(i)).create());
  }
  CHECK(posix::service_vault(service.socket(), "more").create().error().what ==
        errc::state_unwritable);
  for (const char* name : {"", "../v0", "a.b", "a/b"}) {
    CHECK(posix::service_vault(service.socket(), name).create().error().what == errc::state_absent);
  }
}

TEST_CASE("with the counter of another user, older state and deleted state are noticed") {
  vault_lab service;
  private_directory directory;
  posix::service_vault vault{service.socket(), "phone"};
  REQUIRE(vault.create());
  const std::string path = directory / "state";
  file_store store{{path, "phone"}, vault};
  REQUIRE(store.create(first_image));
  const auto old = octets_in(path);
  REQUIRE(put_image(store, second_image));
  const auto now = octets_in(path);

  put_octets(path, old);
  file_store newcomer{{path, "phone"}, vault};
  CHECK(newcomer.resistance() == rollback_resistance::other_principal);
  CHECK(look(newcomer) == errc::state_rolled_back);
  // Both files put back, as a copy of the directory would.
  put_octets(directory / "state.next", old);
  file_store again{{path, "phone"}, vault};
  CHECK(look(again) == errc::state_rolled_back);
  put_octets(path, now);
  CHECK(look(again) == errc::ok);

  for (const char* name : {"state", "state.next", "state.lock"}) {
    std::filesystem::remove(directory / name);
  }
  file_store gone{{path, "phone"}, vault};
  CHECK(look(gone) == errc::state_absent);
  CHECK(gone.create(first_image).error().what == errc::state_exists);
}

TEST_CASE("without the service nothing is granted, and with it all is as it was") {
  vault_lab service;
  private_directory directory;
  posix::service_vault vault{service.socket(), "phone"};
  REQUIRE(vault.create());
  file_store store{{directory / "state", "phone"}, vault};
  REQUIRE(store.create(first_image));
  service.stop();
  CHECK(look(store) == errc::state_absent);
  service.start();
  CHECK(look(store) == errc::ok);
}
