// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/error.hpp>
#include <cotter/values/result.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace tpm2 {

/// The most octets that a TPM object's two halves take in their file.
inline constexpr std::size_t max_blob_bytes = 2048;

namespace detail {

[[nodiscard]] inline error failed(errc what, int number) noexcept { return {what, 0, number}; }

/// A file descriptor, closed when it goes, and with it the lock that it holds.
class descriptor {
 public:
  descriptor() noexcept = default;
  explicit descriptor(int number) noexcept : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  [[nodiscard]] int get() const noexcept { return number_; }
  [[nodiscard]] explicit operator bool() const noexcept { return number_ >= 0; }

 private:
  int number_ = -1;
};

/// Opens a file that belongs to this user alone.
/// @errors `state_absent`, `state_foreign` (another's, no plain file, or open to others),
///   `state_unwritable` (`native` is errno)
[[nodiscard]] inline result<descriptor> open_own(const char* path) noexcept {
  // O_NONBLOCK: a FIFO in its place must not hold us up.
  descriptor file(::open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) {
    const int why = errno;
    if (why == ENOENT || why == ENOTDIR) return failed(errc::state_absent, why);
    return failed(why == ELOOP ? errc::state_foreign : errc::state_unwritable, why);
  }
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return failed(errc::state_unwritable, errno);
  if (!S_ISREG(about.st_mode) || about.st_uid != ::geteuid() || (about.st_mode & 077U) != 0) {
    return errc::state_foreign;
  }
  return file;
}

/// Waits for the lock on an open file, at most `patience`.
/// @errors `state_busy`, `state_unwritable`
[[nodiscard]] inline result<void> lock(const descriptor& file,
                                       std::chrono::milliseconds patience) noexcept {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return failed(errc::state_unwritable, errno);
    if (std::chrono::steady_clock::now() >= until) return failed(errc::state_busy, EWOULDBLOCK);
    const timespec pause{0, 2'000'000};
    ::nanosleep(&pause, nullptr);
  }
  return {};
}

/// Reads the whole file. @errors `state_damaged` (larger than `into`), `state_unwritable`
[[nodiscard]] inline result<std::size_t> read_all(const descriptor& file,
                                                  std::span<std::uint8_t> into) noexcept {
  std::size_t size = 0;
  while (true) {
    std::uint8_t beyond = 0;
    const bool full = size == into.size();
    const ssize_t got = full ? ::pread(file.get(), &beyond, 1, static_cast<off_t>(size))
                             : ::pread(file.get(), into.data() + size, into.size() - size,
                                       static_cast<off_t>(size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(errc::state_unwritable, errno);
    if (got == 0) return size;
    if (full) return errc::state_damaged;
    size += static_cast<std::size_t>(got);
  }
}

/// Makes the directory entry of `path` durable.
[[nodiscard]] inline result<void> sync_directory_of(const char* path) noexcept {
  std::array<char, 4096> directory{};
  std::size_t end = 0;
  std::size_t length = 0;
  for (; path[length] != '\0'; ++length) {
    if (path[length] == '/') end = length == 0 ? 1 : length;
  }
  if (end >= directory.size()) return failed(errc::state_unwritable, ENAMETOOLONG);
  for (std::size_t i = 0; i < end; ++i) directory[i] = path[i];
  if (end == 0) directory[0] = '.';
  const descriptor open_one(::open(directory.data(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open_one || ::fsync(open_one.get()) != 0) return failed(errc::state_unwritable, errno);
  return {};
}

/// Makes a file that was not there, whole and durable, 0600. What is there stays as it is.
/// @errors `state_exists`, `state_unwritable` (`native` is errno)
[[nodiscard]] inline result<void> write_new(const char* path,
                                            std::span<const std::uint8_t> octets) noexcept {
  std::array<char, 4096> beside{};
  const int length = std::snprintf(beside.data(), beside.size(), "%s.%ld.new", path,
                                   static_cast<long>(::getpid()));
  if (length < 0 || static_cast<std::size_t>(length) >= beside.size()) {
    return failed(errc::state_unwritable, ENAMETOOLONG);
  }
  descriptor file(::open(beside.data(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return failed(errc::state_unwritable, errno);
  int why = 0;
  for (std::size_t done = 0; why == 0 && done < octets.size();) {
    const ssize_t put = ::write(file.get(), octets.data() + done, octets.size() - done);
    if (put >= 0) {
      done += static_cast<std::size_t>(put);
    } else if (errno != EINTR) {
      why = errno;
    }
  }
  if (why == 0 && ::fsync(file.get()) != 0) why = errno;
  // A link, unlike a rename, replaces nothing.
  if (why == 0 && ::link(beside.data(), path) != 0) why = errno;
  ::unlink(beside.data());
  if (why != 0) return failed(why == EEXIST ? errc::state_exists : errc::state_unwritable, why);
  auto synced = sync_directory_of(path);
  if (!synced) ::unlink(path);
  return synced;
}

}  // namespace detail
}  // namespace tpm2
}  // namespace v0
}  // namespace cotter
