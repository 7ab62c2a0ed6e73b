// SPDX-License-Identifier: BSL-1.0
#pragma once

// Digits for the cases; no pin of anybody's.
#define COTTER_TEST_HEX_62 "00112233445566778899aabbccddeeff00112233445566778899aabbccddee"

constexpr cotter::pin some_pin = cotter::primary("cert-sha256:" COTTER_TEST_HEX_62 "ff");
