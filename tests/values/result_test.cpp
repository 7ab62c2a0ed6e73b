// SPDX-License-Identifier: BSL-1.0
#include <cotter/values/result.hpp>

#include <support/catch.hpp>

#include <memory>
#include <utility>

using namespace cotter;

static_assert(*result<int>(7) == 7);
static_assert(!result<int>(errc::truncated, 9));
static_assert(result<int>(errc::truncated, 9).error() == error{errc::truncated, 9, 0});
static_assert(*result<int>(errc::truncated) == 0, "an error holds a default value, not a wild one");
static_assert(result<void>{});
static_assert(!result<void>{errc::timeout});

TEST_CASE("a result holds a value or says why not") {
  const result<int> good = 3;
  REQUIRE(good);
  CHECK(*good == 3);
  CHECK(good.error().what == errc::ok);

  const result<int> bad{errc::invalid_pin, 12};
  CHECK_FALSE(bad);
  CHECK(*bad == 0);
  CHECK(bad.error() == error{errc::invalid_pin, 12, 0});
}

TEST_CASE("a result gives up what can only be moved") {
  result<std::unique_ptr<int>> good = std::make_unique<int>(5);
  const std::unique_ptr<int> taken = *std::move(good);
  CHECK(*taken == 5);
  CHECK_FALSE(*good);
}
