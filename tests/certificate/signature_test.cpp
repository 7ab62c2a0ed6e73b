// SPDX-License-Identifier: BSL-1.0
#include <cotter/certificate/signature.hpp>

#include <der/octets.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <string_view>

using namespace cotter;
using cotter_test::hex;
using cotter_test::octets;
using cotter_test::tlv;

namespace {

// RFC 6979 A.2.5 and RFC 8032 7.1, test 3.
constexpr octets p256_key =
    hex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
constexpr octets ed25519_key =
    hex("302a300506032b6570032100"
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
constexpr octets ed25519_signature =
    hex("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");

constexpr std::string_view order =
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
constexpr std::string_view order_minus_1 =
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";

constexpr octets integer(std::string_view content) { return tlv(0x02, hex(content)); }
constexpr octets one() { return integer("01"); }

constexpr errc judge(bytes_view signature, bytes_view key = p256_key) {
  return check_signature_encoding(signature_scheme::ecdsa_p256_sha256, key, signature).error().what;
}
constexpr errc judge_pair(bytes_view r, bytes_view s) { return judge(tlv(0x30, r, s)); }

constexpr octets positive(std::string_view content) {
  octets with_zero = hex("00");
  with_zero.append(hex(content));
  return tlv(0x02, with_zero);
}

/// Says yes, and notes that it was asked.
template <bool Supports>
struct credulous {
  static inline int asked = 0;
  static bool supports(signature_scheme) noexcept { return Supports; }
  static result<void> verify(signature_scheme, bytes_view, bytes_view, bytes_view) noexcept {
    ++asked;
    return {};
  }
};

}  // namespace

TEST_CASE("a signature of P-256 is judged at compile time, with r and s from 1 to n - 1") {
  STATIC_REQUIRE(judge_pair(one(), one()) == errc::ok);
  STATIC_REQUIRE(judge_pair(integer("7f"), integer("0080")) == errc::ok);
  STATIC_REQUIRE(judge_pair(positive(order_minus_1), positive(order_minus_1)) == errc::ok);
  STATIC_REQUIRE(judge_pair(positive(order), one()) == errc::bad_signature);
  STATIC_REQUIRE(judge_pair(one(), positive(order)) == errc::bad_signature);
  STATIC_REQUIRE(judge_pair(integer("00"), one()) == errc::bad_signature);
  STATIC_REQUIRE(judge_pair(one(), integer("00")) == errc::bad_signature);
  STATIC_REQUIRE(judge_pair(integer("80"), one()) == errc::bad_signature);
  STATIC_REQUIRE(judge_pair(integer("ff"), one()) == errc::bad_signature);
  STATIC_REQUIRE(judge_pair(integer("0001"), one()) == errc::bad_signature);
  STATIC_REQUIRE(judge_pair(integer("007f"), one()) == errc::bad_signature);
  STATIC_REQUIRE(judge_pair(one(), integer("0001")) == errc::bad_signature);
  STATIC_REQUIRE(judge_pair(integer(""), one()) == errc::bad_signature);
  STATIC_REQUIRE(judge_pair(hex("0103 01"), one()) == errc::bad_signature);
}

TEST_CASE("a signature of P-256 has one spelling") {
  const octets good = tlv(0x30, one(), one());
  REQUIRE(judge(good) == errc::ok);
  for (std::size_t size = 0; size < good.size; ++size) {
    CHECK(judge(good.view().first(size)) == errc::bad_signature);
  }
  for (std::size_t at : {0u, 1u, 2u, 3u, 5u, 6u}) {  // identifiers and lengths
    for (unsigned value = 0; value < 256; ++value) {
      octets changed = good;
      if (changed.data[at] == value) continue;
      changed.data[at] = static_cast<std::uint8_t>(value);
      INFO("octet " << at << " is " << value);
      CHECK(judge(changed) == errc::bad_signature);
    }
  }
  octets longer = good;
  longer.push(0);
  CHECK(judge(longer) == errc::bad_signature);
  CHECK(judge(tlv(0x30, one(), one(), one())) == errc::bad_signature);
  CHECK(judge(hex("3081 06 020101 020101")) == errc::bad_signature);
  CHECK(judge(hex("3080 020101 020101 0000")) == errc::bad_signature);
  CHECK(judge(hex("3007 02810101 020101")) == errc::bad_signature);
}

TEST_CASE("a key of P-256 has one spelling, and coordinates below the prime") {
  const octets signature = tlv(0x30, one(), one());
  for (std::size_t size = 0; size < p256_key.size; ++size) {
    CHECK(judge(signature, p256_key.view().first(size)) == errc::unsupported_key);
  }
  for (std::size_t at = 0; at < p256_key_prefix.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      octets changed = p256_key;
      changed.data[at] = static_cast<std::uint8_t>(changed.data[at] ^ 1u << bit);
      CHECK(judge(signature, changed) == errc::unsupported_key);
    }
  }
  octets longer = p256_key;
  longer.push(0);
  CHECK(judge(signature, longer) == errc::unsupported_key);

  const octets prime = hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
  for (const std::size_t coordinate : {27u, 59u}) {
    octets changed = p256_key;
    for (std::size_t i = 0; i < 32; ++i) changed.data[coordinate + i] = prime.data[i];
    CHECK(judge(signature, changed) == errc::unsupported_key);
    --changed.data[coordinate + 31];
    CHECK(judge(signature, changed) == errc::ok);  // whether it is on the curve is not asked here
  }
}

TEST_CASE("a signature of Ed25519 is 64 octets with S below the order") {
  const auto judged = [](bytes_view key, bytes_view signature) {
    return check_signature_encoding(signature_scheme::ed25519, key, signature).error().what;
  };
  REQUIRE(judged(ed25519_key, ed25519_signature) == errc::ok);
  for (std::size_t size = 0; size < ed25519_signature.size; ++size) {
    CHECK(judged(ed25519_key, ed25519_signature.view().first(size)) == errc::bad_signature);
  }
  octets longer = ed25519_signature;
  longer.push(0);
  CHECK(judged(ed25519_key, longer) == errc::bad_signature);

  octets at_order = ed25519_signature;
  const octets limit = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  for (std::size_t i = 0; i < 32; ++i) at_order.data[32 + i] = limit.data[i];
  CHECK(judged(ed25519_key, at_order) == errc::bad_signature);
  --at_order.data[32];
  CHECK(judged(ed25519_key, at_order) == errc::ok);

  CHECK(judged(p256_key, ed25519_signature) == errc::unsupported_key);
  CHECK(judge(ed25519_signature, ed25519_key) == errc::unsupported_key);
  CHECK(judged(hex(""), hex("")) == errc::unsupported_key);
}

TEST_CASE("what is no scheme has neither keys nor signatures") {
  CHECK(
      check_signature_encoding(static_cast<signature_scheme>(9), p256_key, tlv(0x30, one(), one()))
          .error()
          .what == errc::unsupported_key);
}

TEST_CASE("a verifier that believes everything is not asked about what is badly spelled") {
  using yes = credulous<true>;
  const octets good = tlv(0x30, one(), one());
  octets bad = good;
  bad.push(0);
  const auto scheme = signature_scheme::ecdsa_p256_sha256;
  CHECK(verify_strictly<yes>(scheme, p256_key, {}, bad).error().what == errc::bad_signature);
  CHECK(verify_strictly<yes>(scheme, ed25519_key, {}, good).error().what == errc::unsupported_key);
  CHECK(yes::asked == 0);
  CHECK(verify_strictly<yes>(scheme, p256_key, {}, good));
  CHECK(yes::asked == 1);

  using no = credulous<false>;
  CHECK(verify_strictly<no>(scheme, p256_key, {}, good).error().what == errc::unsupported_key);
  CHECK(no::asked == 0);
}
