// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/cotter.hpp>

#include <backends/support/client.hpp>

#include <benchmark/benchmark.h>

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// What an established, idle connection keeps: the same client with and without cotter, each kind in a
/// process of its own. Handshakes run in memory, and the server's end is gone before anything is counted.
namespace idle_bench {

/// The way to a server in memory, as blocking calls see it. Nothing of it is left on the heap once the
/// handshake is over.
class wire {
 public:
  void open(peer::server& server) { there_ = server.accept(); }
  void close() {
    there_.reset();
    held_ = {};
    first_ = 0;
  }
  /// 0 if the server has nothing more to say.
  std::size_t receive(void* into, std::size_t room) {
    if (first_ == held_.size() && there_ != nullptr) {
      there_->drive();
      held_ = there_->take_pending();
      first_ = 0;
    }
    const std::size_t size = std::min(room, held_.size() - first_);
    std::copy_n(held_.begin() + static_cast<std::ptrdiff_t>(first_), size,
                static_cast<std::uint8_t*>(into));
    first_ += size;
    return size;
  }
  std::size_t send(const void* from, std::size_t size) {
    if (there_ == nullptr) return 0;
    const std::size_t taken = there_->feed({static_cast<const std::uint8_t*>(from), size});
    there_->drive();
    return taken;
  }

 private:
  std::unique_ptr<peer::connection> there_{};
  std::vector<std::uint8_t> held_{};
  std::size_t first_ = 0;
};

/// Octets in use by this process: given out by malloc, and resident.
struct figures {
  double heap = 0;
  double resident = 0;

  static figures now() {
    ::malloc_trim(0);
    figures out;
    const struct mallinfo2 all = ::mallinfo2();
    out.heap = static_cast<double>(all.uordblks + all.hblkhd);
    unsigned long total = 0;
    unsigned long resident = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
      if (std::fscanf(file, "%lu %lu", &total, &resident) != 2) resident = 0;
      std::fclose(file);
    }
    out.resident = static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
    return out;
  }
};

inline constexpr std::array<std::size_t, 2> counts{1'000, 10'000};

/// `Client`, once made from a `Lab`, is an established connection; its process ends with it.
template <typename Lab, typename Client>
void fill(std::size_t most, int out) {
  Lab lab;
  std::vector<std::unique_ptr<Client>> all;
  all.reserve(most + 16);
  // What a library keeps for itself is not the connections'.
  for (int i = 0; i < 16; ++i) all.push_back(std::make_unique<Client>(lab));
  const figures before = figures::now();
  for (const std::size_t count : counts) {
    if (count > most) break;
    while (all.size() < count + 16) all.push_back(std::make_unique<Client>(lab));
    figures each = figures::now();
    each.heap = (each.heap - before.heap) / static_cast<double>(count);
    each.resident = (each.resident - before.resident) / static_cast<double>(count);
    if (::write(out, &each, sizeof each) != static_cast<ssize_t>(sizeof each)) return;
  }
}

struct kind {
  const char* name;
  void (*fill)(std::size_t most, int out);
};

/// All kinds at once, a process for each: nothing here is timed.
inline void count_octets(benchmark::State& state, const std::vector<kind>& kinds,
                         std::size_t most) {
  struct child {
    pid_t process;
    int in;
  };
  std::vector<child> children;
  for (const kind& one : kinds) {
    int ends[2];
    if (::pipe(ends) != 0) return state.SkipWithError("no pipe");
    const pid_t process = ::fork();
    if (process == 0) {
      try {
        one.fill(most, ends[1]);
        ::_exit(0);
      } catch (const std::exception& why) {
        std::fprintf(stderr, "%s: %s\n", one.name, why.what());
      }
      ::_exit(1);
    }
    ::close(ends[1]);
    children.push_back({process, ends[0]});
  }
  for (auto _ : state) {
  }
  bool good = true;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    for (const std::size_t count : counts) {
      if (count > most) break;
      figures each;
      good =
          ::read(children[i].in, &each, sizeof each) == static_cast<ssize_t>(sizeof each) && good;
      const std::string with = std::string(kinds[i].name) + ", " + std::to_string(count);
      state.counters[with + ", heap"] = each.heap;
      state.counters[with + ", resident"] = each.resident;
    }
    ::close(children[i].in);
    int status = 0;
    ::waitpid(children[i].process, &status, 0);
    good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  if (!good) state.SkipWithError("a connection was not established");
}

inline void add(const char* library, std::vector<kind> kinds, std::size_t most) {
  benchmark::RegisterBenchmark(library, count_octets, std::move(kinds), most)
      ->Iterations(1)
      ->Repetitions(1);
}

/// What a lab has whichever the library: a server, and a guard for those who want it.
class guarded_lab {
 public:
  guarded_lab() : server(one_group()) {
    const auto pin = *cotter::parse_pin(peer::certificate_pin(lab::file("good.pem")));
    if (!pins_.add({"localhost", 443}, {&pin, 1})) throw std::runtime_error("no pin");
  }

  peer::server server;

 private:
  static peer::options one_group() {
    peer::options how = lab::serve("good");
    how.groups = "X25519:P-256";
    return how;
  }

  cotter::owned_pin_set pins_{};
  cotter::memory_breaker<> breaker_{};
  cotter::null_audit_sink sink_{};

 public:
  cotter::guard<cotter::owned_pin_set&, cotter::memory_breaker<>&, cotter::embedded_manifest,
                cotter::null_audit_sink&>
      guard{pins_, breaker_, cotter::embedded_manifest{}, sink_};
};

/// A session of the library's own, established. `Session` has `native()` and `handshake()`.
template <typename Lab, typename Session>
class bare {
 public:
  explicit bare(Lab& in) : session_(in, wire_) {
    wire_.open(in.server);
    if (!session_.handshake()) throw std::runtime_error("the bare handshake failed");
    wire_.close();
  }

 private:
  wire wire_{};
  Session session_;
};

/// The same with a connection of cotter's attached, accepted and kept.
template <typename Lab, typename Session>
class guarded {
  static auto admitted(Lab& in) {
    auto admission = in.guard.admit({"localhost", 443});
    if (!admission) throw std::runtime_error("not admitted");
    return std::move(*admission);
  }

 public:
  explicit guarded(Lab& in)
      : session_(in, wire_), connection_(in.guard.attach(session_.native(), admitted(in))) {
    wire_.open(in.server);
    if (!session_.handshake() || !connection_.confirm()) {
      throw std::runtime_error("the guarded handshake failed");
    }
    wire_.close();
  }

 private:
  using connection_type = decltype(std::declval<Lab&>().guard.attach(
      std::declval<Session&>().native(), admitted(std::declval<Lab&>())));

  wire wire_{};
  Session session_;
  connection_type connection_;
};

void add_openssl();
void add_wolfssl();
void add_mbedtls();

}  // namespace idle_bench
