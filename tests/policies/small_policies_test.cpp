// SPDX-License-Identifier: BSL-1.0
#include <cotter/policies/audit/callback_audit_sink.hpp>
#include <cotter/policies/audit/null_audit_sink.hpp>
#include <cotter/policies/clock/system_clock.hpp>
#include <cotter/policies/lock/no_lock.hpp>
#include <cotter/policies/manifest/embedded_manifest.hpp>
#include <cotter/policies/notifier/callback_notifier.hpp>
#include <cotter/policies/notifier/no_notifier.hpp>

#include <support/catch.hpp>

#include <chrono>

using namespace cotter;
using namespace std::chrono_literals;

namespace {
constexpr auto may_throw = [](const audit_record&) {};
constexpr auto throws_nothing = [](const audit_record&) noexcept {};
template <typename F>
concept may_be_a_sink = requires(F f) { callback_audit_sink(f); };
static_assert(may_be_a_sink<decltype(throws_nothing)>);
static_assert(!may_be_a_sink<decltype(may_throw)>, "a sink that may throw is no sink");

constexpr auto notify_may_throw = [](const breaker_key&, const breaker_change&) {};
template <typename F>
concept may_be_a_notifier = requires(F f) { callback_notifier(f); };
static_assert(!may_be_a_notifier<decltype(notify_may_throw)>);

static_assert(embedded_manifest{}.current().problem == reason::none);
static_assert(embedded_manifest{}.current().issued_at == library_made_at);
static_assert(sizeof(null_audit_sink) == 1 && sizeof(no_lock) == 1 && sizeof(no_notifier) == 1);
}  // namespace

TEST_CASE("an embedded manifest says what it was built with") {
  const embedded_manifest manifest(7, instant{100s}, instant{200s});
  CHECK(manifest.current().problem == reason::none);
  CHECK(manifest.current().sequence == 7);
  CHECK(manifest.current().issued_at == instant{100s});
  CHECK(manifest.current().expires_at == instant{200s});
  CHECK(embedded_manifest{}.current().expires_at == no_expiry);
}

TEST_CASE("system_clock tells the operating system's time") {
  const auto before = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const time_reading reading = cotter::system_clock{}.now();
  const auto after = std::chrono::system_clock::now();
  CHECK(reading.wall >= before);
  CHECK(reading.wall <= after);
  CHECK(reading.steady <= std::chrono::steady_clock::now().time_since_epoch());
}

TEST_CASE("callbacks are called") {
  int records = 0;
  callback_audit_sink sink([&](const audit_record&) noexcept { ++records; });
  sink.record({});
  CHECK(records == 1);
  int alerts = 0;
  callback_notifier told([&](const breaker_key&, const breaker_change&) noexcept { ++alerts; });
  told.notify({}, {});
  CHECK(alerts == 1);
}
