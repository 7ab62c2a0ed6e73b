// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/breaker.hpp>
#include <cotter/concepts/state_store.hpp>
#include <cotter/policies/breaker/breaker_ledger.hpp>
#include <cotter/values/breaker_config.hpp>
#include <cotter/values/store.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace cotter {
inline namespace v0 {

/// An administrator's word that one lock is to be opened, verified by whoever read it. It names the
/// store and the lock, so that it opens no other and no later one.
struct breaker_reset {
  std::string_view host{};
  std::uint16_t port = 0;
  std::string_view network{};
  store_id store{};
  std::uint32_t lock_epoch = 0;
  instant expires_at{};
};

/// A breaker that outlives the process: every count is in the store before anybody hears of it, and
/// processes that share the store share the counts.
///
/// What the store cannot give is refused with `state_unavailable`: a breaker whose state is gone,
/// damaged, put back, or locked by somebody else lets nothing through. `why()` says which.
///
/// A mismatch that cannot be stored is owed: its attempt stays in flight, for every process to see,
/// until it is stored, which comes before anything else is granted. Until then, and until the process
/// ends, nothing is lost of it.
///
/// Writes: one for a mismatch, for an acceptance that clears a streak, for an attempt while cooling,
/// for the first attempt of a key and of a manifest; none otherwise. No heap. The store is borrowed.
template <state_store Store, std::size_t Keys = 16, std::size_t KeyBytes = 288>
class stored_breaker {
  static_assert(Keys <= 512, "a reservation names a key in nine bits");
  using ledger = breaker_ledger<Keys, KeyBytes>;
  static_assert(ledger::image_bytes <= max_image_bytes);

 public:
  explicit stored_breaker(Store& store, const breaker_config& config = {},
                          lock_recovery recovery = lock_recovery::administrator) noexcept
      : store_(store), config_(config), recovery_(recovery) {}
  stored_breaker(const stored_breaker&) = delete;
  stored_breaker& operator=(const stored_breaker&) = delete;

  /// The image that a new store is made with; `out` holds `ledger::image_bytes`.
  static std::size_t fresh_image(std::span<std::uint8_t> out) noexcept {
    return ledger{}.save(out);
  }
  static constexpr std::size_t image_bytes = ledger::image_bytes;

  /// @see breaker
  [[nodiscard]] reservation reserve(const breaker_key& key, time_reading now,
                                    std::uint64_t sequence) noexcept {
    if (!config_.valid()) return reservation::refuse(reason::state_unavailable);
    if (!open(now)) return reservation::refuse(reason::state_unavailable);
    const std::uint8_t most = config_.max_consecutive_failures;
    const auto decided =
        ledger_.reserve(config_, recovery_, key, now, sequence, [&](std::size_t index) {
          return store_.in_flight(static_cast<std::uint16_t>(index), most);
        });
    if (decided.refused != reason::none) {
      if (decided.refused == reason::state_unavailable) why_ = {errc::state_full, 0, 0};
      close(decided.changed);
      return reservation::refuse(decided.refused);
    }
    const auto group = static_cast<std::uint16_t>(decided.index);
    const result<std::uint16_t> slot = store_.enter(group, most);
    if (!slot) {
      why_ = slot.error();
      close(false);
      return reservation::refuse(reason::state_unavailable);
    }
    if (!close(decided.changed)) {
      store_.leave(group, *slot);
      return reservation::refuse(reason::state_unavailable);
    }
    return reservation::grant(pack(group, *slot), decided.probe, decided.opened);
  }

  /// @see breaker. Without a store that answers: what it is by all that this process knows.
  breaker_change mismatch(reservation& held, time_reading now) noexcept {
    if (!held.spend()) return {};
    const std::uint16_t group = group_of(held.slot());
    const bool opened = open(now);
    breaker_change change = ledger_.mismatch(config_, group, now);
    change.alert = take_alert(group) || change.alert;
    if (opened && write()) {
      // Only now: in flight and failures together never fall below the truth.
      store_.leave(group, slot_of(held.slot()));
    } else {
      owe(held.slot(), change.alert);
    }
    return change;
  }

  /// @see breaker
  breaker_change success(reservation& held, time_reading now) noexcept {
    if (!held.spend()) return {};
    const std::uint16_t group = group_of(held.slot());
    breaker_change change{};
    if (open(now)) {
      bool changed = false;
      change = ledger_.success(config_, group, held.probe(), now, changed);
      change.alert = take_alert(group);
      close(changed);
    }
    store_.leave(group, slot_of(held.slot()));
    return change;
  }

  /// @see breaker
  void release(reservation& held) noexcept {
    if (held.spend()) store_.leave(group_of(held.slot()), slot_of(held.slot()));
  }

  /// @see breaker. Without a store that answers: what was known last.
  [[nodiscard]] breaker_state state(const breaker_key& key) noexcept {
    refresh();
    return ledger_.state(config_, key);
  }

  /// Where a key stands.
  /// @errors the store's
  [[nodiscard]] result<breaker_status> status(const breaker_key& key, time_reading now) noexcept {
    if (!open(now)) return why_;
    store_.cancel();
    return ledger_.status(config_, key, now);
  }

  /// For an application that locks itself whole when any target is locked. True, too, while the
  /// store does not answer.
  [[nodiscard]] bool any_locked() noexcept { return !refresh() || ledger_.any_locked(config_); }

  /// Opens a lock on a word that names it. What had expired when the locked key was last asked for
  /// has expired, to within `longest_unsaved`, though the clock is set back.
  /// @errors the store's; `reset_expired`, `reset_not_for_this` (another store or target, not locked,
  ///   or another lock than the one it names)
  [[nodiscard]] result<void> reset(const breaker_reset& word, time_reading now) noexcept {
    if (!open(now)) return why_;
    if (std::max(now.wall, ledger_.latest()) > word.expires_at) {
      store_.cancel();
      return errc::reset_expired;
    }
    if (word.store != store_.id() ||
        !ledger_.reset({{word.host, word.port}, word.network}, word.lock_epoch)) {
      store_.cancel();
      return errc::reset_not_for_this;
    }
    return close(true) ? result<void>() : result<void>(why_);
  }

  /// Why the store last failed; `ok` if it did not.
  [[nodiscard]] const error& why() const noexcept { return why_; }

 private:
  static constexpr std::uint16_t pack(std::uint16_t group, std::uint16_t slot) noexcept {
    return static_cast<std::uint16_t>(group << 7 | slot);
  }
  static constexpr std::uint16_t group_of(std::uint16_t packed) noexcept { return packed >> 7; }
  static constexpr std::uint16_t slot_of(std::uint16_t packed) noexcept { return packed & 0x7f; }

  /// Begins a transaction with the ledger as it is stored, and what is owed added.
  [[nodiscard]] bool open(time_reading now) noexcept {
    latest_ = now;
    const result<std::size_t> size = store_.begin(image_);
    if (!size) {
      why_ = size.error();
      return false;
    }
    const result<void> read = ledger_.load(bytes_view(image_).first(*size));
    if (!read) {
      why_ = read.error();
      store_.cancel();
      return false;
    }
    why_ = {};
    return owes_ == 0 || repay(now);
  }

  /// Writes what is owed, in a transaction of its own, and opens the next one.
  [[nodiscard]] bool repay(time_reading now) noexcept {
    alerts due{};
    for (std::size_t i = 0; i < owes_; ++i) {
      const std::uint16_t group = group_of(owed_[i].slot);
      if (ledger_.mismatch(config_, group, now).alert && !owed_[i].alerted) due[group] = true;
    }
    if (!write()) return false;
    for (std::size_t i = 0; i < owes_; ++i) {
      store_.leave(group_of(owed_[i].slot), slot_of(owed_[i].slot));
    }
    for (std::size_t i = 0; i < Keys; ++i) due_[i] = due_[i] || due[i];
    owes_ = 0;
    const result<std::size_t> again = store_.begin(image_);
    if (!again) {
      why_ = again.error();
      return false;
    }
    const result<void> read = ledger_.load(bytes_view(image_).first(*again));
    if (!read) {
      why_ = read.error();
      store_.cancel();
    }
    return static_cast<bool>(read);
  }

  [[nodiscard]] bool write() noexcept {
    const result<void> written = store_.commit(bytes_view(image_).first(ledger_.save(image_)));
    if (!written) why_ = written.error();
    return static_cast<bool>(written);
  }

  /// Ends the transaction; true if what had to be written is written.
  bool close(bool changed) noexcept {
    if (changed) return write();
    store_.cancel();
    return true;
  }

  bool refresh() noexcept {
    if (!open(latest_)) return false;
    store_.cancel();
    return true;
  }

  /// An attempt for which there is no room stays in flight for as long as the process lives.
  void owe(std::uint16_t slot, bool alerted) noexcept {
    if (owes_ < owed_.size()) owed_[owes_++] = {slot, alerted};
  }

  /// True once after an owed mismatch, when it was stored, turned out to be one to alert for.
  bool take_alert(std::uint16_t group) noexcept {
    return group < Keys && std::exchange(due_[group], false);
  }

  struct debt {
    std::uint16_t slot = 0;
    bool alerted = false;
  };
  using alerts = std::array<bool, Keys>;

  Store& store_;
  breaker_config config_;
  lock_recovery recovery_;
  ledger ledger_{};
  std::array<std::uint8_t, ledger::image_bytes> image_{};
  std::array<debt, 32> owed_{};
  std::size_t owes_ = 0;
  alerts due_{};
  time_reading latest_{};
  error why_{};
};

}  // namespace v0
}  // namespace cotter
