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
#include <map>

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

/// Prints what every benchmark does, and a table of medians at the end.
class table_reporter final : public benchmark::ConsoleReporter {
 public:
  table_reporter() : ConsoleReporter(OO_Tabular) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.aggregate_name == "median") {
        // Nanoseconds, as the benchmarks' unit is.
        medians_[run.run_name.function_name] = run.GetAdjustedRealTime() / batch;
      }
    }
    ConsoleReporter::ReportRuns(runs);
  }

  void print_table() const {
    const std::string unit = arms().front().name;
    std::printf(
        "\n| store | accepted | refused | as overwrites of that disk | locked "
        "|\n|---|---|---|---|---|\n");
    std::string absent;
    for (const arm& one : arms()) {
      if (!one.refuse) {
        absent += one.name.empty() ? "" : "absent: " + one.name + "\n";
        continue;
      }
      const std::string place = one.name.substr(std::min(one.name.find(';'), one.name.size()));
      std::printf("| %s | %s | %s | %s | %s |\n", one.name.c_str(),
                  cell("accept/" + one.name, "accept/" + unit).c_str(),
                  cell("refuse/" + one.name, "refuse/" + unit).c_str(),
                  ratio("refuse/" + one.name, "refuse/" + overwrite + place).c_str(),
                  cell("locked/" + one.name, "locked/" + unit).c_str());
    }
    std::printf("%s", absent.c_str());
  }

 private:
  static std::string number(double value, const char* unit) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(),
                  value < 10    ? "%.2f%s"
                  : value < 100 ? "%.1f%s"
                                : "%.0f%s",
                  value, unit);
    return text.data();
  }
  [[nodiscard]] std::string ratio(const std::string& name, const std::string& against) const {
    const auto took = medians_.find(name);
    const auto by = medians_.find(against);
    if (took == medians_.end() || by == medians_.end()) return "-";
    return number(took->second / by->second, "");
  }
  [[nodiscard]] std::string cell(const std::string& name, const std::string& against) const {
    const std::string first = ratio(name, against);
    return first == "-" ? first : first + " (" + time(medians_.at(name)) + ")";
  }
  static std::string time(double nanoseconds) {
    if (nanoseconds < 1e3) return number(nanoseconds, " ns");
    return nanoseconds < 1e6 ? number(nanoseconds / 1e3, " us") : number(nanoseconds / 1e6, " ms");
  }

  std::map<std::string, double> medians_{};
};

void measure(const std::string& name, const std::function<double()>& body) {
  if (!body) return;
  benchmark::RegisterBenchmark(name.c_str(), [body](benchmark::State& state) {
    for (auto _ : state) state.SetIterationTime(body());
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
  // One after the other in random order, many times: what slows the machine for a while slows all.
  std::vector<std::string> texts{
      words[0], "--benchmark_repetitions=15", "--benchmark_enable_random_interleaving=true",
      "--benchmark_min_time=0.05", "--benchmark_display_aggregates_only=true"};
  texts.insert(texts.end(), words + 1, words + count);
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  int size = static_cast<int>(arguments.size());
  benchmark::Initialize(&size, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(size, arguments.data())) return 2;
  make_arms();
  for (const arm& one : arms()) {
    measure("accept/" + one.name, one.accept);
    measure("refuse/" + one.name, one.refuse);
    measure("locked/" + one.name, one.locked);
  }
  table_reporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  reporter.print_table();
  arms().clear();
  return 0;
}
