// SPDX-License-Identifier: BSL-1.0
#include <cotter/policies/breaker/memory_breaker.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace cotter;
using namespace std::chrono_literals;

namespace {

constexpr breaker_config guide{3, 2, 300s, 0ms};
const breaker_key home{{"sip.example.com", 5061}, "home"};

/// A breaker with a time and a sequence of its own.
template <typename Breaker = memory_breaker<4>>
struct bench {
  Breaker breaker;
  time_reading now{instant{1'800'000'000s}, 10h};
  std::uint64_t sequence = 1;

  explicit bench(const breaker_config& config = guide) : breaker(config) {}

  reservation reserve(const breaker_key& key = home) { return breaker.reserve(key, now, sequence); }
  reason attempt(const breaker_key& key = home) {
    reservation one = reserve(key);
    const reason refused = one.refused();
    breaker.release(one);
    return refused;
  }
  breaker_change mismatch(const breaker_key& key = home) {
    reservation one = reserve(key);
    return breaker.mismatch(one, now);
  }
  breaker_change success(const breaker_key& key = home) {
    reservation one = reserve(key);
    return breaker.success(one, now);
  }
};

constexpr bool locks_at_compile_time() {
  memory_breaker<1, 16> breaker{breaker_config{1, 1, std::chrono::seconds{1}, {}}};
  const breaker_key key{{"a", 1}, ""};
  reservation one = breaker.reserve(key, {}, 0);
  const breaker_change change = breaker.mismatch(one, {});
  return change.alert && change.state == breaker_state::locked &&
         breaker.reserve(key, {}, 0).refused() == reason::breaker_locked;
}
static_assert(locks_at_compile_time());

static_assert(breaker_config{}.valid());
static_assert(!breaker_config{3, 0, 1s, 0s}.valid());
static_assert(!breaker_config{3, 4, 1s, 0s}.valid());
static_assert(!breaker_config{101, 1, 1s, 0s}.valid());
static_assert(!breaker_config{3, 2, -1s, 0s}.valid());
static_assert(!breaker_config{3, 2, 1s, -1ms}.valid());
static_assert(!breaker_config{3, 2, std::chrono::milliseconds::max(), 0s}.valid());
static_assert(!breaker_config{3, 2, 0s, std::chrono::milliseconds::max()}.valid());
static_assert(breaker_config{1, 1, 0s, 0s}.valid());
static_assert(breaker_config{100, 100, 24h, 24h}.valid());

}  // namespace

TEST_CASE("the guide's configuration: an alert at two, cooling, locked at three") {
  bench one;
  CHECK(one.mismatch().state == breaker_state::closed);
  CHECK(one.attempt() == reason::none);

  const breaker_change second = one.mismatch();
  CHECK(second.state == breaker_state::cooling);
  CHECK(second.alert);
  CHECK(second.streak == 2);
  CHECK(one.attempt() == reason::breaker_cooling);

  one.now.steady += 300s;
  const breaker_change third = one.mismatch();
  CHECK(third.state == breaker_state::locked);
  CHECK(third.alert);
  CHECK(one.attempt() == reason::breaker_locked);
  one.now.steady += 10000h;
  CHECK(one.attempt() == reason::breaker_locked);
}

TEST_CASE("an alert is given once per episode, and again in the next one") {
  bench one{{5, 2, 0ms, 0ms}};
  const auto episode = [&] {
    std::string alerts;
    for (int i = 0; i < 4; ++i) alerts += one.mismatch().alert ? 'A' : '-';
    CHECK_FALSE(one.success().alert);
    return alerts;
  };
  CHECK(episode() == "-A--");
  CHECK(episode() == "-A--");
}

TEST_CASE("locking alerts even if the streak has alerted before") {
  bench one{{3, 1, 0ms, 0ms}};
  CHECK(one.mismatch().alert);
  CHECK_FALSE(one.mismatch().alert);
  CHECK(one.mismatch().alert);
}

TEST_CASE("a key opened by a newer manifest alerts anew") {
  bench one{{3, 2, 0ms, 0ms}};
  for (int i = 0; i < 3; ++i) one.mismatch();
  REQUIRE(one.attempt() == reason::breaker_locked);
  one.now.steady += 48h;  // past the total of 24 hours, which alerts on its own
  one.sequence = 2;
  CHECK_FALSE(one.mismatch().alert);
  CHECK(one.mismatch().alert);
}

TEST_CASE("mismatches that successes keep apart still alert by the total of 24 hours, once") {
  bench one{{3, 2, 0ms, 0ms}};
  std::string alerts;
  for (int i = 0; i < 6; ++i) {
    alerts += one.mismatch().alert ? 'A' : '-';
    one.success();
    one.now.steady += 1h;
  }
  CHECK(alerts == "-A----");
  CHECK(one.success().mismatches_24h == 6);
}

TEST_CASE("the total of 24 hours forgets what is older, hour by hour") {
  bench one{{100, 100, 0ms, 0ms}};
  one.mismatch();
  one.now.steady += 12h;
  CHECK(one.mismatch().mismatches_24h == 2);
  one.now.steady += 11h;
  CHECK(one.mismatch().mismatches_24h == 3);
  one.now.steady += 1h;
  CHECK(one.success().mismatches_24h == 2);
  one.now.steady += 12h;
  CHECK(one.success().mismatches_24h == 1);
  one.now.steady += 1000h;
  CHECK(one.success().mismatches_24h == 0);
}

TEST_CASE("the total alerts again once a day was quiet") {
  bench one{{3, 2, 0ms, 0ms}};
  const auto spaced = [&] {
    one.success();
    const bool alert = one.mismatch().alert;
    one.success();
    return alert;
  };
  CHECK_FALSE(spaced());
  CHECK(spaced());
  one.now.steady += 25h;
  CHECK_FALSE(spaced());
  CHECK(spaced());
}

TEST_CASE("from the threshold on every attempt waits the cooldown, whatever came of the last one") {
  bench one;
  one.mismatch();
  one.mismatch();
  for (int i = 0; i < 3; ++i) {
    one.now.steady += 299'999ms;
    CHECK(one.attempt() == reason::breaker_cooling);
    one.now.steady += 1ms;
    CHECK(one.attempt() == reason::none);  // and is given back
    CHECK(one.attempt() == reason::breaker_cooling);
  }
}

TEST_CASE("civil time neither shortens nor lengthens a cooldown") {
  bench one;
  one.mismatch();
  one.mismatch();
  one.now.wall += std::chrono::hours{24 * 365};
  CHECK(one.attempt() == reason::breaker_cooling);
  one.now.wall = {};
  one.now.steady += 300s;
  CHECK(one.attempt() == reason::none);
}

TEST_CASE("jitter only lengthens a cooldown, and differs from time to time") {
  bench one{{100, 1, 100s, 50s}};
  one.mismatch();
  std::map<std::int64_t, int> waits;
  for (int i = 0; i < 40; ++i) {
    const auto since = one.now.steady;
    one.now.steady += 100s - 1ms;
    CHECK(one.attempt() == reason::breaker_cooling);
    one.now.steady += 1ms;
    while (one.attempt() == reason::breaker_cooling) one.now.steady += 1s;
    const auto waited = one.now.steady - since;
    CHECK(waited <= 151s);
    ++waits[waited.count() / 1000];
  }
  CHECK(waits.size() > 10);
}

TEST_CASE("success clears the streak while cooling, and the waiting with it") {
  bench one;
  one.mismatch();
  one.mismatch();
  one.now.steady += 300s;
  const breaker_change change = one.success();
  CHECK(change.state == breaker_state::closed);
  CHECK(change.streak == 0);
  CHECK(change.mismatches_24h == 2);
  CHECK(one.attempt() == reason::none);
  CHECK(one.attempt() == reason::none);
}

TEST_CASE("no more attempts fly than mismatches are left before the lock") {
  bench one{{3, 3, 0ms, 0ms}};
  reservation a = one.reserve();
  reservation b = one.reserve();
  reservation c = one.reserve();
  CHECK(c.held());
  CHECK(one.attempt() == reason::breaker_cooling);
  one.breaker.mismatch(a, one.now);
  CHECK(one.attempt() == reason::breaker_cooling);
  one.breaker.release(b);
  CHECK(one.attempt() == reason::none);
  one.breaker.success(c, one.now);
  CHECK(one.attempt() == reason::none);
}

TEST_CASE("only a higher sequence than any seen opens a locked key") {
  bench one{{1, 1, 0ms, 0ms}};
  one.sequence = 9;
  one.mismatch();
  CHECK(one.attempt() == reason::breaker_locked);
  one.sequence = 8;
  CHECK(one.attempt() == reason::breaker_locked);
  one.sequence = 10;
  CHECK(one.attempt() == reason::none);
  CHECK(one.breaker.state(home) == breaker_state::closed);
}

TEST_CASE("a higher sequence ends no cooldown") {
  bench one;
  one.mismatch();
  one.mismatch();
  one.sequence = 2;
  CHECK(one.attempt() == reason::breaker_cooling);
}

TEST_CASE("hosts, ports and networks are counted apart, and regions are not") {
  bench one{{1, 1, 0ms, 0ms}};
  one.mismatch();
  CHECK(one.attempt() == reason::breaker_locked);
  CHECK(one.attempt({{"sip.example.com", 5061}, "office"}) == reason::none);
  CHECK(one.attempt({{"sip.example.com", 5062}, "home"}) == reason::none);
  CHECK(one.attempt({{"sip.example.net", 5061}, "home"}) == reason::none);
  CHECK(one.attempt({{"sip.example.com", 5061, identity::sip}, "home"}) == reason::breaker_locked);
}

TEST_CASE("what has no room is refused, and what is known stays known") {
  bench<memory_breaker<2, 20>> one{{2, 2, 0ms, 0ms}};
  one.mismatch();
  [[maybe_unused]] const reservation held = one.reserve({{"b", 1}, ""});
  CHECK(one.attempt({{"c", 1}, ""}) == reason::state_unavailable);
  CHECK(one.breaker.state({{"c", 1}, ""}) == breaker_state::closed);
  CHECK(one.mismatch().streak == 2);

  bench<memory_breaker<2, 20>> other{guide};
  CHECK(other.attempt({{"a-host-of-21-octets-x", 1}, ""}) == reason::state_unavailable);
  CHECK(other.attempt({{"a-host-of-20-octets-", 1}, ""}) == reason::none);
  CHECK(other.attempt({{"a-host-of-20-octets-", 1}, "n"}) == reason::state_unavailable);
  CHECK(other.attempt({{"", 1}, ""}) == reason::state_unavailable);
}

TEST_CASE("a key with nothing to remember makes room, and no other one does") {
  bench<memory_breaker<1, 20>> one{{2, 2, 0ms, 0ms}};
  reservation held = one.reserve({{"a", 1}, ""});
  CHECK(one.attempt({{"b", 1}, ""}) == reason::state_unavailable);  // an attempt in flight
  one.breaker.mismatch(held, one.now);
  CHECK(one.attempt({{"b", 1}, ""}) == reason::state_unavailable);  // a streak
  one.success({{"a", 1}, ""});
  CHECK(one.attempt({{"b", 1}, ""}) == reason::state_unavailable);  // a mismatch today
  one.now.steady += 24h;
  CHECK(one.attempt({{"b", 1}, ""}) == reason::none);
  one.mismatch({{"b", 1}, ""});
  one.mismatch({{"b", 1}, ""});
  one.now.steady += 10000h;
  CHECK(one.attempt({{"a", 1}, ""}) == reason::state_unavailable);  // a lock
  one.breaker.reset({{"b", 1}, ""});
  CHECK(one.attempt({{"a", 1}, ""}) == reason::none);
}

TEST_CASE("a configuration out of bounds refuses every attempt") {
  bench one{{3, 0, 0ms, 0ms}};
  CHECK(one.attempt() == reason::state_unavailable);
}

TEST_CASE("a breaker keeps nothing of the text it was asked with") {
  bench one{{1, 1, 0ms, 0ms}};
  std::string host = "lent.example";
  std::string network = "lent network";
  one.mismatch({{host, 1}, network});
  host.assign(host.size(), 'x');
  network.assign(network.size(), 'x');
  CHECK(one.breaker.state({{"lent.example", 1}, "lent network"}) == breaker_state::locked);
}

TEST_CASE("an administrator's reset opens one key and begins a new episode") {
  bench one{{2, 1, 0ms, 0ms}};
  one.mismatch();
  one.mismatch();
  REQUIRE(one.attempt() == reason::breaker_locked);
  CHECK_FALSE(one.breaker.reset({{"unknown.example", 1}, ""}));
  CHECK(one.breaker.reset(home));
  CHECK(one.attempt() == reason::none);
  const breaker_change change = one.mismatch();
  CHECK(change.streak == 1);
  CHECK(change.alert);
  CHECK(change.mismatches_24h == 3);
}

TEST_CASE("times before the steady clock's origin are times like any other") {
  bench one{{3, 2, 300s, 0ms}};
  one.now.steady = -1000h;
  one.mismatch();
  CHECK(one.mismatch().mismatches_24h == 2);
  CHECK(one.attempt() == reason::breaker_cooling);
  one.now.steady += 300s;
  CHECK(one.attempt() == reason::none);
}

namespace {

/// The breaker of design, written for reading and not for a phone.
class model {
 public:
  explicit model(const breaker_config& config) : config_(config) {}

  reason reserve(int key, std::chrono::milliseconds now, std::uint64_t sequence) {
    entry& e = entries_[key];
    if (sequence > e.sequence && e.locked) {
      e.locked = false;
      e.streak = 0;
    }
    e.sequence = std::max(e.sequence, sequence);
    if (e.locked) return reason::breaker_locked;
    if (e.streak + e.in_flight >= config_.max_consecutive_failures) return reason::breaker_cooling;
    if (e.streak >= config_.alert_threshold && now < e.last + config_.cooldown) {
      return reason::breaker_cooling;
    }
    if (e.streak >= config_.alert_threshold) e.last = now;
    ++e.in_flight;
    return reason::none;
  }
  void mismatch(int key, std::chrono::milliseconds now) {
    entry& e = entries_[key];
    --e.in_flight;
    ++e.streak;
    e.hours.push_back(now.count() / 3'600'000);
    e.last = now;
    e.locked = e.locked || e.streak >= config_.max_consecutive_failures;
  }
  void success(int key) {
    entry& e = entries_[key];
    --e.in_flight;
    if (!e.locked) e.streak = 0;
  }
  void release(int key) { --entries_[key].in_flight; }

  breaker_state state(int key) {
    const entry& e = entries_[key];
    if (e.locked) return breaker_state::locked;
    return e.streak >= config_.alert_threshold ? breaker_state::cooling : breaker_state::closed;
  }
  int streak(int key) { return entries_[key].streak; }
  std::uint32_t total(int key, std::chrono::milliseconds now) {
    std::uint32_t sum = 0;
    for (const std::int64_t hour : entries_[key].hours) {
      sum += now.count() / 3'600'000 - hour < 24 ? 1u : 0u;
    }
    return sum;
  }

 private:
  struct entry {
    int streak = 0;
    int in_flight = 0;
    bool locked = false;
    std::uint64_t sequence = 0;
    std::chrono::milliseconds last = -10000h;
    std::vector<std::int64_t> hours;
  };
  breaker_config config_;
  std::map<int, entry> entries_;
};

}  // namespace

TEST_CASE("memory_breaker does what the model does, whatever happens in whatever order") {
  const breaker_config configs[] = {
      guide, {1, 1, 60s, 0ms}, {4, 4, 60s, 0ms}, {6, 1, 600s, 0ms}, {5, 3, 0ms, 0ms}};
  const std::string hosts[] = {"a.example", "b.example", "c.example"};
  std::size_t locked_seen = 0;
  for (const breaker_config& config : configs) {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
      std::mt19937 random(seed);
      memory_breaker<3> subject(config);
      model expected(config);
      std::vector<std::pair<int, reservation>> held;
      time_reading now{{}, 100h};
      std::uint64_t sequence = 1;
      bool agree = true;
      for (int i = 0; i < 400 && agree; ++i) {
        const int key = static_cast<int>(random() % 3);
        const breaker_key named{{hosts[key], 443}, ""};
        const auto what = random() % 16;
        if (what == 0) {
          now.steady += std::chrono::milliseconds(random() % 40'000'000);
        } else if (what <= 4) {
          now.steady += std::chrono::milliseconds(random() % 90'000);
        } else if (what == 5 && random() % 4 == 0) {
          sequence += random() % 3;
        } else if (what <= 10 || held.empty()) {
          const std::uint64_t asked = sequence - random() % 2;
          reservation one = subject.reserve(named, now, asked);
          agree = one.refused() == expected.reserve(key, now.steady, asked);
          if (one.held()) held.emplace_back(key, std::move(one));
        } else {
          const std::size_t at = random() % held.size();
          const int of = held[at].first;
          breaker_change change{};
          if (what <= 13) {
            change = subject.mismatch(held[at].second, now);
            expected.mismatch(of, now.steady);
          } else if (what == 14) {
            change = subject.success(held[at].second, now);
            expected.success(of);
          } else {
            subject.release(held[at].second);
            expected.release(of);
          }
          if (what != 15) {
            agree = change.streak == expected.streak(of) && change.state == expected.state(of) &&
                    change.mismatches_24h == expected.total(of, now.steady);
          }
          held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
        }
        agree = agree && subject.state(named) == expected.state(key);
        locked_seen += subject.state(named) == breaker_state::locked ? 1u : 0u;
        CAPTURE(seed, i, what, int{config.max_consecutive_failures}, int{config.alert_threshold});
        if (!agree) CHECK(agree);
      }
    }
  }
  CHECK(locked_seen > 1000);
}
