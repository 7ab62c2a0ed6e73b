// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>
#include <cotter/cotter.hpp>
#include <cotter/pipeline/self_test_pki.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

// What the accepting decision costs on one leaf, beside what it is measured against (S: SHA-256 of
// the same octets on a prepared EVP context) and what programs do today.

namespace {

using hasher = cotter::backends::openssl::hasher;

constexpr std::size_t batch = 256;
const cotter::bytes_view leaf = cotter::self_test_pki::leaf;

/// Times `one(i)` for a batch of contexts that are prepared outside the time, as attach prepares
/// them outside the handshake's hook. Pausing the clock costs more than a digest: hence the batch.
template <typename F>
void with_prepared(benchmark::State& state, F one) {
  std::vector<hasher> contexts(batch);
  for (auto _ : state) {
    state.PauseTiming();
    for (hasher& context : contexts) benchmark::DoNotOptimize(context.prepare());
    state.ResumeTiming();
    for (hasher& context : contexts) one(context);
  }
  state.SetItemsProcessed(state.iterations() * std::int64_t{batch});
}

template <typename F>
void repeated(benchmark::State& state, F one) {
  for (auto _ : state) {
    for (std::size_t i = 0; i < batch; ++i) one();
  }
  state.SetItemsProcessed(state.iterations() * std::int64_t{batch});
}

void prepared_sha256(benchmark::State& state) {
  with_prepared(state, [](hasher& context) {
    cotter::sha256_digest digest;
    context.update(leaf);
    benchmark::DoNotOptimize(context.finish(digest));
    benchmark::DoNotOptimize(digest);
  });
}

void form_c_read(benchmark::State& state) {
  repeated(state, [] { benchmark::DoNotOptimize(cotter::read_form(leaf)); });
}

void fields_located(benchmark::State& state) {
  const auto form = cotter::read_form(leaf);
  repeated(state, [&] { benchmark::DoNotOptimize(cotter::locate(*form)); });
}

void whole_assessment(benchmark::State& state) {
  cotter::pin pin;
  std::copy(std::begin(cotter::self_test_pki::leaf_sha256),
            std::end(cotter::self_test_pki::leaf_sha256), pin.digest.octets.begin());
  const cotter::target whom{cotter::self_test_pki::host, 443, cotter::identity::host};
  const cotter::pinned_target pinned{whom, {&pin, 1}};
  hasher unused;
  with_prepared(state, [&](hasher& context) {
    const auto found = cotter::assess(leaf, pinned, whom, cotter::library_made_at, context, unused);
    if (!found.pinned) state.SkipWithError("not accepted");
    benchmark::DoNotOptimize(found);
  });
}

void x509_digest(benchmark::State& state) {
  const std::uint8_t* at = leaf.data();
  X509* parsed = d2i_X509(nullptr, &at, static_cast<long>(leaf.size()));
  repeated(state, [&] {
    cotter::sha256_digest digest;
    benchmark::DoNotOptimize(X509_digest(parsed, EVP_sha256(), digest.octets.data(), nullptr));
    benchmark::DoNotOptimize(digest);
  });
  X509_free(parsed);
}

BENCHMARK(prepared_sha256);
BENCHMARK(form_c_read);
BENCHMARK(fields_located);
BENCHMARK(whole_assessment);
BENCHMARK(x509_digest);

}  // namespace
