// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>

#include "connection.hpp"

int main(int count, char** arguments) {
  return measure_connection<cotter::backends::mbedtls>(count, arguments);
}
