// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/key_vault.hpp>
#include <cotter/concepts/sealer.hpp>
#include <cotter/posix/lock_file.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace posix {

/// A path in its two parts, each ended by a zero.
struct split_path {
  explicit split_path(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) {
      directory = ".";
      name = path;
    } else {
      directory = path.substr(0, slash + 1);
      name = path.substr(slash + 1);
    }
  }

  std::string directory;
  std::string name;
};

/// A key in a file that only its user can read. It has no counter: whoever can read the file can put
/// back older state, and the state's own copy of a number is all that notices within a process.
template <typename Calls = system_calls>
class basic_key_file_vault {
 public:
  explicit basic_key_file_vault(std::string_view path) : path_(path) {}

  /// Makes the file, with a key of the backend's generator.
  /// @errors `state_exists`, `state_unwritable`, `state_foreign` and `state_absent` of its directory,
  ///   `unfit_backend`
  template <sealer Backend>
  [[nodiscard]] result<void> create() noexcept {
    std::array<std::uint8_t, file_bytes> octets{};
    std::memcpy(octets.data(), magic.data(), magic.size());
    if (!Backend::random_octets(std::span(octets).subspan(magic.size()))) {
      return errc::unfit_backend;
    }
    const result<int> directory = open_private_directory<Calls>(path_.directory.c_str());
    if (!directory) return directory.error();
    const result<void> done = write_new(*directory, octets);
    Calls::close(*directory);
    wipe(octets);
    return done;
  }

  /// @see key_vault
  [[nodiscard]] rollback_resistance resistance() const noexcept {
    return rollback_resistance::none;
  }
  /// @errors `state_absent`, `state_foreign`, `state_damaged`, `state_unreadable`
  [[nodiscard]] result<void> key(seal_key& out) noexcept {
    const result<int> directory = open_private_directory<Calls>(path_.directory.c_str());
    if (!directory) return directory.error();
    const int file = Calls::open(*directory, path_.name.c_str(), O_RDONLY);
    const int native = errno;
    Calls::close(*directory);
    if (file < 0) return absent_or_foreign(native);
    const result<void> done = read(file, out);
    Calls::close(file);
    return done;
  }
  [[nodiscard]] result<std::uint64_t> counter() noexcept { return std::uint64_t{0}; }
  [[nodiscard]] result<void> advance(std::uint64_t) noexcept { return {}; }

 private:
  static constexpr std::array<std::uint8_t, 8> magic{'C', 'T', 'R', 'K', 'E', 'Y', 0, 1};
  static constexpr std::size_t file_bytes = magic.size() + seal_key::size_bytes;

  result<void> write_new(int directory, bytes_view octets) noexcept {
    const int file = Calls::create(directory, path_.name.c_str());
    if (file < 0)
      return error{errno == EEXIST ? errc::state_exists : errc::state_unwritable, 0, errno};
    const bool good = Calls::write(file, octets.data(), octets.size(), 0) ==
                          static_cast<ssize_t>(octets.size()) &&
                      Calls::sync(file) == 0 && Calls::sync(directory) == 0;
    const int native = errno;
    Calls::close(file);
    if (good) return {};
    Calls::unlink(directory, path_.name.c_str());
    return error{errc::state_unwritable, 0, native};
  }

  static result<void> read(int file, seal_key& out) noexcept {
    struct stat about {};
    if (const result<void> fit = check_private<Calls>(file, about); !fit) return fit;
    std::array<std::uint8_t, file_bytes + 1> octets{};
    const ssize_t size = Calls::read(file, octets.data(), octets.size(), 0);
    if (size < 0) return error{errc::state_unreadable, 0, errno};
    const bool whole = static_cast<std::size_t>(size) == file_bytes &&
                       std::memcmp(octets.data(), magic.data(), magic.size()) == 0;
    if (whole) std::memcpy(out.octets.data(), octets.data() + magic.size(), seal_key::size_bytes);
    wipe(octets);
    return whole ? result<void>() : errc::state_damaged;
  }

  split_path path_;
};

using key_file_vault = basic_key_file_vault<>;

static_assert(key_vault<key_file_vault>);

}  // namespace posix
}  // namespace v0
}  // namespace cotter
