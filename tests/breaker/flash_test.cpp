// SPDX-License-Identifier: BSL-1.0
#include <cotter/policies/store/flash_store.hpp>

#include <cotter/policies/breaker/stored_breaker.hpp>
#include <cotter/testing/laws/state_store.hpp>

#include <backends/support/counting_malloc.hpp>
#include <support/laws.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace cotter;
using namespace std::chrono_literals;

namespace {

/// A flash chip with two slots: erasing sets bits, programming only clears them. Its power can be cut
/// in the middle of an octet.
class chip {
 public:
  static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t slot_bytes = 700;

  explicit chip(std::size_t bytes = slot_bytes) {
    for (auto& slot : slots) slot.assign(bytes, 0xff);
  }

  /// Power goes after `steps` octets erased or programmed from now on; of the one then under way the
  /// bits of `torn` have not got there.
  void cut_after(std::size_t steps, std::uint8_t torn) {
    left_ = steps;
    torn_ = torn;
  }
  void power_on() {
    left_ = never;
    dead_ = false;
  }
  bool dead() const { return dead_; }

  /// @see flash_slots
  bool read(unsigned slot, std::size_t offset_bytes, std::span<std::uint8_t> into) noexcept {
    if (dead_ || unreadable == static_cast<int>(slot) || offset_bytes > slots[slot].size() ||
        into.size() > slots[slot].size() - offset_bytes) {
      return false;
    }
    std::copy_n(slots[slot].begin() + static_cast<std::ptrdiff_t>(offset_bytes), into.size(),
                into.begin());
    return true;
  }
  bool write(unsigned slot, bytes_view octets) noexcept {
    ++writes;
    if (worn_out || octets.size() > slots[slot].size()) return false;
    for (std::uint8_t& octet : slots[slot]) {
      if (!step(octet, 0xff)) return false;
    }
    for (std::size_t i = 0; i < octets.size(); ++i) {
      if (!step(slots[slot][i], slots[slot][i] & octets[i])) return false;
    }
    if (drops_a_bit && !octets.empty()) slots[slot][octets.size() / 2] ^= 0x10;
    return !denies;
  }

  std::array<std::vector<std::uint8_t>, 2> slots;
  std::size_t writes = 0;
  int unreadable = -1;
  bool worn_out = false;     // nothing can be written
  bool drops_a_bit = false;  // and does not say so
  bool denies = false;       // says that it failed, and did not

 private:
  bool step(std::uint8_t& octet, int to) noexcept {
    if (dead_) return false;
    if (left_ == 0) {
      octet = static_cast<std::uint8_t>((octet & torn_) | (to & ~torn_));
      dead_ = true;
      return false;
    }
    if (left_ != never) --left_;
    octet = static_cast<std::uint8_t>(to);
    return true;
  }

  std::size_t left_ = never;
  std::uint8_t torn_ = 0;
  bool dead_ = false;
};
static_assert(flash_slots<chip>);

constexpr std::size_t room = 400;
using store_type = flash_store<chip, room>;
const store_id own_id{{4, 2}};

/// The shape of a seal without a TLS library; what it hides and proves is nothing.
struct toy_sealer {
  static constexpr bool supports_sealing = true;
  static std::uint8_t sum(const seal_key& key, bytes_view a, bytes_view b) {
    unsigned all = 1;
    for (const std::uint8_t octet : key.octets) all = all * 31 + octet;
    for (const std::uint8_t octet : a) all = all * 31 + octet;
    for (const std::uint8_t octet : b) all = all * 31 + octet;
    return static_cast<std::uint8_t>(all ^ all >> 8 ^ all >> 16);
  }
  static result<void> seal(const seal_key& key, bytes_view plain, bytes_view associated,
                           std::span<std::uint8_t> out) noexcept {
    const result<void> fit = check_seal_sizes(plain.size(), associated.size(), out.size());
    if (!fit) return fit;
    std::fill(out.begin(), out.end(), std::uint8_t{0x11});
    std::transform(plain.begin(), plain.end(), out.begin() + seal_nonce_bytes,
                   [&](std::uint8_t octet) { return octet ^ key.octets[0]; });
    std::fill_n(out.end() - seal_tag_bytes, seal_tag_bytes, sum(key, plain, associated));
    return {};
  }
  static result<void> open(const seal_key& key, bytes_view sealed, bytes_view associated,
                           std::span<std::uint8_t> out) noexcept {
    const result<void> fit = check_open_sizes(sealed.size(), associated.size(), out.size());
    if (!fit) return fit;
    std::transform(sealed.begin() + seal_nonce_bytes, sealed.end() - seal_tag_bytes, out.begin(),
                   [&](std::uint8_t octet) { return octet ^ key.octets[0]; });
    const bool good =
        std::all_of(sealed.end() - seal_tag_bytes, sealed.end(),
                    [&](std::uint8_t octet) { return octet == sum(key, out, associated); }) &&
        std::all_of(sealed.begin(), sealed.begin() + seal_nonce_bytes,
                    [](std::uint8_t octet) { return octet == 0x11; });
    if (!good) wipe(out);
    return good ? result<void>() : errc::bad_seal;
  }
  static bool random_octets(std::span<std::uint8_t>) noexcept { return false; }
};
static_assert(sealer<toy_sealer>);
using sealed_type = flash_store<chip, room, 16, seal_protection<toy_sealer>>;

seal_key key_of(std::uint8_t first) {
  seal_key key;
  key.octets[0] = first;
  return key;
}

using testing::detail::image_octets;
using testing::detail::image_read;
using testing::detail::law_image;

image_read read_fresh(chip& on) {
  store_type store(on);
  return testing::detail::read_image(store);
}

}  // namespace

TEST_CASE("flash_store keeps the laws of state_store") {
  chip flash;
  store_type store(flash);
  require_laws(testing::check_state_store_laws<store_type>(
      {store, store, [&](bytes_view image) { return store.create(own_id, image); },
       [&] { flash = chip(); }, [&] { return [&flash, copy = flash] { flash = copy; }; }, room},
      heap::allocations));
  CHECK(store.resistance() == rollback_resistance::none);
}

TEST_CASE("a sealed flash_store keeps the laws of state_store") {
  chip flash;
  sealed_type store(flash, seal_protection<toy_sealer>(key_of(9)));
  require_laws(testing::check_state_store_laws<sealed_type>(
      {store, store, [&](bytes_view image) { return store.create(own_id, image); },
       [&] { flash = chip(); }, [&] { return [&flash, copy = flash] { flash = copy; }; }, room},
      heap::allocations));
}

TEST_CASE("power cut at any octet of a commit leaves the image before or the one after") {
  const std::size_t sizes[][2] = {{300, 300}, {20, 300}, {300, 20}, {1, 0}, {0, 1}};
  for (const auto& [size_before, size_after] : sizes) {
    const image_octets before = law_image(size_before, 1);
    const image_octets after = law_image(size_after, 2);
    std::size_t seen_before = 0, seen_after = 0;
    for (const unsigned older : {0u, 1u}) {  // which slot is in force
      for (std::size_t cut = 0;; ++cut) {
        bool finished = false;
        for (const std::uint8_t torn : {std::uint8_t{0x0f}, std::uint8_t{0xd5}}) {
          chip flash;
          {
            store_type store(flash);
            REQUIRE(store.create(own_id, older == 0 ? before : law_image(7, 9)));
            if (older == 1) {
              REQUIRE(testing::detail::write_image(store, before) == errc::ok);
            }
            flash.cut_after(cut, torn);
            static_cast<void>(testing::detail::write_image(store, after));
            finished = !flash.dead();
          }
          flash.power_on();
          const image_read read = read_fresh(flash);
          INFO(size_before << " to " << size_after << ", cut after " << cut << ", torn "
                           << int{torn} << ": " << testing::detail::seen(read));
          REQUIRE(read.what == errc::ok);
          REQUIRE((read.image == before || read.image == after));
          if (finished) REQUIRE(read.image == after);
          (read.image == before ? seen_before : seen_after) += 1;

          // And the device goes on from there.
          store_type next(flash);
          REQUIRE(testing::detail::write_image(next, law_image(33, 3)) == errc::ok);
          REQUIRE(read_fresh(flash).image == law_image(33, 3));
        }
        if (finished) break;
      }
    }
    CHECK(seen_before > chip::slot_bytes);
    CHECK(seen_after > 0);
  }
}

TEST_CASE("power cut at any octet of the first image leaves it, or nothing that passes for one") {
  for (std::size_t cut = 0;; ++cut) {
    chip flash;
    flash.cut_after(cut, 0x3c);
    {
      store_type store(flash);
      static_cast<void>(store.create(own_id, law_image(50, 1)));
    }
    const bool finished = !flash.dead();
    flash.power_on();
    const image_read read = read_fresh(flash);
    REQUIRE((read.what == errc::ok || read.what == errc::state_absent ||
             read.what == errc::state_damaged));
    if (read.what == errc::ok) REQUIRE(read.image == law_image(50, 1));
    if (finished) {
      CHECK(read.what == errc::ok);
      break;
    }
  }
}

TEST_CASE("power cut at any octet while a mismatch is counted loses no lock and doubles no count") {
  using breaker_type = stored_breaker<flash_store<chip, 1000>, 3, 64>;
  constexpr breaker_config rules{3, 2, 0ms, 0ms};
  const breaker_key key{{"sip.example.com", 5061}, ""};
  const time_reading now{instant{1'800'000'000s}, 10h};
  for (unsigned counted = 0; counted < 3; ++counted) {
    for (std::size_t cut = 0;; ++cut) {
      chip flash(1100);
      bool finished = false;
      {
        flash_store<chip, 1000> store(flash);
        std::array<std::uint8_t, breaker_type::image_bytes> image{};
        REQUIRE(store.create(own_id, bytes_view(image).first(breaker_type::fresh_image(image))));
        breaker_type breaker(store, rules);
        for (unsigned i = 0; i < counted; ++i) {
          reservation one = breaker.reserve(key, now, 1);
          breaker.mismatch(one, now);
        }
        reservation last = breaker.reserve(key, now, 1);
        REQUIRE(last.held());
        flash.cut_after(cut, 0xa5);
        breaker.mismatch(last, now);
        finished = !flash.dead();
      }
      flash.power_on();
      flash_store<chip, 1000> store(flash);
      breaker_type breaker(store, rules);
      const auto status = breaker.status(key, now);
      INFO(counted << " counted, cut after " << cut);
      REQUIRE(status);
      REQUIRE((status->streak == counted || status->streak == counted + 1));
      if (finished) REQUIRE(status->streak == counted + 1);
      REQUIRE(breaker.any_locked() == (status->streak == 3));
      if (finished) break;
    }
  }
}

TEST_CASE("any bit changed anywhere gives the image before, damage, or what it did not touch") {
  chip flash;
  store_type store(flash);
  const image_octets before = law_image(60, 1), after = law_image(61, 2);
  REQUIRE(store.create(own_id, before));
  REQUIRE(testing::detail::write_image(store, after) == errc::ok);
  for (const unsigned slot : {0u, 1u}) {
    const std::size_t used = store_type::header_bytes + (slot == 0 ? 60u : 61u) + 4;
    for (std::size_t bit = 0; bit < 8 * used; ++bit) {
      chip changed = flash;
      changed.slots[slot][bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
      const image_read read = read_fresh(changed);
      REQUIRE(read.what == errc::ok);
      REQUIRE(read.image == (slot == 1 ? before : after));
      changed.slots[1 - slot].assign(chip::slot_bytes, 0xff);
      REQUIRE(read_fresh(changed).what == errc::state_damaged);
    }
  }
}

TEST_CASE("a store is made once, and never out of what is there") {
  chip flash;
  CHECK(read_fresh(flash).what == errc::state_absent);
  store_type store(flash);
  CHECK(store.create(own_id, image_octets(room + 1)).error().what == errc::too_large);
  REQUIRE(store.create(own_id, law_image(10, 1)));
  CHECK(store.create(own_id, law_image(10, 2)).error().what == errc::state_exists);
  CHECK(read_fresh(flash).image == law_image(10, 1));
  CHECK(testing::detail::read_image(store).what == errc::ok);
  CHECK(store.id() == own_id);
  flash.slots[0][store_type::header_bytes] ^= 1;
  CHECK(store.create(own_id, law_image(10, 2)).error().what == errc::state_exists);

  chip garbage;
  for (auto& slot : garbage.slots) std::fill(slot.begin(), slot.end(), std::uint8_t{0x42});
  CHECK(read_fresh(garbage).what == errc::state_damaged);
  store_type made(garbage);
  CHECK(made.create(own_id, law_image(10, 3)));
  CHECK(read_fresh(garbage).image == law_image(10, 3));
}

TEST_CASE("a slot that cannot be read is not replaced by the older one") {
  chip flash;
  store_type store(flash);
  REQUIRE(store.create(own_id, law_image(10, 1)));
  REQUIRE(testing::detail::write_image(store, law_image(10, 2)) == errc::ok);
  for (const int slot : {0, 1}) {
    flash.unreadable = slot;
    CHECK(read_fresh(flash).what == errc::state_unreadable);
    CHECK_FALSE(store.create(own_id, {}));
  }
  flash.unreadable = -1;
  CHECK(read_fresh(flash).image == law_image(10, 2));
}

TEST_CASE("a write that fails, or lies, is state_unwritable and leaves the image before") {
  for (bool chip::*fault : {&chip::worn_out, &chip::drops_a_bit, &chip::denies}) {
    chip flash;
    store_type store(flash);
    REQUIRE(store.create(own_id, law_image(10, 1)));
    flash.*fault = true;
    CHECK(testing::detail::write_image(store, law_image(10, 2)) == errc::state_unwritable);
    CHECK(testing::detail::read_image(store).image == law_image(10, 1));
    flash.*fault = false;
    CHECK(read_fresh(flash).image == law_image(10, 1));
    CHECK(testing::detail::write_image(store, law_image(10, 3)) == errc::ok);
    CHECK(read_fresh(flash).image == law_image(10, 3));
  }
}

TEST_CASE("a commit writes once, and never the slot in force") {
  chip flash;
  store_type store(flash);
  REQUIRE(store.create(own_id, law_image(10, 1)));
  for (std::uint8_t i = 2; i < 9; ++i) {
    const chip before = flash;
    REQUIRE(testing::detail::write_image(store, law_image(10, i)) == errc::ok);
    CHECK(flash.writes == before.writes + 1);
    CHECK(flash.slots[i % 2] == before.slots[i % 2]);
  }
}

TEST_CASE("what was sealed opens under its key only, and not without a seal") {
  chip flash;
  sealed_type store(flash, seal_protection<toy_sealer>(key_of(9)));
  REQUIRE(store.create(own_id, law_image(10, 1)));
  sealed_type same(flash, seal_protection<toy_sealer>(key_of(9)));
  CHECK(testing::detail::read_image(same).image == law_image(10, 1));
  sealed_type other(flash, seal_protection<toy_sealer>(key_of(8)));
  CHECK(testing::detail::read_image(other).what == errc::state_damaged);
  CHECK(read_fresh(flash).what == errc::state_damaged);
  // Its counter, size and store are sealed with it.
  for (std::size_t at = 8; at < sealed_type::header_bytes; ++at) {
    chip changed = flash;
    changed.slots[0][at] ^= 1;
    sealed_type reader(changed, seal_protection<toy_sealer>(key_of(9)));
    CHECK(testing::detail::read_image(reader).what == errc::state_damaged);
  }
}
