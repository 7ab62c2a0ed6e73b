// SPDX-License-Identifier: BSL-1.0
#include <cotter/cotter.hpp>

int main() { return cotter::parse_pin("no pin") ? 1 : 0; }
