// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace cotter::command {

/// True if no octet is one that text does not have. A certificate in DER has such octets among its
/// first sixteen.
[[nodiscard]] bool is_text(std::string_view octets_seen);

/// Where the first PEM block begins, if `text` is PEM; else `npos`. A block begins a line, or
/// follows a byte order mark, and what stands before it is text.
[[nodiscard]] std::size_t find_pem(std::string_view text);

/// The octets of the first CERTIFICATE block (RFC 7468 5), decoded and nothing else. `pem` is at
/// most 2 GiB.
/// @errors `pem_without_certificate`, `truncated`, `not_a_certificate`, `out_of_memory`
[[nodiscard]] result<std::vector<std::uint8_t>> first_certificate(std::string_view pem);

}  // namespace cotter::command
