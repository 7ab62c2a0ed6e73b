// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/posix/system_calls.hpp>

#include <signal.h>

#include <cerrno>
#include <cstddef>

namespace cotter::stores {

/// What is to happen to the system's calls. Counts those that could fail on a real disk.
struct call_script {
  int fail_at = 0;       ///< the call that fails, from 1; 0: none
  int native = EIO;      ///< with this
  bool torn = false;     ///< a write that fails has written half
  bool kill = false;     ///< instead of failing, the process is no more
  bool forever = false;  ///< so do all calls after it
  int count = 0;
  const char* name = "";  ///< the call that was hit
};

inline call_script script;

/// The real calls, of which `script` lets some fail.
struct scripted_calls : posix::system_calls {
  using real = posix::system_calls;

  static int open_directory(const char* path) noexcept {
    return hit("open directory") ? -1 : real::open_directory(path);
  }
  static int open(int directory, const char* name, int flags) noexcept {
    return hit("open") ? -1 : real::open(directory, name, flags);
  }
  static int create(int directory, const char* name) noexcept {
    return hit("create") ? -1 : real::create(directory, name);
  }
  static int stat(int file, struct stat& about) noexcept {
    return hit("stat") ? -1 : real::stat(file, about);
  }
  static int stat_at(int directory, const char* name, struct stat& about) noexcept {
    return hit("stat of a name") ? -1 : real::stat_at(directory, name, about);
  }
  static ssize_t read(int file, void* into, std::size_t size_bytes, off_t at) noexcept {
    return hit("read") ? -1 : real::read(file, into, size_bytes, at);
  }
  static ssize_t write(int file, const void* from, std::size_t size_bytes, off_t at) noexcept {
    const bool strikes = due() && script.torn;
    if (strikes) static_cast<void>(real::write(file, from, size_bytes / 2, at));
    return hit("write") ? -1 : real::write(file, from, size_bytes, at);
  }
  static int allocate(int file, off_t size_bytes) noexcept {
    return hit("allocate") ? -1 : real::allocate(file, size_bytes);
  }
  static int sync_data(int file) noexcept { return hit("sync data") ? -1 : real::sync_data(file); }
  static int sync(int file) noexcept { return hit("sync") ? -1 : real::sync(file); }
  static int rename(int directory, const char* from, const char* to) noexcept {
    return hit("rename") ? -1 : real::rename(directory, from, to);
  }
  static int exchange(int directory, const char* one, const char* other) noexcept {
    return hit("exchange") ? -1 : real::exchange(directory, one, other);
  }
  static int lock(int file, short how, off_t at) noexcept {
    // What unlocks cannot fail on a file that was locked.
    return how != F_UNLCK && hit("lock") ? -1 : real::lock(file, how, at);
  }

 private:
  static bool due() noexcept {
    const int next = script.count + 1;
    return script.fail_at != 0 &&
           (next == script.fail_at || (script.forever && next > script.fail_at));
  }
  static bool hit(const char* name) noexcept {
    const bool strikes = due();
    ++script.count;
    if (!strikes) return false;
    if (script.kill) ::kill(::getpid(), SIGKILL);
    script.name = name;
    errno = script.native;
    return true;
  }
};

}  // namespace cotter::stores
