// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

/// Counts what the process takes from the heap, whoever asks: C++, the TLS library, libc.
namespace heap {

/// Allocations since the program started, on this thread.
std::size_t allocations() noexcept;

}  // namespace heap
