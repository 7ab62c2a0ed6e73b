// SPDX-License-Identifier: BSL-1.0
#include <cotter/policies/breaker/stored_breaker.hpp>

#include <cotter/policies/store/memory_store.hpp>
#include <cotter/testing/faulty_store.hpp>

#include <support/catch.hpp>

#include <backends/support/counting_malloc.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace cotter;
using namespace std::chrono_literals;

namespace {

using disk_type = memory_store<>;
using view_type = testing::faulty_store<disk_type>;
using breaker_type = stored_breaker<view_type>;

constexpr breaker_config guide{3, 2, 300s, 0ms};
const breaker_key home{{"sip.example.com", 5061}, "home"};
const store_id own_id{{7, 7, 7}};

/// A process with a breaker over a disk that others may share.
struct process {
  view_type view;
  breaker_type breaker;

  process(disk_type& disk, const breaker_config& config, lock_recovery recovery)
      : view(disk), breaker(view, config, recovery) {}
};

/// A machine: one disk, a time, and processes that come and go.
struct machine {
  breaker_config config;
  lock_recovery recovery;
  disk_type disk{};
  std::unique_ptr<process> running{};
  time_reading now{instant{1'800'000'000s}, 10h};
  std::uint64_t sequence = 1;

  explicit machine(const breaker_config& with = guide,
                   lock_recovery how = lock_recovery::administrator)
      : config(with), recovery(how) {
    std::array<std::uint8_t, breaker_type::image_bytes> image{};
    REQUIRE(disk.create(own_id, bytes_view(image).first(breaker_type::fresh_image(image))));
    restart();
  }
  std::unique_ptr<process> another() { return std::make_unique<process>(disk, config, recovery); }
  void restart() { running = another(); }
  /// Of the machine: steady time begins anew.
  void reboot(std::chrono::milliseconds uptime) {
    restart();
    now.steady = uptime;
  }

  breaker_type& breaker() { return running->breaker; }
  reservation reserve(const breaker_key& key = home) {
    return breaker().reserve(key, now, sequence);
  }
  reason attempt(const breaker_key& key = home) {
    reservation one = reserve(key);
    const reason refused = one.refused();
    breaker().release(one);
    return refused;
  }
  breaker_change mismatch(const breaker_key& key = home) {
    reservation one = reserve(key);
    return breaker().mismatch(one, now);
  }
  /// After as long as it must wait.
  breaker_change late_mismatch(const breaker_key& key = home) {
    now.steady += config.cooldown + config.max_jitter;
    return mismatch(key);
  }
  breaker_change success(const breaker_key& key = home) {
    reservation one = reserve(key);
    return breaker().success(one, now);
  }
  void lock(const breaker_key& key = home) {
    for (int i = 0; i < config.max_consecutive_failures; ++i) late_mismatch(key);
    REQUIRE(breaker().state(key) == breaker_state::locked);
  }
  breaker_status status(const breaker_key& key = home) {
    const auto known = breaker().status(key, now);
    REQUIRE(known);
    return *known;
  }
  breaker_reset word(const breaker_key& key = home) {
    return {key.endpoint.host,      key.endpoint.port, key.network, own_id,
            status(key).lock_epoch, now.wall + 24h};
  }
};

}  // namespace

// Counting

TEST_CASE("a streak, a cooldown and a lock survive the end of the process") {
  machine m;
  CHECK(m.mismatch().streak == 1);
  m.restart();
  const breaker_change second = m.mismatch();
  CHECK(second.streak == 2);
  CHECK(second.state == breaker_state::cooling);
  CHECK(second.alert);
  m.restart();
  m.now.steady += 299'999ms;
  CHECK(m.attempt() == reason::breaker_cooling);
  m.now.steady += 1ms;
  m.restart();
  CHECK(m.mismatch().state == breaker_state::locked);
  m.restart();
  m.now.steady += 10'000h;
  m.now.wall += std::chrono::hours{100'000};
  CHECK(m.attempt() == reason::breaker_locked);
}

TEST_CASE("the waiting begins with the attempt, and a crash does not end it") {
  machine m;
  m.mismatch();
  m.mismatch();
  m.now.steady += 300s;
  {
    const reservation crashed = m.reserve();
    REQUIRE(crashed.held());
    m.restart();
  }
  CHECK(m.attempt() == reason::breaker_cooling);
  m.now.steady += 300s;
  CHECK(m.attempt() == reason::none);
}

TEST_CASE("an attempt that a crash ended lapses, uncounted") {
  machine m;
  {
    const reservation a = m.reserve(), b = m.reserve(), c = m.reserve();
    REQUIRE((a.held() && b.held() && c.held()));
    CHECK(m.attempt() == reason::breaker_cooling);
    m.restart();
  }
  CHECK(m.attempt() == reason::none);
  CHECK(m.status().streak == 0);
  CHECK(m.status().mismatches_24h == 0);
}

TEST_CASE("processes share counts and attempts in flight") {
  machine m;
  const auto other = m.another();
  reservation a = m.reserve();
  reservation b = other->breaker.reserve(home, m.now, 1);
  reservation c = m.reserve();
  CHECK(other->breaker.reserve(home, m.now, 1).refused() == reason::breaker_cooling);
  CHECK(m.breaker().mismatch(a, m.now).streak == 1);
  CHECK(other->breaker.mismatch(b, m.now).streak == 2);
  CHECK(m.breaker().mismatch(c, m.now).state == breaker_state::locked);
  CHECK(other->breaker.state(home) == breaker_state::locked);
}

TEST_CASE("mismatches under one network id do not lock another: hostile Wi-Fi, in parallel") {
  machine m;
  const breaker_key cafe{home.endpoint, "cafe"}, none{home.endpoint, ""};
  // Both at once: while the hostile network answers every attempt, home goes on.
  for (int i = 0; i < 3; ++i) {
    m.now.steady += 300s;
    reservation hostile = m.reserve(cafe);
    reservation good = m.reserve(home);
    REQUIRE((hostile.held() && good.held()));
    m.breaker().mismatch(hostile, m.now);
    CHECK(m.breaker().success(good, m.now).state == breaker_state::closed);
  }
  CHECK(m.attempt(cafe) == reason::breaker_locked);
  CHECK(m.attempt(home) == reason::none);
  CHECK(m.attempt(none) == reason::none);
  CHECK(m.status(home).mismatches_24h == 0);
  m.success(home);
  CHECK(m.attempt(cafe) == reason::breaker_locked);
}

TEST_CASE("the region, the kind of identity and the length of either name do not blur keys") {
  machine m;
  m.lock({{"ab", 1}, "c"});
  CHECK(m.attempt({{"ab", 1, identity::sip}, "c"}) == reason::breaker_locked);
  CHECK(m.attempt({{"a", 1}, "bc"}) == reason::none);
  CHECK(m.attempt({{"abc", 1}, ""}) == reason::none);
  CHECK(m.attempt({{"ab", 2}, "c"}) == reason::none);
}

// Alerts

TEST_CASE("the alert comes once per episode, over restarts too, and again for the lock") {
  machine m{{4, 2, 300s, 0ms}};
  std::string alerts;
  for (int i = 0; i < 4; ++i) {
    alerts += m.late_mismatch().alert ? 'A' : '-';
    m.restart();
  }
  CHECK(alerts == "-A-A");
}

TEST_CASE("success clears the streak, never the total of 24 hours, which alerts") {
  machine m;
  std::string alerts;
  for (int i = 0; i < 5; ++i) {
    alerts += m.mismatch().alert ? 'A' : '-';
    const breaker_change cleared = m.success();
    CHECK(cleared.streak == 0);
    CHECK(cleared.mismatches_24h == static_cast<unsigned>(i) + 1);
    m.now.steady += 1h;
    m.restart();
  }
  CHECK(alerts == "-A---");
  m.now.steady += 24h;
  CHECK(m.success().mismatches_24h == 0);
}

// Time

TEST_CASE("civil time neither shortens a cooldown nor ends a lock") {
  machine m;
  m.mismatch();
  m.mismatch();
  for (const auto wall : {instant{}, instant{4'000'000'000s}}) {
    m.now.wall = wall;
    CHECK(m.attempt() == reason::breaker_cooling);
    CHECK(m.status().next_attempt_in == 300s);
  }
}

TEST_CASE("a restart of the machine begins the cooldown anew, once, and forgets no mismatch") {
  machine m;
  m.mismatch();
  m.mismatch();
  m.now.steady += 200s;
  m.reboot(20s);
  CHECK(m.status().next_attempt_in == 300s);
  CHECK(m.attempt() == reason::breaker_cooling);
  m.now.steady += 300s - 1ms;
  CHECK(m.attempt() == reason::breaker_cooling);
  m.now.steady += 1ms;
  CHECK(m.mismatch().mismatches_24h == 3);
  CHECK(m.attempt() == reason::breaker_locked);
}

TEST_CASE("many restarts one after the other do not keep a phone waiting for ever") {
  machine m;
  m.mismatch();
  m.mismatch();
  m.reboot(30s);
  CHECK(m.attempt() == reason::breaker_cooling);
  for (int i = 0; i < 9; ++i) {
    m.now.steady += 30s;
    m.restart();
    CHECK(m.attempt() == reason::breaker_cooling);
  }
  m.now.steady += 30s;
  CHECK(m.attempt() == reason::none);
}

TEST_CASE("a clock read a moment before another process's is no restart") {
  machine m;
  m.mismatch();
  m.mismatch();
  m.now.steady += 299s;
  const time_reading early{m.now.wall, m.now.steady};
  m.now.steady += 1s;
  // Another key's transaction has carried the newer time to the disk.
  CHECK(m.attempt({{"other.example", 1}, ""}) == reason::none);
  CHECK(m.breaker().status(home, early)->next_attempt_in == 0ms);
  CHECK(m.breaker().reserve(home, early, 1).held());
}

TEST_CASE("jitter only lengthens the cooldown, and differs") {
  std::set<std::int64_t> waits;
  for (int i = 0; i < 40; ++i) {
    machine m{{3, 1, 100s, 50s}};
    m.now.steady += std::chrono::milliseconds(i * 7919);
    m.mismatch();
    const auto wait = m.status().next_attempt_in;
    CHECK(wait >= 100s);
    CHECK(wait <= 150s);
    waits.insert(wait.count());
  }
  CHECK(waits.size() > 20);
}

TEST_CASE("times before the steady clock's origin are stored like any other") {
  machine m;
  m.now.steady = -1000h;
  m.mismatch();
  m.mismatch();
  m.restart();
  CHECK(m.attempt() == reason::breaker_cooling);
  m.now.steady += 300s;
  CHECK(m.mismatch().mismatches_24h == 3);
}

// What opens

TEST_CASE("a manifest of higher sequence opens a lock, and the same and older ones do not") {
  machine m;
  m.sequence = 9;
  m.lock();
  for (const std::uint64_t sequence : {9u, 8u, 0u}) {
    m.sequence = sequence;
    m.restart();
    CHECK(m.attempt() == reason::breaker_locked);
  }
  m.sequence = 10;
  CHECK(m.attempt() == reason::none);
  CHECK(m.status().streak == 0);
  CHECK(m.status().mismatches_24h == 3);
  CHECK(m.status().sequence == 10);
}

TEST_CASE("a reset that names the lock opens it, once, and begins a new episode") {
  machine m;
  m.lock();
  const breaker_reset word = m.word();
  CHECK(word.lock_epoch == 1);
  CHECK(m.breaker().reset(word, m.now));
  CHECK(m.attempt() == reason::none);
  m.restart();
  CHECK(m.attempt() == reason::none);
  CHECK(m.breaker().reset(word, m.now).error().what == errc::reset_not_for_this);
  m.now.steady += 24h;
  m.lock();
  CHECK(m.breaker().reset(word, m.now).error().what == errc::reset_not_for_this);
  CHECK(m.attempt() == reason::breaker_locked);
  CHECK(m.breaker().reset(m.word(), m.now));
}

TEST_CASE("a reset of another target, store, lock or day opens nothing") {
  machine m;
  const breaker_key cafe{home.endpoint, "cafe"};
  m.lock();
  m.lock(cafe);
  const breaker_reset good = m.word();
  const auto refused = [&](breaker_reset word) {
    const errc why = m.breaker().reset(word, m.now).error().what;
    CHECK(m.attempt() == reason::breaker_locked);
    CHECK(m.attempt(cafe) == reason::breaker_locked);
    return why;
  };
  breaker_reset word = good;
  word.host = "sip.example.net";
  CHECK(refused(word) == errc::reset_not_for_this);
  word = good;
  word.port = 5060;
  CHECK(refused(word) == errc::reset_not_for_this);
  word = good;
  word.network = "cafe";  // locked too, by another lock
  CHECK(refused(word) == errc::reset_not_for_this);
  word = good;
  word.store.octets[0] ^= 1;
  CHECK(refused(word) == errc::reset_not_for_this);
  word = good;
  ++word.lock_epoch;
  CHECK(refused(word) == errc::reset_not_for_this);
  word = good;
  word.expires_at = m.now.wall - 1s;
  CHECK(refused(word) == errc::reset_expired);
  word.expires_at = m.now.wall;
  CHECK(m.breaker().reset(word, m.now));
  CHECK(m.attempt() == reason::none);
  CHECK(m.attempt(cafe) == reason::breaker_locked);
}

TEST_CASE("a reset that has expired stays expired though the clock is set back") {
  machine m;
  m.lock();
  const breaker_reset word = m.word();
  const instant before = m.now.wall;
  m.now.wall = word.expires_at + 2h;
  CHECK(m.attempt() == reason::breaker_locked);  // which says so to the store
  m.restart();
  m.now.wall = before;
  CHECK(m.breaker().reset(word, m.now).error().what == errc::reset_expired);
  CHECK(m.attempt() == reason::breaker_locked);
  breaker_reset later = word;
  later.expires_at = word.expires_at + 3h;
  CHECK(m.breaker().reset(later, m.now));
}

TEST_CASE("no reset opens a later lock of a target that had lost its room") {
  machine m{{1, 1, 0ms, 0ms}};
  m.mismatch();
  breaker_reset word = m.word();
  word.expires_at = m.now.wall + std::chrono::hours{10'000};
  REQUIRE(m.breaker().reset(word, m.now));
  m.now.steady += 25h;
  for (int i = 0; i < 16; ++i) {
    const std::string host = "host-" + std::to_string(i);
    REQUIRE(m.attempt({{host, 1}, ""}) == reason::none);
  }
  REQUIRE(m.status().lock_epoch == 0);  // forgotten
  m.mismatch();
  REQUIRE(m.attempt() == reason::breaker_locked);
  CHECK(m.breaker().reset(word, m.now).error().what == errc::reset_not_for_this);
  CHECK(m.attempt() == reason::breaker_locked);
}

TEST_CASE("a probe is granted once per cooldown and only where it is asked for") {
  machine strict;
  strict.lock();
  strict.now.steady += 1000h;
  CHECK(strict.attempt() == reason::breaker_locked);

  machine m{guide, lock_recovery::verified_probe};
  m.lock();
  CHECK(m.attempt() == reason::breaker_locked);
  m.now.steady += 300s;
  reservation probe = m.reserve();
  REQUIRE(probe.held());
  CHECK(probe.probe());
  m.now.steady += 300s;
  CHECK(m.attempt() == reason::breaker_locked);  // one at a time
  m.breaker().mismatch(probe, m.now);
  CHECK(m.attempt() == reason::breaker_locked);
  m.restart();
  m.now.steady += 300s;
  reservation second = m.reserve();
  CHECK(second.probe());
  CHECK(m.breaker().success(second, m.now).state == breaker_state::closed);
  m.restart();
  CHECK(m.attempt() == reason::none);
  reservation next = m.reserve();
  CHECK_FALSE(next.probe());
}

TEST_CASE("an attempt that was in flight when its target was locked does not open it") {
  machine m{{5, 4, 0ms, 0ms}};
  reservation flying = m.reserve();
  m.mismatch();
  m.mismatch();
  // Meanwhile another process runs with a lower maximum.
  m.config = {2, 2, 0ms, 0ms};
  const auto other = m.another();
  CHECK(other->breaker.reserve(home, m.now, 1).refused() == reason::breaker_locked);
  const breaker_change change = m.breaker().success(flying, m.now);
  CHECK(change.state == breaker_state::locked);
  CHECK(change.streak == 2);
  CHECK(m.attempt() == reason::breaker_locked);
}

TEST_CASE("a target that was opened while a probe was under way counts that probe in flight") {
  machine m{{1, 1, 60s, 0ms}, lock_recovery::verified_probe};
  m.lock();
  m.now.steady += 60s;
  reservation probe = m.reserve();
  REQUIRE(probe.probe());
  // Meanwhile, elsewhere: a reset, and the server mismatches again.
  REQUIRE(m.breaker().reset(m.word(), m.now));
  const auto other = m.another();
  CHECK_FALSE(other->breaker.reserve(home, m.now, 1).held());
  m.breaker().release(probe);
  reservation again = other->breaker.reserve(home, m.now, 1);
  CHECK_FALSE(again.probe());
  other->breaker.mismatch(again, m.now);
  CHECK(m.attempt() == reason::breaker_locked);
}

// The store

TEST_CASE("without state nothing is granted, and none is made") {
  machine m;
  m.disk = {};
  for (int i = 0; i < 2; ++i) {
    CHECK(m.attempt() == reason::state_unavailable);
    CHECK(m.breaker().why().what == errc::state_absent);
  }
  CHECK(m.breaker().status(home, m.now).error().what == errc::state_absent);
}

TEST_CASE("what the store says of its state is why nothing is granted") {
  machine m;
  m.lock();
  for (const errc why : {errc::state_absent, errc::state_damaged, errc::state_foreign,
                         errc::state_rolled_back, errc::state_busy}) {
    m.running->view.fail_begin(why, 2);
    CHECK(m.attempt() == reason::state_unavailable);
    CHECK(m.breaker().why().what == why);
    CHECK(m.breaker().state(home) == breaker_state::locked);
    CHECK(m.attempt() == reason::breaker_locked);
    CHECK(m.breaker().why().what == errc::ok);
  }
}

TEST_CASE("an image that is no ledger is damaged, however it is cut or changed at its seams") {
  machine m;
  m.lock();
  m.mismatch({{"other.example", 1}, "x"});
  std::array<std::uint8_t, breaker_type::image_bytes> image{};
  const auto size = m.disk.begin(image);
  REQUIRE(size);
  m.disk.cancel();
  for (std::size_t cut = 0; cut < *size; ++cut) {
    REQUIRE(m.disk.create(own_id, bytes_view(image).first(cut)));
    REQUIRE(m.attempt() == reason::state_unavailable);
    REQUIRE(m.breaker().why().what == errc::state_damaged);
  }
  REQUIRE(m.disk.create(own_id, bytes_view(image).first(*size + 1)));
  CHECK(m.attempt() == reason::state_unavailable);
  REQUIRE(m.disk.create(own_id, bytes_view(image).first(*size)));
  CHECK(m.attempt() == reason::breaker_locked);
}

TEST_CASE("an image with any octet changed is refused or counted with, never out of bounds") {
  machine m;
  m.lock();
  std::array<std::uint8_t, breaker_type::image_bytes> image{};
  const auto size = m.disk.begin(image);
  REQUIRE(size);
  m.disk.cancel();
  for (std::size_t at = 0; at < *size; ++at) {
    for (const std::uint8_t change : std::array<std::uint8_t, 3>{0x01, 0x80, 0xff}) {
      auto changed = image;
      changed[at] ^= change;
      REQUIRE(m.disk.create(own_id, bytes_view(changed).first(*size)));
      m.restart();
      static_cast<void>(m.attempt());
      static_cast<void>(m.mismatch());
      static_cast<void>(m.success());
      static_cast<void>(m.breaker().status(home, m.now));
    }
  }
}

TEST_CASE("a ledger of more keys or longer ones than fit here is full, not damaged") {
  machine m;
  for (int i = 0; i < 3; ++i) m.mismatch({{"host-" + std::to_string(i), 1}, "network"});
  view_type view(m.disk);
  stored_breaker<view_type, 2, 40> small(view, guide);
  CHECK(small.reserve(home, m.now, 1).refused() == reason::state_unavailable);
  CHECK(small.why().what == errc::state_full);
  stored_breaker<view_type, 4, 8> terse(view, guide);
  CHECK(terse.reserve(home, m.now, 1).refused() == reason::state_unavailable);
  CHECK(terse.why().what == errc::state_full);
}

TEST_CASE("a key for which there is no room is refused as state_full, and the others go on") {
  machine m{{2, 2, 0ms, 0ms}};
  for (int i = 0; i < 16; ++i) m.mismatch({{"host-" + std::to_string(i), 1}, ""});
  CHECK(m.attempt() == reason::state_unavailable);
  CHECK(m.breaker().why().what == errc::state_full);
  CHECK(m.mismatch({{"host-3", 1}, ""}).state == breaker_state::locked);
}

TEST_CASE("an attempt that cannot be marked or written down is not granted") {
  machine m;
  m.running->view.fail_enter();
  CHECK(m.attempt() == reason::state_unavailable);
  m.running->view.fail_commit();
  CHECK(m.attempt() == reason::state_unavailable);
  CHECK(m.breaker().why().what == errc::state_unwritable);
  CHECK(m.breaker().why().native == 28);
  CHECK(m.running->view.marks() == 0);
  CHECK(m.attempt() == reason::none);
}

TEST_CASE("a mismatch that cannot be stored is owed: nothing is granted until it is") {
  for (const bool at_begin : {true, false}) {
    machine m;
    reservation one = m.reserve();
    if (at_begin) {
      m.running->view.fail_begin(errc::state_busy, view_type::always);
    } else {
      m.running->view.fail_commit(view_type::always);
    }
    const breaker_change change = m.breaker().mismatch(one, m.now);
    CHECK(change.streak == 1);  // by what this process knows
    CHECK(m.attempt() == reason::state_unavailable);
    CHECK(m.attempt({{"other.example", 1}, ""}) == reason::state_unavailable);
    CHECK(m.breaker().any_locked());  // nobody knows better

    // Another process sees the attempt still in flight: two more and no third.
    const auto other = m.another();
    reservation a = other->breaker.reserve(home, m.now, 1);
    reservation b = other->breaker.reserve(home, m.now, 1);
    CHECK((a.held() && b.held()));
    CHECK_FALSE(other->breaker.reserve(home, m.now, 1).held());
    other->breaker.release(a);
    other->breaker.release(b);

    m.running->view.heal();
    CHECK(m.attempt() == reason::none);
    CHECK(m.status().streak == 1);
    CHECK(m.status().mismatches_24h == 1);
    CHECK(m.running->view.marks() == 0);
  }
}

TEST_CASE("owed mismatches lock, alert at once, and are counted once each") {
  machine m;
  std::vector<reservation> held;
  for (int i = 0; i < 3; ++i) held.push_back(m.reserve());
  m.running->view.fail_begin(errc::state_unwritable, view_type::always);
  std::string alerts;
  for (reservation& one : held) {
    const breaker_change change = m.breaker().mismatch(one, m.now);
    alerts += change.alert ? 'A' : '-';
  }
  CHECK(alerts == "-AA");
  CHECK(m.breaker().state(home) == breaker_state::locked);
  m.running->view.heal();
  CHECK(m.attempt() == reason::breaker_locked);
  CHECK(m.status().streak == 3);
  CHECK(m.status().mismatches_24h == 3);
  CHECK(m.status().lock_epoch == 1);
  // What was alerted for is not alerted for again.
  m.sequence = 2;
  CHECK_FALSE(m.success().alert);
}

TEST_CASE("an owed mismatch that turns out to complete a streak alerts with the next outcome") {
  machine m{{4, 2, 0ms, 0ms}};
  reservation one = m.reserve();
  m.running->view.fail_begin(errc::state_busy, view_type::always);
  const auto other = m.another();
  reservation theirs = other->breaker.reserve(home, m.now, 1);
  CHECK_FALSE(other->breaker.mismatch(theirs, m.now).alert);
  CHECK_FALSE(m.breaker().mismatch(one, m.now).alert);  // as far as it knows, the first one
  m.running->view.heal();
  CHECK(m.success().alert);
  CHECK_FALSE(m.success().alert);
}

TEST_CASE("a success that cannot be stored clears nothing") {
  machine m;
  m.mismatch();
  reservation one = m.reserve();
  m.running->view.fail_commit();
  m.breaker().success(one, m.now);
  CHECK(m.status().streak == 1);
  reservation two = m.reserve();
  m.running->view.fail_begin(errc::state_busy);
  m.breaker().success(two, m.now);
  CHECK(m.status().streak == 1);
  CHECK(m.running->view.marks() == 0);
}

TEST_CASE("a torn write is never an unlock") {
  machine m;
  m.lock();
  REQUIRE(m.breaker().reset(m.word(), m.now));
  m.lock();
  m.running->view.tear_commit();
  CHECK_FALSE(m.breaker().reset(m.word(), m.now));
  CHECK(m.attempt() == reason::state_unavailable);
  CHECK(m.breaker().why().what == errc::state_damaged);
  m.running->view.heal();
  CHECK(m.attempt() == reason::breaker_locked);
}

TEST_CASE("an application that locks itself whole asks one question") {
  machine m;
  CHECK_FALSE(m.breaker().any_locked());
  m.mismatch();
  CHECK_FALSE(m.breaker().any_locked());
  m.lock({{"other.example", 1}, ""});
  CHECK(m.breaker().any_locked());
  m.restart();
  CHECK(m.breaker().any_locked());
  m.running->view.fail_begin(errc::state_busy);
  CHECK(m.breaker().any_locked());
  CHECK(m.breaker().reset(m.word({{"other.example", 1}, ""}), m.now));
  CHECK_FALSE(m.breaker().any_locked());
  m.running->view.fail_begin(errc::state_busy);
  CHECK(m.breaker().any_locked());
}

TEST_CASE("a maximum that was lowered locks what has passed it already") {
  machine m{{5, 4, 0ms, 0ms}};
  for (int i = 0; i < 3; ++i) m.mismatch();
  m.config = guide;
  m.restart();
  CHECK(m.attempt() == reason::breaker_locked);
  CHECK(m.status().lock_epoch == 1);
  CHECK(m.breaker().any_locked());
}

TEST_CASE("a configuration out of bounds refuses every attempt") {
  machine m{{3, 0, 0ms, 0ms}};
  CHECK(m.attempt() == reason::state_unavailable);
}

// Cost

TEST_CASE("an acceptance with nothing to clear writes nothing, a refusal once") {
  machine m;
  m.attempt();  // the first of its key
  const auto writes = [&](auto&& run) {
    const std::size_t before = m.running->view.commits();
    run();
    return m.running->view.commits() - before;
  };
  CHECK(writes([&] { m.success(); }) == 0);
  CHECK(writes([&] { m.attempt(); }) == 0);
  CHECK(writes([&] { m.mismatch(); }) == 1);
  CHECK(writes([&] { m.success(); }) == 1);
  m.mismatch();
  CHECK(writes([&] { m.mismatch(); }) == 1);
  CHECK(writes([&] { CHECK(m.attempt() == reason::breaker_cooling); }) == 0);
  m.now.steady += 300s;
  CHECK(writes([&] { m.attempt(); }) == 1);  // its waiting
  m.now.steady += 300s;
  CHECK(writes([&] { m.mismatch(); }) == 2);
  CHECK(writes([&] { CHECK(m.attempt() == reason::breaker_locked); }) == 0);
  m.sequence = 2;
  CHECK(writes([&] { m.success(); }) == 1);
  CHECK(writes([&] { m.success(); }) == 0);
}

TEST_CASE("nothing that happens around a handshake takes anything from the heap") {
  disk_type disk;
  using plain = stored_breaker<disk_type>;
  std::array<std::uint8_t, plain::image_bytes> image{};
  REQUIRE(disk.create(own_id, bytes_view(image).first(plain::fresh_image(image))));
  plain breaker(disk, guide, lock_recovery::verified_probe);
  time_reading now{instant{1'800'000'000s}, 10h};

  const std::size_t before = heap::allocations();
  bool all = true;
  for (int i = 0; i < 3; ++i) {
    reservation one = breaker.reserve(home, now, 1);
    all = all && one.held();
    breaker.success(one, now);
    reservation two = breaker.reserve(home, now, 1);
    breaker.release(two);
    reservation three = breaker.reserve(home, now, 1);
    all = all && three.held();
    breaker.mismatch(three, now);
    now.steady += 300s;
  }
  for (int i = 0; i < 3; ++i) {
    reservation one = breaker.reserve(home, now, 1);
    breaker.mismatch(one, now);
    now.steady += 300s;
  }
  all = all && breaker.any_locked() && breaker.status(home, now);
  reservation probe = breaker.reserve(home, now, 1);
  all = all && probe.probe();
  breaker.success(probe, now);
  const std::size_t after = heap::allocations();
  CHECK(all);
  CHECK(after == before);
}
