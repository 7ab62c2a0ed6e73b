// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/verifier.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/signature.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 1> verifier_laws_by_review{{
    {"V4",
     "that nothing is thrown is in the concept; what is kept or raced for does not show from "
     "outside: by review, and by a thread sanitizer where the library has one"},
}};

namespace detail {

/// RFC 6979 A.2.5, SHA-256, "sample".
inline constexpr std::array<std::uint8_t, 91> p256_law_key{
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x60, 0xfe, 0xd4, 0xba, 0x25,
    0x5a, 0x9d, 0x31, 0xc9, 0x61, 0xeb, 0x74, 0xc6, 0x35, 0x6d, 0x68, 0xc0, 0x49, 0xb8, 0x92, 0x3b,
    0x61, 0xfa, 0x6c, 0xe6, 0x69, 0x62, 0x2e, 0x60, 0xf2, 0x9f, 0xb6, 0x79, 0x03, 0xfe, 0x10, 0x08,
    0xb8, 0xbc, 0x99, 0xa4, 0x1a, 0xe9, 0xe9, 0x56, 0x28, 0xbc, 0x64, 0xf2, 0xf1, 0xb2, 0x0c, 0x2d,
    0x7e, 0x9f, 0x51, 0x77, 0xa3, 0xc2, 0x94, 0xd4, 0x46, 0x22, 0x99,
};
inline constexpr std::array<std::uint8_t, 72> p256_law_signature{
    0x30, 0x46, 0x02, 0x21, 0x00, 0xef, 0xd4, 0x8b, 0x2a, 0xac, 0xb6, 0xa8, 0xfd, 0x11, 0x40,
    0xdd, 0x9c, 0xd4, 0x5e, 0x81, 0xd6, 0x9d, 0x2c, 0x87, 0x7b, 0x56, 0xaa, 0xf9, 0x91, 0xc3,
    0x4d, 0x0e, 0xa8, 0x4e, 0xaf, 0x37, 0x16, 0x02, 0x21, 0x00, 0xf7, 0xcb, 0x1c, 0x94, 0x2d,
    0x65, 0x7c, 0x41, 0xd4, 0x36, 0xc7, 0xa1, 0xb6, 0xe2, 0x9f, 0x65, 0xf3, 0xe9, 0x00, 0xdb,
    0xb9, 0xaf, 0xf4, 0x06, 0x4d, 0xc4, 0xab, 0x2f, 0x84, 0x3a, 0xcd, 0xa8,
};
inline constexpr std::array<std::uint8_t, 6> p256_law_message{'s', 'a', 'm', 'p', 'l', 'e'};

/// RFC 8032 7.1, test 3.
inline constexpr std::array<std::uint8_t, 44> ed25519_law_key{
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, 0xfc, 0x51, 0xcd,
    0x8e, 0x62, 0x18, 0xa1, 0xa3, 0x8d, 0xa4, 0x7e, 0xd0, 0x02, 0x30, 0xf0, 0x58, 0x08, 0x16,
    0xed, 0x13, 0xba, 0x33, 0x03, 0xac, 0x5d, 0xeb, 0x91, 0x15, 0x48, 0x90, 0x80, 0x25,
};
inline constexpr std::array<std::uint8_t, 64> ed25519_law_signature{
    0x62, 0x91, 0xd6, 0x57, 0xde, 0xec, 0x24, 0x02, 0x48, 0x27, 0xe6, 0x9c, 0x3a, 0xbe, 0x01, 0xa3,
    0x0c, 0xe5, 0x48, 0xa2, 0x84, 0x74, 0x3a, 0x44, 0x5e, 0x36, 0x80, 0xd7, 0xdb, 0x5a, 0xc3, 0xac,
    0x18, 0xff, 0x9b, 0x53, 0x8d, 0x16, 0xf2, 0x90, 0xae, 0x67, 0xf7, 0x60, 0x98, 0x4d, 0xc6, 0x59,
    0x4a, 0x7c, 0x15, 0xe9, 0x71, 0x6e, 0xd2, 0x8d, 0xc0, 0x27, 0xbe, 0xce, 0xea, 0x1e, 0xc4, 0x0a,
};
inline constexpr std::array<std::uint8_t, 2> ed25519_law_message{0xaf, 0x82};

using law_octets = std::vector<std::uint8_t>;

struct signed_message {
  signature_scheme scheme;
  bytes_view key, message, signature;
};

inline constexpr std::array<signed_message, 2> law_signatures{{
    {signature_scheme::ecdsa_p256_sha256, p256_law_key, p256_law_message, p256_law_signature},
    {signature_scheme::ed25519, ed25519_law_key, ed25519_law_message, ed25519_law_signature},
}};

inline law_octets copy_of(bytes_view octets) { return {octets.begin(), octets.end()}; }

inline law_octets appended(bytes_view octets, std::uint8_t more) {
  law_octets longer = copy_of(octets);
  longer.push_back(more);
  return longer;
}

/// `octets`, a DER element of less than 128 octets of content, with its length in two octets.
inline law_octets in_long_form(bytes_view octets) {
  law_octets longer = copy_of(octets);
  longer.insert(longer.begin() + 1, 0x81);
  return longer;
}

/// Spellings and values that no Ecdsa-Sig-Value has, made of the good one's r and s.
inline std::vector<law_octets> malformed_p256_signatures() {
  const law_octets good = copy_of(p256_law_signature);
  const law_octets r(good.begin() + 2, good.begin() + 2 + 35);
  const law_octets s(good.begin() + 2 + 35, good.end());
  const law_octets zero{0x02, 0x01, 0x00};
  const law_octets order{0x02, 0x21, 0x00, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff,
                         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
                         0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
  const auto sequence = [](const law_octets& a, const law_octets& b) {
    law_octets whole{0x30, static_cast<std::uint8_t>(a.size() + b.size())};
    whole.insert(whole.end(), a.begin(), a.end());
    whole.insert(whole.end(), b.begin(), b.end());
    return whole;
  };
  law_octets negative(r.begin() + 1, r.end());  // without the zero that keeps r positive
  negative[0] = 0x02;
  negative[1] = 0x20;
  law_octets padded = r;
  padded.insert(padded.begin() + 2, 0x00);
  ++padded[1];
  return {sequence(negative, s), sequence(padded, s),         sequence(zero, s),
          sequence(r, zero),     sequence(order, s),          sequence(r, order),
          sequence(r, {}),       sequence(in_long_form(r), s)};
}

}  // namespace detail

/// Checks V1 to V3 of `V`, with signatures that the RFCs publish.
template <verifier V>
[[nodiscard]] law_report check_verifier_laws() {
  law_report report;
  const auto answer = [](signature_scheme scheme, bytes_view key, bytes_view message,
                         bytes_view signature) {
    return V::verify(scheme, key, message, signature).error().what;
  };
  const auto spelled = [](errc what) { return std::string(code(what)); };

  report.check("V3", "ecdsa_p256_sha256 is supported",
               V::supports(signature_scheme::ecdsa_p256_sha256));
  const auto unknown = static_cast<signature_scheme>(0xff);
  report.check(
      "V3", "what is no scheme is not supported, and verifies nothing",
      !V::supports(unknown) && answer(unknown, detail::p256_law_key, detail::p256_law_message,
                                      detail::p256_law_signature) == errc::unsupported_key);

  for (const detail::signed_message& one : detail::law_signatures) {
    const std::string of(to_string(one.scheme));
    const errc good = answer(one.scheme, one.key, one.message, one.signature);
    if (!V::supports(one.scheme)) {
      report.check("V3", "what is not supported is refused as unsupported_key",
                   good == errc::unsupported_key, of + ": " + spelled(good));
      continue;
    }
    report.check("V3", "what is supported verifies a published signature", good == errc::ok,
                 of + ": " + spelled(good));

    for (std::size_t at = 0; at < one.message.size(); ++at) {
      auto changed = detail::copy_of(one.message);
      changed[at] ^= 1;
      const errc what = answer(one.scheme, one.key, changed, one.signature);
      report.check("V1", "every octet of the message matters", what == errc::bad_signature,
                   of + ", octet " + std::to_string(at) + ": " + spelled(what));
    }
    for (const auto& other : {detail::appended(one.message, 0), detail::law_octets()}) {
      const errc what = answer(one.scheme, one.key, other, one.signature);
      report.check("V1", "a longer message and none at all are other messages",
                   what == errc::bad_signature, of + ": " + spelled(what));
    }
    for (std::size_t at = 0; at < one.key.size(); ++at) {
      auto changed = detail::copy_of(one.key);
      changed[at] ^= 1;
      const errc what = answer(one.scheme, changed, one.message, one.signature);
      report.check("V1", "another key is not the signer's",
                   what == errc::unsupported_key || what == errc::bad_signature,
                   of + ", octet " + std::to_string(at) + ": " + spelled(what));
    }
    for (std::size_t at = 0; at < one.signature.size(); ++at) {
      auto changed = detail::copy_of(one.signature);
      changed[at] ^= 1;
      const errc what = answer(one.scheme, one.key, one.message, changed);
      report.check("V2", "every octet of the signature matters", what == errc::bad_signature,
                   of + ", octet " + std::to_string(at) + ": " + spelled(what));
    }
    for (std::size_t size = 0; size < one.signature.size(); ++size) {
      const errc what = answer(one.scheme, one.key, one.message, one.signature.first(size));
      report.check("V2", "a signature cut short is none", what == errc::bad_signature,
                   of + ", " + std::to_string(size) + " octets: " + spelled(what));
    }
    for (std::size_t size = 0; size < one.key.size(); ++size) {
      const errc what = answer(one.scheme, one.key.first(size), one.message, one.signature);
      report.check("V2", "a key cut short is none", what == errc::unsupported_key,
                   of + ", " + std::to_string(size) + " octets: " + spelled(what));
    }
    errc what = answer(one.scheme, one.key, one.message, detail::appended(one.signature, 0));
    report.check("V2", "nothing follows the signature", what == errc::bad_signature,
                 of + ": " + spelled(what));
    for (const auto& key : {detail::appended(one.key, 0), detail::in_long_form(one.key)}) {
      what = answer(one.scheme, key, one.message, one.signature);
      report.check("V2", "a key is DER, and nothing follows it", what == errc::unsupported_key,
                   of + ": " + spelled(what));
    }
    for (const detail::signed_message& other : detail::law_signatures) {
      if (other.scheme == one.scheme) continue;
      what = answer(one.scheme, other.key, other.message, other.signature);
      report.check("V2", "a key of another scheme is refused as such",
                   what == errc::unsupported_key, of + ": " + spelled(what));
    }
  }

  auto malformed = detail::malformed_p256_signatures();
  malformed.push_back(detail::in_long_form(detail::p256_law_signature));
  for (std::size_t i = 0; i < malformed.size(); ++i) {
    const errc what = answer(signature_scheme::ecdsa_p256_sha256, detail::p256_law_key,
                             detail::p256_law_message, malformed[i]);
    report.check("V2", "an Ecdsa-Sig-Value is DER, r and s from 1 to n - 1",
                 what == errc::bad_signature,
                 "spelling " + std::to_string(i) + ": " + spelled(what));
  }
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
