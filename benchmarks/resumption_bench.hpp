// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/cotter.hpp>

#include <backends/support/client.hpp>

#include <benchmark/benchmark.h>

#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// What resumption saves: handshakes of one guard with one server in memory, full and resumed.
namespace resumption_bench {

/// One handshake, from attach to confirm, the client's part of it and the octets both ways.
struct cost {
  double both_ms = 0;        ///< processor time of both ends
  double client_cpu_ms = 0;  ///< the client's library and cotter
  double sent_bytes = 0;
  double received_bytes = 0;
  double round_trips = 0;  ///< that the client waits for before it may send
};

inline double cpu_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// A client whose own time and octets are counted.
template <typename Client>
struct counted_client {
  Client& client;
  cost& spent;

  cotter::step handshake() {
    const double before = cpu_ms();
    const cotter::step now = client.handshake();
    spent.client_cpu_ms += cpu_ms() - before;
    return now;
  }
  cotter::bytes_view pending() { return client.pending(); }
  void sent(std::size_t n) {
    spent.sent_bytes += static_cast<double>(n);
    client.sent(n);
  }
  std::size_t feed(cotter::bytes_view some) {
    const std::size_t taken = client.feed(some);
    spent.received_bytes += static_cast<double>(taken);
    return taken;
  }
};

/// Where sessions are kept, or not: a store that can be told to have nothing.
struct switched_store : cotter::memory_session_store<> {
  template <typename Use>
  bool take(const cotter::session_key& whose, Use&& use) noexcept {
    return on && cotter::memory_session_store<>::take(whose, use);
  }
  bool on = false;
};

template <typename Backend>
class bench {
 public:
  explicit bench(int version) : server_(lab::serve("good", version)) {
    const auto pin = *cotter::parse_pin(peer::certificate_pin(lab::file("good.pem")));
    good_ = static_cast<bool>(pins_.add({"localhost", 443}, {&pin, 1})) &&
            static_cast<bool>(context_.load_anchors_file(lab::file("ca.pem").c_str()));
  }

  /// False if the connection is not what it was to be.
  bool connect(bool resumed, cost& spent) {
    store_.on = resumed;
    auto admission = guard_.admit({"localhost", 443});
    if (!good_ || !admission) return false;
    typename Backend::client client(context_);
    auto there = server_.accept();
    counted_client<typename Backend::client> counted{client, spent};
    std::vector<std::uint8_t> held;
    const double began = cpu_ms();
    double cpu = began;
    auto connection = guard_.attach(client.native(), *admission, context_.anchors());
    spent.client_cpu_ms += cpu_ms() - cpu;
    cotter::step step{cotter::want::input, 0, {}};
    for (int flight = 0; flight < 10 && step.next != cotter::want::nothing; ++flight) {
      step = counted.handshake();
      if (step.next == cotter::want::failed) return false;
      lab::carry(counted, *there);
      if (step.next == cotter::want::nothing) break;
      spent.round_trips += 1;
      there->drive();
      lab::carry_back(*there, counted, held);
    }
    cpu = cpu_ms();
    const bool accepted = static_cast<bool>(connection.confirm());
    spent.client_cpu_ms += cpu_ms() - cpu;
    spent.both_ms += cpu_ms() - began;
    there->drive();
    there->send("200");
    lab::carry_back(*there, client, held);
    std::array<std::uint8_t, 16> plain{};
    (void)client.read(plain);
    connection.keep_sessions();
    (void)client.shutdown();
    lab::carry(client, *there);
    there->drive();
    return accepted && there->resumed() == resumed;
  }

 private:
  bool good_ = false;
  peer::server server_;
  cotter::owned_pin_set pins_{};
  cotter::memory_breaker<> breaker_{};
  switched_store store_{};
  typename Backend::context context_{};
  cotter::guard<cotter::owned_pin_set&, cotter::memory_breaker<>&, cotter::embedded_manifest,
                cotter::null_audit_sink, switched_store&>
      guard_{pins_, breaker_, cotter::embedded_manifest{}, cotter::null_audit_sink{}, store_};
};

/// One handshake after the other; the kinds come in any order, the server and its tickets stay.
template <typename Backend>
void handshakes(benchmark::State& state, int version, bool resumed) {
  static std::map<int, std::unique_ptr<bench<Backend>>> all;
  auto& one = all[version];
  if (one == nullptr) one = std::make_unique<bench<Backend>>(version);
  cost ignored;
  // The first full one leaves the session that the first resumed one takes.
  bool good = one->connect(false, ignored) && one->connect(resumed, ignored);
  std::vector<double> client_cpu;
  cost all_of_them;
  for (auto _ : state) {
    cost spent;
    good = good && one->connect(resumed, spent);
    state.SetIterationTime(spent.both_ms / 1e3);
    client_cpu.push_back(spent.client_cpu_ms * 1e6);
    all_of_them.sent_bytes += spent.sent_bytes;
    all_of_them.received_bytes += spent.received_bytes;
    all_of_them.round_trips += spent.round_trips;
  }
  const auto middle = client_cpu.begin() + static_cast<std::ptrdiff_t>(client_cpu.size() / 2);
  std::nth_element(client_cpu.begin(), middle, client_cpu.end());
  const auto count = static_cast<double>(state.iterations());
  state.counters["client_cpu"] = *middle;
  state.counters["sent"] = all_of_them.sent_bytes / count;
  state.counters["received"] = all_of_them.received_bytes / count;
  state.counters["round_trips"] = all_of_them.round_trips / count;
  if (!good) state.SkipWithError("a connection was not what it was to be");
}

/// Registers LIBRARY/VERSION/full, the same again, and resumed.
template <typename Backend>
void add(const char* library, int version) {
  const std::string name = std::string(library) + (version == 0x0303 ? "/1.2/" : "/1.3/");
  for (const char* kind : {"full", "full again", "resumed"}) {
    benchmark::RegisterBenchmark((name + kind).c_str(), handshakes<Backend>, version,
                                 std::string_view(kind) == "resumed")
        ->UseManualTime();
  }
}

void add_openssl();
void add_wolfssl();
void add_mbedtls();

}  // namespace resumption_bench
