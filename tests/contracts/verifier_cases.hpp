// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/certificate/signature.hpp>
#include <cotter/concepts/verifier.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/signature.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

/// A verifier without its library's headers, so that several stand side by side.
struct verifier_face {
  std::string_view name;
  bool (*supports)(cotter::signature_scheme);
  cotter::errc (*verify)(cotter::signature_scheme, cotter::bytes_view key,
                         cotter::bytes_view message, cotter::bytes_view signature);
  cotter::errc (*verify_strictly)(cotter::signature_scheme, cotter::bytes_view key,
                                  cotter::bytes_view message, cotter::bytes_view signature);
};

/// Those of the libraries that this executable was built with.
inline std::vector<verifier_face>& all_verifiers() {
  static std::vector<verifier_face> all;
  return all;
}

/// Defined once for each library, in its own source file.
template <cotter::verifier V>
struct enlisted_verifier {
  enlisted_verifier() {
    using namespace cotter;
    all_verifiers().push_back(
        {V::name, [](signature_scheme scheme) { return V::supports(scheme); },
         [](signature_scheme scheme, bytes_view key, bytes_view message, bytes_view signature) {
           return V::verify(scheme, key, message, signature).error().what;
         },
         [](signature_scheme scheme, bytes_view key, bytes_view message, bytes_view signature) {
           return verify_strictly<V>(scheme, key, message, signature).error().what;
         }});
  }
};

inline std::vector<std::uint8_t> from_hex(std::string_view digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::vector<std::uint8_t> octets;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    octets.push_back(static_cast<std::uint8_t>(value(digits[i]) * 16 + value(digits[i + 1])));
  }
  return octets;
}
