// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>
#include <cotter/cotter.hpp>

int main() {
  cotter::backends::mbedtls::context context;
  cotter::backends::mbedtls::client client(context);
  return context.valid() && !cotter::backends::mbedtls::build().empty() ? 0 : 1;
}
