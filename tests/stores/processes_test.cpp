// SPDX-License-Identifier: BSL-1.0
#include <cotter/posix/sealed_file_store.hpp>

#include "support/private_directory.hpp"

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

namespace {

constexpr std::size_t keys = 128;
constexpr std::size_t key_bytes = 16;
constexpr int processes = 8;
using ledger = breaker_ledger<keys, key_bytes>;
using file_store =
    posix::sealed_file_store<backends::openssl, posix::key_file_vault, ledger::image_bytes, keys>;
using shared_breaker = stored_breaker<file_store, keys, key_bytes>;

time_reading at_one_hour() {
  time_reading now{};
  now.steady = 1h;
  return now;
}

std::string host(std::size_t i) { return "h" + std::to_string(i % keys); }

/// What the processes tell each other and their parent.
struct board {
  std::atomic<int> here{0};
  std::atomic<int> tried{0};
  std::array<std::atomic<int>, keys> mismatches{};
  std::array<std::atomic<int>, keys> granted{};
};

class shared_board {
 public:
  shared_board()
      : at_(::mmap(nullptr, sizeof(board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                   0)) {
    REQUIRE(at_ != MAP_FAILED);
    new (at_) board;
  }
  shared_board(const shared_board&) = delete;
  shared_board& operator=(const shared_board&) = delete;
  ~shared_board() { ::munmap(at_, sizeof(board)); }
  board* operator->() const { return static_cast<board*>(at_); }

 private:
  void* at_;
};

struct lab {
  lab() {
    REQUIRE(vault.create<backends::openssl>());
    file_store store{{path, "shared"}, vault};
    std::array<std::uint8_t, ledger::image_bytes> image{};
    REQUIRE(store.create(bytes_view(image).first(shared_breaker::fresh_image(image))));
  }

  /// Runs `body(store, breaker, number)` in `processes` children; true if all ended with 0.
  template <typename Body>
  bool run(const breaker_config& config, Body body) {
    std::array<pid_t, processes> children{};
    for (int i = 0; i < processes; ++i) {
      children[static_cast<std::size_t>(i)] = ::fork();
      if (children[static_cast<std::size_t>(i)] != 0) continue;
      auto store = std::make_unique<file_store>(posix::sealed_file_options{path, "shared"}, vault);
      auto mine = std::make_unique<shared_breaker>(*store, config);
      ::_exit(body(*mine, i));
    }
    bool good = true;
    for (const pid_t child : children) {
      int status = 0;
      if (::waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        good = false;
      }
    }
    return good;
  }

  private_directory directory{stores::in_memory};
  std::string path = directory / "state";
  posix::key_file_vault vault{directory / "key"};
};

}  // namespace

TEST_CASE("8 processes make 10,000 attempts on one store, and every mismatch is counted") {
  lab here;
  shared_board shared;
  constexpr int attempts = 10'000;
  const breaker_config config{.max_consecutive_failures = 100, .alert_threshold = 100};
  REQUIRE(here.run(config, [&](shared_breaker& mine, int number) {
    std::mt19937 random(static_cast<unsigned>(number));
    for (int i = 0; i < attempts / processes;) {
      const std::size_t key = random() % keys;
      const std::string name = host(key);
      auto one = mine.reserve({{name, 1}, {}}, at_one_hour(), 1);
      // The lock was busy for 50 ms, as it may be: nothing was granted.
      if (!one.held()) {
        if (mine.why().what != errc::state_busy) return 1;
        continue;
      }
      ++i;
      ++shared->granted[key];
      if (random() % 3 == 0) {
        mine.release(one);
      } else {
        mine.mismatch(one, at_one_hour());
        ++shared->mismatches[key];
      }
    }
    // What is owed because the lock was busy is paid by whatever asks next.
    for (int tries = 0; tries < 1000; ++tries) {
      if (mine.status({{"h0", 1}, {}}, at_one_hour())) return 0;
    }
    return 2;
  }));
  file_store store{{here.path, "shared"}, here.vault};
  shared_breaker after(store, config);
  int granted = 0;
  int mismatches = 0;
  for (std::size_t i = 0; i < keys; ++i) {
    const std::string name = host(i);
    const auto status = after.status({{name, 1}, {}}, at_one_hour());
    REQUIRE(status);
    INFO(name);
    CHECK(status->mismatches_24h == static_cast<unsigned>(shared->mismatches[i].load()));
    CHECK(status->streak == shared->mismatches[i].load());
    granted += shared->granted[i];
    mismatches += shared->mismatches[i];
  }
  CHECK(granted == attempts);
  CHECK(mismatches > attempts / 2);
}

TEST_CASE("in flight and failures together never exceed the maximum, whoever asks") {
  lab here;
  shared_board shared;
  const breaker_config config{.max_consecutive_failures = 3, .alert_threshold = 3};
  constexpr int rounds = 40;
  REQUIRE(here.run(config, [&](shared_breaker& mine, int) {
    for (int round = 0; round < rounds; ++round) {
      const std::string name = host(static_cast<std::size_t>(round));
      ++shared->here;
      while (shared->here.load() < processes * (round + 1)) ::usleep(50);
      auto one = mine.reserve({{name, 1}, {}}, at_one_hour(), 1);
      while (!one.held() && one.refused() == reason::state_unavailable) {
        if (mine.why().what != errc::state_busy) return 1;
        one = mine.reserve({{name, 1}, {}}, at_one_hour(), 1);
      }
      if (one.held()) ++shared->granted[static_cast<std::size_t>(round)];
      ++shared->tried;
      while (shared->tried.load() < processes * (round + 1)) ::usleep(50);
      if (one.held()) mine.mismatch(one, at_one_hour());
    }
    for (int tries = 0; tries < 1000; ++tries) {
      if (mine.status({{"h0", 1}, {}}, at_one_hour())) return 0;
    }
    return 2;
  }));
  file_store store{{here.path, "shared"}, here.vault};
  shared_breaker after(store, config);
  for (int round = 0; round < rounds; ++round) {
    const std::string name = host(static_cast<std::size_t>(round));
    INFO(name);
    CHECK(shared->granted[static_cast<std::size_t>(round)] == 3);
    const auto status = after.status({{name, 1}, {}}, at_one_hour());
    REQUIRE(status);
    CHECK(status->state == breaker_state::locked);
    CHECK(status->streak == 3);
  }
  CHECK(after.any_locked());
}
