// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/policies/breaker/stored_breaker.hpp>
#include <cotter/policies/store/memory_store.hpp>
#include <cotter/posix/key_file_vault.hpp>
#include <cotter/posix/sealed_file_store.hpp>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

/// What the arms of breaker_bench.cpp are made of.
namespace breaker_bench {

using cotter::breaker_config;
using cotter::breaker_key;
using cotter::bytes_view;
using cotter::time_reading;

[[noreturn]] inline void give_up(const std::string& what) {
  std::fprintf(stderr, "bench_breaker: %s\n", what.c_str());
  std::exit(1);
}
inline void expect(bool good, const char* what) {
  if (!good) give_up(what);
}

/// Operations in one sample.
inline constexpr int batch = 16;

inline const breaker_config usual{};
inline const breaker_config hasty{1, 1, std::chrono::milliseconds{0}};
inline const breaker_key phone{{"sip.example.com", 443}, {}};
inline const breaker_key intercepted{{"intercepted.example.com", 443}, {}};
inline constexpr time_reading now{{}, std::chrono::hours{1}};

/// Each function does one batch and gives the seconds that it took.
struct arm {
  std::string name{};
  std::function<double()> accept{};  ///< reserve and success, with nothing to clear
  std::function<double()> refuse{};  ///< reserve and mismatch
  std::function<double()> locked{};  ///< reserve, of a target that is locked
};

/// Arms in the order of the table. One without functions is absent: its name says why.
std::vector<arm>& arms();

/// `after` puts back what `body` has changed, and is not timed.
template <typename Body, typename After>
double seconds_of(Body body, After after) {
  std::chrono::steady_clock::duration sum{};
  for (int i = 0; i < batch; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    body();
    sum += std::chrono::steady_clock::now() - begin;
    after();
  }
  return std::chrono::duration<double>(sum).count();
}
/// Where nothing is to be put back the clock is asked once: it would be most of a short operation.
template <typename Body>
double seconds_of(Body body) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < batch; ++i) body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

template <typename Breaker>
void accept_one(Breaker& breaker) {
  auto held = breaker.reserve(phone, now, 1);
  expect(held.held(), "an attempt was refused");
  breaker.success(held, now);
}

/// `material` has two breakers, `breaker` by `usual` and `locker` by `hasty`, and all they need.
template <typename Material>
arm arm_of(std::string name, std::shared_ptr<Material> material) {
  accept_one(material->breaker);
  auto held = material->locker.reserve(intercepted, now, 1);
  expect(held.held(), "the first attempt was refused");
  expect(material->locker.mismatch(held, now).state == cotter::breaker_state::locked, "no lock");
  arm out;
  out.name = std::move(name);
  out.accept = [material] { return seconds_of([&] { accept_one(material->breaker); }); };
  out.refuse = [material] {
    return seconds_of(
        [&] {
          auto attempt = material->breaker.reserve(phone, now, 1);
          expect(attempt.held(), "an attempt was refused");
          expect(material->breaker.mismatch(attempt, now).streak == 1,
                 "a mismatch was not counted");
        },
        [&] { accept_one(material->breaker); });
  };
  out.locked = [material] {
    return seconds_of([&] {
      expect(
          material->locker.reserve(intercepted, now, 1).refused() == cotter::reason::breaker_locked,
          "a locked target was not refused");
    });
  };
  return out;
}

/// Both breakers over one store.
template <typename Store>
struct pair_over {
  explicit pair_over(Store& store) : breaker(store, usual), locker(store, hasty) {}

  cotter::stored_breaker<Store> breaker;
  cotter::stored_breaker<Store> locker;
};

inline constexpr std::size_t image_bytes =
    cotter::stored_breaker<cotter::memory_store<>>::image_bytes;

struct fresh_image {
  fresh_image() : size(cotter::breaker_ledger<16, 288>{}.save(octets)) {}
  [[nodiscard]] bytes_view view() const { return bytes_view(octets).first(size); }

  std::array<std::uint8_t, image_bytes> octets{};
  std::size_t size = 0;
};

/// A directory that goes with the benchmark.
class scratch_directory {
 public:
  explicit scratch_directory(const std::filesystem::path& parent) {
    std::string made = (parent / "cotter-bench-XXXXXX").string();
    if (::mkdtemp(made.data()) == nullptr) give_up("no directory in " + parent.string());
    path_ = made;
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string operator/(const char* name) const { return (path_ / name).string(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline const std::filesystem::path in_memory = "/dev/shm";
inline std::filesystem::path on_disk() { return std::filesystem::temp_directory_path(); }

/// A process of the benchmark's own, killed with it.
class guest {
 public:
  template <typename Body>
  explicit guest(Body body) : process_(::fork()) {
    if (process_ < 0) give_up("no process");
    if (process_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    body();
    ::_exit(127);
  }
  guest(const guest&) = delete;
  guest& operator=(const guest&) = delete;
  ~guest() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

 private:
  pid_t process_;
};

/// For a guest: becomes another program, which is fed `input` and seen by nobody.
inline void become(std::vector<std::string> words, const std::string& input = {}) {
  int pipe[2];
  if (::pipe(pipe) != 0) return;
  if (::write(pipe[1], input.data(), input.size()) != static_cast<ssize_t>(input.size())) return;
  ::close(pipe[1]);
  const int nothing = ::open("/dev/null", O_WRONLY);
  ::dup2(pipe[0], 0);
  ::dup2(nothing, 1);
  ::dup2(nothing, 2);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
}

template <typename Condition>
bool within_seconds(Condition condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

/// A sealed file with whatever vault; `Guests` are what the vault needs, and outlive it.
template <cotter::sealer Backend, cotter::key_vault Vault, typename Guests = int>
struct sealed_file {
  using store_type = cotter::posix::sealed_file_store<Backend, Vault, image_bytes>;

  sealed_file(std::shared_ptr<scratch_directory> in, Vault one, std::shared_ptr<Guests> needs = {})
      : guests(std::move(needs)),
        directory(std::move(in)),
        path(*directory / "state"),
        vault(std::move(one)),
        store({path, "bench", {}}, vault),
        pair(made(store)) {}

  static store_type& made(store_type& store) {
    expect(static_cast<bool>(store.create(fresh_image{}.view())), "no state could be made");
    return store;
  }

  std::shared_ptr<Guests> guests;
  std::shared_ptr<scratch_directory> directory;
  std::string path;
  Vault vault;
  store_type store;
  pair_over<store_type> pair;
  cotter::stored_breaker<store_type>& breaker = pair.breaker;
  cotter::stored_breaker<store_type>& locker = pair.locker;
};

template <cotter::sealer Backend>
arm key_file_arm(std::string name, const std::filesystem::path& parent) {
  auto directory = std::make_shared<scratch_directory>(parent);
  cotter::posix::key_file_vault vault(*directory / "key");
  expect(static_cast<bool>(vault.create<Backend>()), "no key could be made");
  return arm_of(std::move(name),
                std::make_shared<sealed_file<Backend, cotter::posix::key_file_vault>>(
                    directory, std::move(vault)));
}

// One for each library, in a translation unit of its own.
arm wolfssl_arm();
arm mbedtls_arm();
arm tpm2_arm();
arm libsecret_arm();

}  // namespace breaker_bench
