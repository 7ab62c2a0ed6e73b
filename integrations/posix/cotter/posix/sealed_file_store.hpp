// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/key_vault.hpp>
#include <cotter/concepts/sealer.hpp>
#include <cotter/concepts/state_store.hpp>
#include <cotter/posix/key_file_vault.hpp>
#include <cotter/posix/lock_file.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/store.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace posix {

/// Where sealed state lies, and which state it must be.
struct sealed_file_options {
  /// The state; `.next` and `.lock` are put behind it for the two files beside it. All three are in
  /// a directory that only the program's user, or root, can write.
  std::string_view path{};
  /// What the state is for, 1 to 64 octets: sealed with it, so that no other program's or target's
  /// state passes, though it has the same key.
  std::string_view name{};
  /// The one store that may be there, if it is known from elsewhere: state that somebody deleted and
  /// made anew is then `state_foreign`.
  std::optional<store_id> id{};
};

/// State in a file, sealed with AES-256-GCM under a vault's key (NIST SP 800-38D); processes share
/// it. `Bytes` bounds the image, `Groups` the groups of attempts.
///
/// A commit writes the whole of the second file, has it on the disk, lets the vault count, and then
/// exchanges the two names. Both files were given their blocks by `create`: a full disk stops no
/// refusal. Interrupted anywhere, what was before is there, or what was to be, and `begin` tells which
/// by the vault's counter. Where the file system cannot exchange two names, the second replaces the
/// first, and is made anew by the next commit.
///
/// Associated data is the file's header: version, store id, name and counter. Key and plaintext are
/// wiped after use; the key is kept in memory from the first `begin` to the end of the object.
/// The vault is borrowed. Linux 3.15 or newer.
template <sealer Backend, key_vault Vault, std::size_t Bytes, std::size_t Groups = 16,
          typename Calls = system_calls>
class sealed_file_store {
  static_assert(Bytes > 0 && Bytes <= max_image_bytes);

 public:
  sealed_file_store(const sealed_file_options& where, Vault& vault)
      : path_(where.path),
        next_(path_.name + ".next"),
        lock_name_(path_.name + ".lock"),
        name_(where.name),
        id_(where.id.value_or(store_id{})),
        id_known_(where.id.has_value()),
        vault_(vault) {}
  sealed_file_store(const sealed_file_store&) = delete;
  sealed_file_store& operator=(const sealed_file_store&) = delete;
  ~sealed_file_store() { cancel(); }

  /// Makes the state, for the first time.
  /// @errors `state_exists` (any of the files, or a vault that has vouched for others), `too_large`,
  ///   `state_unwritable`, `unfit_backend`, and the vault's
  [[nodiscard]] result<void> create(bytes_view image) noexcept {
    if (open_) return errc::state_busy;
    if (image.size() > Bytes || !named()) return errc::too_large;
    const result<std::uint64_t> counted = vault_.counter();
    if (!counted) return counted.error();
    if (*counted != 0) return errc::state_exists;
    if (const result<void> got = fetch_key(); !got) return got;
    const result<int> directory = open_private_directory<Calls>(path_.directory.c_str());
    if (!directory) return directory.error();
    const result<void> done = make_files(*directory, image);
    Calls::close(*directory);
    return done;
  }

  /// @see state_store
  [[nodiscard]] rollback_resistance resistance() const noexcept { return vault_.resistance(); }
  /// All zero before the first `begin` that found state.
  [[nodiscard]] store_id id() const noexcept { return id_; }

  /// @see state_store
  /// @errors `state_busy`; `state_absent`; `state_damaged` (cut short, changed, another key);
  ///   `state_foreign` (another name, store, owner or kind of file, or others may write it);
  ///   `state_rolled_back`; `state_unreadable`; `state_full` (larger than `into`); and the vault's
  [[nodiscard]] result<std::size_t> begin(std::span<std::uint8_t> into) noexcept {
    if (open_) return errc::state_busy;
    if (!named()) return errc::too_large;
    const result<int> directory = open_private_directory<Calls>(path_.directory.c_str());
    if (!directory) return directory.error();
    directory_ = *directory;
    result<void> fit = lock_.hold(directory_, lock_name_.c_str());
    open_ = static_cast<bool>(fit);
    if (fit) fit = find();
    if (fit && into.size() < size_) fit = errc::state_full;
    if (fit) std::copy_n(plain_.begin() + 4, size_, into.begin());
    wipe(plain_);
    if (fit) return size_;
    if (open_) {
      cancel();
    } else {
      close_directory();
    }
    return fit.error();
  }

  /// @see state_store
  /// @errors `state_unwritable`, with `errno`; `unfit_backend`
  result<void> commit(bytes_view image) noexcept {
    if (!open_) return errc::state_unwritable;
    const result<void> done = replace(image);
    cancel();
    return done;
  }
  void cancel() noexcept {
    if (!open_) return;
    open_ = false;
    lock_.drop();
    close_directory();
  }

  [[nodiscard]] result<std::uint16_t> enter(std::uint16_t group, std::uint8_t limit) noexcept {
    return lock_.enter(group, limit);
  }
  [[nodiscard]] std::uint8_t in_flight(std::uint16_t group, std::uint8_t limit) noexcept {
    return lock_.in_flight(group, limit);
  }
  void leave(std::uint16_t group, std::uint16_t slot) noexcept { lock_.leave(group, slot); }

 private:
  static constexpr std::array<std::uint8_t, 8> magic{'C', 'T', 'R', 'S', 'T', 'O', 'R', 'E'};
  static constexpr std::uint64_t version = 1;
  static constexpr std::size_t name_bytes = 64;
  static constexpr std::size_t header_bytes = 8 + 2 + 2 + 4 + sizeof(store_id) + 8 + name_bytes;
  static constexpr std::size_t plain_bytes = 4 + Bytes;
  static constexpr std::size_t file_bytes = header_bytes + sealed_size(plain_bytes);

  static constexpr std::size_t at_version = 8;
  static constexpr std::size_t at_name_size = 10;
  static constexpr std::size_t at_capacity = 12;
  static constexpr std::size_t at_id = 16;
  static constexpr std::size_t at_counter = at_id + sizeof(store_id);
  static constexpr std::size_t at_name = at_counter + 8;

  static void put(std::span<std::uint8_t> out, std::uint64_t value) noexcept {
    for (std::uint8_t& octet : out) {
      octet = static_cast<std::uint8_t>(value);
      value >>= 8;
    }
  }
  static std::uint64_t get(bytes_view in) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = in.size(); i-- > 0;) value = value << 8 | in[i];
    return value;
  }

  [[nodiscard]] bool named() const noexcept {
    return !name_.empty() && name_.size() <= name_bytes && !path_.name.empty();
  }
  [[nodiscard]] bool vouched() const noexcept {
    return vault_.resistance() != rollback_resistance::none;
  }
  void close_directory() noexcept {
    if (directory_ >= 0) Calls::close(directory_);
    directory_ = -1;
  }

  result<void> fetch_key() noexcept {
    if (have_key_) return {};
    const result<void> got = vault_.key(key_);
    have_key_ = static_cast<bool>(got);
    return got;
  }

  /// The newest state, into `plain_`.
  result<void> find() noexcept {
    std::uint64_t counted = 0;
    if (vouched()) {
      const result<std::uint64_t> asked = vault_.counter();
      if (!asked) return asked.error();
      counted = *asked;
    }
    if (const result<void> got = fetch_key(); !got) return got;
    result<void> read = load(path_.name.c_str());
    if (vouched() && !(read && get(counter_field()) == counted)) {
      if (read) read = errc::state_rolled_back;
      // A commit that was interrupted after the vault had counted it.
      const result<void> other = load(next_.c_str());
      if (!other || get(counter_field()) != counted) return read;
      if (const result<void> moved = exchange(); !moved) return moved;
      if (Calls::sync(directory_) != 0) return error{errc::state_unwritable, 0, errno};
    } else if (!read) {
      return read;
    }
    const std::uint64_t counter = get(counter_field());
    if (counter < highest_) return errc::state_rolled_back;
    highest_ = counter;
    std::memcpy(id_.octets, file_.data() + at_id, sizeof id_.octets);
    id_known_ = true;
    return {};
  }

  [[nodiscard]] bytes_view counter_field() const noexcept {
    return bytes_view(file_).subspan(at_counter, 8);
  }

  /// Reads and opens one file: header into `file_`, what was sealed into `plain_`.
  result<void> load(const char* name) noexcept {
    const int file = Calls::open(directory_, name, O_RDONLY);
    if (file < 0) return absent_or_foreign(errno);
    const result<void> read = read_all(file);
    Calls::close(file);
    if (!read) return read;
    const auto at = [this](std::size_t offset, std::size_t size) {
      return bytes_view(file_).subspan(offset, size);
    };
    if (std::memcmp(file_.data(), magic.data(), magic.size()) != 0 ||
        get(at(at_version, 2)) != version || get(at(at_capacity, 4)) != Bytes) {
      return errc::state_damaged;
    }
    if (get(at(at_name_size, 2)) != name_.size() ||
        std::memcmp(file_.data() + at_name, name_.data(), name_.size()) != 0 ||
        (id_known_ && std::memcmp(file_.data() + at_id, id_.octets, sizeof id_.octets) != 0)) {
      return errc::state_foreign;
    }
    const result<void> opened = Backend::open(key_, at(header_bytes, sealed_size(plain_bytes)),
                                              at(0, header_bytes), plain_);
    if (!opened) {
      const error& why = opened.error();
      return error{why.what == errc::bad_seal ? errc::state_damaged : why.what, 0, why.native};
    }
    size_ = static_cast<std::size_t>(get(bytes_view(plain_).first(4)));
    return size_ <= Bytes ? result<void>() : errc::state_damaged;
  }

  result<void> read_all(int file) noexcept {
    struct stat about {};
    if (const result<void> fit = check_private<Calls>(file, about); !fit) return fit;
    if (about.st_size != static_cast<off_t>(file_bytes)) return errc::state_damaged;
    std::size_t done = 0;
    while (done < file_bytes) {
      const ssize_t size =
          Calls::read(file, file_.data() + done, file_bytes - done, static_cast<off_t>(done));
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return error{errc::state_unreadable, 0, errno};
      if (size == 0) return errc::state_damaged;
      done += static_cast<std::size_t>(size);
    }
    return {};
  }

  /// Header and seal of `image`, into `file_`.
  result<void> compose(bytes_view image, std::uint64_t counter) noexcept {
    const std::span<std::uint8_t> all(file_);
    std::memcpy(all.data(), magic.data(), magic.size());
    put(all.subspan(at_version, 2), version);
    put(all.subspan(at_name_size, 2), name_.size());
    put(all.subspan(at_capacity, 4), Bytes);
    std::memcpy(all.data() + at_id, id_.octets, sizeof id_.octets);
    put(all.subspan(at_counter, 8), counter);
    std::memset(all.data() + at_name, 0, name_bytes);
    std::memcpy(all.data() + at_name, name_.data(), name_.size());
    wipe(plain_);
    put(std::span(plain_).first(4), image.size());
    std::copy(image.begin(), image.end(), plain_.begin() + 4);
    const result<void> sealed = Backend::seal(key_, plain_, bytes_view(file_).first(header_bytes),
                                              all.subspan(header_bytes));
    wipe(plain_);
    return sealed;
  }

  result<void> replace(bytes_view image) noexcept {
    if (image.size() > Bytes) return errc::state_unwritable;
    // Whoever locked another file under the name may have committed meanwhile.
    if (const auto held = lock_.still_holds(directory_, lock_name_.c_str()); !held) {
      return error{errc::state_unwritable, 0, held.error().native};
    }
    const std::uint64_t counter = highest_ + 1;
    if (const result<void> sealed = compose(image, counter); !sealed) return sealed;
    if (const result<void> written = write_next(); !written) return written;
    if (const result<void> counted = count_to(counter); !counted) return counted;
    result<void> moved = exchange();
    if (moved && Calls::sync(directory_) != 0) moved = error{errc::state_unwritable, 0, errno};
    // A vault that has counted makes the next `begin` finish what was left.
    if (!moved && !vouched()) return moved;
    highest_ = counter;
    return {};
  }

  /// An answer that did not come is not a no: then the vault is asked what it has counted.
  result<void> count_to(std::uint64_t counter) noexcept {
    const result<void> counted = vault_.advance(counter);
    if (counted) return {};
    if (counted.error().what != errc::state_rolled_back) {
      const result<std::uint64_t> now = vault_.counter();
      if (now && *now == counter) return {};
    }
    return error{errc::state_unwritable, 0, counted.error().native};
  }

  result<void> exchange() noexcept {
    if (Calls::exchange(directory_, path_.name.c_str(), next_.c_str()) == 0) return {};
    // ENOENT: the state is gone, and what was to replace it is here.
    const bool cannot = errno == EINVAL || errno == ENOSYS || errno == ENOENT;
    if (cannot && Calls::rename(directory_, next_.c_str(), path_.name.c_str()) == 0) return {};
    return error{errc::state_unwritable, 0, errno};
  }

  result<void> write_next() noexcept {
    int file = Calls::open(directory_, next_.c_str(), O_WRONLY);
    const bool anew = file < 0 && errno == ENOENT;
    if (anew) file = allocate(directory_, next_.c_str());
    if (file < 0) return error{errc::state_unwritable, 0, errno};
    result<void> written = write_all(file);
    Calls::close(file);
    // Its name, too, is on the disk before the vault counts it.
    if (written && anew && Calls::sync(directory_) != 0) {
      written = error{errc::state_unwritable, 0, errno};
    }
    // Whatever is wrong with the second file, it is the new state that cannot be written.
    return written ? written : error{errc::state_unwritable, 0, written.error().native};
  }

  result<void> write_all(int file) noexcept {
    struct stat about {};
    if (const result<void> fit = check_private<Calls>(file, about); !fit) return fit;
    std::size_t done = 0;
    while (done < file_bytes) {
      const ssize_t size =
          Calls::write(file, file_.data() + done, file_bytes - done, static_cast<off_t>(done));
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return error{errc::state_unwritable, 0, size < 0 ? errno : EIO};
      done += static_cast<std::size_t>(size);
    }
    if (Calls::sync_data(file) != 0) return error{errc::state_unwritable, 0, errno};
    return {};
  }

  /// A new file with all its blocks, or -1.
  static int allocate(int directory, const char* name) noexcept {
    const int file = Calls::create(directory, name);
    if (file < 0) return -1;
    if (Calls::allocate(file, static_cast<off_t>(file_bytes)) == 0) return file;
    const int native = errno;
    Calls::close(file);
    Calls::unlink(directory, name);
    errno = native;
    return -1;
  }

  result<void> make_files(int directory, bytes_view image) noexcept {
    store_id fresh{};
    if (!Backend::random_octets(fresh.octets)) return errc::unfit_backend;
    struct stat about {};
    for (const char* name : {path_.name.c_str(), next_.c_str(), lock_name_.c_str()}) {
      if (Calls::stat_at(directory, name, about) == 0) return errc::state_exists;
    }
    const int lock = Calls::create(directory, lock_name_.c_str());
    if (lock < 0) return exists_or_unwritable(errno);
    Calls::close(lock);
    id_ = fresh;
    result<void> done = compose(image, 1);
    if (done) done = make_file(directory, next_.c_str());
    if (done) done = make_file(directory, path_.name.c_str());
    if (done && Calls::sync(directory) != 0) done = error{errc::state_unwritable, 0, errno};
    if (done) done = vault_.advance(1);
    if (done) {
      highest_ = 1;
      id_known_ = true;
      return done;
    }
    for (const char* name : {path_.name.c_str(), next_.c_str(), lock_name_.c_str()}) {
      Calls::unlink(directory, name);
    }
    return done;
  }

  result<void> make_file(int directory, const char* name) noexcept {
    const int file = allocate(directory, name);
    if (file < 0) return exists_or_unwritable(errno);
    const result<void> written = write_all(file);
    Calls::close(file);
    return written;
  }

  static error exists_or_unwritable(int native) noexcept {
    return {native == EEXIST ? errc::state_exists : errc::state_unwritable, 0, native};
  }

  split_path path_;
  std::string next_;
  std::string lock_name_;
  std::string name_;
  store_id id_;
  bool id_known_;
  Vault& vault_;
  lock_file<Groups, Calls> lock_{};
  int directory_ = -1;
  bool open_ = false;
  bool have_key_ = false;
  seal_key key_{};
  std::uint64_t highest_ = 0;
  std::size_t size_ = 0;
  std::array<std::uint8_t, file_bytes> file_{};
  std::array<std::uint8_t, plain_bytes> plain_{};
};

}  // namespace posix
}  // namespace v0
}  // namespace cotter
