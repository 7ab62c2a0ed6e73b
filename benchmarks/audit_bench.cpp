// SPDX-License-Identifier: BSL-1.0
#include <cotter/cotter.hpp>
#include <cotter/pipeline/self_test_pki.hpp>
#include <cotter/policies/audit/callback_audit_sink.hpp>
#include <cotter/policies/audit/null_audit_sink.hpp>
#include <cotter/policies/audit/ring_audit_sink.hpp>
#include <cotter/policies/audit/tee_audit_sink.hpp>
#include <cotter/posix/audit_spool.hpp>

#include <backends/support/counting_malloc.hpp>

#include <benchmark/benchmark.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

// What one record costs in each sink; and in the spool, beside the system calls that no file does
// without: one write of as many octets for an acceptance, one write and one fdatasync for a refusal.

namespace {

using namespace cotter;
namespace fs = std::filesystem;

/// The spool's calls, counted: a spool that no longer synced would be fast and worthless.
struct counted_calls : posix::audit_calls {
  inline static std::uint64_t writes = 0;
  inline static std::uint64_t syncs = 0;

  static ssize_t write(int file, const void* from, std::size_t size_bytes, off_t at) noexcept {
    ++writes;
    return posix::audit_calls::write(file, from, size_bytes, at);
  }
  static int sync_data(int file) noexcept {
    ++syncs;
    return posix::audit_calls::sync_data(file);
  }
};
using spool_type = posix::basic_audit_spool<counted_calls>;

class scratch {
 public:
  explicit scratch(const fs::path& parent) {
    std::string made = (parent / "cotter-bench-XXXXXX").string();
    if (::mkdtemp(made.data()) != nullptr) path_ = made;
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string operator/(const char* name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

fs::path tmpfs() { return "/dev/shm"; }
fs::path disk() { return fs::temp_directory_path(); }

constexpr std::array<const char*, 4> names{"primary", "fallback", "sip.example.com", "openssl"};

/// Two pins of one target, what was seen, and when: as a guard tells it.
const std::array<pin, 2>& pins() {
  static const std::array<pin, 2> both = [] {
    std::array<pin, 2> made{};
    made[0].digest.octets.fill(1);
    made[0].label = names[0];
    made[1].digest.octets.fill(2);
    made[1].role = pin_role::fallback;
    made[1].label = names[1];
    return made;
  }();
  return both;
}

audit_record decision(const verdict& outcome) {
  sha256_digest seen;
  seen.octets.fill(0x5a);
  audit_record what;
  what.at = library_made_at + std::chrono::hours{1};
  what.endpoint = {names[2], 5061};
  what.backend = names[3];
  what.backend_version = {3, 0, 22};
  what.outcome = verdict(outcome).with_fingerprint(seen);
  what.leaf_not_before = library_made_at;
  what.leaf_not_after = library_made_at + std::chrono::hours{24 * 90};
  what.pins = pins();
  return what;
}
audit_record acceptance() {
  return decision(verdict::accept(matched::primary).with_label(names[0]));
}
audit_record refusal() {
  audit_record what = decision(verdict::refuse(reason::pin_mismatch));
  what.leaf = self_test_pki::leaf;
  what.breaker = breaker_state::cooling;
  return what;
}

/// More hosts than the spool watches for repeats: every decision is a new one.
const std::vector<std::string>& hosts() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> made;
    for (int i = 100; i < 356; ++i) made.push_back("edge-" + std::to_string(i) + ".example.com");
    return made;
  }();
  return all;
}

void report_allocations(benchmark::State& state, std::size_t before) {
  const std::size_t after = heap::allocations();
  state.counters["allocations"] =
      static_cast<double>(after - before) / static_cast<double>(state.iterations());
}

template <typename Sink>
void records(benchmark::State& state, Sink& sink) {
  audit_record what = acceptance();
  const std::size_t before = heap::allocations();
  for (auto _ : state) {
    benchmark::DoNotOptimize(&what);
    benchmark::ClobberMemory();
    sink.record(what);
    benchmark::DoNotOptimize(&sink);
    benchmark::ClobberMemory();
  }
  report_allocations(state, before);
}

void sink_null(benchmark::State& state) {
  null_audit_sink sink;
  records(state, sink);
}

void sink_ring(benchmark::State& state) {
  ring_audit_sink<64> sink;
  records(state, sink);
  if (sink.recorded() < static_cast<std::uint64_t>(state.iterations())) {
    state.SkipWithError("the ring has not got every record");
  }
}

/// What the ring adds to: the entry itself, stored by hand.
void sink_by_hand(benchmark::State& state) {
  std::array<ring_entry, 64> entries{};
  std::uint64_t count = 0;
  callback_audit_sink sink{[&](const audit_record& what) noexcept {
    entries[count % entries.size()] = {what.outcome.fingerprint(),
                                       what.at.time_since_epoch().count(),
                                       ring_host_tag(what.endpoint.host),
                                       what.endpoint.port,
                                       what.outcome.reason(),
                                       what.outcome.matched()};
    ++count;
  }};
  records(state, sink);
  benchmark::DoNotOptimize(entries);
}

void sink_callback(benchmark::State& state) {
  std::uint64_t calls = 0;
  callback_audit_sink sink{[&](const audit_record& what) noexcept {
    benchmark::DoNotOptimize(&what);
    ++calls;
  }};
  records(state, sink);
  if (calls < static_cast<std::uint64_t>(state.iterations())) {
    state.SkipWithError("not every record was handed on");
  }
}

void sink_tee(benchmark::State& state) {
  null_audit_sink nowhere;
  ring_audit_sink<64> ring;
  tee_audit_sink sink{nowhere, ring};
  records(state, sink);
  if (ring.recorded() < static_cast<std::uint64_t>(state.iterations())) {
    state.SkipWithError("the ring has not got every record");
  }
}

/// A spool with room for a whole run.
struct spool_lab {
  explicit spool_lab(const fs::path& parent)
      : directory(parent), spool(std::make_unique<spool_type>(directory / "spool")) {
    good = static_cast<bool>(
               spool_type::create(directory / "spool", {std::uint64_t{4} << 30, 16u << 20})) &&
           static_cast<bool>(spool->open());
  }

  scratch directory;
  std::unique_ptr<spool_type> spool;
  bool good = false;
};

void into_spool(benchmark::State& state, const fs::path& parent, bool accepted) {
  spool_lab lab(parent);
  if (!lab.good) return state.SkipWithError("no spool");
  audit_record what = accepted ? acceptance() : refusal();
  std::size_t turn = 0;
  const auto one = [&] {
    what.endpoint.host = hosts()[turn++ % hosts().size()];
    lab.spool->record(what);
  };
  for (std::size_t i = 0; i < 64; ++i) one();
  const std::uint64_t writes = counted_calls::writes;
  const std::uint64_t syncs = counted_calls::syncs;
  const std::size_t before = heap::allocations();
  for (auto _ : state) one();
  report_allocations(state, before);
  const auto done = static_cast<double>(state.iterations());
  state.counters["writes"] = static_cast<double>(counted_calls::writes - writes) / done;
  state.counters["syncs"] = static_cast<double>(counted_calls::syncs - syncs) / done;
  const std::uint64_t due = accepted ? 0 : static_cast<std::uint64_t>(state.iterations());
  const bool synced = counted_calls::syncs - syncs == due;
  if (!synced) state.SkipWithError("a record was not synced, or one that need not be was");
  if (lab.spool->dropped() != 0 || lab.spool->suppressed() != 0 || lab.spool->appended() != turn) {
    state.SkipWithError("not every record was kept");
  }
}

/// The same decision again and again, within the window: counted in place.
void repeated_in_spool(benchmark::State& state, const fs::path& parent, bool accepted) {
  spool_lab lab(parent);
  if (!lab.good) return state.SkipWithError("no spool");
  const audit_record what = accepted ? acceptance() : refusal();
  for (int i = 0; i < 4; ++i) lab.spool->record(what);
  const std::size_t before = heap::allocations();
  for (auto _ : state) lab.spool->record(what);
  report_allocations(state, before);
  if (lab.spool->appended() != 1 || lab.spool->dropped() != 0) {
    state.SkipWithError("a repeat was kept singly");
  }
}

/// How many octets a record adds to a spool's file.
std::size_t frame_bytes(const audit_record& what) {
  spool_lab lab(tmpfs());
  const auto used = [&] {
    std::uintmax_t sum = 0;
    for (const auto& one : fs::directory_iterator(lab.directory / "spool")) sum += one.file_size();
    return sum;
  };
  const std::uintmax_t before = lab.good ? used() : 0;
  lab.spool->record(what);
  return lab.good ? static_cast<std::size_t>(used() - before) : 0;
}

/// What no file does without: a write at its end and, where it must survive the loss of power, the
/// waiting for it. Begins again where a segment of the spool would end.
void bare_write(benchmark::State& state, const fs::path& parent, bool accepted) {
  audit_record what = accepted ? acceptance() : refusal();
  what.endpoint.host = hosts().front();
  const std::vector<std::uint8_t> octets(frame_bytes(what), 0xa5);
  const scratch directory(parent);
  const std::string path = directory / "file";
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 || octets.empty()) return state.SkipWithError("no file");
  std::size_t end = 0;
  bool good = true;
  for (auto _ : state) {
    if (end + octets.size() > (std::size_t{16} << 20)) {
      good = ::ftruncate(file, 0) == 0 && good;
      end = 0;
    }
    good = ::pwrite(file, octets.data(), octets.size(), static_cast<off_t>(end)) ==
               static_cast<ssize_t>(octets.size()) &&
           good;
    if (!accepted) good = ::fdatasync(file) == 0 && good;
    end += octets.size();
  }
  ::close(file);
  state.counters["bytes"] = static_cast<double>(octets.size());
  if (!good) state.SkipWithError("a write failed");
}

BENCHMARK(sink_null)->Name("sink/null");
BENCHMARK(sink_by_hand)->Name("sink/ring by hand");
BENCHMARK(sink_ring)->Name("sink/ring");
BENCHMARK(sink_ring)->Name("sink/ring again");
BENCHMARK(sink_callback)->Name("sink/callback");
BENCHMARK(sink_tee)->Name("sink/tee");
BENCHMARK_CAPTURE(into_spool, accepted, tmpfs(), true)->Name("spool/accepted, tmpfs");
BENCHMARK_CAPTURE(into_spool, accepted, disk(), true)->Name("spool/accepted, disk");
BENCHMARK_CAPTURE(into_spool, refused, tmpfs(), false)->Name("spool/refused, tmpfs");
BENCHMARK_CAPTURE(into_spool, refused, disk(), false)->Name("spool/refused, disk")->UseRealTime();
BENCHMARK_CAPTURE(repeated_in_spool, accepted, tmpfs(), true)->Name("spool/accepted again, tmpfs");
BENCHMARK_CAPTURE(repeated_in_spool, refused, disk(), false)->Name("spool/refused again, disk");
BENCHMARK_CAPTURE(bare_write, accepted, tmpfs(), true)->Name("write/accepted, tmpfs");
BENCHMARK_CAPTURE(bare_write, accepted, disk(), true)->Name("write/accepted, disk");
BENCHMARK_CAPTURE(bare_write, refused, tmpfs(), false)->Name("write/refused, tmpfs");
BENCHMARK_CAPTURE(bare_write, refused, disk(), false)->Name("write/refused, disk")->UseRealTime();
BENCHMARK_CAPTURE(bare_write, control, disk(), false)
    ->Name("write/refused, disk, the same again")
    ->UseRealTime();

}  // namespace
