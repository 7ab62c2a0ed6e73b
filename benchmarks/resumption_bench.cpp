// SPDX-License-Identifier: BSL-1.0
#include "resumption_bench.hpp"

// Full handshakes beside resumed ones; COTTER_LAB_PKI names what make-pki.sh made.
int main(int count, char** words) {
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 2;
#ifdef COTTER_BENCH_OPENSSL
  resumption_bench::add_openssl();
#endif
#ifdef COTTER_BENCH_WOLFSSL
  resumption_bench::add_wolfssl();
#endif
#ifdef COTTER_BENCH_MBEDTLS
  resumption_bench::add_mbedtls();
#endif
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
