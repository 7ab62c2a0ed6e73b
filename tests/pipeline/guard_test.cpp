// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/guard.hpp>

#include <cotter/policies/audit/null_audit_sink.hpp>
#include <cotter/policies/audit/ring_audit_sink.hpp>
#include <cotter/policies/lock/no_lock.hpp>
#include <cotter/policies/manifest/embedded_manifest.hpp>

#include "bench.hpp"

#include <backends/support/counting_malloc.hpp>

#include <functional>
#include <thread>
#include <type_traits>

using namespace bench;

static_assert(!std::is_copy_constructible_v<guard_type>);
static_assert(!std::is_move_constructible_v<guard_type>);
static_assert(!std::is_copy_assignable_v<guard_type>);
static_assert(!std::is_move_assignable_v<guard_type>);

namespace {

template <typename Guard>
verdict attempt(Guard& guarding, const pki::octets& der) {
  scripted_session session;
  auto admission = guarding.admit(whom);
  if (!admission) return admission.verdict();
  auto guarded = guarding.attach(&session, *admission);
  session.play({der});
  return guarded.confirm();
}

owned_pin_set pins_for(const std::string& name) {
  owned_pin_set pins;
  const pin one[] = {pin_of(name)};
  REQUIRE(pins.add(whom, one));
  return pins;
}

instant in_validity() { return view_of(leaf("good")).not_before + 1h; }

}  // namespace

TEST_CASE("slots are recognised by what they model, in any order") {
  const owned_pin_set pins = pins_for("good");
  memory_breaker<2> breaker;
  const source manifest;
  recording_sink sink;
  const manual_clock clock(in_validity());
  {
    guard guarding{pins, breaker, manifest, sink, clock};
    CHECK(attempt(guarding, leaf("good")));
  }
  {
    guard guarding{clock, sink, no_lock{}, manifest, breaker, pins};
    CHECK(attempt(guarding, leaf("good")));
  }
  {
    flag_lock lock;
    guard guarding{no_notifier{}, breaker, lock, pins, sink, clock, manifest};
    CHECK(attempt(guarding, leaf("good")));
  }
  CHECK(sink.decisions().size() == 3);
}

TEST_CASE("slots passed as lvalues are borrowed, and as rvalues are owned") {
  owned_pin_set pins = pins_for("good");
  recording_sink sink;
  const manual_clock clock(in_validity());
  guard guarding{std::move(pins), memory_breaker<2>{}, source{}, sink, clock};
  pins = {};
  CHECK(attempt(guarding, leaf("good")));
  CHECK(sink.decisions().size() == 1);

  memory_breaker<2> shared{{1, 1, 0ms, 0ms}};
  guard one{pins_for("good"), shared, source{}, null_audit_sink{}, clock};
  guard two{pins_for("good"), shared, source{}, null_audit_sink{}, clock};
  CHECK(attempt(one, leaf("other")).reason() == reason::pin_mismatch);
  CHECK(attempt(two, leaf("good")).reason() == reason::breaker_locked);
}

TEST_CASE("without a clock the system's is used, and without a lock one that locks") {
  recording_sink sink;
  guard guarding{pins_for("good"), memory_breaker<2>{}, source{}, sink};
  const auto now = std::chrono::system_clock::now();
  CHECK(guarding.now().wall - now < 5s);
  CHECK(now - guarding.now().wall < 5s);
  CHECK(attempt(guarding, leaf("good")));
}

TEST_CASE("one object may fill several slots") {
  struct office {
    int records = 0;
    int alerts = 0;
    void record(const audit_record&) noexcept { ++records; }
    void notify(const breaker_key&, const breaker_change&) noexcept { ++alerts; }
    manifest_standing current() const noexcept { return {reason::none, 1, {}, no_expiry}; }
    time_reading now() const noexcept { return {in_validity(), {}}; }
  };
  office all;
  guard guarding{pins_for("good"), memory_breaker<2>{{2, 1, 0ms, 0ms}}, all};
  CHECK(attempt(guarding, leaf("good")));
  CHECK(attempt(guarding, leaf("other")).reason() == reason::pin_mismatch);
  CHECK(all.records == 3);  // two decisions, and that the breaker has come to cool
  CHECK(all.alerts == 1);
}

namespace {

/// A SHA-256 of its own, so to say: one that the backend does not have.
struct constant_hasher {
  bool ready = false;
  bool prepare() noexcept { return ready = true; }
  void update(bytes_view) noexcept {}
  bool finish(sha256_digest& out) noexcept {
    if (!std::exchange(ready, false)) return false;
    out.octets.fill(0x5a);
    return true;
  }
};
struct unprepared_hasher : constant_hasher {
  bool prepare() noexcept { return false; }
};
struct unfinished_hasher : constant_hasher {
  bool finish(sha256_digest&) noexcept { return false; }
};

template <typename Hasher>
verdict attempt_hashed_by(pin_form form) {
  pin constant;
  constant.digest.octets.fill(0x5a);
  constant.form = form;
  owned_pin_set pins;
  REQUIRE(pins.add(whom, {&constant, 1}));
  const manual_clock clock(in_validity());
  guard guarding{use_hasher<Hasher>{}, pins, memory_breaker<2>{}, source{}, null_audit_sink{},
                 clock};
  return attempt(guarding, leaf("good"));
}

}  // namespace

TEST_CASE("use_hasher takes the place of the backend's hasher, for certificates and keys") {
  CHECK(attempt_hashed_by<constant_hasher>(pin_form::certificate));
  CHECK(attempt_hashed_by<constant_hasher>(pin_form::spki));
  CHECK(attempt_hashed_by<not_sha256>(pin_form::certificate).reason() == reason::pin_mismatch);
}

TEST_CASE("a hasher that fails makes the backend unfit") {
  for (const pin_form form : {pin_form::certificate, pin_form::spki}) {
    const verdict unprepared = attempt_hashed_by<unprepared_hasher>(form);
    CHECK(unprepared.reason() == reason::backend_unfit);
    CHECK(unprepared.detail().what == errc::out_of_memory);
    const verdict unfinished = attempt_hashed_by<unfinished_hasher>(form);
    CHECK(unfinished.reason() == reason::backend_unfit);
    CHECK_FALSE(unfinished.has_fingerprint());
  }
}

TEST_CASE("the breaker is told every outcome, and people once an episode") {
  world w;
  w.try_once("other");
  CHECK(w.told.alerts().empty());
  w.try_once("other");
  REQUIRE(w.told.alerts().size() == 1);
  CHECK(w.told.alerts()[0].host == "localhost");
  CHECK(w.told.alerts()[0].port == 443);
  CHECK(w.told.alerts()[0].state == breaker_state::cooling);
  CHECK(int{w.told.alerts()[0].streak} == 2);
  CHECK(w.last().breaker == breaker_state::cooling);

  w.clock.advance(300s);
  CHECK(w.attempt("good"));
  CHECK(w.last().breaker == breaker_state::closed);
  CHECK(w.told.alerts().size() == 1);
}

TEST_CASE("a locked target opens for a newer manifest") {
  world w;
  for (int i = 0; i < 3; ++i) {
    w.try_once("other");
    w.clock.advance(300s);
  }
  CHECK(w.attempt("good").reason() == reason::breaker_locked);
  w.manifest.standing.sequence = 2;
  CHECK(w.attempt("good"));
}

TEST_CASE("a notifier is called outside the lock, and may call the guard") {
  struct spy_lock {
    bool held = false;
    int times = 0;
    void lock() noexcept { held = true, ++times; }
    void unlock() noexcept { held = false; }
  };
  struct spy_notifier {
    std::function<void()> then;
    void notify(const breaker_key&, const breaker_change&) noexcept { then(); }
  };
  struct spy_sink {
    const spy_lock& lock;
    bool always_held = true;
    void record(const audit_record&) noexcept { always_held = always_held && lock.held; }
  };
  spy_lock lock;
  spy_notifier told;
  spy_sink sink{lock};
  const manual_clock clock(in_validity());
  guard guarding{pins_for("good"), memory_breaker<2>{{3, 1, 0ms, 0ms}}, source{}, sink, clock,
                 lock, told};
  int calls = 0;
  bool was_held = false;
  told.then = [&] {
    ++calls;
    was_held = was_held || lock.held;
    CHECK(guarding.admit(whom));
  };
  CHECK_FALSE(attempt(guarding, leaf("other")));
  CHECK(calls == 1);
  CHECK_FALSE(was_held);
  CHECK(sink.always_held);
  CHECK(lock.times > 3);
}

TEST_CASE("exactly one record is written per decision") {
  world w;
  w.try_once("good");
  w.try_once("other");
  w.try_once("expired");
  w.try_once("good", {false, 1});
  static_cast<void>(w.guarding.admit({"unknown.example", 1}));
  static_cast<void>(w.guarding.admit(whom));
  const reason expected[] = {reason::none, reason::pin_mismatch, reason::validity, reason::pkix,
                             reason::no_pins};
  REQUIRE(w.decisions() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(w.sink.decisions()[i].why == expected[i]);
}

TEST_CASE("several threads share a guard") {
  struct counting_sink {
    int records = 0;
    int accepted = 0;
    void record(const audit_record& what) noexcept {
      ++records;
      if (what.outcome) ++accepted;
    }
  };
  counting_sink sink;
  const manual_clock clock(in_validity());
  const owned_pin_set pins = pins_for("good");
  const pki::octets& der = leaf("good");
  guard guarding{pins, memory_breaker<2>{{100, 100, 0ms, 0ms}}, source{}, sink, clock};
  const auto work = [&] {
    for (int i = 0; i < 500; ++i) static_cast<void>(attempt(guarding, der));
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(sink.records == 1000);
  CHECK(sink.accepted == 1000);
}

TEST_CASE("the accepting path takes nothing from the heap") {
  static const sha256_digest digest = not_sha256::of(leaf("good"));
  struct one_pin {
    pin only{digest};
    struct handle {
      pinned_target found{};
      explicit operator bool() const noexcept { return !found.pins.empty(); }
      const pinned_target& operator*() const noexcept { return found; }
    };
    handle find(const target& asked, const ip_address&) const noexcept {
      return asked.same_endpoint(whom) ? handle{{whom, {&only, 1}}} : handle{};
    }
  };
  const manual_clock clock(in_validity());
  const pki::octets& der = leaf("good");
  guard guarding{one_pin{}, memory_breaker<2>{}, embedded_manifest{1, {}}, ring_audit_sink<4>{},
                 clock};
  const auto before = heap::allocations();
  const verdict accepted = attempt(guarding, der);
  const auto after = heap::allocations();
  CHECK(accepted);
  CHECK(after == before);
}
