// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/sealer.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/sealing.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 2> sealer_laws_by_review{{
    {"S3",
     "that nonces differ is checked in one process; what becomes of them in a child, on threads "
     "and "
     "when the generator fails is shown where there are processes and a generator to break"},
    {"S6",
     "that nothing is thrown is in the concept; what the library's memory keeps does not show from "
     "outside: by review of its cleaning calls, and by a thread sanitizer where it has one"},
}};

namespace detail {

/// AES-256-GCM as published, in the order in which a seal holds it.
struct seal_vector {
  std::string_view of;
  std::string_view key, nonce, associated, plain, cipher, tag;
};

/// The cases 13 to 16 of "The Galois/Counter Mode of Operation (GCM)" (McGrew, Viega), as submitted
/// to NIST.
inline constexpr std::array<seal_vector, 4> seal_vectors{{
    {"case 13", "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"case 14", "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000", "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    {"case 15", "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b"
     "5"
     "25b16aedf5aa0de657ba637b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828"
     "8"
     "38c5f61e6393ba7a0abcc9f662898015ad",
     "b094dac5d93471bdec1a502270e3cc6c"},
    {"case 16", "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b"
     "5"
     "25b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828"
     "8"
     "38c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
}};

using seal_octets = std::vector<std::uint8_t>;

inline seal_octets seal_from_hex(std::string_view digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  seal_octets octets;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    octets.push_back(static_cast<std::uint8_t>(value(digits[i]) * 16 + value(digits[i + 1])));
  }
  return octets;
}

inline seal_octets seal_sample(std::size_t size) {
  seal_octets octets(size);
  for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(i * 7 + 3);
  return octets;
}

inline seal_key seal_law_key(std::uint8_t first = 1) {
  seal_key key;
  for (std::size_t i = 0; i < key.octets.size(); ++i) {
    key.octets[i] = static_cast<std::uint8_t>(first + i);
  }
  return key;
}

/// What came of it, and what then stood in an output that was full of something else before.
struct seal_attempt {
  errc what = errc::ok;
  seal_octets out;

  [[nodiscard]] bool wiped() const {
    return std::all_of(out.begin(), out.end(), [](std::uint8_t octet) { return octet == 0; });
  }
};

template <sealer S>
seal_attempt try_seal(const seal_key& key, bytes_view plain, bytes_view associated,
                      std::size_t out_bytes) {
  seal_attempt one{errc::ok, seal_octets(out_bytes, 0xa5)};
  one.what = S::seal(key, plain, associated, one.out).error().what;
  return one;
}
template <sealer S>
seal_attempt try_seal(const seal_key& key, bytes_view plain, bytes_view associated) {
  return try_seal<S>(key, plain, associated, sealed_size(plain.size()));
}
template <sealer S>
seal_attempt try_open(const seal_key& key, bytes_view sealed, bytes_view associated,
                      std::size_t out_bytes) {
  seal_attempt one{errc::ok, seal_octets(out_bytes, 0xa5)};
  one.what = S::open(key, sealed, associated, one.out).error().what;
  return one;
}
template <sealer S>
seal_attempt try_open(const seal_key& key, bytes_view sealed, bytes_view associated) {
  return try_open<S>(key, sealed, associated, opened_size(sealed.size()));
}

template <sealer S>
void check_round_trips(law_report& report) {
  const seal_key key = seal_law_key();
  const std::size_t sizes[] = {0, 1, 15, 16, 17, 1000, 65'537, max_sealable_bytes};
  for (const std::size_t size : sizes) {
    for (const std::size_t associated_size : {std::size_t{0}, std::size_t{13}, size}) {
      const seal_octets plain = seal_sample(size);
      const seal_octets associated = seal_sample(associated_size);
      const seal_attempt sealed = try_seal<S>(key, plain, associated);
      const std::string of = std::to_string(size) + " octets, " + std::to_string(associated_size) +
                             " associated: " + std::string(code(sealed.what));
      if (!report.check("S1", "what is within the bounds is sealed", sealed.what == errc::ok, of)) {
        continue;
      }
      const seal_attempt opened = try_open<S>(key, sealed.out, associated);
      report.check("S1", "what was sealed opens to what it was",
                   opened.what == errc::ok && opened.out == plain, of);
    }
  }
  const seal_octets too_long = seal_sample(max_sealable_bytes + 1);
  const seal_octets some = seal_sample(40);
  const seal_attempt refused[] = {try_seal<S>(key, too_long, {}), try_seal<S>(key, some, too_long),
                                  try_seal<S>(key, some, {}, sealed_size(some.size()) - 1),
                                  try_seal<S>(key, some, {}, sealed_size(some.size()) + 1),
                                  try_seal<S>(key, some, {}, 0)};
  for (std::size_t i = 0; i < std::size(refused); ++i) {
    const std::string which = "case " + std::to_string(i);
    report.check("S1", "what is too long, or has another output, is not sealed: too_large",
                 refused[i].what == errc::too_large, which);
    report.check("S2", "a seal that failed leaves its output wiped", refused[i].wiped(), which);
  }
  const seal_attempt sealed = try_seal<S>(key, some, {});
  for (const std::size_t size : {std::size_t{0}, some.size() - 1, some.size() + 1}) {
    const seal_attempt opened = try_open<S>(key, sealed.out, {}, size);
    report.check("S1", "an output of another size opens nothing: bad_seal",
                 opened.what == errc::bad_seal, std::to_string(size));
    report.check("S2", "an opening that failed leaves its output wiped", opened.wiped(),
                 std::to_string(size));
  }
  const seal_attempt long_associated = try_open<S>(key, sealed.out, too_long);
  report.check("S1", "too much associated data opens nothing: bad_seal",
               long_associated.what == errc::bad_seal);
  report.check("S2", "an opening that failed leaves its output wiped", long_associated.wiped());
}

template <sealer S>
void check_changes(law_report& report) {
  const seal_key key = seal_law_key();
  const seal_octets plain = seal_sample(37);
  const seal_octets associated = seal_sample(21);
  const seal_octets sealed = try_seal<S>(key, plain, associated).out;
  const auto refuses = [&](std::string_view what, const seal_attempt& opened, std::string where) {
    report.check("S2", what, opened.what == errc::bad_seal,
                 where + ": " + std::string(code(opened.what)));
    report.check("S2", "an opening that failed leaves its output wiped", opened.wiped(), where);
  };
  const auto each_bit = [](const seal_octets& of, auto&& try_it) {
    for (std::size_t bit = 0; bit < 8 * of.size(); ++bit) {
      seal_octets changed = of;
      changed[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
      try_it(changed, "bit " + std::to_string(bit));
    }
  };
  each_bit(sealed, [&](const seal_octets& changed, std::string at) {
    refuses("every bit of nonce, ciphertext and tag matters", try_open<S>(key, changed, associated),
            std::move(at));
  });
  each_bit(associated, [&](const seal_octets& changed, std::string at) {
    refuses("every bit of the associated data matters", try_open<S>(key, sealed, changed),
            std::move(at));
  });
  each_bit(seal_octets(key.octets.begin(), key.octets.end()), [&](const seal_octets& changed,
                                                                  std::string at) {
    const seal_key other{std::span<const std::uint8_t, 32>(changed.data(), 32)};
    refuses("every bit of the key matters", try_open<S>(other, sealed, associated), std::move(at));
  });
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    refuses("a seal cut short is none",
            try_open<S>(key, bytes_view(sealed).first(size), associated), std::to_string(size));
    refuses("a seal without its beginning is none",
            try_open<S>(key, bytes_view(sealed).last(size), associated), std::to_string(size));
  }
  seal_octets longer = sealed;
  longer.push_back(0);
  refuses("nothing follows a seal", try_open<S>(key, longer, associated), "one octet");
  for (std::size_t size = 0; size < associated.size(); ++size) {
    refuses("associated data cut short is other data",
            try_open<S>(key, sealed, bytes_view(associated).first(size)), std::to_string(size));
  }
  longer = associated;
  longer.push_back(0);
  refuses("nothing follows the associated data", try_open<S>(key, sealed, longer), "one octet");
  const seal_attempt untouched = try_open<S>(key, sealed, associated);
  report.check("S2", "the seal itself still opens",
               untouched.what == errc::ok && untouched.out == plain);
}

template <sealer S>
void check_vectors(law_report& report) {
  for (const seal_vector& one : seal_vectors) {
    const seal_octets key_octets = seal_from_hex(one.key);
    const seal_key key{std::span<const std::uint8_t, 32>(key_octets.data(), 32)};
    const seal_octets sealed =
        seal_from_hex(std::string(one.nonce) + std::string(one.cipher) + std::string(one.tag));
    const seal_octets associated = seal_from_hex(one.associated);
    const seal_attempt opened = try_open<S>(key, sealed, associated);
    report.check("S4", "what was published opens",
                 opened.what == errc::ok && opened.out == seal_from_hex(one.plain),
                 std::string(one.of) + ": " + std::string(code(opened.what)));
  }
}

template <sealer S>
void check_randomness(law_report& report) {
  const seal_key key = seal_law_key();
  std::set<seal_octets> nonces;
  constexpr std::size_t seals = 2000;
  for (std::size_t i = 0; i < seals; ++i) {
    const seal_attempt sealed = try_seal<S>(key, {}, {});
    nonces.insert(seal_octets(sealed.out.begin(), sealed.out.begin() + seal_nonce_bytes));
  }
  report.check("S3", "no nonce comes twice", nonces.size() == seals,
               std::to_string(seals - nonces.size()) + " did");
  report.check("S5", "nothing to fill is filled", S::random_octets({}));
  for (const std::size_t size : {1u, 31u, 32u, 4096u, 4097u, 70'001u}) {
    seal_octets touched(size), first;
    bool filled = true;
    for (int round = 0; round < 8; ++round) {
      seal_octets out(size, 0xa5);
      filled = S::random_octets(out) && filled;
      for (std::size_t i = 0; i < size; ++i) touched[i] |= static_cast<std::uint8_t>(out[i] ^ 0xa5);
      if (round == 0) first = out;
      if (round == 1 && size > 16) {
        report.check("S5", "what is drawn differs from time to time", out != first,
                     std::to_string(size));
      }
    }
    report.check("S5", "the generator says that it could", filled, std::to_string(size));
    // An octet stays as it was eight times over once in 2^64.
    report.check("S5", "every octet is drawn",
                 std::find(touched.begin(), touched.end(), 0) == touched.end(),
                 std::to_string(size));
  }
}

}  // namespace detail

/// Checks S1 to S5 of `S`. Uses a few megabytes of heap.
template <sealer S>
[[nodiscard]] law_report check_sealer_laws() {
  law_report report;
  detail::check_round_trips<S>(report);
  detail::check_changes<S>(report);
  detail::check_vectors<S>(report);
  detail::check_randomness<S>(report);
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
