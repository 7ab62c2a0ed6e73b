// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace cotter {
inline namespace v0 {
namespace posix {

/// What the store asks of the system, as the system answers: -1 and `errno` for a failure. A slot,
/// so that a test can let any single call fail, or be the last one of the process.
struct system_calls {
  static int open_directory(const char* path) noexcept {
    return ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  /// Never waits, as it would for a pipe's other end, and never follows a link.
  static int open(int directory, const char* name, int flags) noexcept {
    return ::openat(directory, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  }
  /// Makes a file that was not there, for its owner alone.
  static int create(int directory, const char* name) noexcept {
    return ::openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  }
  static int close(int file) noexcept { return ::close(file); }
  static int stat(int file, struct stat& about) noexcept { return ::fstat(file, &about); }
  static int stat_at(int directory, const char* name, struct stat& about) noexcept {
    return ::fstatat(directory, name, &about, AT_SYMLINK_NOFOLLOW);
  }
  static ssize_t read(int file, void* into, std::size_t size_bytes, off_t at) noexcept {
    return ::pread(file, into, size_bytes, at);
  }
  static ssize_t write(int file, const void* from, std::size_t size_bytes, off_t at) noexcept {
    return ::pwrite(file, from, size_bytes, at);
  }
  /// Gives the file its blocks now, so that no later write of them finds the disk full.
  static int allocate(int file, off_t size_bytes) noexcept {
    const int failed = ::posix_fallocate(file, 0, size_bytes);
    errno = failed;
    return failed == 0 ? 0 : -1;
  }
  static int sync_data(int file) noexcept { return ::fdatasync(file); }
  static int sync(int file) noexcept { return ::fsync(file); }
  static int unlink(int directory, const char* name) noexcept {
    return ::unlinkat(directory, name, 0);
  }
  static int rename(int directory, const char* from, const char* to) noexcept {
    return ::renameat(directory, from, directory, to);
  }
  /// Both names at once, or neither; `EINVAL` where the file system cannot.
  static int exchange(int directory, const char* one, const char* other) noexcept {
#ifdef RENAME_EXCHANGE
    return ::renameat2(directory, one, directory, other, RENAME_EXCHANGE);
#else
    static_cast<void>(directory), static_cast<void>(one), static_cast<void>(other);
    errno = EINVAL;
    return -1;
#endif
  }
  /// Locks or unlocks one octet for this description of the file (POSIX.1-2024 F_OFD_SETLK).
  static int lock(int file, short how, off_t at) noexcept {
    struct flock one = octet(how, at);
    return ::fcntl(file, F_OFD_SETLK, &one);
  }
  /// 1 if another description holds any of the octets, 0 if none does.
  static int locked(int file, off_t at, off_t size_bytes = 1) noexcept {
    struct flock one = octet(F_WRLCK, at);
    one.l_len = size_bytes;
    if (::fcntl(file, F_OFD_GETLK, &one) != 0) return -1;
    return one.l_type == F_UNLCK ? 0 : 1;
  }
  static uid_t user() noexcept { return ::geteuid(); }
  static pid_t process() noexcept { return ::getpid(); }
  static long long milliseconds() noexcept {
    struct timespec now {};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<long long>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
  }
  static void pause() noexcept {
    const struct timespec a_moment { 0, 500'000 };
    ::nanosleep(&a_moment, nullptr);
  }

 private:
  static struct flock octet(short how, off_t at) noexcept {
    struct flock one {};
    one.l_type = how;
    one.l_whence = SEEK_SET;
    one.l_start = at;
    one.l_len = 1;
    return one;
  }
};

}  // namespace posix
}  // namespace v0
}  // namespace cotter
