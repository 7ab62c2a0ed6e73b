// SPDX-License-Identifier: BSL-1.0
#pragma once

// The whole library without a TLS library: add <cotter/backends/openssl.hpp>, <.../wolfssl.hpp> or
// <.../mbedtls.hpp>, one per translation unit. No third party is pulled in.
#include <cotter/embedded.hpp>
#include <cotter/values/pin_manifest.hpp>
#include <cotter/concepts/engine.hpp>
#include <cotter/policies/pin_set/owned_pin_set.hpp>
#include <cotter/policies/manifest/live_manifest.hpp>
