// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/guard.hpp>

#include <cotter/pipeline/self_test_pki.hpp>
#include <cotter/policies/audit/ring_audit_sink.hpp>
#include <cotter/policies/audit/tee_audit_sink.hpp>
#include <cotter/policies/lock/no_lock.hpp>
#include <cotter/policies/manifest/embedded_manifest.hpp>
#include <cotter/policies/pin_set/fixed_pin_set.hpp>

#include "bench.hpp"

#include <array>
#include <string_view>

using namespace bench;

namespace {

namespace built_in = cotter::self_test_pki;

consteval std::array<char, 76> spelled(const sha256_digest& hashed) {
  const auto& digest = hashed.octets;
  std::array<char, 76> text{};
  constexpr std::string_view prefix = "cert-sha256:";
  for (std::size_t i = 0; i < prefix.size(); ++i) text[i] = prefix[i];
  for (std::size_t i = 0; i < 32; ++i) {
    text[12 + 2 * i] = "0123456789abcdef"[digest[i] >> 4];
    text[13 + 2 * i] = "0123456789abcdef"[digest[i] & 0xf];
  }
  return text;
}
constexpr auto right_text = spelled(not_sha256::of(built_in::leaf));
constexpr std::string_view right(right_text.data(), right_text.size());
constexpr std::string_view wrong =
    "cert-sha256:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr instant window = instant{std::chrono::sys_days{std::chrono::year{2030} / 1 / 1}};

constexpr fixed_pin_set pins{
    fixed_target{built_in::host, 443, primary(wrong), fallback(right, window)},
    fixed_target{built_in::host, 444, primary(wrong)},
    fixed_target{"192.0.2.1", 443, primary(wrong)}};

/// Counts what it is given.
struct counter {
  int decisions = 0;
  int changes = 0;
  void record(const audit_record& what) noexcept {
    ++(what.subject == audit_subject::decision ? decisions : changes);
  }
};
struct decision_counter : counter {
  using decisions_only = decision_counter;
};
/// Has more to do than the one it comes from, and did not say that it has not.
struct derived_counter : decision_counter {};
static_assert(decision_sink<decision_counter>);
static_assert(!decision_sink<derived_counter>);

struct derived_set : std::remove_cv_t<decltype(pins)> {};
static_assert(canonical_pin_set<std::remove_cv_t<decltype(pins)>>);
static_assert(!canonical_pin_set<derived_set> && !regionless_pin_set<derived_set>);
struct reloaded_set : std::remove_cv_t<decltype(pins)> {
  using canonical = reloaded_set;
  static constexpr bool reloadable = true;
};
static_assert(!canonical_pin_set<reloaded_set>);

/// Three mismatches and one attempt that is refused: a decision each, and changes of the breaker.
template <typename Sink>
void four_refusals(Sink& sink) {
  memory_breaker<2> breaker{breaker_config{3, 2, std::chrono::milliseconds{0}, {}}};
  const manual_clock clock(window - 1h);
  guard guarding{pins, breaker, embedded_manifest{}, sink, clock, no_lock{}};
  for (int i = 0; i < 4; ++i) {
    auto admission = guarding.admit({built_in::host, 444});
    if (!admission) continue;
    scripted_session session;
    auto guarded = guarding.attach(&session, *admission);
    CHECK_FALSE(session.play({bytes_view(built_in::leaf)}));
    CHECK(guarded.confirm().reason() == reason::pin_mismatch);
  }
}

}  // namespace

TEST_CASE("a sink that says so is given decisions alone, any other one changes too") {
  decision_counter few;
  four_refusals(few);
  CHECK(few.decisions == 4);
  CHECK(few.changes == 0);
  counter all;
  four_refusals(all);
  CHECK(all.decisions == 4);
  CHECK(all.changes >= 2);
  decision_counter left;
  counter right_one;
  tee_audit_sink both{left, right_one};
  four_refusals(both);
  CHECK(right_one.changes == all.changes);
  static_assert(!decision_sink<tee_audit_sink<decision_counter, counter>>);
  static_assert(decision_sink<tee_audit_sink<decision_counter, ring_audit_sink<2>>>);
}

TEST_CASE("pins that are compiled in need no host to be judged twice") {
  memory_breaker<2> breaker;
  decision_counter sink;
  const manual_clock clock(window - 1h);
  guard guarding{pins, breaker, embedded_manifest{}, sink, clock, no_lock{}};
  for (const char* stranger :
       {"", "SELF-TEST.invalid", "self-test.invalid.", "192.0.2.01", "nobody.example"}) {
    INFO(stranger);
    const auto refused = guarding.admit({stranger, 443});
    CHECK(refused.verdict().reason() == reason::no_pins);
    CHECK(refused.verdict().detail() == error{});
  }
  CHECK(guarding.admit({built_in::host, 0}).verdict().reason() == reason::no_pins);
  CHECK(guarding.admit({"192.0.2.1", 443}));
}

TEST_CASE("a fallback that is compiled in ends for a connection that lives, too") {
  memory_breaker<2> breaker;
  decision_counter sink;
  manual_clock clock(window - 1h);
  guard guarding{pins, breaker, embedded_manifest{}, sink, clock, no_lock{}};
  auto admission = guarding.admit({built_in::host, 443});
  REQUIRE(admission);
  scripted_session session;
  auto guarded = guarding.attach(&session, *admission);
  REQUIRE(session.play({bytes_view(built_in::leaf)}));
  CHECK(guarded.confirm().matched() == matched::fallback);
  CHECK(guarded.reassess().matched() == matched::fallback);
  clock.set_wall(window + 1s);
  CHECK(guarded.reassess().reason() == reason::fallback_expired);
  CHECK_FALSE(guarded.confirm());
}
