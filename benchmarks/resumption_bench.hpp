// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/cotter.hpp>

#include <backends/support/client.hpp>

#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <vector>

/// What resumption saves: handshakes of one guard with one server in memory, full and resumed by turns.
namespace resumption_bench {

/// One handshake, from attach to confirm, the client's part of it and the octets both ways.
struct cost {
  double wall_ms = 0;        ///< both ends, no network
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
    const auto began = std::chrono::steady_clock::now();
    double cpu = cpu_ms();
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
    spent.wall_ms +=
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
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

inline double median(std::vector<double> all) {
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  return *middle;
}

/// Three arms by turns: full, resumed, and full once more, to show what differs by chance. Returns
/// false if a connection went wrong.
template <typename Backend>
bool run(int version, int rounds) {
  bench<Backend> one(version);
  std::array<std::vector<cost>, 3> all;
  cost ignored;
  for (int i = 0; i < 20; ++i) {
    if (!one.connect(false, ignored) || !one.connect(true, ignored)) return false;
  }
  for (int i = 0; i < rounds; ++i) {
    for (std::size_t arm = 0; arm < all.size(); ++arm) {
      if (!one.connect(arm == 1, all[arm].emplace_back())) return false;
    }
  }
  const auto of = [&](std::size_t arm, double cost::*what) {
    std::vector<double> values;
    for (const cost& each : all[arm]) values.push_back(each.*what);
    return median(std::move(values));
  };
  const auto row = [&](const char* what, double cost::*which, const char* unit) {
    const double full = of(0, which);
    const double resumed = of(1, which);
    std::printf("| %-8s | %s | %-14s | %9.3f | %9.3f | %s | %5.2f | %5.2f |\n",
                std::string(Backend::name).c_str(), version == 0x0303 ? "1.2" : "1.3", what, full,
                resumed, unit, resumed / full, of(2, which) / full);
  };
  row("both ends", &cost::wall_ms, "ms   ");
  row("client's CPU", &cost::client_cpu_ms, "ms   ");
  row("sent", &cost::sent_bytes, "bytes");
  row("received", &cost::received_bytes, "bytes");
  row("round trips", &cost::round_trips, "     ");
  return true;
}

bool run_openssl(int rounds);
bool run_wolfssl(int rounds);
bool run_mbedtls(int rounds);

}  // namespace resumption_bench
