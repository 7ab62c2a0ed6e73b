// SPDX-License-Identifier: BSL-1.0
#include "idle_bench.hpp"

// Octets per idle connection, at 1,000 and at 10,000 of them; COTTER_LAB_PKI names what make-pki.sh made.
int main(int count, char** words) {
  using namespace idle_bench;
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 2;
#ifdef COTTER_BENCH_OPENSSL
  add_openssl();
#endif
#ifdef COTTER_BENCH_WOLFSSL
  add_wolfssl();
#endif
#ifdef COTTER_BENCH_MBEDTLS
  add_mbedtls();
#endif
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
