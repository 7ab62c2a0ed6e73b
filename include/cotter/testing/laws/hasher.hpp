// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/hasher.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/digest.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

/// None: every law of `hasher` can be seen from outside, H2 by whoever counts allocations.
inline constexpr std::array<law_by_review, 0> hasher_laws_by_review{};

namespace detail {

inline bytes_view octets_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// `in` hashed in pieces of `piece` octets; 0 is in one piece.
template <hasher H>
std::optional<sha256_digest> hash_in_pieces(H& context, bytes_view in, std::size_t piece) {
  sha256_digest digest;
  if (!context.prepare()) return std::nullopt;
  if (piece == 0) piece = std::max<std::size_t>(in.size(), 1);
  for (std::size_t at = 0; at < in.size(); at += piece) {
    context.update(in.subspan(at, std::min(piece, in.size() - at)));
    context.update({});
  }
  if (!context.finish(digest)) return std::nullopt;
  return digest;
}

struct sha256_vector {
  std::string_view of;
  std::size_t repeated;
  std::array<std::uint8_t, 32> digest;
};

/// FIPS 180-4's own examples (NIST, "SHA256.pdf" and "SHA2_Additional.pdf"), and no octets at all.
inline constexpr std::array<sha256_vector, 4> sha256_vectors{{
    {"", 0,
     {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
      0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}},
    {"abc", 1,
     {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
      0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad}},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     {0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8, 0xe5, 0xc0, 0x26, 0x93, 0x0c, 0x3e, 0x60, 0x39,
      0xa3, 0x3c, 0xe4, 0x59, 0x64, 0xff, 0x21, 0x67, 0xf6, 0xec, 0xed, 0xd4, 0x19, 0xdb, 0x06, 0xc1}},
    {"a", 1'000'000,
     {0xcd, 0xc7, 0x6e, 0x5c, 0x99, 0x14, 0xfb, 0x92, 0x81, 0xa1, 0xc7, 0xe2, 0x84, 0xd7, 0x3e, 0x67,
      0xf1, 0x80, 0x9a, 0x48, 0xa4, 0x97, 0x20, 0x0e, 0x04, 0x6d, 0x39, 0xcc, 0xc7, 0x11, 0x2c, 0xd0}},
}};

}  // namespace detail

/// Checks H1 to H5 of `H`, and H6 if it says so. `allocations()` is how many allocations the process has made so far.
template <hasher H, typename Allocations>
[[nodiscard]] law_report check_hasher_laws(Allocations&& allocations) {
  law_report report;
  std::vector<std::uint8_t> sample(1000);
  for (std::size_t i = 0; i < sample.size(); ++i) sample[i] = static_cast<std::uint8_t>(i * 7 + 3);
  const sha256_digest marked{{0xa5, 0x5a}};

  H context;
  sha256_digest out = marked;
  report.check("H4", "finish on an unprepared context returns false and leaves its output alone",
               !context.finish(out) && out == marked);
  context.update(sample);
  report.check("H4", "update and finish on an unprepared context make finish return false",
               !context.finish(out) && out == marked);

  report.check("H1", "prepare says that it could", context.prepare());
  const auto before = allocations();
  context.update(bytes_view(sample).first(10));
  context.update(bytes_view(sample).subspan(10));
  const bool finished = context.finish(out);
  const auto after = allocations();
  report.check("H1", "a prepared context finishes, even after misuse", finished);
  report.check("H2", "update and finish allocate nothing", after == before,
               std::to_string(after - before) + " allocations");

  if constexpr (reusable_hasher<H>) {
    const auto then = allocations();
    const bool again = context.prepare();
    report.check("H6", "prepare allocates nothing", again && allocations() == then);
    static_cast<void>(context.finish(out));
  }

  out = marked;
  report.check("H3", "a finished context is unprepared", !context.finish(out) && out == marked);

  for (const detail::sha256_vector& vector : detail::sha256_vectors) {
    std::string in;
    for (std::size_t i = 0; i < vector.repeated; ++i) in += vector.of;
    const auto digest = detail::hash_in_pieces(context, detail::octets_of(in), 0);
    report.check("H3", "digests are those of FIPS 180-4",
                 digest && *digest == sha256_digest{vector.digest},
                 std::to_string(in.size()) + " octets");
  }

  const auto whole = detail::hash_in_pieces(context, sample, 0);
  for (const std::size_t piece : {1u, 2u, 63u, 64u, 65u, 999u}) {
    report.check("H5", "pieces of any size give the digest of the whole",
                 whole && detail::hash_in_pieces(context, sample, piece) == whole,
                 "in pieces of " + std::to_string(piece));
  }
  for (const std::size_t at : {0u, 500u, 999u}) {
    auto changed = sample;
    changed[at] ^= 1;
    report.check("H3", "every octet matters",
                 whole && detail::hash_in_pieces(context, changed, 100) != whole,
                 "octet " + std::to_string(at));
  }

  static_cast<void>(context.prepare());
  context.update(sample);
  report.check("H1", "prepare forgets what was not finished",
               detail::hash_in_pieces(context, sample, 0) == whole && whole.has_value());
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
