// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/state_store.hpp>

#include <cotter/policies/store/memory_store.hpp>
#include <cotter/testing/faulty_store.hpp>

#include <support/laws.hpp>

#include <backends/support/counting_malloc.hpp>

#include <thread>

namespace {

using namespace cotter;

using kept = memory_store<1000, 16>;
using viewed = testing::faulty_store<kept>;

/// memory_store with one thing wrong, in the words of the law it breaks.
enum class fault {
  none,
  forgets_the_end,           // T1
  gives_a_part,              // T1
  keeps_what_was_cancelled,  // T1
  lets_two_in,               // T3
  waits_forever,             // T3
  stays_open,                // T3
  makes_state,               // T4
  makes_state_again,         // T5
  claims_hardware,           // T5
  fails_halfway,             // T6
  misnames_failure,          // T6
  commits_any_time,          // T6
  has_no_limit,              // T7
  mixes_groups,              // T7
  keeps_marks,               // T7
  marks_in_the_image,        // T7
  allocates,                 // T8
};

template <fault Fault>
class faulty {
 public:
  result<void> create(bytes_view image) { return good.create({}, image); }

  rollback_resistance resistance() const noexcept {
    return Fault == fault::claims_hardware ? rollback_resistance::hardware : good.resistance();
  }
  store_id id() const noexcept { return good.id(); }
  result<std::size_t> begin(std::span<std::uint8_t> into) noexcept {
    if (Fault == fault::lets_two_in && open) return good.cancel(), open = false, begin(into);
    if (Fault == fault::waits_forever && open) {
      std::this_thread::sleep_for(std::chrono::milliseconds{800});
    }
    if (Fault == fault::gives_a_part && into.size() < 1000) {
      std::vector<std::uint8_t> all(1000);
      const result<std::size_t> size = good.begin(all);
      if (!size) return size;
      open = true;
      const std::size_t part = *size < into.size() ? *size : into.size();
      std::copy_n(all.begin(), part, into.begin());
      return part;
    }
    result<std::size_t> size = good.begin(into);
    if (!size && size.error().what == errc::state_absent &&
        (Fault == fault::makes_state || (Fault == fault::makes_state_again && made))) {
      static_cast<void>(good.create({}, {}));
      size = good.begin(into);
    }
    open = open || size;
    if (size) last.assign(into.begin(), into.begin() + static_cast<std::ptrdiff_t>(*size));
    if (size) made = true;
    return size;
  }
  result<void> commit(bytes_view image) noexcept {
    const bool was = std::exchange(open, false);
    if (Fault == fault::allocates) last.assign(5000 + ++grows, 0);
    if (Fault == fault::commits_any_time && !was) {
      std::vector<std::uint8_t> into(1000);
      static_cast<void>(good.begin(into));
    }
    if (Fault == fault::forgets_the_end && image.size() > 20) image = image.first(20);
    if (Fault == fault::fails_halfway && image.size() > 1000) {
      static_cast<void>(good.commit(image.first(500)));
      return errc::state_unwritable;
    }
    const result<void> done = good.commit(image);
    if (Fault == fault::misnames_failure && !done) return errc::too_large;
    return done;
  }
  void cancel() noexcept {
    if (Fault == fault::stays_open) return;
    if (Fault == fault::keeps_what_was_cancelled && open) {
      last.assign(300, 1);
      static_cast<void>(good.commit(last));
    }
    open = false;
    good.cancel();
  }
  result<std::uint16_t> enter(std::uint16_t group, std::uint8_t limit) noexcept {
    if (Fault == fault::has_no_limit) limit = 200;
    if (Fault == fault::mixes_groups) group = 3;
    if (Fault == fault::marks_in_the_image) {
      last.push_back(1);
      static_cast<void>(good.commit(last));
      std::vector<std::uint8_t> into(1000);
      static_cast<void>(good.begin(into));
    }
    return good.enter(group, limit);
  }
  std::uint8_t in_flight(std::uint16_t group, std::uint8_t limit) noexcept {
    return good.in_flight(Fault == fault::mixes_groups ? 3 : group, limit);
  }
  void leave(std::uint16_t group, std::uint16_t slot) noexcept {
    if (Fault == fault::keeps_marks) return;
    good.leave(Fault == fault::mixes_groups ? 3 : group, slot);
  }

  kept good;
  std::vector<std::uint8_t> last;
  std::size_t grows = 0;
  bool open = false;
  bool made = false;
};

template <fault Fault>
testing::law_report check() {
  faulty<Fault> store;
  return testing::check_state_store_laws<faulty<Fault>>(
      {store, store, [&](bytes_view image) { return store.create(image); },
       [&] { store.good = {}; }, [&] { return [&store, copy = store.good] { store.good = copy; }; },
       1000},
      heap::allocations);
}

}  // namespace

TEST_CASE("memory_store keeps the laws of state_store") {
  kept store;
  require_laws(testing::check_state_store_laws<kept>(
      {store, store, [&](bytes_view image) { return store.create({}, image); }, [&] { store = {}; },
       [&] { return [&store, copy = store] { store = copy; }; }, 1000},
      heap::allocations));
}

TEST_CASE("faulty_store that is told to do nothing keeps the laws of state_store") {
  kept store;
  viewed one(store), other(store);
  require_laws(testing::check_state_store_laws<viewed>(
      {one, other, [&](bytes_view image) { return store.create({}, image); }, [&] { store = {}; },
       [&] { return [&store, copy = store] { store = copy; }; }, 1000},
      [] { return 0; }));
}

TEST_CASE("the state_store suite finds a store that breaks any one law") {
  require_laws(check<fault::none>());
  CHECK(check<fault::forgets_the_end>().broken("T1"));
  CHECK(check<fault::gives_a_part>().broken("T1"));
  CHECK(check<fault::keeps_what_was_cancelled>().broken("T1"));
  require_broken(check<fault::lets_two_in>(), "T3");
  require_broken(check<fault::waits_forever>(), "T3");
  CHECK(check<fault::stays_open>().broken("T3"));
  CHECK(check<fault::makes_state>().broken("T4"));
  require_broken(check<fault::makes_state_again>(), "T5");
  require_broken(check<fault::claims_hardware>(), "T5");
  require_broken(check<fault::fails_halfway>(), "T6");
  require_broken(check<fault::misnames_failure>(), "T6");
  require_broken(check<fault::commits_any_time>(), "T6");
  require_broken(check<fault::has_no_limit>(), "T7");
  require_broken(check<fault::mixes_groups>(), "T7");
  require_broken(check<fault::keeps_marks>(), "T7");
  CHECK(check<fault::marks_in_the_image>().broken("T7"));
  // Under the sanitizers nothing is counted.
  if (heap::allocations() != 0) require_broken(check<fault::allocates>(), "T8");
}

TEST_CASE("faulty_store fails as it is told to, and then no more") {
  kept store;
  const std::vector<std::uint8_t> first(10, 1), next(10, 2);
  REQUIRE(store.create({}, first));
  viewed view(store);
  std::vector<std::uint8_t> into(1000);

  view.fail_begin(errc::state_busy, 2, 1);
  CHECK(view.begin(into));
  view.cancel();
  CHECK(view.begin(into).error().what == errc::state_busy);
  CHECK(view.begin(into).error().what == errc::state_busy);
  CHECK(view.begin(into));
  CHECK(view.begins() == 4);

  view.fail_commit();
  CHECK(view.commit(next).error().what == errc::state_unwritable);
  CHECK(testing::detail::read_image(view).image == first);
  CHECK(testing::detail::write_image(view, next) == errc::ok);
  CHECK(testing::detail::read_image(view).image == next);
  CHECK(view.commits() == 1);

  view.tear_commit();
  CHECK(testing::detail::write_image(view, first) == errc::state_unwritable);
  CHECK(testing::detail::read_image(view).what == errc::state_damaged);
  view.heal();
  CHECK(testing::detail::read_image(view).image == next);
}

TEST_CASE("the end of a process takes its transaction and its marks, and no other's") {
  kept store;
  REQUIRE(store.create({}, {}));
  std::vector<std::uint8_t> into(1000);
  viewed other(store);
  REQUIRE(other.begin(into));
  CHECK(other.enter(1, 9));
  other.cancel();
  {
    viewed killed(store);
    REQUIRE(killed.begin(into));
    CHECK(killed.enter(1, 9));
    CHECK(killed.enter(1, 9));
    CHECK(killed.marks() == 2);
    CHECK(store.in_flight(1, 9) == 3);
  }
  CHECK(store.in_flight(1, 9) == 1);
  CHECK(other.begin(into));
}
