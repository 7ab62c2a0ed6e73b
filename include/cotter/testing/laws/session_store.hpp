// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/session_store.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/session_binding.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 3> session_store_laws_by_review{{
    {"D4",
     "what was wiped, or is sealed on a disk, does not show at the interface: the tests of each "
     "store look for the octets where they were"},
    {"D5",
     "what somebody can do behind the store's back differs from place to place: the tests of "
     "each store do it"},
    {"D6", "noexcept is asked of the type; what a place takes is not bounded here"},
}};

namespace detail {

/// One session of target `i`: no two alike.
inline session_binding bound_for(unsigned i) {
  session_binding made;
  made.whose.host = short_text<max_host_bytes>("host-" + std::to_string(i) + ".law.example");
  made.whose.port = 443;
  made.whose.anchors.octets.fill(1);
  made.whose.guard.octets.fill(2);
  made.whose.backend = short_text<max_backend_name_bytes>("law");
  made.whose.library = {1, 2, 3};
  made.fingerprint.octets.fill(static_cast<std::uint8_t>(i));
  made.key.octets.fill(static_cast<std::uint8_t>(i + 1));
  made.has_key = true;
  made.not_before = instant{std::chrono::seconds{i + 1000}};
  made.not_after = instant{std::chrono::seconds{i + 9'000'000}};
  made.version = i % 2 == 0 ? tls_version::tls1_3 : tls_version::tls1_2;
  made.established_at = instant{std::chrono::seconds{i + 5000}};
  made.sequence = i + 77;
  made.octets.octets.fill(static_cast<std::uint8_t>(i + 3));
  return made;
}
inline std::vector<std::uint8_t> octets_for(unsigned i, std::size_t size = 300) {
  std::vector<std::uint8_t> made(size);
  for (std::size_t k = 0; k < size; ++k) made[k] = static_cast<std::uint8_t>(k * 7 + i);
  return made;
}
inline bool same(const session_binding& a, const session_binding& b) {
  return a.whose == b.whose && a.fingerprint == b.fingerprint && a.key == b.key &&
         a.has_key == b.has_key && a.not_before == b.not_before && a.not_after == b.not_after &&
         a.version == b.version && a.established_at == b.established_at &&
         a.sequence == b.sequence && a.octets == b.octets;
}

struct taken_session {
  bool any = false;
  int calls = 0;
  session_binding binding{};
  std::vector<std::uint8_t> octets{};
};
template <typename S>
taken_session take_from(S& store, const session_key& whose) {
  taken_session got;
  got.any = store.take(whose, [&got](const session_binding& binding, bytes_view octets) {
    ++got.calls;
    got.binding = binding;
    got.octets.assign(octets.begin(), octets.end());
  });
  return got;
}

}  // namespace detail

/// Checks D1 to D3 of a store that has nothing in it. `more` is how many sessions no store is expected
/// to have room for.
template <session_store S>
[[nodiscard]] law_report check_session_store_laws(S& store, unsigned more = 300) {
  using namespace detail;
  law_report report;
  const auto first = bound_for(0);
  report.check("D1", "an empty store gives nothing and calls nobody",
               !take_from(store, first.whose).any && take_from(store, first.whose).calls == 0);

  auto lent = octets_for(0);
  store.put(first, lent);
  std::fill(lent.begin(), lent.end(), std::uint8_t{0xee});
  const auto other = [&](auto change) {
    session_key whose = first.whose;
    change(whose);
    const taken_session got = take_from(store, whose);
    return !got.any && got.calls == 0;
  };
  report.check("D1", "not for another host", other([](session_key& k) {
                 k.host = short_text<max_host_bytes>("other.law.example");
               }));
  report.check("D1", "not for another port", other([](session_key& k) { k.port = 5061; }));
  report.check("D1", "not for another kind of identity",
               other([](session_key& k) { k.kind = identity::sip; }));
  report.check("D1", "not under other anchors",
               other([](session_key& k) { k.anchors.octets[31] ^= 1; }));
  report.check("D1", "not for another guard",
               other([](session_key& k) { k.guard.octets[0] ^= 1; }));
  report.check("D1", "not for another backend", other([](session_key& k) {
                 k.backend = short_text<max_backend_name_bytes>("law2");
               }));
  report.check("D1", "not for another version of the library",
               other([](session_key& k) { k.library.patch = 4; }));

  const taken_session got = take_from(store, first.whose);
  report.check(
      "D1", "a session comes back as it was put, in one call",
      got.any && got.calls == 1 && same(got.binding, first) && got.octets == octets_for(0));
  report.check("D2", "a session is given out once", !take_from(store, first.whose).any);

  store.put(first, octets_for(1));
  store.put(first, octets_for(2));
  std::vector<std::vector<std::uint8_t>> seen;
  bool once = true;
  for (int i = 0; i < 5; ++i) {
    const taken_session one = take_from(store, first.whose);
    if (!one.any) continue;
    once = once && std::count(seen.begin(), seen.end(), one.octets) == 0;
    seen.push_back(one.octets);
  }
  report.check("D2", "several sessions of one target are given out once each",
               once && !seen.empty() && seen.size() <= 2, std::to_string(seen.size()));

  for (unsigned i = 0; i < more; ++i) store.put(first, octets_for(i));
  unsigned of_one = 0;
  while (of_one <= more && take_from(store, first.whose).any) ++of_one;
  report.check("D3", "what is kept of one target is bounded", of_one < more,
               std::to_string(of_one));
  for (unsigned i = 0; i < more; ++i) store.put(bound_for(i), octets_for(i));
  unsigned of_all = 0;
  bool right = true;
  for (unsigned i = 0; i < more; ++i) {
    const taken_session one = take_from(store, bound_for(i).whose);
    if (!one.any) continue;
    ++of_all;
    right = right && same(one.binding, bound_for(i)) && one.octets == octets_for(i);
  }
  report.check("D3", "what is kept of all targets is bounded", of_all < more,
               std::to_string(of_all));
  report.check("D1", "whatever was dropped, the rest is as it was put", right);
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
