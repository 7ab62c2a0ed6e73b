// SPDX-License-Identifier: BSL-1.0
#include <cotter/values/manifest.hpp>

#include <cotter/values/audit_record.hpp>

#include <support/catch.hpp>

using namespace cotter;

static_assert(manifest_standing{}.problem == reason::manifest_invalid);
static_assert(!audit_record{}.outcome);

TEST_CASE("a manifest's standing that nobody filled in refuses") {
  const manifest_standing standing;
  CHECK(standing.problem == reason::manifest_invalid);
  CHECK(standing.sequence == 0);
  CHECK(standing.expires_at == no_expiry);
}

TEST_CASE("observation that nobody asked for has ended before every clock") {
  CHECK(manifest_standing{}.observe_until == never);
  CHECK(never == instant::min());
  CHECK(never < instant{});
}

TEST_CASE("a device that remembers nothing knows at least when its library was made") {
  const manifest_memory nothing;
  CHECK(nothing.order == 0);
  CHECK(nothing.key_set_version == 0);
  CHECK(nothing.latest == library_made_at);
  CHECK(library_made_at > instant{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}});
  CHECK(nothing == manifest_memory{});
  manifest_memory something;
  something.payload.octets[31] = 1;
  CHECK_FALSE(nothing == something);
}

TEST_CASE("the order of manifests is by epoch, then by sequence, and no two coincide") {
  CHECK(manifest_order(0, 1) == 1);
  CHECK(manifest_order(0, 1) < manifest_order(0, 2));
  CHECK(manifest_order(0, highest_sequence) < manifest_order(1, 1));
  CHECK(manifest_order(7, highest_sequence) + 2 == manifest_order(8, 1));
  // The highest of all still fits a counter of 63 bits.
  CHECK(manifest_order(highest_key_set_version, highest_sequence) == (std::uint64_t{1} << 63) - 1);
}

TEST_CASE("no expiry is later than every time there is") {
  CHECK(no_expiry > instant{std::chrono::sys_days{std::chrono::year{9999} / 12 / 31}});
  CHECK(no_expiry == instant::max());
}
