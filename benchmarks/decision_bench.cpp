// SPDX-License-Identifier: BSL-1.0
#include "decision_bench.hpp"

#include <cstdio>
#include <exception>

// What the accepting decision costs on a live certificate, in one process with what programs do
// today and with what the libraries themselves do with a certificate.
int main(int count, char** words) try {
  for (const bench_leaf::leaf* leaf : {&bench_leaf::p256(), &bench_leaf::rsa()}) {
    decision_bench::add_openssl(*leaf);
#ifdef COTTER_BENCH_WOLFSSL
    decision_bench::add_wolfssl(*leaf);
#endif
#ifdef COTTER_BENCH_MBEDTLS
    decision_bench::add_mbedtls(*leaf);
#endif
  }
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
} catch (const std::exception& why) {
  std::fprintf(stderr, "bench_decision: %s\n", why.what());
  return 1;
}
