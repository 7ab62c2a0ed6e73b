// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>
#include <cotter/cotter.hpp>

int main() {
  cotter::backends::wolfssl::context context;
  cotter::backends::wolfssl::client client(context);
  return context.valid() && !cotter::backends::wolfssl::build().empty() ? 0 : 1;
}
