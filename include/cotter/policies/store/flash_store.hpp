// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/sealer.hpp>
#include <cotter/concepts/state_store.hpp>
#include <cotter/policies/store/attempt_marks.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/sealing.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>

namespace cotter {
inline namespace v0 {

/// What a device gives `flash_store`: two functions over two slots, 0 and 1, which share no sector.
///
/// `read` fills `into` from `offset_bytes` into the slot; erased octets read as 0xff. `write` erases
/// the slot and programs `octets` from its beginning; when it returns true they survive the loss of
/// power. Interrupted, it may leave anything in its own slot, and nothing new in the other. Each
/// returns false if it could not.
template <typename F>
concept flash_slots = requires(F& flash, unsigned slot, std::size_t offset_bytes,
                               std::span<std::uint8_t> into, bytes_view octets) {
  { flash.read(slot, offset_bytes, into) }
  noexcept->std::same_as<bool>;
  { flash.write(slot, octets) }
  noexcept->std::same_as<bool>;
};

/// How `flash_store` tells a whole image from a torn one: CRC-32 (IEEE 802.3). It finds accidents;
/// whoever can write the flash can write a good CRC.
class crc_protection {
 public:
  static constexpr std::uint8_t kind = 0;
  static constexpr std::size_t extra_bytes = 4;

  /// `out` is `extra_bytes` longer than `image`.
  [[nodiscard]] result<void> protect(bytes_view image, bytes_view header,
                                     std::span<std::uint8_t> out) const noexcept {
    std::copy(image.begin(), image.end(), out.begin());
    const std::uint32_t sum = finish(add(add(start, header), image));
    for (std::size_t i = 0; i < extra_bytes; ++i) {
      out[image.size() + i] = static_cast<std::uint8_t>(sum >> (8 * i));
    }
    return {};
  }
  /// `in` is `extra_bytes` longer than `image`. @errors `state_damaged`
  [[nodiscard]] result<void> recover(bytes_view in, bytes_view header,
                                     std::span<std::uint8_t> image) const noexcept {
    const bytes_view plain = in.first(image.size());
    const std::uint32_t sum = finish(add(add(start, header), plain));
    for (std::size_t i = 0; i < extra_bytes; ++i) {
      if (in[image.size() + i] != static_cast<std::uint8_t>(sum >> (8 * i))) {
        return errc::state_damaged;
      }
    }
    std::copy(plain.begin(), plain.end(), image.begin());
    return {};
  }

 private:
  static constexpr std::uint32_t start = 0xffffffffu;
  static constexpr std::uint32_t finish(std::uint32_t sum) noexcept { return ~sum; }
  static constexpr std::uint32_t add(std::uint32_t sum, bytes_view octets) noexcept {
    for (const std::uint8_t octet : octets) {
      sum ^= octet;
      for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (0xedb88320u & (0u - (sum & 1u)));
    }
    return sum;
  }
};

/// The same by AES-256-GCM: what is stored can then be neither read nor changed without the key,
/// which the device keeps elsewhere. An older image put back is still an image. What `Sealer`
/// allocates is its own business.
template <sealer Sealer>
class seal_protection {
 public:
  static constexpr std::uint8_t kind = 1;
  static constexpr std::size_t extra_bytes = sealed_size(0);

  explicit seal_protection(seal_key&& key) noexcept : key_(std::move(key)) {}

  /// @errors `too_large`, `unfit_backend`, `out_of_memory`
  [[nodiscard]] result<void> protect(bytes_view image, bytes_view header,
                                     std::span<std::uint8_t> out) const noexcept {
    return Sealer::seal(key_, image, header, out);
  }
  /// @errors `state_damaged`, `unfit_backend`, `out_of_memory`
  [[nodiscard]] result<void> recover(bytes_view in, bytes_view header,
                                     std::span<std::uint8_t> image) const noexcept {
    const result<void> opened = Sealer::open(key_, in, header, image);
    return opened.error().what == errc::bad_seal
               ? result<void>(error{errc::state_damaged, 0, opened.error().native})
               : opened;
  }

 private:
  seal_key key_;
};

/// State in a device's flash, for one process and one store object: an image of up to `Bytes` octets
/// in each of two slots of `slot_bytes`. A commit writes the slot that is not in force; the whole image
/// with the higher counter is. No heap.
///
/// Resistance is `none`: who can write the flash can put an older image back. A device with a counter
/// that only goes up keeps its state better with a `key_vault`.
template <flash_slots Flash, std::size_t Bytes, std::size_t Groups = 16,
          typename Protection = crc_protection>
class flash_store {
  static_assert(Bytes > 0 && Bytes <= max_image_bytes);

 public:
  static constexpr std::size_t header_bytes = 4 + 1 + 1 + 2 + 16 + 8 + 4;
  /// What a slot must hold.
  static constexpr std::size_t slot_bytes = header_bytes + Bytes + Protection::extra_bytes;

  explicit flash_store(Flash& flash) noexcept requires std::default_initializable<Protection>
      : flash_(flash) {}
  flash_store(Flash& flash, Protection&& protection) noexcept
      : flash_(flash), protection_(std::move(protection)) {}
  flash_store(const flash_store&) = delete;
  flash_store& operator=(const flash_store&) = delete;

  /// Makes the state, for the first time. Where it is damaged the device erases both slots before, and
  /// knows that this forgets every lock.
  /// @errors `state_exists` (state in either slot, whole or not), `state_unreadable`, `state_unwritable`, `too_large`, and what the
  ///   protection gives
  [[nodiscard]] result<void> create(const store_id& id, bytes_view image) noexcept {
    if (open_) return errc::state_busy;
    if (image.size() > Bytes) return errc::too_large;
    for (const unsigned slot : {0u, 1u}) {
      const result<found> there = read_header(slot);
      if (there) return errc::state_exists;
      if (there.error().what == errc::state_unreadable) return there.error();
    }
    // What is left of something else must not come back to life beside the new state.
    if (!flash_.write(1, {})) return errc::state_unwritable;
    return put({0, 1, id, 0}, image);
  }

  /// @see state_store
  [[nodiscard]] rollback_resistance resistance() const noexcept {
    return rollback_resistance::none;
  }
  /// All zero before the first `begin` that found state.
  [[nodiscard]] store_id id() const noexcept { return in_force_.id; }

  /// @see state_store
  /// @errors `state_absent` (both slots erased), `state_damaged` (no whole image under this key),
  ///   `state_unreadable`, `state_full` (larger than `into`), `state_busy`, and what the protection
  ///   gives
  [[nodiscard]] result<std::size_t> begin(std::span<std::uint8_t> into) noexcept {
    if (open_) return errc::state_busy;
    const result<found> there = find(into);
    if (!there) return there.error();
    in_force_ = *there;
    open_ = true;
    return in_force_.size;
  }
  result<void> commit(bytes_view image) noexcept {
    if (!open_) return errc::state_unwritable;
    open_ = false;
    if (image.size() > Bytes) return errc::state_unwritable;
    const found next{1 - in_force_.slot, in_force_.counter + 1, in_force_.id, 0};
    return put(next, image);
  }
  void cancel() noexcept { open_ = false; }

  [[nodiscard]] result<std::uint16_t> enter(std::uint16_t group, std::uint8_t limit) noexcept {
    return marks_.enter(group, limit);
  }
  [[nodiscard]] std::uint8_t in_flight(std::uint16_t group, std::uint8_t) noexcept {
    return marks_.in_flight(group);
  }
  void leave(std::uint16_t group, std::uint16_t) noexcept { marks_.leave(group); }

 private:
  /// What a slot's header says.
  struct found {
    unsigned slot = 0;
    std::uint64_t counter = 0;  // 0: no header
    store_id id{};
    std::size_t size = 0;
  };
  using header_octets = std::array<std::uint8_t, header_bytes>;

  static constexpr std::uint8_t version = 1;

  static header_octets spell(const found& what) noexcept {
    header_octets h{'C', 'T', 'F', 'S', version, Protection::kind, 0, 0};
    std::copy(std::begin(what.id.octets), std::end(what.id.octets), h.begin() + 8);
    for (std::size_t i = 0; i < 8; ++i) {
      h[24 + i] = static_cast<std::uint8_t>(what.counter >> (8 * i));
    }
    for (std::size_t i = 0; i < 4; ++i) h[32 + i] = static_cast<std::uint8_t>(what.size >> (8 * i));
    return h;
  }

  /// @errors `state_unreadable`, `state_absent` (erased), `state_damaged` (no header)
  [[nodiscard]] result<found> read_header(unsigned slot) noexcept {
    header_octets h{};
    if (!flash_.read(slot, 0, h)) return errc::state_unreadable;
    if (std::all_of(h.begin(), h.end(), [](std::uint8_t octet) { return octet == 0xff; })) {
      return errc::state_absent;
    }
    found what{slot, 0, {}, 0};
    std::copy_n(h.begin() + 8, sizeof what.id.octets, std::begin(what.id.octets));
    for (std::size_t i = 0; i < 8; ++i) what.counter |= std::uint64_t{h[24 + i]} << (8 * i);
    for (std::size_t i = 0; i < 4; ++i) what.size |= std::size_t{h[32 + i]} << (8 * i);
    if (spell(what) != h || what.counter == 0 || what.size > Bytes) return errc::state_damaged;
    return what;
  }

  /// The newest whole image, into `into`.
  [[nodiscard]] result<found> find(std::span<std::uint8_t> into) noexcept {
    result<found> slots[2] = {read_header(0), read_header(1)};
    // A slot that cannot be read may hold the newest: what is older does not stand in for it.
    for (const result<found>& one : slots) {
      if (one.error().what == errc::state_unreadable) return one.error();
    }
    const bool second_is_newer = slots[0] && slots[1] && slots[1]->counter > slots[0]->counter;
    if (second_is_newer || !slots[0]) std::swap(slots[0], slots[1]);
    for (const result<found>& one : slots) {
      if (!one) continue;
      const result<void> read = read_image(*one, into);
      if (read) return *one;
      if (read.error().what != errc::state_damaged) return read.error();
    }
    const bool erased =
        slots[0].error().what == errc::state_absent && slots[1].error().what == errc::state_absent;
    return erased ? errc::state_absent : errc::state_damaged;
  }

  [[nodiscard]] result<void> read_image(const found& what, std::span<std::uint8_t> into) noexcept {
    const auto octets = std::span(octets_).first(what.size + Protection::extra_bytes);
    if (!flash_.read(what.slot, header_bytes, octets)) return errc::state_unreadable;
    if (into.size() < what.size) return errc::state_full;
    return protection_.recover(octets, spell(what), into.first(what.size));
  }

  /// Writes an image and makes sure that it is there, or that it is not.
  [[nodiscard]] result<void> put(found what, bytes_view image) noexcept {
    const unsigned slot = what.slot;
    what.size = image.size();
    const header_octets header = spell(what);
    std::copy(header.begin(), header.end(), octets_.begin());
    const std::size_t size = header_bytes + image.size() + Protection::extra_bytes;
    const auto all = std::span(octets_).first(size);
    const result<void> done = protection_.protect(image, header, all.subspan(header_bytes));
    if (!done) return done;
    if (flash_.write(slot, all) && reads_as(slot, all)) return {};
    // What says that it failed and is whole all the same would be in force next time.
    static_cast<void>(flash_.write(slot, {}));
    return reads_as(slot, all) ? result<void>() : errc::state_unwritable;
  }

  [[nodiscard]] bool reads_as(unsigned slot, bytes_view octets) noexcept {
    std::array<std::uint8_t, 64> piece{};
    for (std::size_t at = 0; at < octets.size(); at += piece.size()) {
      const auto part = std::span(piece).first(std::min(piece.size(), octets.size() - at));
      if (!flash_.read(slot, at, part) ||
          !std::equal(part.begin(), part.end(), octets.begin() + static_cast<std::ptrdiff_t>(at))) {
        return false;
      }
    }
    return true;
  }

  Flash& flash_;
  [[no_unique_address]] Protection protection_{};
  std::array<std::uint8_t, slot_bytes> octets_{};
  found in_force_{};
  attempt_marks<Groups> marks_{};
  bool open_ = false;
};

}  // namespace v0
}  // namespace cotter
