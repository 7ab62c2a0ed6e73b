// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include "handshake.hpp"

int main() { return phone::run<cotter::backends::openssl>(); }
