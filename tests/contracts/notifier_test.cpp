// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/notifier.hpp>

#include <cotter/policies/notifier/callback_notifier.hpp>
#include <cotter/policies/notifier/no_notifier.hpp>
#include <cotter/testing/recording_notifier.hpp>

#include <support/laws.hpp>

#include <string>
#include <string_view>

using namespace cotter;

TEST_CASE("no_notifier keeps the laws of notifier") {
  no_notifier nobody;
  require_laws(testing::check_notifier_laws(nobody, [](const auto&) { return 0; }));
}

TEST_CASE("recording_notifier keeps the laws of notifier") {
  testing::recording_notifier told;
  require_laws(testing::check_notifier_laws(told, [](const auto& n) { return n.alerts(); }));
  REQUIRE(told.alerts().size() == 1);
  CHECK(told.alerts()[0].host == "notifier.law.example");
}

TEST_CASE("callback_notifier passes on what it is told and keeps nothing") {
  std::string host;
  std::uint8_t streak = 0;
  callback_notifier told([&](const breaker_key& key, const breaker_change& change) noexcept {
    host = key.endpoint.host;
    streak = change.streak;
  });
  require_laws(testing::check_notifier_laws(told, [&](const auto&) { return host; }));
  CHECK(streak == 2);
}

TEST_CASE("the notifier suite finds a notifier that keeps what it was lent") {
  struct borrowing {
    std::string_view host;
    void notify(const breaker_key& key, const breaker_change&) noexcept { host = key.endpoint.host; }
  };
  borrowing told;
  require_broken(testing::check_notifier_laws(
                     told, [](const borrowing& n) { return std::string(n.host); }),
                 "N1");
}
