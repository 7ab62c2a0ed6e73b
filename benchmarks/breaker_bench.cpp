// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>
#include <cotter/cotter.hpp>
#include <cotter/policies/store/flash_store.hpp>
#include <cotter/policies/store/memory_store.hpp>
#include <cotter/posix/service_vault.hpp>
#include <cotter/posix/vault_service.hpp>

#include "breaker_bench.hpp"

#include <benchmark/benchmark.h>

#include <grp.h>

#include <algorithm>
#include <cstring>

// What an attempt costs with each store: accepted with nothing to clear, refused for its pin, refused
// because its target is locked. Beside the first arm (the breaker over a store in memory: no system
// call) stands the same again, to show what differs by chance; and beside the disk, one overwrite of
// as many octets that waits for it.

namespace breaker_bench {

namespace {

using cotter::backends::openssl;

struct in_this_process {
  cotter::memory_breaker<> breaker{usual};
  cotter::memory_breaker<> locker{hasty};
};

struct over_memory {
  using store_type = cotter::memory_store<image_bytes>;

  store_type store{};
  pair_over<store_type> pair{made(store)};
  cotter::stored_breaker<store_type>& breaker = pair.breaker;
  cotter::stored_breaker<store_type>& locker = pair.locker;

  static store_type& made(store_type& store) {
    expect(static_cast<bool>(store.create({}, fresh_image{}.view())), "no state in memory");
    return store;
  }
};

/// Flash without the waiting for it: what is left is the store's own work.
struct ram_slots {
  std::array<std::array<std::uint8_t, image_bytes + 256>, 2> slots{};

  ram_slots() {
    for (auto& slot : slots) slot.fill(0xff);
  }
  bool read(unsigned slot, std::size_t at, std::span<std::uint8_t> into) noexcept {
    std::memcpy(into.data(), slots[slot].data() + at, into.size());
    return true;
  }
  bool write(unsigned slot, bytes_view octets) noexcept {
    slots[slot].fill(0xff);
    std::copy(octets.begin(), octets.end(), slots[slot].begin());
    return true;
  }
};

template <typename Protection>
struct over_flash {
  using store_type = cotter::flash_store<ram_slots, image_bytes, 16, Protection>;

  explicit over_flash(Protection&& protection) : store(flash, std::move(protection)) {
    expect(static_cast<bool>(store.create({}, fresh_image{}.view())), "no state in flash");
  }

  ram_slots flash{};
  store_type store;
  pair_over<store_type> pair{store};
  cotter::stored_breaker<store_type>& breaker = pair.breaker;
  cotter::stored_breaker<store_type>& locker = pair.locker;
};

const std::string overwrite = "one overwrite";

/// What no durable store can do without.
arm disk_arm(std::string name, const std::filesystem::path& parent) {
  auto directory = std::make_shared<scratch_directory>(parent);
  const int file =
      ::open((*directory / "file").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  auto octets = std::make_shared<std::array<std::uint8_t, image_bytes + 256>>();
  expect(file >= 0 && ::posix_fallocate(file, 0, static_cast<off_t>(octets->size())) == 0,
         "no file");
  arm out;
  out.name = std::move(name);
  out.refuse = [directory, octets, file] {
    return seconds_of([&] {
      ++(*octets)[0];
      expect(::pwrite(file, octets->data(), octets->size(), 0) ==
                     static_cast<ssize_t>(octets->size()) &&
                 ::fdatasync(file) == 0,
             "a write failed");
    });
  };
  return out;
}

/// A vault service in a process of its own, run by another user.
struct keeper {
  static constexpr uid_t user = 65534;

  explicit keeper(const std::filesystem::path& parent) : directory(parent) {
    const std::string kept = directory / "kept";
    expect(::chmod(directory.path().c_str(), 0711) == 0 && ::mkdir(kept.c_str(), 0700) == 0 &&
               ::chown(kept.c_str(), user, user) == 0,
           "no directory for the vault service");
    listener = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address;
    expect(cotter::posix::detail::socket_address(socket, address) &&
               ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
               ::chmod(socket.c_str(), 0666) == 0,
           "no socket for the vault service");
    process = std::make_unique<guest>([&] {
      const uid_t client = ::geteuid();
      if (::setgroups(0, nullptr) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0) return;
      if (::listen(listener, 64) != 0) return;
      cotter::posix::vault_service<openssl> service(kept, {client});
      if (service.check()) service.serve(listener, -1);
    });
    ::close(listener);
  }

  scratch_directory directory;
  std::string socket = directory / "socket";
  int listener = -1;
  std::unique_ptr<guest> process{};
};

arm service_arm(std::string name, const std::filesystem::path& parent) {
  if (::geteuid() != 0) return {name + ": takes root, to run it as another user", {}, {}, {}};
  auto service = std::make_shared<keeper>(parent);
  cotter::posix::service_vault vault(service->socket, "bench", keeper::user);
  expect(within_seconds([&] { return static_cast<bool>(vault.create()); }), "no vault service");
  return arm_of(std::move(name),
                std::make_shared<sealed_file<openssl, cotter::posix::service_vault, keeper>>(
                    std::make_shared<scratch_directory>(parent), std::move(vault), service));
}

void make_arms() {
  cotter::seal_key key;
  expect(openssl::random_octets(key.octets), "no random octets");
  auto& all = arms();
  all.push_back(arm_of("stored, in memory", std::make_shared<over_memory>()));
  all.push_back(arm_of("the same again", std::make_shared<over_memory>()));
  all.push_back(arm_of("memory_breaker", std::make_shared<in_this_process>()));
  all.push_back(
      arm_of("flash slots in RAM, CRC",
             std::make_shared<over_flash<cotter::crc_protection>>(cotter::crc_protection{})));
  all.push_back(arm_of("flash slots in RAM, sealed",
                       std::make_shared<over_flash<cotter::seal_protection<openssl>>>(
                           cotter::seal_protection<openssl>(std::move(key)))));
  all.push_back(key_file_arm<openssl>("file, key file; tmpfs", in_memory));
#ifdef COTTER_BENCH_WOLFSSL
  all.push_back(wolfssl_arm());
#endif
#ifdef COTTER_BENCH_MBEDTLS
  all.push_back(mbedtls_arm());
#endif
  all.push_back(service_arm("file, service; tmpfs", in_memory));
  all.push_back(disk_arm(overwrite + "; disk", on_disk()));
  all.push_back(key_file_arm<openssl>("file, key file; disk", on_disk()));
  all.push_back(service_arm("file, service; disk", on_disk()));
#ifdef COTTER_BENCH_TPM2
  all.push_back(tpm2_arm());
#else
  all.push_back({"file, TPM: built without COTTER_TPM2", {}, {}, {}});
#endif
#ifdef COTTER_BENCH_LIBSECRET
  all.push_back(libsecret_arm());
#else
  all.push_back({"file, keyring: built without COTTER_LIBSECRET", {}, {}, {}});
#endif
}

/// The counter is one operation: the median of the batches, because a disk is sometimes slow.
void measure(const std::string& name, const std::function<double()>& body) {
  if (!body) return;
  benchmark::RegisterBenchmark(name.c_str(), [body](benchmark::State& state) {
    std::vector<double> all;
    for (auto _ : state) {
      const double seconds = body();
      state.SetIterationTime(seconds);
      all.push_back(seconds * 1e9 / batch);
    }
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::nth_element(all.begin(), middle, all.end());
    state.counters["ns"] = *middle;
  })->UseManualTime();
}

}  // namespace

std::vector<arm>& arms() {
  static std::vector<arm> all;
  return all;
}

}  // namespace breaker_bench

int main(int count, char** words) {
  using namespace breaker_bench;
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 2;
  make_arms();
  for (const arm& one : arms()) {
    if (!one.refuse) std::fprintf(stderr, "absent: %s\n", one.name.c_str());
    measure("accept/" + one.name, one.accept);
    measure("refuse/" + one.name, one.refuse);
    measure("locked/" + one.name, one.locked);
  }
  benchmark::RunSpecifiedBenchmarks();
  arms().clear();
  return 0;
}
