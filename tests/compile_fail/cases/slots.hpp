// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/pipeline/guard.hpp>
#include <cotter/policies/audit/null_audit_sink.hpp>
#include <cotter/policies/breaker/memory_breaker.hpp>
#include <cotter/policies/manifest/embedded_manifest.hpp>
#include <cotter/policies/pin_set/fixed_pin_set.hpp>

inline constexpr cotter::fixed_pin_set pins{cotter::fixed_target{
    "sip.example.com", 5061,
    cotter::primary(
        "cert-sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")}};
inline constexpr cotter::embedded_manifest manifest{};
inline cotter::memory_breaker<1> breaker{};
inline cotter::null_audit_sink sink{};
