// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sender.hpp>
#include <cotter/policies/audit/event_text.hpp>
#include <cotter/posix/system_calls.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/result.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace posix {

/// When a `line_file_sender` begins a new file.
struct line_file_options {
  /// A file is not grown beyond this; 0: never rotated here, but by logrotate or nobody.
  std::uint64_t rotate_at_bytes = std::uint64_t{16} << 20;
  /// How many older files stay, as `name.1` (the youngest) to `name.N`; at least 1.
  unsigned kept = 4;
};

/// Appends events to a file, one per line. An event is settled when its line is on the disk.
///
/// The file is made for its owner alone (0600), is never reached through a link, and is refused if it
/// is no plain file of this user, or one that others may write. Several processes may append to one
/// file: each has it alone while it delivers. If it was moved away, the next delivery makes a new one.
/// A line that a crash left unfinished is closed by a newline before anything follows it.
///
/// `render` must append neither newline nor NUL. `Calls`: see `system_calls`.
template <event_renderer Render, typename Calls = system_calls>
class line_file_sender {
 public:
  explicit line_file_sender(std::string_view path, Render render = {},
                            line_file_options options = {})
      : render_(std::move(render)), options_(options) {
    options_.kept = std::max(options_.kept, 1u);
    const std::size_t slash = path.rfind('/');
    directory_ = slash == std::string_view::npos ? "." : std::string(path.substr(0, slash + 1));
    name_ = std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
  }
  ~line_file_sender() { close(); }
  line_file_sender(const line_file_sender&) = delete;
  line_file_sender& operator=(const line_file_sender&) = delete;

  /// @see audit_sender
  /// `why`: `state_unwritable` (`native` is errno; also of a rotation that failed), `state_foreign`
  /// (the file is somebody else's, a link, or no file), `state_busy` (another process delivered until
  /// `deadline`), `timeout`
  [[nodiscard]] delivery deliver(std::span<const audit_event> events,
                                 std::chrono::steady_clock::time_point deadline) {
    delivery out;
    std::string lines;
    while (out.settled < events.size()) {
      if (out.settled != 0 && std::chrono::steady_clock::now() >= deadline) {
        out.why = error{errc::timeout};
        return out;
      }
      lines.clear();
      const std::size_t taken = render_some(events.subspan(out.settled), lines);
      if (!lines.empty()) {
        if (const result<void> done = append(lines, deadline); !done) {
          out.why = done.error();
          return out;
        }
      }
      out.settled += taken;
    }
    return out;
  }

 private:
  static constexpr std::size_t batch_bytes = std::size_t{64} << 10;

  /// Renders as many as one write takes, at least one; returns how many.
  std::size_t render_some(std::span<const audit_event> events, std::string& lines) {
    const std::size_t most = options_.rotate_at_bytes == 0
                                 ? batch_bytes
                                 : static_cast<std::size_t>(std::min<std::uint64_t>(
                                       batch_bytes, options_.rotate_at_bytes));
    std::size_t taken = 0;
    while (taken < events.size()) {
      const std::size_t before = lines.size();
      render_(events[taken], lines);
      if (lines.size() != before) lines += '\n';
      if (before != 0 && lines.size() > most) {
        lines.resize(before);
        break;
      }
      ++taken;
    }
    return taken;
  }

  static error failed() noexcept { return {errc::state_unwritable, 0, errno}; }

  result<void> append(std::string_view lines, std::chrono::steady_clock::time_point deadline) {
    for (;;) {
      if (const result<void> opened = open(deadline); !opened) return opened.error();
      struct stat about {};
      if (Calls::stat(file_, about) != 0) return close_with(failed());
      const auto size = static_cast<std::uint64_t>(about.st_size);
      const bool full = options_.rotate_at_bytes != 0 && size != 0 &&
                        size + lines.size() > options_.rotate_at_bytes;
      const result<void> done = full ? rotate() : append_at(about.st_size, lines);
      Calls::lock(file_, F_UNLCK, 0);
      if (!done || !full) return done;
    }
  }

  /// Under the lock. What could not be written whole is taken back.
  result<void> append_at(off_t end, std::string_view lines) noexcept {
    const auto written = [&]() -> result<void> {
      off_t at = end;
      char last = '\n';
      if (at > 0 && Calls::read(file_, &last, 1, at - 1) != 1) return failed();
      if (last != '\n') {
        if (Calls::write(file_, "\n", 1, at) != 1) return failed();
        ++at;
      }
      while (!lines.empty()) {
        const ssize_t wrote = Calls::write(file_, lines.data(), lines.size(), at);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return failed();
        lines.remove_prefix(static_cast<std::size_t>(wrote));
        at += wrote;
      }
      return Calls::sync(file_) == 0 ? result<void>() : failed();
    }();
    if (!written) [[maybe_unused]]
      const int taken_back = ::ftruncate(file_, end);
    return written;
  }

  /// Leaves the file open, this user's, the one of that name, and locked.
  result<void> open(std::chrono::steady_clock::time_point deadline) noexcept {
    for (;;) {
      if (directory_file_ < 0) {
        directory_file_ = Calls::open_directory(directory_.c_str());
        if (directory_file_ < 0) return failed();
      }
      if (file_ < 0) {
        if (const result<void> opened = open_file(); !opened) return opened.error();
      }
      while (Calls::lock(file_, F_WRLCK, 0) != 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EACCES) return close_with(failed());
        if (std::chrono::steady_clock::now() >= deadline) return error{errc::state_busy, 0, errno};
        Calls::pause();
      }
      if (is_the_one_of_that_name()) return {};
      close();
      if (std::chrono::steady_clock::now() >= deadline) return errc::state_busy;
    }
  }

  result<void> open_file() {
    bool made = false;
    for (int again = 0;; ++again) {
      file_ = Calls::open(directory_file_, name_.c_str(), O_RDWR | O_APPEND);
      if (file_ >= 0) break;
      if (errno == ELOOP || errno == EISDIR || errno == ENXIO) {
        return error{errc::state_foreign, 0, errno};
      }
      if (errno != ENOENT || again == 4) return failed();
      const int fresh = Calls::create(directory_file_, name_.c_str());
      if (fresh < 0 && errno != EEXIST) return failed();
      if (fresh < 0) continue;
      Calls::close(fresh);
      made = true;
    }
    struct stat about {};
    if (Calls::stat(file_, about) != 0) return close_with(failed());
    if (!S_ISREG(about.st_mode) || about.st_uid != Calls::user() ||
        (about.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
      return close_with(error{errc::state_foreign});
    }
    if (made && Calls::sync(directory_file_) != 0) return close_with(failed());
    return {};
  }

  bool is_the_one_of_that_name() {
    struct stat named {};
    struct stat opened {};
    return Calls::stat_at(directory_file_, name_.c_str(), named) == 0 &&
           Calls::stat(file_, opened) == 0 && named.st_dev == opened.st_dev &&
           named.st_ino == opened.st_ino;
  }

  /// Under the lock of the file that is moved. A crash between two moves leaves a gap in the numbers
  /// and loses nothing.
  result<void> rotate() {
    const auto numbered = [this](unsigned n) { return name_ + "." + std::to_string(n); };
    for (unsigned n = options_.kept; n > 1; --n) {
      if (Calls::rename(directory_file_, numbered(n - 1).c_str(), numbered(n).c_str()) != 0 &&
          errno != ENOENT) {
        return failed();
      }
    }
    if (Calls::rename(directory_file_, name_.c_str(), numbered(1).c_str()) != 0) return failed();
    // The lock goes with the file that was moved: whoever waits for it, and this one too, finds
    // another file of that name, or none, and opens anew.
    return Calls::sync(directory_file_) == 0 ? result<void>() : failed();
  }

  error close_with(error why) noexcept {
    close();
    return why;
  }
  void close() noexcept {
    if (file_ >= 0) Calls::close(std::exchange(file_, -1));
    if (directory_file_ >= 0) Calls::close(std::exchange(directory_file_, -1));
  }

  Render render_;
  line_file_options options_;
  std::string directory_;
  std::string name_;
  int directory_file_ = -1;
  int file_ = -1;
};

}  // namespace posix
}  // namespace v0
}  // namespace cotter
