// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/embedded.hpp>

/// What all the sets pin: one target, by one pin.
inline constexpr char host[] = "sip.example.com";
inline constexpr std::uint16_t port = 5061;
constexpr cotter::fixed_name_set pins{cotter::fixed_target{
    host, port,
    cotter::primary(
        "cert-sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")}};
