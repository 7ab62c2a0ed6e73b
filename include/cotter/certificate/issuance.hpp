// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/certificate/view.hpp>
#include <cotter/der/reader.hpp>
#include <cotter/der/tag.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/diagnosis.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace cotter {
inline namespace v0 {

/// FNV-1a, 64 bits; never 0. Continues `before`.
[[nodiscard]] constexpr std::uint64_t mark_of(bytes_view octets,
                                              std::uint64_t before = 0xcbf29ce484222325u) noexcept {
  for (const std::uint8_t octet : octets) before = (before ^ octet) * 0x100000001b3u;
  return before == 0 ? 1 : before;
}

namespace detail {

/// Calls `f(extnID content, extnValue content)` for each extension, as far as they can be read.
template <typename F>
constexpr void for_each_extension(const certificate_view& leaf, F&& f) noexcept {
  if (!leaf.located(field::spki)) return;
  const auto after =
      static_cast<std::size_t>(leaf.spki.data() + leaf.spki.size() - leaf.tbs.data());
  der::reader rest(leaf.tbs.subspan(after));
  for (const std::uint32_t unique_id : {1u, 2u}) {
    const bool there =
        rest.at(der::context_tag(unique_id, false)) || rest.at(der::context_tag(unique_id, true));
    if (there && !rest.skip()) return;
  }
  if (!rest.at(der::context_tag(3, true))) return;
  der::element e;
  error ignored;
  if (!rest.take({}, e, ignored) || !take_only(der::reader(e), der::tags::sequence, e, ignored)) {
    return;
  }
  der::reader extensions(e);
  while (!extensions.at_end()) {
    const auto extension = extensions.expect(der::tags::sequence);
    if (!extension) return;
    der::reader parts(*extension);
    const auto oid = parts.expect(der::tags::object_identifier);
    if (!oid) return;
    if (parts.at(der::tags::boolean) && !parts.skip()) return;
    const auto value = parts.expect(der::tags::octet_string);
    if (!value) return;
    f(oid->content(), value->content());
  }
}

template <std::size_t Size>
constexpr bool is_oid(bytes_view oid, const std::array<std::uint8_t, Size>& wanted) noexcept {
  return std::equal(oid.begin(), oid.end(), wanted.begin(), wanted.end());
}

// 1.3.6.1.4.1.11129.2.4.2, RFC 6962 3.3
inline constexpr std::array<std::uint8_t, 10> sct_list_oid{0x2b, 0x06, 0x01, 0x04, 0x01,
                                                           0xd6, 0x79, 0x02, 0x04, 0x02};
// 2.5.29.32 and 2.5.29.35, RFC 5280 4.2.1.4 and 4.2.1.1
inline constexpr std::array<std::uint8_t, 3> certificate_policies_oid{0x55, 0x1d, 0x20};
inline constexpr std::array<std::uint8_t, 3> authority_key_oid{0x55, 0x1d, 0x23};
// 2.23.140.1, the arc of the CA/Browser Forum's policies
inline constexpr std::array<std::uint8_t, 3> forum_arc{0x67, 0x81, 0x0c};

/// True if certificatePolicies names a policy below 2.23.140.1.
constexpr bool names_forum_policy(bytes_view policies) noexcept {
  der::element list;
  error ignored;
  if (!take_only(der::reader(policies), der::tags::sequence, list, ignored)) return false;
  der::reader each(list);
  while (!each.at_end()) {
    const auto information = each.expect(der::tags::sequence);
    if (!information) return false;
    const auto policy = der::reader(*information).expect(der::tags::object_identifier);
    if (!policy) return false;
    const bytes_view oid = policy->content();
    if (oid.size() > forum_arc.size() && is_oid(oid.first(forum_arc.size()), forum_arc) &&
        oid[forum_arc.size()] == 1) {
      return true;
    }
  }
  return false;
}

}  // namespace detail

/// What a leaf looks like, for a diagnosis; nothing if its issuer could not be located. Linear, no
/// heap. All of it is public and can be copied by anybody who signs certificates.
[[nodiscard]] constexpr leaf_traits traits_of(const certificate_view& leaf) noexcept {
  leaf_traits traits;
  if (!leaf.located(field::issuer) || leaf.issuer.empty()) return traits;
  traits.issuer = mark_of(leaf.issuer);
  traits.names = mark_of(leaf.san);
  if (leaf.located(field::validity)) traits.not_before = leaf.not_before;
  detail::for_each_extension(leaf, [&](bytes_view oid, bytes_view value) noexcept {
    if (detail::is_oid(oid, detail::authority_key_oid)) {
      traits.issuer = mark_of(value, traits.issuer);
    } else if (detail::is_oid(oid, detail::sct_list_oid)) {
      traits.public_issuance = true;
    } else if (detail::is_oid(oid, detail::certificate_policies_oid) &&
               detail::names_forum_policy(value)) {
      traits.public_issuance = true;
    }
  });
  return traits;
}

}  // namespace v0
}  // namespace cotter
