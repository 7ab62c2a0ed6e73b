// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/hasher.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/digest.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace testing {

/// 32 octets that depend on every octet hashed and on their order, and resist nobody: for tests
/// without a TLS library. It keeps the laws of `hasher` except H3, because it is not SHA-256: no
/// real pin ever matches it. A guard that takes `use_hasher` with a TLS library's hasher computes
/// real ones, over the scripted backend too.
class not_sha256 {
 public:
  [[nodiscard]] constexpr bool prepare() noexcept {
    *this = not_sha256{};
    ready_ = true;
    return true;
  }
  constexpr void update(bytes_view octets) noexcept {
    for (const std::uint8_t octet : octets) {
      for (std::size_t lane = 0; lane < 4; ++lane) {
        // FNV-1a, 64 bits, in four lanes that begin apart.
        lanes_[lane] = (lanes_[lane] ^ octet) * 0x100000001b3u;
      }
    }
  }
  [[nodiscard]] constexpr bool finish(sha256_digest& out) noexcept {
    if (!std::exchange(ready_, false)) return false;
    for (std::size_t i = 0; i < sha256_digest::size_bytes; ++i) {
      out.octets[i] = static_cast<std::uint8_t>(lanes_[i / 8] >> (i % 8 * 8));
    }
    return true;
  }

  /// The digest that a pin needs to match `octets`.
  [[nodiscard]] static constexpr sha256_digest of(bytes_view octets) noexcept {
    not_sha256 context;
    sha256_digest digest;
    static_cast<void>(context.prepare());
    context.update(octets);
    static_cast<void>(context.finish(digest));
    return digest;
  }

 private:
  std::uint64_t lanes_[4] = {0xcbf29ce484222325u, 0x9ae16a3b2f90404fu, 0xc949d7c7509e6557u,
                             0xff51afd7ed558ccdu};
  bool ready_ = false;
};

static_assert(hasher<not_sha256>);

}  // namespace testing
}  // namespace v0
}  // namespace cotter
