// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "handshake.hpp"

int main() { return phone::run<cotter::backends::wolfssl>(); }
