// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/posix/audit_calls.hpp>

#include <signal.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

namespace cotter::spool_lab {

/// What is to happen to the system's calls. Counts all that can fail.
struct call_script {
  int fail_at = 0;       ///< the call that fails, from 1; 0: none
  int native = EIO;      ///< with this
  bool torn = false;     ///< a write that fails has written half
  bool kill = false;     ///< instead of failing, the process is no more
  bool forever = false;  ///< so do all calls after it
  std::string only{};    ///< only calls of this name count
  int count = 0;
  std::string name{};    ///< the call that was hit
  bool listens = false;  ///< writes `heard`
  std::vector<std::string> heard{};
  long long milliseconds = 0;  ///< put before the real time
};

inline call_script script;

/// The real calls, of which `script` lets some fail.
struct scripted_audit_calls : posix::audit_calls {
  using real = posix::audit_calls;

  static int open_spool(const char* path) noexcept {
    return hit("open spool") ? -1 : real::open_spool(path);
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
    if (due("write") && script.torn && size_bytes > 1) {
      const ssize_t half = real::write(file, from, size_bytes / 2, at);
      // What remains of it fails; the process is killed at once.
      if (!script.kill) {
        script.torn = false;
        return half;
      }
    }
    return hit("write") ? -1 : real::write(file, from, size_bytes, at);
  }
  static int truncate(int file, off_t size_bytes) noexcept {
    return hit("truncate") ? -1 : real::truncate(file, size_bytes);
  }
  static int sync_data(int file) noexcept { return hit("sync data") ? -1 : real::sync_data(file); }
  static int sync(int file) noexcept { return hit("sync") ? -1 : real::sync(file); }
  static int rename(int directory, const char* from, const char* to) noexcept {
    return hit("rename") ? -1 : real::rename(directory, from, to);
  }
  static int unlink(int directory, const char* name) noexcept {
    return hit("unlink") ? -1 : real::unlink(directory, name);
  }
  static int lock(int file, short how, off_t at) noexcept {
    return how != F_UNLCK && hit("lock") ? -1 : real::lock(file, how, at);
  }
  static int locked(int file, off_t at, off_t size_bytes = 1) noexcept {
    return hit("locked") ? -1 : real::locked(file, at, size_bytes);
  }
  static ssize_t random(void* into, std::size_t size_bytes) noexcept {
    return hit("random") ? -1 : real::random(into, size_bytes);
  }
  static ssize_t list(int directory, void* into, std::size_t size_bytes) noexcept {
    return hit("list") ? -1 : real::list(directory, into, size_bytes);
  }
  static long long milliseconds() noexcept { return real::milliseconds() + script.milliseconds; }

 private:
  static bool due(std::string_view name) noexcept {
    if (!script.only.empty() && script.only != name) return false;
    const int next = script.count + 1;
    return script.fail_at != 0 &&
           (next == script.fail_at || (script.forever && next > script.fail_at));
  }
  static bool hit(const char* name) noexcept {
    if (script.listens) script.heard.emplace_back(name);
    const bool strikes = due(name);
    if (script.only.empty() || script.only == name) ++script.count;
    if (!strikes) return false;
    if (script.kill) ::kill(::getpid(), SIGKILL);
    script.name = name;
    errno = script.native;
    return true;
  }
};

}  // namespace cotter::spool_lab
