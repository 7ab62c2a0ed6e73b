// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/cotter.hpp>

#include "form_bench_leaf.hpp"
#include "form_bench_timing.hpp"

#include <backends/support/client.hpp>
#include <backends/support/peer.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <random>
#include <string>
#include <vector>

/// Complete handshakes in memory with a server of OpenSSL's. The arms of one round are run in random
/// order, so that whatever the machine does meanwhile falls on all of them alike.
namespace handshake_bench {

using bench_timing::ns_between;
using bench_timing::steady;

inline const cotter::target whom{bench_leaf::host, 5061, cotter::identity::host};

enum class arm : std::uint8_t {
  bare,     ///< verifies the chain and the name, has no hook
  control,  ///< the same once more
  hooked,   ///< a hook that does nothing
  snippet,  ///< a hook with what programs do today: encode, digest, hexadecimal, compare
  digest,   ///< a hook with the library's own digest of a certificate
  again,    ///< the same once more
  cotter,   ///< a guard attached
};
inline constexpr std::array<const char*, 7> arm_names{"bare",   "control", "hooked", "snippet",
                                                      "digest", "again",   "cotter"};
inline constexpr std::size_t arms = arm_names.size();

/// What one handshake cost, in ns; the clock's own cost is taken off.
struct cost {
  double client = 0;    ///< the client's library and whatever is in its hooks; attach, confirm
  double callback = 0;  ///< in the hook: the pin's own work
  double attach = 0;    ///< admit and attach
  double start = 0;     ///< at the start of the handshake, outside attach with OpenSSL
  double confirm = 0;
};

/// Where hooks write to; the library tells them nothing.
inline cost* running = nullptr;
inline const bench_leaf::leaf* expected = nullptr;
inline int accepted_by_hook = 0;

/// Times what a hook does, from within the hook.
template <typename Work>
bool timed_in_hook(Work work) {
  const auto from = steady::now();
  const bool good = work();
  running->callback += ns_between(from, steady::now()) - bench_timing::clock_ns();
  accepted_by_hook += good ? 1 : 0;
  return good;
}

inline bool same_as_expected(const std::array<std::uint8_t, 32>& digest) {
  char text[65];
  for (std::size_t i = 0; i < digest.size(); ++i) {
    std::snprintf(text + 2 * i, 3, "%02x", digest[i]);
  }
  return expected->fingerprint_hex == text;
}

/// A backend with a clock between it and the pipeline.
template <typename Backend>
struct timed {
  static constexpr std::string_view name = Backend::name;
  using session = typename Backend::session;
  using hasher = typename Backend::hasher;

  class between final : public cotter::handshake_observer {
   public:
    void on_start() noexcept override {
      const auto from = steady::now();
      decides->on_start();
      running->start += ns_between(from, steady::now()) - bench_timing::clock_ns();
    }
    void on_leaf(cotter::bytes_view der) noexcept override {
      const auto from = steady::now();
      decides->on_leaf(der);
      running->callback += ns_between(from, steady::now()) - bench_timing::clock_ns();
    }
    bool on_chain(cotter::chain_outcome chain) noexcept override {
      return timed_in_hook([&] { return decides->on_chain(chain); });
    }
    cotter::handshake_observer* decides = nullptr;
  };
  struct attachment {
    typename Backend::attachment inner{};
    between clock{};
  };

  static cotter::result<void> attach(session s, const cotter::target& to,
                                     cotter::handshake_observer& observer,
                                     attachment& state) noexcept {
    state.clock.decides = &observer;
    return Backend::attach(s, to, state.clock, state.inner);
  }
  static cotter::library_version version() noexcept { return Backend::version(); }
  static cotter::handshake_facts inspect(const attachment& state) noexcept {
    return Backend::inspect(state.inner);
  }
  static void detach(attachment& state) noexcept { Backend::detach(state.inner); }
};

/// Drives both ends. `client` is charged with its own steps only.
template <typename Client>
bool shake_hands(Client& client, peer::connection& server) {
  std::vector<std::uint8_t> held;
  for (int flight = 0; flight < 12; ++flight) {
    const auto from = steady::now();
    const cotter::step step = client.handshake();
    running->client += ns_between(from, steady::now()) - bench_timing::clock_ns();
    if (step.next == cotter::want::failed) return false;
    lab::carry(client, server);
    server.drive();
    if (step.next == cotter::want::nothing) return server.finished();
    lab::carry_back(server, client, held);
  }
  return false;
}

/// `Library` makes clients: `typename Library::client`, `client make(arm)`, `void ready(client&, arm)`.
template <typename Library>
class bench {
 public:
  bench(const bench_leaf::leaf& leaf, int version)
      : leaf_(leaf), server_(serve(leaf, version)), library_(leaf) {
    cotter::pin pin;
    pin.digest = leaf.fingerprint;
    good_ = library_.valid() && static_cast<bool>(pins_.add(whom, {&pin, 1}));
  }

  /// Every arm once, in random order; false if a handshake was not what it was to be.
  bool round(std::array<cost, arms>& costs) {
    std::array<std::size_t, arms> order{};
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), random_);
    for (const std::size_t at : order) {
      costs[at] = {};
      running = &costs[at];
      expected = &leaf_;
      accepted_by_hook = 0;
      const arm which = static_cast<arm>(at);
      if (!good_ || !(which == arm::cotter ? guarded() : unguarded(which))) return false;
      const int hooks = which == arm::bare || which == arm::control ? 0 : 1;
      if (accepted_by_hook != hooks) return false;
    }
    return true;
  }

 private:
  using backend = typename Library::backend;
  using guard = cotter::guard<cotter::owned_pin_set&, cotter::memory_breaker<>,
                              cotter::embedded_manifest, cotter::null_audit_sink>;

  static peer::options serve(const bench_leaf::leaf& leaf, int version) {
    peer::options how;
    how.chain_file = leaf.chain_file;
    how.key_file = leaf.key_file;
    how.version = version;
    how.tickets = false;
    return how;
  }

  bool unguarded(arm which) {
    typename Library::client client(library_.context(which));
    library_.ready(client, which);
    const auto there = server_.accept();
    return shake_hands(client, *there);
  }

  bool guarded() {
    typename Library::client client(library_.context(arm::cotter));
    const auto there = server_.accept();
    auto from = steady::now();
    auto admission = guard_.admit(whom);
    if (!admission) return false;
    cotter::connection<guard, timed<backend>> connection(guard_, client.native(), *admission);
    running->attach = ns_between(from, steady::now()) - bench_timing::clock_ns();
    if (!shake_hands(client, *there)) return false;
    from = steady::now();
    const bool accepted = static_cast<bool>(connection.confirm());
    running->confirm = ns_between(from, steady::now()) - bench_timing::clock_ns();
    running->client += running->attach + running->confirm;
    return accepted;
  }

  const bench_leaf::leaf& leaf_;
  peer::server server_;
  Library library_;
  cotter::owned_pin_set pins_{};
  guard guard_{pins_, cotter::memory_breaker<>{}, cotter::embedded_manifest{},
               cotter::null_audit_sink{}};
  std::mt19937 random_{std::random_device{}()};
  bool good_ = false;
};

/// One benchmark for a library, a version and a leaf: an iteration is a round. Counters: `client.ARM`,
/// `callback.ARM`, `share.ARM` (of the callback in the client's handshake), `attach`, `start`,
/// `confirm`; medians, in ns.
template <typename Library>
void add(const bench_leaf::leaf& leaf, int version, int rounds) {
  const std::string name = "handshake/" + std::string(Library::backend::name) +
                           (version == 0x0303 ? "/tls1_2/" : "/tls1_3/") + leaf.name;
  const auto run = [&leaf, version](benchmark::State& state) {
    bench<Library> one(leaf, version);
    std::array<cost, arms> costs;
    bool good = one.round(costs);  // caches of the library's, filled once
    std::array<std::vector<cost>, arms> all;
    for (auto _ : state) {
      good = good && one.round(costs);
      for (std::size_t i = 0; i < arms; ++i) all[i].push_back(costs[i]);
    }
    if (!good) {
      state.SkipWithError("a handshake was not what it was to be");
      return;
    }
    const auto of = [&all](std::size_t at, auto what) {
      std::vector<double> values;
      for (const cost& each : all[at]) values.push_back(what(each));
      return bench_timing::median(std::move(values));
    };
    for (std::size_t i = 0; i < arms; ++i) {
      const std::string text = arm_names[i];
      state.counters["client." + text] = of(i, [](const cost& c) { return c.client; });
      state.counters["callback." + text] = of(i, [](const cost& c) { return c.callback; });
      state.counters["share." + text] = of(i, [](const cost& c) { return c.callback / c.client; });
    }
    const auto last = static_cast<std::size_t>(arm::cotter);
    state.counters["attach"] = of(last, [](const cost& c) { return c.attach; });
    state.counters["start"] = of(last, [](const cost& c) { return c.start; });
    state.counters["confirm"] = of(last, [](const cost& c) { return c.confirm; });
  };
  benchmark::RegisterBenchmark(name.c_str(), run)->Iterations(rounds);
}

void add_openssl(const bench_leaf::leaf& leaf);
void add_wolfssl(const bench_leaf::leaf& leaf);
void add_mbedtls(const bench_leaf::leaf& leaf);

}  // namespace handshake_bench
