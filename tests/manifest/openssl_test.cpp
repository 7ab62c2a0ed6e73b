// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>

#include "cases.hpp"

using library = cotter::backends::openssl;

TEST_CASE("openssl: every attack on a manifest is refused with its own code and changes nothing") {
  attacks::every_attack_is_refused_with_its_code_and_changes_nothing<library>();
}

TEST_CASE("openssl: every attack on a manifest is refused after a restart too") {
  attacks::every_attack_is_refused_after_a_restart_too<library>();
}

TEST_CASE("openssl: an envelope cut anywhere changes nothing") {
  attacks::an_envelope_cut_anywhere_changes_nothing<library>();
}

TEST_CASE("openssl: a payload cut anywhere changes nothing") {
  attacks::a_payload_cut_anywhere_changes_nothing<library>();
}

TEST_CASE("openssl: what was remembered outlives a restart and a clock that is set back") {
  attacks::what_was_remembered_outlives_a_restart_and_a_clock_that_is_set_back<library>();
}

TEST_CASE("openssl: a fast-forward is undone by the next key set") {
  attacks::a_fast_forward_is_undone_by_the_next_key_set<library>();
}

TEST_CASE("openssl: a far future, signed with stolen keys, is undone by the next key set") {
  attacks::a_signed_far_future_is_undone_by_the_next_key_set<library>();
}

TEST_CASE("openssl: no older key set comes back") {
  attacks::no_older_key_set_comes_back<library>();
}
