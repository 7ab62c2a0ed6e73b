// SPDX-License-Identifier: BSL-1.0
#include <cotter/values/digest.hpp>

#include <support/catch.hpp>

using namespace cotter;

namespace {

constexpr sha256_digest counting() {
  sha256_digest d;
  for (std::size_t i = 0; i < sha256_digest::size_bytes; ++i) {
    d.octets[i] = static_cast<std::uint8_t>(i);
  }
  return d;
}

/// True if changing any single bit makes two digests differ.
constexpr bool every_bit_counts() {
  for (std::size_t i = 0; i < sha256_digest::size_bytes; ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      sha256_digest other = counting();
      other.octets[i] = static_cast<std::uint8_t>(other.octets[i] ^ (1u << bit));
      if (other == counting() || counting() == other) return false;
    }
  }
  return true;
}

static_assert(counting() == counting());
static_assert(every_bit_counts());
static_assert(sizeof(sha256_digest) == 32);

}  // namespace

TEST_CASE("digests are equal only if all 256 bits are") {
  CHECK(counting() == counting());
  CHECK(every_bit_counts());
  CHECK(sha256_digest{} == sha256_digest{});
  CHECK(counting() != sha256_digest{});
}

TEST_CASE("differences that would cancel each other are still differences") {
  sha256_digest a, b;
  a.octets[0] = 0xff;
  b.octets[1] = 0xff;
  CHECK(a != b);
  a.octets.fill(0xff);
  CHECK(a != sha256_digest{});
}
