// SPDX-License-Identifier: BSL-1.0
#include "resumption_bench.hpp"

#include <cstdlib>

// bench_resumption [ROUNDS]: a table of medians; COTTER_LAB_PKI names what make-pki.sh made. The last
// two columns are ratios within this run: resumed to full, and full to full.
int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 500;
  std::puts(
      "| library  | TLS | what           |      full |   resumed | unit  | ratio | again |\n"
      "|----------|-----|----------------|-----------|-----------|-------|-------|-------|");
  bool good = true;
#ifdef COTTER_BENCH_OPENSSL
  good = resumption_bench::run_openssl(rounds) && good;
#endif
#ifdef COTTER_BENCH_WOLFSSL
  good = resumption_bench::run_wolfssl(rounds) && good;
#endif
#ifdef COTTER_BENCH_MBEDTLS
  good = resumption_bench::run_mbedtls(rounds) && good;
#endif
  if (!good) std::fputs("a connection was not what it was to be\n", stderr);
  return good ? 0 : 1;
}
