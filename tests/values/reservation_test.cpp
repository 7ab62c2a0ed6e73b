// SPDX-License-Identifier: BSL-1.0
#include <cotter/values/reservation.hpp>

#include <support/catch.hpp>
#include <support/spelling.hpp>

#include <type_traits>
#include <utility>

using namespace cotter;

static_assert(!reservation{}.held());
static_assert(reservation{}.refused() == reason::breaker_locked);
static_assert(reservation::refuse(reason::none).refused() == reason::breaker_locked);
static_assert(reservation::grant(3).held());
static_assert(reservation::grant(3).refused() == reason::none);
static_assert(!std::is_copy_constructible_v<reservation>);
static_assert(!std::is_copy_assignable_v<reservation>);

TEST_CASE("a reservation is ended once") {
  reservation one = reservation::grant(5);
  CHECK(one.slot() == 5);
  CHECK(one.spend());
  CHECK_FALSE(one.spend());
  CHECK_FALSE(one.held());
}

TEST_CASE("a reservation is held by one place at a time") {
  reservation one = reservation::grant(5);
  reservation two = std::move(one);
  CHECK_FALSE(one.held());
  CHECK(two.held());
  reservation three;
  three = std::move(two);
  CHECK_FALSE(two.held());
  CHECK(three.held());
  CHECK(three.slot() == 5);
}

TEST_CASE("a refused reservation cannot be ended") {
  reservation no = reservation::refuse(reason::breaker_cooling);
  CHECK(no.refused() == reason::breaker_cooling);
  CHECK_FALSE(no.spend());
}

TEST_CASE("every state of a breaker has one stable spelling") {
  constexpr std::string_view words[] = {"closed", "cooling", "locked"};
  require_spellings<breaker_state>(words, [](breaker_state s) { return to_string(s); });
}
