// SPDX-License-Identifier: BSL-1.0
#include <cotter/posix/sealed_file_store.hpp>

#include "support/private_directory.hpp"
#include "support/scripted_calls.hpp"
#include "support/vault_lab.hpp"

#include <cotter/backends/openssl.hpp>
#include <cotter/policies/breaker/stored_breaker.hpp>

#include <support/catch.hpp>

#include <sys/mman.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <string>

using namespace cotter;
using namespace std::chrono_literals;
using stores::private_directory;
using stores::scripted_calls;

namespace {

constexpr std::size_t keys = 128;
constexpr std::size_t key_bytes = 16;
using ledger = breaker_ledger<keys, key_bytes>;

template <typename Vault, typename Calls = posix::system_calls>
using file_store =
    posix::sealed_file_store<backends::openssl, Vault, ledger::image_bytes, keys, Calls>;
template <typename Store>
using breaker_over = stored_breaker<Store, keys, key_bytes>;

constexpr breaker_config many{
    .max_consecutive_failures = 100, .alert_threshold = 100, .cooldown = 1s};

time_reading at_one_hour() {
  time_reading now{};
  now.steady = 1h;
  return now;
}

std::string host(std::size_t i) { return "h" + std::to_string(i % keys); }

/// All mismatches that the state counts.
template <typename Vault>
std::uint64_t counted(const std::string& path, Vault& vault) {
  auto store =
      std::make_unique<file_store<Vault>>(posix::sealed_file_options{path, "crash"}, vault);
  auto image = std::make_unique<std::array<std::uint8_t, ledger::image_bytes>>();
  const auto size = store->begin(*image);
  REQUIRE(size);
  store->cancel();
  auto read = std::make_unique<ledger>();
  REQUIRE(read->load(bytes_view(*image).first(*size)));
  std::uint64_t sum = 0;
  read->for_each_key([&](const breaker_key& key) {
    sum += read->status(many, key, at_one_hour()).mismatches_24h;
  });
  return sum;
}

template <typename Vault>
void create(const std::string& path, Vault& vault) {
  auto store =
      std::make_unique<file_store<Vault>>(posix::sealed_file_options{path, "crash"}, vault);
  std::array<std::uint8_t, ledger::image_bytes> image{};
  const std::size_t size = breaker_over<file_store<Vault>>::fresh_image(image);
  REQUIRE(store->create(bytes_view(image).first(size)));
}

struct progress {
  std::atomic<std::uint64_t> begun{0};
  std::atomic<std::uint64_t> done{0};
};

/// Memory that a child shares with its parent.
class shared_progress {
 public:
  shared_progress()
      : at_(::mmap(nullptr, sizeof(progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                   -1, 0)) {
    REQUIRE(at_ != MAP_FAILED);
    new (at_) progress;
  }
  shared_progress(const shared_progress&) = delete;
  shared_progress& operator=(const shared_progress&) = delete;
  ~shared_progress() { ::munmap(at_, sizeof(progress)); }
  progress* operator->() const { return static_cast<progress*>(at_); }

 private:
  void* at_;
};

/// Mismatches, one after the other, until somebody ends it.
template <typename Vault>
[[noreturn]] void mismatch_forever(const std::string& path, Vault& vault, progress* shared) {
  auto store =
      std::make_unique<file_store<Vault>>(posix::sealed_file_options{path, "crash"}, vault);
  auto breaker = std::make_unique<breaker_over<file_store<Vault>>>(*store, many);
  for (;;) {
    const std::string name = host(static_cast<std::size_t>(shared->begun.load()));
    auto one = breaker->reserve({{name, 1}, {}}, at_one_hour(), 1);
    if (!one.held()) ::_exit(1);
    ++shared->begun;
    breaker->mismatch(one, at_one_hour());
    if (breaker->why().what != errc::ok) ::_exit(2);
    ++shared->done;
  }
}

template <typename Vault>
void kill_at_random(int rounds, const std::string& path, Vault& vault) {
  create(path, vault);
  shared_progress shared;
  std::mt19937 random(20260101);
  std::uniform_int_distribution<unsigned> delay(0, 2500);
  int in_flight = 0;
  int counted_in_flight = 0;
  std::uint64_t known = 0;
  const auto much = static_cast<std::uint64_t>(rounds) / 4;
  // On a slow machine most are killed before they have begun: then more of them.
  const auto enough = [&] { return known > much && in_flight > rounds / 20; };
  int round = 0;
  for (; round < rounds || (!enough() && round < 10 * rounds); ++round) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) mismatch_forever(path, vault, shared.operator->());
    ::usleep(delay(random));
    REQUIRE(::kill(child, SIGKILL) == 0);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    const std::uint64_t sum = counted(path, vault);
    const std::uint64_t told = known + shared->done.exchange(0);
    INFO("round " << round);
    REQUIRE(sum >= told);
    REQUIRE(sum <= told + 1);
    const std::uint64_t begun = shared->begun.load();
    if (begun != told) ++in_flight;
    if (sum != told) ++counted_in_flight;
    known = sum;
    shared->begun = sum;
  }
  // Else nothing was interrupted.
  CHECK(known > much);
  CHECK(in_flight > rounds / 20);
  WARN(round << " kills: " << known << " mismatches counted, none lost; " << in_flight
             << " attempts in flight, of which " << counted_in_flight << " were counted");
}

/// One reservation and one mismatch, killed at each call in turn. What `create` and `reserve` do
/// is part of it.
template <typename Vault>
void kill_at_every_call(Vault& vault, const std::string& path) {
  create(path, vault);
  using store_type = file_store<Vault, scripted_calls>;
  std::uint64_t known = 0;
  bool finished = false;
  int at = 1;
  for (; !finished; ++at) {
    REQUIRE(at < 200);
    shared_progress shared;
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      stores::script = {};
      stores::script.fail_at = at;
      stores::script.kill = true;
      stores::script.torn = at % 2 == 0;
      auto store = std::make_unique<store_type>(posix::sealed_file_options{path, "crash"}, vault);
      auto breaker = std::make_unique<breaker_over<store_type>>(*store, many);
      const std::string name = host(static_cast<std::size_t>(at));
      auto one = breaker->reserve({{name, 1}, {}}, at_one_hour(), 1);
      if (!one.held()) ::_exit(1);
      breaker->mismatch(one, at_one_hour());
      if (breaker->why().what != errc::ok) ::_exit(2);
      ++shared->done;
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    finished = WIFEXITED(status);
    INFO("call " << at);
    if (finished) REQUIRE(WEXITSTATUS(status) == 0);
    const std::uint64_t sum = counted(path, vault);
    REQUIRE(sum >= known + shared->done.load());
    REQUIRE(sum <= known + 1);
    known = sum;
  }
  CHECK(at > 20);
  CHECK(known >= 2);
}

}  // namespace

TEST_CASE("kill -9 at 1,000 random points loses no count and doubles none") {
  private_directory directory{stores::in_memory};
  posix::key_file_vault vault{directory / "key"};
  REQUIRE(vault.create<backends::openssl>());
  kill_at_random(1000, directory / "state", vault);
}

TEST_CASE("kill -9 at random points, with a counter that another user keeps") {
  private_directory directory{stores::in_memory};
  stores::vault_lab service;
  posix::service_vault vault{service.socket(), "crash"};
  REQUIRE(vault.create());
  kill_at_random(200, directory / "state", vault);
}

TEST_CASE("kill -9 at every call of a mismatch leaves the state before or after") {
  private_directory directory{stores::in_memory};
  posix::key_file_vault vault{directory / "key"};
  REQUIRE(vault.create<backends::openssl>());
  kill_at_every_call(vault, directory / "state");
}

TEST_CASE("kill -9 at every call, with a counter that another user keeps") {
  private_directory directory{stores::in_memory};
  stores::vault_lab service;
  posix::service_vault vault{service.socket(), "crash"};
  REQUIRE(vault.create());
  kill_at_every_call(vault, directory / "state");
}
