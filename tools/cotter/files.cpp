// SPDX-License-Identifier: BSL-1.0
#include "files.hpp"

#include "output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace cotter::command {

namespace {

problem unwritable(const std::string& path) {
  return {"unwritable", path + ": " + std::strerror(errno), "a file that can be written",
          "check path, permissions and space; the file is as it was"};
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(file, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

std::optional<problem> write_to(const std::string& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return unwritable(path);
  const bool good = write_all(file, text);
  if (good && ::close(file) == 0) return {};
  problem p = unwritable(path);
  if (!good) ::close(file);
  return p;
}

void sync_directory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int handle = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return;
  ::fsync(handle);
  ::close(handle);
}

}  // namespace

std::optional<problem> read_file(const std::string& path, std::string& out) {
  const bool is_stdin = path == "-";
  const int file = is_stdin ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  const auto unreadable = [] { return describe(errc::unreadable, std::strerror(errno)); };
  if (file < 0) return unreadable();
  std::optional<problem> found;
  char piece[65536];
  for (;;) {
    const ssize_t size = ::read(file, piece, sizeof piece);
    if (size == 0) break;
    if (size < 0) {
      if (errno == EINTR) continue;
      found = unreadable();
      break;
    }
    out.append(piece, static_cast<std::size_t>(size));
    if (out.size() > max_file_bytes) {
      found = describe(errc::too_large);
      found->offset_bytes = static_cast<std::uint32_t>(max_file_bytes);
      break;
    }
  }
  if (!is_stdin) ::close(file);
  return found;
}

std::optional<problem> write_file(const std::string& path, std::string_view text,
                                  unsigned permissions) {
  if (path.empty() || path == "-") {
    write_text(text);
    return {};
  }
  // A device or a pipe is written to; a link stays a link. Only a file is replaced.
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode)) return write_to(path, text);
  std::string target = path;
  if (::lstat(path.c_str(), &about) == 0 && S_ISLNK(about.st_mode)) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                           &std::free);
    if (real == nullptr) return unwritable(path);
    target = real.get();
  }
  std::string scratch = target + ".XXXXXX";
  const int file = ::mkostemp(scratch.data(), O_CLOEXEC);
  if (file < 0) return unwritable(path);
  bool good = ::fchmod(file, permissions) == 0 && write_all(file, text) && ::fsync(file) == 0;
  good = ::close(file) == 0 && good;
  good = good && std::rename(scratch.c_str(), target.c_str()) == 0;
  if (good) {
    sync_directory(target);
    return {};
  }
  problem p = unwritable(path);
  ::unlink(scratch.c_str());
  return p;
}

}  // namespace cotter::command
