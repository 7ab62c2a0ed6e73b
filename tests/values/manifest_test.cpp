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

TEST_CASE("no expiry is later than every time there is") {
  CHECK(no_expiry > instant{std::chrono::sys_days{std::chrono::year{9999} / 12 / 31}});
  CHECK(no_expiry == instant::max());
}
