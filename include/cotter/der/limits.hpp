// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace cotter {
inline namespace v0 {

/// The largest input that is read as a certificate, in octets, whatever of it is dropped later.
/// TLS allows 2^24 - 1 (RFC 8446 4.4.2); the post-quantum certificates in sight need 20,000. Our
/// choice: 64 KiB and above is `too_large`.
inline constexpr std::size_t max_certificate_bytes = 65'535;

namespace der {

/// The largest content of one element, in octets. Our choice, equal to the bound above: nothing
/// inside a certificate can be larger than it.
inline constexpr std::size_t max_content_bytes = max_certificate_bytes;

/// How many constructed elements may be open around one octet where the reader has to look inside
/// them. Our choice: RSASSA-PSS parameters (RFC 4055 3.1) need 5, a Name needs 3; every level costs
/// one stack frame.
inline constexpr std::size_t max_nesting_depth = 16;

/// The largest tag number that is read, which is what four octets of it can say. X.690 8.1.2 has no
/// bound; no certificate has a tag above 30.
inline constexpr std::uint32_t max_tag_number = 0x0fff'ffff;

}  // namespace der
}  // namespace v0
}  // namespace cotter
