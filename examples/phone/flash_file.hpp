// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/policies/store/flash_store.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

/// Two erase blocks in a file: what a device with an MTD partition does by MEMERASE and pwrite.
///
/// A commit erases and programs one of them, by turns, so that wear is even and a torn write costs
/// nothing but itself.
class flash_file {
 public:
  static constexpr std::size_t block_bytes = 4096;

  explicit flash_file(const char* path) noexcept : file_(::open(path, O_RDWR | O_CLOEXEC)) {}
  flash_file(const flash_file&) = delete;
  flash_file& operator=(const flash_file&) = delete;
  ~flash_file() {
    if (file_ >= 0) ::close(file_);
  }

  /// Two erased blocks in a file that does not exist yet; false if it cannot be made.
  [[nodiscard]] static bool make(const char* path) noexcept {
    const int file = ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return false;
    std::array<std::uint8_t, block_bytes> erased;
    erased.fill(0xff);
    bool made = true;
    for (int block = 0; block < 2; ++block) {
      made = made && ::write(file, erased.data(), block_bytes) == ssize_t{block_bytes};
    }
    made = made && ::fsync(file) == 0;
    ::close(file);
    return made;
  }

  /// @see cotter::flash_slots
  [[nodiscard]] bool read(unsigned slot, std::size_t offset_bytes,
                          std::span<std::uint8_t> into) noexcept {
    return into.size() <= block_bytes && offset_bytes <= block_bytes - into.size() &&
           ::pread(file_, into.data(), into.size(), at(slot) + static_cast<off_t>(offset_bytes)) ==
               static_cast<ssize_t>(into.size());
  }
  /// @see cotter::flash_slots
  [[nodiscard]] bool write(unsigned slot, cotter::bytes_view octets) noexcept {
    if (octets.size() > block_bytes) return false;
    std::array<std::uint8_t, block_bytes> block;
    block.fill(0xff);
    std::copy(octets.begin(), octets.end(), block.begin());
    return ::pwrite(file_, block.data(), block_bytes, at(slot)) == ssize_t{block_bytes} &&
           ::fdatasync(file_) == 0;
  }

 private:
  static off_t at(unsigned slot) noexcept {
    return static_cast<off_t>(slot) * static_cast<off_t>(block_bytes);
  }

  int file_;
};
static_assert(cotter::flash_slots<flash_file>);
