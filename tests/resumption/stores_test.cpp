// SPDX-License-Identifier: BSL-1.0
#include <cotter/policies/session/memory_session_store.hpp>

#include <cotter/policies/session/stored_sessions.hpp>
#include <cotter/policies/store/memory_store.hpp>
#include <cotter/testing/laws/session_store.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>

using namespace cotter;
using testing::detail::bound_for;
using testing::detail::octets_for;
using testing::detail::take_from;

namespace {

/// A store in memory that a test can read octet by octet.
template <typename Store>
struct laid_open {
  alignas(Store) std::array<std::uint8_t, sizeof(Store)> memory{};
  Store* store = new (memory.data()) Store;
  laid_open() = default;
  laid_open(const laid_open&) = delete;
  laid_open& operator=(const laid_open&) = delete;
  ~laid_open() { store->~Store(); }

  bool holds(const std::vector<std::uint8_t>& some) const {
    return std::search(memory.begin(), memory.end(), some.begin(), some.end()) != memory.end();
  }
};

}  // namespace

TEST_CASE("the newest session of a target is given out first, the oldest dropped first") {
  memory_session_store<8, 2> store;
  for (unsigned i = 1; i <= 3; ++i) store.put(bound_for(0), octets_for(i));
  CHECK(store.size() == 2);
  CHECK(take_from(store, bound_for(0).whose).octets == octets_for(3));
  CHECK(take_from(store, bound_for(0).whose).octets == octets_for(2));
  CHECK_FALSE(take_from(store, bound_for(0).whose).any);
}

TEST_CASE("a new target takes the room of the one that was used longest ago") {
  memory_session_store<3, 2> store;
  store.put(bound_for(1), octets_for(1));
  store.put(bound_for(1), octets_for(2));
  store.put(bound_for(2), octets_for(3));
  CHECK(take_from(store, bound_for(1).whose).any);  // used after target 2
  store.put(bound_for(3), octets_for(4));
  store.put(bound_for(4), octets_for(5));
  CHECK_FALSE(take_from(store, bound_for(2).whose).any);
  CHECK(take_from(store, bound_for(1).whose).any);
  CHECK(take_from(store, bound_for(3).whose).any);
  CHECK(take_from(store, bound_for(4).whose).any);
}

TEST_CASE("a session that is too large, or empty, is not kept") {
  memory_session_store<> memory;
  memory.put(bound_for(1), octets_for(1, max_session_bytes + 1));
  memory.put(bound_for(1), {});
  CHECK(memory.size() == 0);
  memory.put(bound_for(1), octets_for(1, max_session_bytes));
  CHECK(memory.size() == 1);
  fixed_session_store<100> fixed;
  fixed.put(bound_for(1), octets_for(1, 101));
  CHECK(fixed.size() == 0);
}

TEST_CASE("what is given out, dropped or cleared is wiped where it was") {
  using store_type = fixed_session_store<512, 2, 2>;
  laid_open<store_type> open;
  const auto one = octets_for(1);
  const auto two = octets_for(2);
  const auto three = octets_for(3);
  open.store->put(bound_for(1), one);
  open.store->put(bound_for(1), two);
  REQUIRE(open.holds(one));
  REQUIRE(open.holds(two));
  open.store->put(bound_for(1), three);
  CHECK_FALSE(open.holds(one));
  REQUIRE(open.store->take(bound_for(1).whose, [&](const session_binding&, bytes_view given) {
    CHECK(std::equal(given.begin(), given.end(), three.begin(), three.end()));
    CHECK_FALSE(open.holds(three));
  }));
  CHECK_FALSE(open.holds(three));
  open.store->clear();
  CHECK_FALSE(open.holds(two));
}

TEST_CASE("a session on the heap is wiped before its memory goes back") {
  auto* held = new detail::heap_session;
  const auto one = octets_for(1);
  REQUIRE(held->keep(one));
  const std::uint8_t* where = held->view().data();
  std::array<std::uint8_t, 8> before{};
  std::copy_n(where + 100, before.size(), before.begin());
  CHECK(std::equal(before.begin(), before.end(), one.begin() + 100));
  held->drop();
  CHECK(held->view().empty());
  delete held;
}

TEST_CASE("a state store that is full drops the oldest session, and one without state keeps none") {
  memory_store<4096> place;
  auto store = std::make_unique<stored_sessions<memory_store<4096>, 4096>>(place);
  store->put(bound_for(1), octets_for(1));
  CHECK_FALSE(take_from(*store, bound_for(1).whose).any);
  REQUIRE(place.create({}, {}));
  for (unsigned i = 1; i <= 40; ++i) store->put(bound_for(i), octets_for(i));
  unsigned oldest = 0;
  unsigned kept = 0;
  for (unsigned i = 1; i <= 40; ++i) {
    const auto one = take_from(*store, bound_for(i).whose);
    if (!one.any) continue;
    if (oldest == 0) oldest = i;
    ++kept;
    CHECK(one.octets == octets_for(i));
  }
  CHECK(kept >= 4);
  CHECK(oldest == 40 - kept + 1);
  store->put(bound_for(1), octets_for(1, 5000));
  CHECK_FALSE(take_from(*store, bound_for(1).whose).any);
}

TEST_CASE("a state store drops what is older than a day when it gets something newer") {
  memory_store<> place;
  REQUIRE(place.create({}, {}));
  auto store = std::make_unique<stored_sessions<memory_store<>, 8192>>(place);
  auto old = bound_for(1);
  store->put(old, octets_for(1));
  auto fresh = bound_for(2);
  fresh.established_at = old.established_at + std::chrono::hours(25);
  store->put(fresh, octets_for(2));
  CHECK_FALSE(take_from(*store, old.whose).any);
  CHECK(take_from(*store, fresh.whose).any);
}

TEST_CASE("an image that is no list of sessions gives nothing, whatever octet is changed") {
  memory_store<> place;
  const store_id id{};
  REQUIRE(place.create(id, {}));
  auto store = std::make_unique<stored_sessions<memory_store<>, 8192>>(place);
  store->put(bound_for(1), octets_for(1));
  store->put(bound_for(2), octets_for(2));
  std::vector<std::uint8_t> image(8192);
  const auto size = place.begin(image);
  REQUIRE(size);
  place.cancel();
  image.resize(*size);
  for (std::size_t at = 0; at < image.size(); ++at) {
    auto changed = image;
    changed[at] ^= 0x80;
    memory_store<> other;
    REQUIRE(other.create(id, changed));
    auto damaged = std::make_unique<stored_sessions<memory_store<>, 8192>>(other);
    for (const unsigned i : {1u, 2u}) {
      const auto one = take_from(*damaged, bound_for(i).whose);
      if (one.any) CHECK(one.binding.whose == bound_for(i).whose);
    }
  }
  for (std::size_t cut = 0; cut < image.size(); cut += 5) {
    memory_store<> other;
    REQUIRE(other.create(id, bytes_view(image).first(cut)));
    auto damaged = std::make_unique<stored_sessions<memory_store<>, 8192>>(other);
    CHECK_FALSE(take_from(*damaged, bound_for(2).whose).any);
  }
}
