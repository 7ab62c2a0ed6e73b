// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "decision_bench.hpp"

#include <mbedtls/sha256.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace decision_bench {

namespace {

#if MBEDTLS_VERSION_MAJOR >= 3
constexpr auto sha256_starts = mbedtls_sha256_starts;
constexpr auto sha256_update = mbedtls_sha256_update;
constexpr auto sha256_finish = mbedtls_sha256_finish;
constexpr auto sha256_whole = mbedtls_sha256;
#else
constexpr auto sha256_starts = mbedtls_sha256_starts_ret;
constexpr auto sha256_update = mbedtls_sha256_update_ret;
constexpr auto sha256_finish = mbedtls_sha256_finish_ret;
constexpr auto sha256_whole = mbedtls_sha256_ret;
#endif

/// A leaf as the library's hook has it.
struct live {
  explicit live(const bench_leaf::leaf& from) : leaf(&from) {
    mbedtls_x509_crt_init(&crt);
    if (mbedtls_x509_crt_parse_der(&crt, from.der.data(), from.der.size()) != 0) {
      throw std::runtime_error("not parsed");
    }
  }
  live(const live&) = delete;
  live& operator=(const live&) = delete;
  ~live() { mbedtls_x509_crt_free(&crt); }
  const bench_leaf::leaf* leaf;
  mbedtls_x509_crt crt;
};

void own_sha256(benchmark::State& state, const live& held) {
  std::array<mbedtls_sha256_context, batch> contexts;
  for (auto& one : contexts) mbedtls_sha256_init(&one);
  bool good = true;
  measure(
      state, [&](std::size_t i) { good = sha256_starts(&contexts[i], 0) == 0 && good; },
      [&](std::size_t i) {
        cotter::sha256_digest digest;
        good = sha256_update(&contexts[i], held.crt.raw.p, held.crt.raw.len) == 0 &&
               sha256_finish(&contexts[i], digest.octets.data()) == 0 && good;
        benchmark::DoNotOptimize(digest);
      });
  if (!good) state.SkipWithError("no digest");
  for (auto& one : contexts) mbedtls_sha256_free(&one);
}

void usual_snippet(benchmark::State& state, const live& held) {
  bool good = true;
  measure(state, [&] {
    std::array<std::uint8_t, 32> digest;
    good = sha256_whole(held.crt.raw.p, held.crt.raw.len, digest.data(), 0) == 0 && good;
    char text[65];
    write_hex(digest, text);
    good = std::strcmp(text, held.leaf->fingerprint_hex.c_str()) == 0 && good;
  });
  if (!good) state.SkipWithError("not accepted");
}

void parse_der(benchmark::State& state, const live& held) {
  bool good = true;
  measure(state, [&] {
    mbedtls_x509_crt parsed;
    mbedtls_x509_crt_init(&parsed);
    good = mbedtls_x509_crt_parse_der(&parsed, held.leaf->der.data(), held.leaf->der.size()) == 0 &&
           good;
    mbedtls_x509_crt_free(&parsed);
  });
  if (!good) state.SkipWithError("not parsed");
}

}  // namespace

void add_mbedtls(const bench_leaf::leaf& leaf) {
  static std::vector<std::unique_ptr<live>> all;
  const live* held = all.emplace_back(std::make_unique<live>(leaf)).get();
  const std::string suffix = "/mbedtls/" + leaf.name;

  add("sha256" + suffix, [held](benchmark::State& state) { own_sha256(state, *held); });
  add_decisions<cotter::backends::mbedtls>(
      leaf, [held](auto give) { give(cotter::bytes_view(held->crt.raw.p, held->crt.raw.len)); });
  add("snippet" + suffix, [held](benchmark::State& state) { usual_snippet(state, *held); });
  add("parse" + suffix, [held](benchmark::State& state) { parse_der(state, *held); });
}

}  // namespace decision_bench
