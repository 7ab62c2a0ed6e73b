// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/embedded.hpp>

#include <chrono>

/// What a product changes: its server, the pins of it, and how patient the breaker is.
/// `cotter extract` finds the pins, and `cotter manifest header` writes them in this form.
namespace phone_config {

inline constexpr char host[] = "sip.example.com";
inline constexpr std::uint16_t sips_port = 5061;
inline constexpr std::uint16_t wss_port = 443;

inline constexpr cotter::pin leaf =
    cotter::primary("cert-sha256:3b9f0e2c6d4a7f51e8c2b07d95a1463cf0de8b7421569ac3d7f4e0a1b25c6d98");
inline constexpr cotter::pin next_leaf = cotter::fallback(
    "cert-sha256:97d1c2f4b8a60e35d4c7f18b2e9a5063fb1c8d7e42a6095bc3e8f7d10a4b6c25");

inline constexpr cotter::fixed_pin_set pins{cotter::fixed_target{host, sips_port, leaf, next_leaf},
                                            cotter::fixed_target{host, wss_port, leaf, next_leaf}};

inline constexpr cotter::breaker_config breaker{3, 2, std::chrono::minutes{5}};

}  // namespace phone_config
