// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace cotter::stores {

/// Where a write costs no disk, if there is such a place: what a process leaves behind when it is
/// killed is the same there.
inline const std::filesystem::path in_memory = ::access("/dev/shm", W_OK) == 0
                                                   ? std::filesystem::path("/dev/shm")
                                                   : std::filesystem::temp_directory_path();

/// A directory of one test's own, gone with it.
class private_directory {
 public:
  private_directory() : private_directory(std::filesystem::temp_directory_path()) {}
  explicit private_directory(const std::filesystem::path& parent) {
    std::string made = (parent / "cotter-XXXXXX").string();
    if (::mkdtemp(made.data()) == nullptr) std::abort();
    path_ = made;
  }
  private_directory(const private_directory&) = delete;
  private_directory& operator=(const private_directory&) = delete;
  ~private_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string operator/(const char* name) const { return (path_ / name).string(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::vector<char> octets_in(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Replaces what is in the file, and nothing else about it.
inline void put_octets(const std::string& path, const std::vector<char>& octets) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(octets.data(), static_cast<std::streamsize>(octets.size()));
}

}  // namespace cotter::stores
