// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/digest.hpp>

#include <concepts>

namespace cotter {
inline namespace v0 {

/// A SHA-256 context that can be prepared ahead of the moment it is needed.
///
///   H1  `prepare` readies the context for one digest and reports whether it could; it may allocate.
///   H2  `update` and `finish` after it allocate nothing.
///   H3  `finish` writes FIPS 180-4 SHA-256 of all octets since `prepare`, or returns false and
///       leaves `out` alone; afterwards the context is unprepared.
///   H4  `update` or `finish` on an unprepared context make `finish` return false.
///   H5  the order and size of the pieces given to `update` do not matter, only their concatenation.
///   H6  a context whose `prepare` neither allocates nor costs more than a few stores may say so:
///       `using reusable = ` its own type. Then one serves a whole connection.
template <typename H>
concept hasher = std::default_initializable<H> &&
    requires(H& h, bytes_view octets, sha256_digest& out) {
      { h.prepare() } noexcept -> std::same_as<bool>;
      { h.update(octets) } noexcept;
      { h.finish(out) } noexcept -> std::same_as<bool>;
    };

/// A context that is prepared again where it stands, see H6.
template <typename H>
concept reusable_hasher = hasher<H> && std::same_as<typename H::reusable, H>;

}  // namespace v0
}  // namespace cotter
