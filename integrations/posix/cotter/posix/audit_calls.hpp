// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/posix/system_calls.hpp>
#include <cotter/values/result.hpp>

#include <sys/random.h>
#include <sys/syscall.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace cotter {
inline namespace v0 {
namespace posix {

/// What the spool asks of the system beyond what a store does. The same slot for tests.
struct audit_calls : system_calls {
  /// Never through a symbolic link.
  static int open_spool(const char* path) noexcept {
    return ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  }
  static int make_directory(const char* path) noexcept { return ::mkdir(path, 0700); }
  static int truncate(int file, off_t size_bytes) noexcept { return ::ftruncate(file, size_bytes); }
  static ssize_t random(void* into, std::size_t size_bytes) noexcept {
    return ::getrandom(into, size_bytes, 0);
  }
  /// Entries of a directory as the kernel lays them out (getdents64(2)): no heap.
  static ssize_t list(int directory, void* into, std::size_t size_bytes) noexcept {
    return static_cast<ssize_t>(::syscall(SYS_getdents64, directory, into, size_bytes));
  }
  /// Civil time, for what is counted in minutes.
  static long long seconds() noexcept {
    struct timespec now {};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<long long>(now.tv_sec);
  }
};

/// Calls `each(name)` for every name in the directory, in no order; a name is borrowed until the
/// call returns, and ended by a zero. No heap.
/// @errors `state_unreadable`
template <typename Calls, typename Each>
[[nodiscard]] result<void> for_each_name(int directory, Each&& each) noexcept {
  // A description of its own: a fork shares the place in the list.
  const int listed = Calls::open(directory, ".", O_RDONLY | O_DIRECTORY);
  if (listed < 0) return error{errc::state_unreadable, 0, errno};
  constexpr std::size_t at_size = 16;
  constexpr std::size_t at_name = 19;
  alignas(8) std::array<char, 4096> entries;
  result<void> done;
  for (;;) {
    const ssize_t got = Calls::list(listed, entries.data(), entries.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) done = error{errc::state_unreadable, 0, errno};
    if (got <= 0) break;
    const auto end = static_cast<std::size_t>(got);
    for (std::size_t at = 0; at + at_name < end;) {
      std::uint16_t size = 0;
      std::memcpy(&size, entries.data() + at + at_size, sizeof size);
      if (size <= at_name || size > end - at) break;
      each(static_cast<const char*>(entries.data() + at + at_name));
      at += size;
    }
  }
  Calls::close(listed);
  return done;
}

}  // namespace posix
}  // namespace v0
}  // namespace cotter
