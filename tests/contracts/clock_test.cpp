// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/clock.hpp>

#include <cotter/policies/clock/system_clock.hpp>
#include <cotter/testing/manual_clock.hpp>

#include <support/laws.hpp>

#include <chrono>

namespace {
using namespace cotter;
using namespace std::chrono_literals;
}  // namespace

TEST_CASE("system_clock keeps the laws of clock") {
  require_laws(testing::check_clock_laws(cotter::system_clock{}));
}

TEST_CASE("manual_clock keeps the laws of clock, whatever it is told") {
  testing::manual_clock clock(instant{1000s}, 1000ms);
  require_laws(testing::check_clock_laws(clock, [&](int round) {
    if (round % 3 == 0) clock.advance(17ms);
    if (round % 3 == 1) clock.advance(-500ms);
    if (round % 3 == 2) clock.set_wall(instant{std::chrono::seconds{-round}});
  }));
}

TEST_CASE("manual_clock moves both times when it advances, and civil time alone when it is set") {
  testing::manual_clock clock(instant{100s}, 500ms);
  clock.advance(400ms);
  CHECK(clock.now().wall == instant{100s});
  clock.advance(100ms);
  CHECK(clock.now().wall == instant{101s});
  clock.advance(2500ms);
  CHECK(clock.now().wall == instant{103s});
  CHECK(clock.now().steady == 3500ms);
  clock.set_wall(instant{5s});
  CHECK(clock.now().wall == instant{5s});
  CHECK(clock.now().steady == 3500ms);
}

TEST_CASE("the clock suite finds a steady time that follows civil time") {
  struct careless {
    std::chrono::milliseconds at{};
    time_reading now() const noexcept { return {{}, at}; }
  };
  careless clock;
  require_broken(testing::check_clock_laws(clock,
                                           [&](int round) {
                                             clock.at = 1h;
                                             if (round == 5) clock.at -= 1ms;
                                           }),
                 "C1");
}
