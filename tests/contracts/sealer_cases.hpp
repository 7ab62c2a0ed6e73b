// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/sealer.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/sealing.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

/// A sealer without its library's headers, so that several stand side by side.
struct sealer_face {
  std::string_view name;
  cotter::errc (*seal)(const cotter::seal_key&, cotter::bytes_view plain,
                       cotter::bytes_view associated, std::span<std::uint8_t> out);
  cotter::errc (*open)(const cotter::seal_key&, cotter::bytes_view sealed,
                       cotter::bytes_view associated, std::span<std::uint8_t> out);
  bool (*random_octets)(std::span<std::uint8_t> out);
};

/// Those of the libraries that this executable was built with and that can seal.
inline std::vector<sealer_face>& all_sealers() {
  static std::vector<sealer_face> all;
  return all;
}

/// Defined once for each library, in its own source file.
template <cotter::sealer S>
struct enlisted_sealer {
  enlisted_sealer() {
    using namespace cotter;
    all_sealers().push_back({S::name,
                             [](const seal_key& key, bytes_view plain, bytes_view associated,
                                std::span<std::uint8_t> out) {
                               return S::seal(key, plain, associated, out).error().what;
                             },
                             [](const seal_key& key, bytes_view sealed, bytes_view associated,
                                std::span<std::uint8_t> out) {
                               return S::open(key, sealed, associated, out).error().what;
                             },
                             [](std::span<std::uint8_t> out) { return S::random_octets(out); }});
  }
};
