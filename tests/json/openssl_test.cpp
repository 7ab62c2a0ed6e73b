// SPDX-License-Identifier: BSL-1.0
#include <cotter/json/signed_manifest.hpp>

#include <cotter/backends/openssl.hpp>

#include <json/support/library_cases.hpp>

using library = cotter::backends::openssl;

static_assert(cotter::reloadable_pin_set<cotter::json::signed_manifest<library>>);
static_assert(cotter::runtime_restricting<cotter::json::signed_manifest<library>>);

TEST_CASE("openssl: a reload takes the next manifest and keeps the last good one") {
  lab::a_reload_takes_the_next_and_keeps_the_last_good_one<library>();
}

TEST_CASE("openssl: no older manifest comes back over a restart") {
  lab::no_older_manifest_comes_back_over_a_restart<library>();
}

TEST_CASE("openssl: a stolen key that signed the highest sequence is survived") {
  lab::a_stolen_key_with_the_highest_sequence_is_survived<library>();
}

TEST_CASE("openssl: a key set of somebody else changes nothing") {
  lab::a_key_set_of_somebody_else_changes_nothing<library>();
}

TEST_CASE("openssl: a guard takes a signed manifest for both of its slots") {
  lab::a_guard_takes_it_for_both_slots<library>();
}

TEST_CASE("openssl: readers see one manifest or the next while it changes") {
  lab::readers_see_one_manifest_or_the_next_while_it_changes<library>();
}
