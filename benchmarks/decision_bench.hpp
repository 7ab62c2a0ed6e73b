// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/cotter.hpp>
#include <cotter/policies/history/memory_history.hpp>
#include <cotter/policies/manifest/live_manifest.hpp>

#include "form_bench_leaf.hpp"
#include "form_bench_timing.hpp"

#include <backends/support/counting_malloc.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// The accepting decision on a live certificate, by library: one translation unit each, because none
/// may see two of them.
namespace decision_bench {

/// Few enough that the connections of a batch stay in the processor's first cache.
inline constexpr std::size_t batch = 16;

inline const cotter::target whom{bench_leaf::host, 5061, cotter::identity::host};

/// A backend whose hooks are called by the benchmark: what remains is the decision.
template <typename Backend>
struct replayed {
  static constexpr std::string_view name = Backend::name;
  using session = cotter::handshake_observer**;
  using hasher = typename Backend::hasher;
  struct attachment {};

  static cotter::library_version version() noexcept { return Backend::version(); }
  static cotter::result<void> attach(session hooks, const cotter::target&,
                                     cotter::handshake_observer& observer, attachment&) noexcept {
    *hooks = &observer;
    observer.on_start();
    return {};
  }
  static cotter::handshake_facts inspect(const attachment&) noexcept {
    cotter::handshake_facts facts;
    facts.finished = facts.hooks_intact = facts.authenticated = true;
    return facts;
  }
  static void detach(attachment&) noexcept {}
};

/// Times `one(i)` and counts what it takes from the heap, per operation.
template <typename Prepare, typename One>
void measure(benchmark::State& state, Prepare prepare, One one) {
  std::size_t taken = 0;
  std::size_t done = 0;
  bench_timing::measure(state, batch, prepare, [&](std::size_t i) {
    const std::size_t before = heap::allocations();
    one(i);
    taken += heap::allocations() - before;
    ++done;
  });
  state.counters["allocations"] = static_cast<double>(taken) / static_cast<double>(done);
}
template <typename One>
void measure(benchmark::State& state, One one) {
  measure(
      state, [](std::size_t) {}, [&one](std::size_t) { one(); });
}

/// A breaker that lets as many attempts run at a time as a batch has.
inline cotter::memory_breaker<> patient_breaker() {
  cotter::breaker_config config;
  config.max_consecutive_failures = config.alert_threshold = 100;
  return cotter::memory_breaker<>(config);
}

inline cotter::pin pin_of(const bench_leaf::leaf& leaf) {
  cotter::pin pin;
  pin.digest = leaf.fingerprint;
  pin.label = "primary";
  return pin;
}

inline void adopt(cotter::live_manifest& live, const bench_leaf::leaf& leaf) {
  cotter::pin_manifest document;
  document.sequence = 1;
  document.issued_at = cotter::library_made_at;
  document.expires_at = cotter::no_expiry;
  document.targets.resize(1);
  document.targets[0].host = bench_leaf::host;
  document.targets[0].port = whom.port;
  document.targets[0].pins = {{pin_of(leaf)}};
  static_cast<void>(live.adopt(document, cotter::library_made_at));
}

/// What a hook does with the octets it has got: from them to the word that lets the handshake go on.
template <typename Guard, typename Backend, typename Octets>
void decide(benchmark::State& state, Guard& guard, Octets octets) {
  using connection = cotter::connection<Guard, replayed<Backend>>;
  std::array<cotter::handshake_observer*, batch> hooks{};
  std::array<std::optional<connection>, batch> connections;
  bool accepted = true;
  const auto prepare = [&](std::size_t i) {
    if (connections[i]) accepted = accepted && connections[i]->confirm();
    connections[i].reset();
    auto admission = guard.admit(whom);
    accepted = accepted && admission;
    connections[i].emplace(guard, &hooks[i], *admission);
  };
  measure(state, prepare, [&](std::size_t i) {
    octets([&](cotter::bytes_view leaf) { hooks[i]->on_leaf(leaf); });
    accepted = hooks[i]->on_chain({true, 0}) && accepted;
  });
  for (auto& one : connections) accepted = accepted && one && one->confirm();
  if (!accepted) state.SkipWithError("not accepted");
}

/// What comes before and after: `admit` and the connection's making, without the TLS library's part;
/// and `confirm`.
template <typename Guard, typename Backend>
void admit(benchmark::State& state, Guard& guard) {
  using connection = cotter::connection<Guard, replayed<Backend>>;
  std::array<cotter::handshake_observer*, batch> hooks{};
  std::array<std::optional<connection>, batch> connections;
  measure(
      state, [&](std::size_t i) { connections[i].reset(); },
      [&](std::size_t i) {
        auto admission = guard.admit(whom);
        connections[i].emplace(guard, &hooks[i], *admission);
      });
}
template <typename Guard, typename Backend>
void confirm(benchmark::State& state, Guard& guard, cotter::bytes_view leaf) {
  using connection = cotter::connection<Guard, replayed<Backend>>;
  std::array<cotter::handshake_observer*, batch> hooks{};
  std::array<std::optional<connection>, batch> connections;
  bool accepted = true;
  const auto prepare = [&](std::size_t i) {
    connections[i].reset();
    auto admission = guard.admit(whom);
    connections[i].emplace(guard, &hooks[i], *admission);
    hooks[i]->on_leaf(leaf);
    accepted = hooks[i]->on_chain({true, 0}) && accepted;
  };
  measure(state, prepare, [&](std::size_t i) { accepted = connections[i]->confirm() && accepted; });
  if (!accepted) state.SkipWithError("not accepted");
}

template <typename F>
void add(const std::string& name, F run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->UseManualTime();
}

/// The arms that every backend has. `octets` gives the leaf to its argument as the hook would.
template <typename Backend, typename Octets>
void add_decisions(const bench_leaf::leaf& leaf, Octets octets) {
  const std::string library(Backend::name);
  const std::string suffix = "/" + library + "/" + leaf.name;
  const bench_leaf::leaf* at = &leaf;

  add("prepared_sha256" + suffix, [at](benchmark::State& state) {
    std::array<typename Backend::hasher, batch> hashers;
    bool good = true;
    measure(
        state, [&](std::size_t i) { good = hashers[i].prepare() && good; },
        [&](std::size_t i) {
          cotter::sha256_digest digest;
          hashers[i].update(at->der);
          good = hashers[i].finish(digest) && good;
          benchmark::DoNotOptimize(digest);
        });
    if (!good) state.SkipWithError("no digest");
  });
  add("assess" + suffix, [at](benchmark::State& state) {
    const cotter::pin pin = pin_of(*at);
    const cotter::pinned_target pinned{whom, {&pin, 1}};
    const cotter::instant now = cotter::system_clock{}.now().wall;
    std::array<typename Backend::hasher, batch> hashers;
    typename Backend::hasher unused;
    bool good = true;
    measure(
        state, [&](std::size_t i) { good = hashers[i].prepare() && good; },
        [&](std::size_t i) {
          const auto found = cotter::assess(at->der, pinned, whom, now, hashers[i], unused);
          good = found.pinned && found.fault == cotter::reason::none && good;
          benchmark::DoNotOptimize(found);
        });
    if (!good) state.SkipWithError("not accepted");
  });
  for (const char* name : {"decision", "decision_again"}) {
    add(name + suffix, [at, octets](benchmark::State& state) {
      const cotter::pin pin = pin_of(*at);
      cotter::owned_pin_set pins;
      static_cast<void>(pins.add(whom, {&pin, 1}));
      cotter::guard guard(std::move(pins), patient_breaker(), cotter::embedded_manifest{},
                          cotter::null_audit_sink{});
      decide<decltype(guard), Backend>(state, guard, octets);
    });
  }
  add("decision_manifest" + suffix, [at, octets](benchmark::State& state) {
    cotter::live_manifest live;
    adopt(live, *at);
    cotter::ring_audit_sink<8> ring;
    cotter::guard guard(live, patient_breaker(), ring);
    decide<decltype(guard), Backend>(state, guard, octets);
  });
  add("decision_diagnosing" + suffix, [at, octets](benchmark::State& state) {
    cotter::live_manifest live;
    adopt(live, *at);
    cotter::ring_audit_sink<8> ring;
    cotter::memory_history<> history;
    cotter::guard guard(live, patient_breaker(), ring, history);
    decide<decltype(guard), Backend>(state, guard, octets);
  });
  add("admit" + suffix, [at](benchmark::State& state) {
    const cotter::pin pin = pin_of(*at);
    cotter::owned_pin_set pins;
    static_cast<void>(pins.add(whom, {&pin, 1}));
    cotter::guard guard(std::move(pins), patient_breaker(), cotter::embedded_manifest{},
                        cotter::null_audit_sink{});
    admit<decltype(guard), Backend>(state, guard);
  });
  add("confirm" + suffix, [at](benchmark::State& state) {
    const cotter::pin pin = pin_of(*at);
    cotter::owned_pin_set pins;
    static_cast<void>(pins.add(whom, {&pin, 1}));
    cotter::guard guard(std::move(pins), patient_breaker(), cotter::embedded_manifest{},
                        cotter::null_audit_sink{});
    confirm<decltype(guard), Backend>(state, guard, at->der);
  });
}

/// What is compared with text today.
inline void write_hex(const std::array<std::uint8_t, 32>& octets, char (&out)[65]) {
  for (std::size_t i = 0; i < octets.size(); ++i) {
    std::snprintf(out + 2 * i, 3, "%02x", octets[i]);
  }
}

void add_openssl(const bench_leaf::leaf& leaf);
void add_wolfssl(const bench_leaf::leaf& leaf);
void add_mbedtls(const bench_leaf::leaf& leaf);

}  // namespace decision_bench
