// SPDX-License-Identifier: BSL-1.0
#include "handshake_bench.hpp"

#include <cstdio>
#include <exception>

// What a pin check costs inside a handshake, and what of the client's handshake it is.
int main(int count, char** words) try {
  for (const bench_leaf::leaf* leaf : {&bench_leaf::p256(), &bench_leaf::rsa()}) {
    handshake_bench::add_openssl(*leaf);
#ifdef COTTER_BENCH_WOLFSSL
    handshake_bench::add_wolfssl(*leaf);
#endif
#ifdef COTTER_BENCH_MBEDTLS
    handshake_bench::add_mbedtls(*leaf);
#endif
  }
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
} catch (const std::exception& why) {
  std::fprintf(stderr, "bench_handshake: %s\n", why.what());
  return 1;
}
