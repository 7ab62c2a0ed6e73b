// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/posix/system_calls.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/store.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace cotter {
inline namespace v0 {
namespace posix {

/// What a failed call that looks for state says of it.
[[nodiscard]] inline error absent_or_foreign(int native) noexcept {
  switch (native) {
    case ENOENT:
    case ENOTDIR: return {errc::state_absent, 0, native};
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENXIO: return {errc::state_foreign, 0, native};
    default: return {errc::state_unreadable, 0, native};
  }
}

/// @errors `state_foreign` for anything but a plain file of one name, of this user, that nobody else
///   can open; `state_unreadable`
template <typename Calls>
[[nodiscard]] result<void> check_private(int file, struct stat& about) noexcept {
  if (Calls::stat(file, about) != 0) return error{errc::state_unreadable, 0, errno};
  const bool mine = S_ISREG(about.st_mode) && about.st_uid == Calls::user() &&
                    (about.st_mode & 077) == 0 && about.st_nlink == 1;
  return mine ? result<void>() : errc::state_foreign;
}

/// Opens a directory in which only this user, or root, can put one file in another's place.
/// @errors `state_absent`, `state_foreign`, `state_unreadable`
template <typename Calls>
[[nodiscard]] result<int> open_private_directory(const char* path) noexcept {
  const int directory = Calls::open_directory(path);
  if (directory < 0) return absent_or_foreign(errno);
  struct stat about {};
  if (Calls::stat(directory, about) != 0) {
    const int native = errno;
    Calls::close(directory);
    return error{errc::state_unreadable, 0, native};
  }
  const bool safe =
      (about.st_uid == Calls::user() || about.st_uid == 0) && (about.st_mode & 022) == 0;
  if (safe) return directory;
  Calls::close(directory);
  return errc::state_foreign;
}

/// A file whose octets are locked and never written: the first by a transaction, one more by each
/// attempt in flight. What a process held is free when it has ended, however it ended.
///
/// The child of a fork shares its parent's locks, and takes none of them for its own: it opens the
/// file anew when it first begins a transaction. Until then, or until it ends, it holds on what its
/// parent held.
template <std::size_t Groups, typename Calls = system_calls>
class lock_file {
 public:
  static constexpr std::uint8_t most_slots = 100;

  lock_file() noexcept = default;
  lock_file(const lock_file&) = delete;
  lock_file& operator=(const lock_file&) = delete;
  ~lock_file() {
    if (file_ >= 0) Calls::close(file_);
  }

  /// Begins a transaction; waits for at most `longest_lock_wait`.
  /// @errors `state_busy`, `state_absent`, `state_foreign` (also: not the file it was before),
  ///   `state_unreadable`
  [[nodiscard]] result<void> hold(int directory, const char* name) noexcept {
    disown();
    if (file_ < 0) {
      file_ = Calls::open(directory, name, O_RDWR);
      if (file_ < 0) return absent_or_foreign(errno);
      process_ = Calls::process();
    }
    struct stat held {};
    if (const result<void> fit = check_private<Calls>(file_, held); !fit) {
      const result<void> there = still_named(directory, name, held);
      return there.error().what == errc::state_absent ? there : fit;
    }
    const long long until = Calls::milliseconds() + longest_lock_wait.count();
    while (Calls::lock(file_, F_WRLCK, 0) != 0) {
      if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
        return error{errc::state_unreadable, 0, errno};
      }
      if (Calls::milliseconds() >= until) return errc::state_busy;
      Calls::pause();
    }
    // Only now: what was waited for may have been another file's place.
    const result<void> there = still_named(directory, name, held);
    if (!there) drop();
    return there;
  }
  /// Whether what `hold` locked is still what others find under the name.
  /// @errors `state_absent`, `state_foreign`, `state_unreadable`
  [[nodiscard]] result<void> still_holds(int directory, const char* name) noexcept {
    struct stat held {};
    if (file_ < 0 || !own()) return errc::state_foreign;
    if (Calls::stat(file_, held) != 0) return error{errc::state_unreadable, 0, errno};
    return still_named(directory, name, held);
  }
  void drop() noexcept {
    if (file_ >= 0 && own()) Calls::lock(file_, F_UNLCK, 0);
  }

  /// @see state_store, T7
  [[nodiscard]] result<std::uint16_t> enter(std::uint16_t group, std::uint8_t limit) noexcept {
    if (group >= Groups || file_ < 0 || !own()) return errc::state_full;
    for (std::uint16_t slot = 0; slot < limit && slot < most_slots; ++slot) {
      if (mine(group, slot) || Calls::lock(file_, F_WRLCK, octet_of(group, slot)) != 0) continue;
      word(group, slot) |= bit(slot);
      return slot;
    }
    return errc::state_full;
  }
  /// Counts what cannot be asked for as in flight, and what others entered under a higher limit.
  [[nodiscard]] std::uint8_t in_flight(std::uint16_t group, std::uint8_t limit) noexcept {
    if (group >= Groups || file_ < 0 || !own()) return limit;
    std::uint16_t most = std::min<std::uint16_t>(limit, most_slots);
    if (most < most_slots && beyond(group, most)) most = most_slots;
    std::uint8_t count = 0;
    for (std::uint16_t slot = 0; slot < most; ++slot) {
      if (mine(group, slot) || Calls::locked(file_, octet_of(group, slot)) != 0) ++count;
    }
    return count;
  }
  void leave(std::uint16_t group, std::uint16_t slot) noexcept {
    if (group >= Groups || slot >= most_slots || !own() || !mine(group, slot)) return;
    word(group, slot) &= ~bit(slot);
    Calls::lock(file_, F_UNLCK, octet_of(group, slot));
  }

 private:
  /// False in the child of a fork, until it has opened the file itself.
  [[nodiscard]] bool own() const noexcept { return process_ == Calls::process(); }
  void disown() noexcept {
    if (file_ < 0 || own()) return;
    // Closed, not unlocked: they are the parent's.
    Calls::close(file_);
    file_ = -1;
    mine_ = {};
  }

  /// True if there may be attempts in slots that `limit` does not reach.
  [[nodiscard]] bool beyond(std::uint16_t group, std::uint16_t limit) noexcept {
    for (std::uint16_t slot = limit; slot < most_slots; ++slot) {
      if (mine(group, slot)) return true;
    }
    return Calls::locked(file_, octet_of(group, limit), most_slots - limit) != 0;
  }

  /// Two processes that locked two files under one name would both have the state.
  static result<void> still_named(int directory, const char* name,
                                  const struct stat& held) noexcept {
    struct stat named {};
    if (Calls::stat_at(directory, name, named) != 0) return absent_or_foreign(errno);
    const bool same = held.st_ino == named.st_ino && held.st_dev == named.st_dev;
    return same ? result<void>() : errc::state_foreign;
  }

  static off_t octet_of(std::uint16_t group, std::uint16_t slot) noexcept {
    return 1 + off_t{group} * 128 + slot;
  }
  static std::uint64_t bit(std::uint16_t slot) noexcept { return std::uint64_t{1} << (slot % 64); }
  std::uint64_t& word(std::uint16_t group, std::uint16_t slot) noexcept {
    return mine_[group][slot / 64];
  }
  [[nodiscard]] bool mine(std::uint16_t group, std::uint16_t slot) noexcept {
    return (word(group, slot) & bit(slot)) != 0;
  }

  int file_ = -1;
  pid_t process_ = -1;  // that opened it
  std::array<std::array<std::uint64_t, 2>, Groups> mine_{};
};

}  // namespace posix
}  // namespace v0
}  // namespace cotter
