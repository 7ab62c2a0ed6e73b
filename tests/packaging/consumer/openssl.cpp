// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>
#include <cotter/cotter.hpp>

int main() {
  cotter::backends::openssl::context context;
  cotter::backends::openssl::client client(context);
  return context.valid() && !cotter::backends::openssl::build().empty() ? 0 : 1;
}
