// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/breaker.hpp>

#include <cotter/policies/breaker/memory_breaker.hpp>
#include <cotter/policies/breaker/stored_breaker.hpp>
#include <cotter/policies/store/memory_store.hpp>

#include <support/laws.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace {

using namespace cotter;
using namespace std::chrono_literals;

constexpr breaker_config config{3, 2, 300s, 0ms};

/// memory_breaker with one thing wrong, in the words of the law it breaks.
enum class fault {
  none,
  release_counts,          // K3
  success_forgets_nothing, // K4
  success_unlocks,         // K4
  success_clears_total,    // K4
  never_cools,             // K5
  civil_time_cools,        // K5
  time_unlocks,            // K5
  one_key_for_all,         // K6
  any_sequence_unlocks,    // K7
  no_sequence_unlocks,     // K7
  no_bound_in_flight,      // K1
  counts_twice,            // K2
};

template <fault Fault>
class faulty_breaker {
 public:
  explicit faulty_breaker(const breaker_config& c) : good_(adapted(c)) {}

  reservation reserve(const breaker_key& key, time_reading now, std::uint64_t sequence) noexcept {
    key_ = key;
    if constexpr (Fault == fault::one_key_for_all) key_ = {{"everybody", 1}, ""};
    if constexpr (Fault == fault::civil_time_cools) now.steady = now.wall.time_since_epoch();
    if constexpr (Fault == fault::no_sequence_unlocks) sequence = 7;
    if constexpr (Fault == fault::any_sequence_unlocks) sequence = ++any_;
    if constexpr (Fault == fault::time_unlocks) {
      if (now.steady > last_ + 24h) good_.reset(key_);
      last_ = now.steady;
    }
    if constexpr (Fault == fault::no_bound_in_flight) {
      reservation one = good_.reserve(key_, now, sequence);
      if (one.held() || one.refused() == reason::breaker_locked) return one;
      return reservation::grant(0);
    }
    return good_.reserve(key_, now, sequence);
  }
  breaker_change mismatch(reservation& held, time_reading now) noexcept {
    if constexpr (Fault == fault::counts_twice) {
      reservation copy = reservation::grant(held.slot());
      held.spend();
      reservation extra = good_.reserve(key_, now, 0);
      good_.mismatch(extra, now);
      return good_.mismatch(copy, now);
    }
    if constexpr (Fault == fault::civil_time_cools) now.steady = now.wall.time_since_epoch();
    return good_.mismatch(held, now);
  }
  breaker_change success(reservation& held, time_reading now) noexcept {
    if constexpr (Fault == fault::success_forgets_nothing) {
      good_.release(held);
      return {good_.state(key_), 1, 2, false};
    }
    if constexpr (Fault == fault::success_unlocks) good_.reset(key_);
    breaker_change change = good_.success(held, now);
    if constexpr (Fault == fault::success_clears_total) change.mismatches_24h = 0;
    return change;
  }
  void release(reservation& held) noexcept {
    if constexpr (Fault == fault::release_counts) {
      good_.mismatch(held, {});
    } else {
      good_.release(held);
    }
  }
  breaker_state state(const breaker_key& key) const noexcept {
    return good_.state(Fault == fault::one_key_for_all ? key_ : key);
  }

 private:
  static breaker_config adapted(breaker_config c) {
    if constexpr (Fault == fault::never_cools) c.cooldown = 0ms;
    return c;
  }

  memory_breaker<16> good_;
  breaker_key key_{};
  std::uint64_t any_ = 0;
  std::chrono::milliseconds last_{};
};

template <fault Fault>
testing::law_report check() {
  return testing::check_breaker_laws([] { return faulty_breaker<Fault>(config); }, config);
}

}  // namespace

namespace {

/// A stored_breaker with the store that it borrows.
class kept_breaker {
 public:
  explicit kept_breaker(const breaker_config& c) : good_(store_, c) {
    std::array<std::uint8_t, breaker_type::image_bytes> image{};
    REQUIRE(store_.create({}, bytes_view(image).first(breaker_type::fresh_image(image))));
  }
  kept_breaker(const kept_breaker&) = delete;
  kept_breaker& operator=(const kept_breaker&) = delete;

  reservation reserve(const breaker_key& key, time_reading now, std::uint64_t sequence) noexcept {
    return good_.reserve(key, now, sequence);
  }
  breaker_change mismatch(reservation& held, time_reading now) noexcept {
    return good_.mismatch(held, now);
  }
  breaker_change success(reservation& held, time_reading now) noexcept {
    return good_.success(held, now);
  }
  void release(reservation& held) noexcept { good_.release(held); }
  breaker_state state(const breaker_key& key) noexcept { return good_.state(key); }

 private:
  using breaker_type = stored_breaker<memory_store<>>;
  memory_store<> store_;
  breaker_type good_;
};

constexpr breaker_config configs[] = {
    config,
    {},
    {1, 1, 5s, 0ms},
    {3, 3, 0ms, 0ms},
    {5, 1, 5s, 2s},
    {100, 1, 60s, 30s},
    {100, 100, 300s, 1ms},
};

}  // namespace

TEST_CASE("memory_breaker keeps the laws of breaker, however it is configured") {
  for (const breaker_config& each : configs) {
    CAPTURE(int{each.max_consecutive_failures}, int{each.alert_threshold}, each.cooldown.count());
    require_laws(testing::check_breaker_laws([&] { return memory_breaker<8>(each); }, each));
  }
}

TEST_CASE("stored_breaker keeps the laws of breaker, however it is configured") {
  for (const breaker_config& each : configs) {
    CAPTURE(int{each.max_consecutive_failures}, int{each.alert_threshold}, each.cooldown.count());
    require_laws(testing::check_breaker_laws([&] { return kept_breaker(each); }, each));
  }
}

TEST_CASE("the breaker suite finds a breaker that breaks any one law") {
  require_laws(check<fault::none>());
  CHECK(check<fault::release_counts>().broken("K3"));
  CHECK(check<fault::success_forgets_nothing>().broken("K4"));
  CHECK(check<fault::success_unlocks>().broken("K4"));
  CHECK(check<fault::success_clears_total>().broken("K4"));
  CHECK(check<fault::never_cools>().broken("K5"));
  CHECK(check<fault::civil_time_cools>().broken("K5"));
  CHECK(check<fault::time_unlocks>().broken("K5"));
  CHECK(check<fault::one_key_for_all>().broken("K6"));
  CHECK(check<fault::any_sequence_unlocks>().broken("K7"));
  CHECK(check<fault::no_sequence_unlocks>().broken("K7"));
  CHECK(check<fault::no_bound_in_flight>().broken("K1"));
  CHECK(check<fault::counts_twice>().broken("K3"));
}

TEST_CASE("the breaker suite finds a breaker that ends a reservation twice") {
  struct doubling : memory_breaker<8> {
    using memory_breaker<8>::memory_breaker;
    breaker_change mismatch(reservation& held, time_reading now) noexcept {
      const std::uint16_t slot = held.slot();
      held.spend();
      reservation again = reservation::grant(slot);
      return memory_breaker<8>::mismatch(again, now);
    }
    reservation reserve(const breaker_key& key, time_reading now, std::uint64_t s) noexcept {
      static_cast<void>(memory_breaker<8>::reserve(key, now, s));
      return memory_breaker<8>::reserve(key, now, s);
    }
  };
  CHECK(testing::check_breaker_laws([] { return doubling(config); }, config).broken("K2"));
}

TEST_CASE("a suite that is promised nonsense does not pass") {
  const breaker_config nonsense{1, 2, 0ms, 0ms};
  CHECK_FALSE(
      testing::check_breaker_laws([&] { return memory_breaker<8>(nonsense); }, nonsense).holds());
}
