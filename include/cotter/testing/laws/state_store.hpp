// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/state_store.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/store.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 3> state_store_laws_by_review{{
    {"T1",
     "that the image is whole is checked where nothing crashes; crashes at every instruction are "
     "the "
     "tests of each store"},
    {"T2", "no program outlives the loss of power: by review of what it asks of the medium"},
    {"T7",
     "marks are checked in one process; that its end takes them back, in the tests of each store"},
}};

/// One state and two ways to it, for one run of a suite. The state does not exist yet.
template <state_store S>
struct state_store_material {
  /// Two store objects on the same state, each with a life of its own; one object twice if it can
  /// have no other.
  S& first;
  S& second;
  /// Makes the state.
  std::function<result<void>(bytes_view image)> create{};
  /// Deletes it, as somebody with the program's own user rights would.
  std::function<void()> destroy{};
  /// Takes a copy of it, all that such a user could read; the answer puts it back.
  std::function<std::function<void()>()> copy{};
  /// How many octets it keeps at most.
  std::size_t room = max_image_bytes;
};

namespace detail {

using image_octets = std::vector<std::uint8_t>;

inline image_octets law_image(std::size_t size, std::uint8_t first) {
  image_octets image(size);
  for (std::size_t i = 0; i < size; ++i) image[i] = static_cast<std::uint8_t>(first + i * 3);
  return image;
}

/// What a whole reading transaction found.
struct image_read {
  errc what = errc::ok;
  image_octets image;
};

template <state_store S>
image_read read_image(S& store) {
  image_octets into(max_image_bytes, 0xa5);
  const result<std::size_t> size = store.begin(into);
  if (!size) return {size.error().what, {}};
  store.cancel();
  into.resize(*size <= into.size() ? *size : 0);
  return {errc::ok, into};
}

template <state_store S>
errc write_image(S& store, const image_octets& image) {
  image_octets into(max_image_bytes);
  const result<std::size_t> size = store.begin(into);
  return size ? store.commit(image).error().what : size.error().what;
}

inline std::string seen(const image_read& read) {
  return std::string(code(read.what)) + ", " + std::to_string(read.image.size()) + " octets";
}

template <state_store S>
void check_absence(law_report& report, state_store_material<S>& lent) {
  for (int again = 0; again < 2; ++again) {
    const image_read read = read_image(lent.first);
    report.check("T4", "state that was never made is absent, and asking does not make it",
                 read.what == errc::state_absent, seen(read));
  }
  const result<void> made = lent.create(law_image(40, 9));
  report.check("T4", "state is made on purpose", static_cast<bool>(made),
               std::string(code(made.error().what)));
}

template <state_store S>
void check_images(law_report& report, state_store_material<S>& lent) {
  image_read read = read_image(lent.first);
  report.check("T1", "the first image is the one it was made with",
               read.what == errc::ok && read.image == law_image(40, 9), seen(read));
  std::uint8_t seed = 1;
  for (const std::size_t size : {std::size_t{1}, lent.room, std::size_t{7}, std::size_t{300}}) {
    S& writer = seed % 2 == 1 ? lent.first : lent.second;
    const image_octets image = law_image(size, seed++);
    const errc wrote = write_image(writer, image);
    report.check("T1", "an image of any size that has room is kept", wrote == errc::ok,
                 std::to_string(size) + ": " + std::string(code(wrote)));
    for (S* reader : {&lent.first, &lent.second}) {
      read = read_image(*reader);
      report.check("T1", "what is read is what was written last, whole, by whomever",
                   read.what == errc::ok && read.image == image, seen(read));
    }
  }
  image_octets into(max_image_bytes);
  const result<std::size_t> size = lent.first.begin(into);
  lent.first.cancel();
  read = read_image(lent.second);
  report.check("T1", "what was cancelled has changed nothing",
               size && read.image == law_image(300, 4), seen(read));
  image_octets small(299, 0xa5);
  const result<std::size_t> cut = lent.first.begin(small);
  report.check("T1", "an image is given whole or not at all", !cut);
  if (cut) lent.first.cancel();
  read = read_image(lent.first);
  report.check("T1", "what could not be given leaves no transaction open", read.what == errc::ok,
               seen(read));
}

template <state_store S>
void check_exclusion(law_report& report, state_store_material<S>& lent) {
  using clock = std::chrono::steady_clock;
  image_octets into(max_image_bytes);
  for (const bool commits : {false, true}) {
    const result<std::size_t> held = lent.first.begin(into);
    const auto began = clock::now();
    const image_read other = read_image(lent.second);
    const auto waited = clock::now() - began;
    report.check("T3", "while one has a transaction no other gets one: state_busy",
                 held && other.what == errc::state_busy, seen(other));
    // The bound is the store's; the rest is for a machine that has other things to do.
    report.check("T3", "who waits for a transaction waits a bounded time",
                 waited <= longest_lock_wait + std::chrono::milliseconds{500},
                 std::to_string(waited / std::chrono::milliseconds{1}) + " ms");
    const errc ended = commits ? lent.first.commit(law_image(20, 5)).error().what : errc::ok;
    if (!commits) lent.first.cancel();
    const image_read after = read_image(lent.second);
    report.check("T3", "the end of a transaction makes room for the next one",
                 ended == errc::ok && after.what == errc::ok, seen(after));
  }
}

template <state_store S>
void check_failed_commits(law_report& report, state_store_material<S>& lent) {
  const image_octets before = law_image(50, 17);
  report.check("T1", "an image of any size that has room is kept",
               write_image(lent.first, before) == errc::ok);
  const errc wrote = write_image(lent.first, law_image(lent.room + 1, 3));
  report.check("T6", "an image for which there is no room is state_unwritable",
               wrote == errc::state_unwritable, std::string(code(wrote)));
  for (S* reader : {&lent.second, &lent.first}) {
    const image_read read = read_image(*reader);
    report.check("T6", "a commit that failed leaves the image before, and ends the transaction",
                 read.what == errc::ok && read.image == before, seen(read));
  }
  const result<void> outside = lent.first.commit(law_image(50, 99));
  const image_read read = read_image(lent.second);
  report.check("T6", "a commit without a transaction fails and changes nothing",
               !outside && read.image == before, seen(read));
}

template <state_store S>
void check_marks(law_report& report, state_store_material<S>& lent) {
  image_octets into(max_image_bytes);
  const image_read before = read_image(lent.first);
  const auto within = [&](S& store, auto&& run) {
    const bool open = static_cast<bool>(store.begin(into));
    report.check("T3", "a transaction begins when there is no other", open);
    run();
    store.cancel();
  };
  constexpr std::uint8_t limit = 5;
  std::vector<std::pair<S*, std::uint16_t>> held;
  for (std::uint8_t i = 0; i <= limit; ++i) {
    S& store = i % 2 == 0 ? lent.first : lent.second;
    within(store, [&] {
      const std::uint8_t flying = store.in_flight(3, limit);
      report.check("T7", "every mark is counted, whoever made it", flying == i,
                   std::to_string(flying) + " of " + std::to_string(i));
      const result<std::uint16_t> slot = store.enter(3, limit);
      report.check("T7", "as many marks as the limit are made, and no more",
                   static_cast<bool>(slot) == (i < limit), std::to_string(i));
      if (!slot) return;
      report.check("T7", "a slot is below 128", *slot < 128, std::to_string(*slot));
      held.emplace_back(&store, *slot);
    });
  }
  within(lent.first, [&] {
    report.check("T7", "groups are counted apart",
                 lent.first.in_flight(4, limit) == 0 && lent.first.in_flight(2, limit) == 0);
    const result<std::uint16_t> other = lent.first.enter(4, 1);
    report.check("T7", "groups are counted apart", static_cast<bool>(other));
    if (other) lent.first.leave(4, *other);
  });
  report.check("T7", "a mark writes nothing that lasts",
               read_image(lent.second).image == before.image);
  while (!held.empty()) {
    const auto [store, slot] = held.back();
    held.pop_back();
    store->leave(3, slot);  // outside of a transaction
    within(lent.second, [&] {
      const std::uint8_t flying = lent.second.in_flight(3, limit);
      report.check("T7", "a mark is gone when it is taken back", flying == held.size(),
                   std::to_string(flying) + " of " + std::to_string(held.size()));
    });
  }
  report.check("T7", "a mark writes nothing that lasts",
               read_image(lent.second).image == before.image);
}

template <state_store S, typename Allocations>
void check_heap(law_report& report, state_store_material<S>& lent, Allocations& allocations) {
  image_octets into(max_image_bytes);
  const image_octets image = law_image(200, 1);
  const auto before = allocations();
  static_cast<void>(lent.first.begin(into));
  const result<std::uint16_t> slot = lent.first.enter(1, 2);
  static_cast<void>(lent.first.in_flight(1, 2));
  static_cast<void>(lent.first.commit(image));
  if (slot) lent.first.leave(1, *slot);
  const auto after = allocations();
  report.check("T8", "begin, enter, commit and leave take nothing from the heap", after == before,
               std::to_string(after - before) + " allocations");
}

template <state_store S>
void check_rollback(law_report& report, state_store_material<S>& lent) {
  const rollback_resistance declared = lent.first.resistance();
  const bool vouched_for =
      declared == rollback_resistance::other_principal || declared == rollback_resistance::hardware;
  static_cast<void>(write_image(lent.first, law_image(60, 1)));
  const auto put_back = lent.copy();
  static_cast<void>(write_image(lent.first, law_image(60, 2)));
  put_back();
  image_read read = read_image(lent.second);
  if (vouched_for) {
    report.check("T5", "an older image put back is noticed where that is declared",
                 read.what == errc::state_rolled_back, seen(read));
  } else {
    report.check("T5", "an older image put back is an image, or is noticed",
                 (read.what == errc::ok && read.image == law_image(60, 1)) ||
                     read.what == errc::state_rolled_back,
                 seen(read));
  }
  lent.destroy();
  for (S* reader : {&lent.first, &lent.second}) {
    read = read_image(*reader);
    report.check("T5", "deleted state is not made anew: absent, or rolled back",
                 read.what == errc::state_absent || read.what == errc::state_rolled_back,
                 seen(read));
  }
}

}  // namespace detail

/// Checks T1 and T3 to T8 on what it is lent, as far as they show in one process. `allocations()` is
/// how many allocations the process has made so far. Deletes the state.
template <state_store S, typename Allocations>
[[nodiscard]] law_report check_state_store_laws(state_store_material<S> lent,
                                                Allocations&& allocations) {
  law_report report;
  detail::check_absence(report, lent);
  detail::check_images(report, lent);
  detail::check_exclusion(report, lent);
  detail::check_failed_commits(report, lent);
  detail::check_marks(report, lent);
  detail::check_heap(report, lent, allocations);
  detail::check_rollback(report, lent);
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
