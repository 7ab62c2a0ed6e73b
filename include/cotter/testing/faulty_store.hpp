// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/state_store.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

/// One process's view of a store that several may share: fails as it is told to, counts, and can come
/// to its end like a process that is killed. Uses the heap for its own books; the store is borrowed.
template <state_store Store>
class faulty_store {
 public:
  static constexpr unsigned always = ~0u;

  explicit faulty_store(Store& store) noexcept : store_(store) {}
  faulty_store(const faulty_store&) = delete;
  faulty_store& operator=(const faulty_store&) = delete;
  ~faulty_store() { end_process(); }

  /// The next `times` calls of `begin` fail with `why`, after `later` that do not.
  void fail_begin(errc why, unsigned times = 1, unsigned later = 0) noexcept {
    begin_ = {why, times, later};
  }
  /// The next `times` calls of `commit` keep the old image and fail, after `later` that do not.
  void fail_commit(unsigned times = 1, unsigned later = 0) noexcept {
    commit_ = {errc::state_unwritable, times, later};
  }
  /// The next `commit` breaks off halfway on a medium that cannot bear it: it fails, and from then on
  /// every `begin` gives `state_damaged`.
  void tear_commit() noexcept { tears_ = true; }
  /// The next `enter` fails.
  void fail_enter() noexcept { enter_fails_ = true; }
  /// Fails no more.
  void heal() noexcept {
    begin_ = commit_ = {};
    tears_ = damaged_ = enter_fails_ = false;
  }

  /// What the end of a process does, however it comes: its transaction is over, its marks are gone.
  void end_process() noexcept {
    if (std::exchange(open_, false)) store_.cancel();
    for (const auto& [group, slot] : marks_) store_.leave(group, slot);
    marks_.clear();
  }

  [[nodiscard]] std::size_t begins() const noexcept { return begins_; }
  /// Images stored.
  [[nodiscard]] std::size_t commits() const noexcept { return commits_; }
  /// Attempts marked and not yet taken back.
  [[nodiscard]] std::size_t marks() const noexcept { return marks_.size(); }

  /// @see state_store
  [[nodiscard]] rollback_resistance resistance() const noexcept { return store_.resistance(); }
  [[nodiscard]] store_id id() const noexcept { return store_.id(); }
  [[nodiscard]] result<std::size_t> begin(std::span<std::uint8_t> into) noexcept {
    ++begins_;
    if (damaged_) return errc::state_damaged;
    if (begin_.strikes()) return begin_.why;
    const result<std::size_t> size = store_.begin(into);
    open_ = open_ || size;
    return size;
  }
  result<void> commit(bytes_view image) noexcept {
    if (open_ && (tears_ || commit_.strikes())) {
      store_.cancel();
      open_ = false;
      damaged_ = damaged_ || std::exchange(tears_, false);
      return error{errc::state_unwritable, 0, 28};
    }
    open_ = false;
    const result<void> done = store_.commit(image);
    if (done) ++commits_;
    return done;
  }
  void cancel() noexcept {
    open_ = false;
    store_.cancel();
  }
  [[nodiscard]] result<std::uint16_t> enter(std::uint16_t group, std::uint8_t limit) noexcept {
    if (std::exchange(enter_fails_, false)) return errc::state_unwritable;
    const result<std::uint16_t> slot = store_.enter(group, limit);
    if (slot) marks_.emplace_back(group, *slot);
    return slot;
  }
  [[nodiscard]] std::uint8_t in_flight(std::uint16_t group, std::uint8_t limit) noexcept {
    return store_.in_flight(group, limit);
  }
  void leave(std::uint16_t group, std::uint16_t slot) noexcept {
    for (std::size_t i = 0; i < marks_.size(); ++i) {
      if (marks_[i] != std::pair{group, slot}) continue;
      marks_.erase(marks_.begin() + static_cast<std::ptrdiff_t>(i));
      store_.leave(group, slot);
      return;
    }
  }

 private:
  struct plan {
    errc why = errc::ok;
    unsigned times = 0;
    unsigned later = 0;

    bool strikes() noexcept {
      if (times == 0) return false;
      if (later != 0) return --later, false;
      if (times != always) --times;
      return true;
    }
  };

  Store& store_;
  plan begin_{};
  plan commit_{};
  std::vector<std::pair<std::uint16_t, std::uint16_t>> marks_{};
  std::size_t begins_ = 0;
  std::size_t commits_ = 0;
  bool open_ = false;
  bool tears_ = false;
  bool damaged_ = false;
  bool enter_fails_ = false;
};

}  // namespace testing
}  // namespace v0
}  // namespace cotter
