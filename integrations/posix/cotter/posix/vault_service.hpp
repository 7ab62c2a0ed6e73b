// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/sealer.hpp>
#include <cotter/posix/lock_file.hpp>
#include <cotter/posix/vault_protocol.hpp>
#include <cotter/values/result.hpp>

#include <dirent.h>
#include <poll.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace posix {

/// Keeps keys and counters for programs of other users: the far end of `service_vault`. One file for
/// each user and name, in a directory that only the service's own user can read. One thread; a client
/// is hung up on after `longest_silence_ms`, and unheard if it is of a user that is not served. Who
/// opens more than `most_clients_per_user` loses the oldest of his own: he keeps out no other user.
///
/// A user whom the service's own user namespace does not know is seen as the overflow user (65534),
/// as is every other such user: that one must not be served.
template <sealer Backend, typename Calls = system_calls>
class vault_service {
 public:
  static constexpr std::size_t most_clients = 64;
  static constexpr std::size_t most_clients_per_user = 8;
  static constexpr std::size_t most_vaults_per_user = 32;
  static constexpr int longest_silence_ms = 1000;

  /// `directory`: the service's own. `users`: those it serves.
  vault_service(std::string_view directory, std::vector<uid_t> users)
      : directory_(directory), users_(std::move(users)) {}
  vault_service(const vault_service&) = delete;
  vault_service& operator=(const vault_service&) = delete;
  ~vault_service() { let_go(); }

  /// Takes the directory for this service alone, for as long as it lives.
  /// @errors `state_absent`, `state_foreign`, `state_unreadable`: what is wrong with the directory;
  ///   `state_busy`: another service has it
  [[nodiscard]] result<void> check() noexcept {
    let_go();
    const result<int> directory = open_private_directory<Calls>(directory_.c_str());
    if (!directory) return directory.error();
    held_ = *directory;
    struct stat about {};
    const bool own = Calls::stat(held_, about) == 0 && about.st_uid == Calls::user() &&
                     (about.st_mode & 077) == 0;
    result<void> fit = own ? result<void>() : errc::state_foreign;
    if (own && ::flock(held_, LOCK_EX | LOCK_NB) != 0) fit = error{errc::state_busy, 0, errno};
    if (!fit) let_go();
    return fit;
  }

  /// What `user` is told.
  [[nodiscard]] vault_reply answer(uid_t user, bytes_view octets) noexcept {
    vault_reply out;
    const auto request = detail::read_request(octets);
    if (!request) {
      out.what = errc::state_damaged;
      return out;
    }
    if (!serves(user)) {
      out.what = errc::state_foreign;
      return out;
    }
    const result<int> directory = open_private_directory<Calls>(directory_.c_str());
    if (!directory) return out;
    file_name name{};
    name_of(user, request->name, name);
    entry kept;
    const result<void> read = load(*directory, name, kept);
    const result<void> done = obey(*directory, user, *request, name, read, kept);
    Calls::close(*directory);
    out.what = done ? errc::ok : done.error().what;
    if (!done) return out;
    out.counter = kept.counter;
    if (request->verb == vault_verb::key) out.key = std::move(kept.key);
    return out;
  }

  /// Serves those who connect to `listener` until `stop`, a descriptor, can be read or is closed.
  /// False if the listener failed, or if another service has the directory.
  bool serve(int listener, int stop) noexcept {
    if (held_ < 0 && !check()) return false;
    std::array<struct pollfd, 2 + most_clients> wait{};
    std::array<long long, most_clients> since{};
    std::array<uid_t, most_clients> whose{};
    std::size_t first = 0;
    for (auto& one : wait) one = {-1, POLLIN, 0};
    wait[0].fd = stop;
    for (;;) {
      std::size_t free = most_clients;
      const long long now = Calls::milliseconds();
      for (std::size_t i = 0; i < most_clients; ++i) {
        int& client = wait[2 + i].fd;
        if (client >= 0 && now - since[i] >= longest_silence_ms) hang_up(client);
        if (client < 0) free = i;
      }
      wait[1].fd = free == most_clients ? -1 : listener;
      if (::poll(wait.data(), wait.size(), longest_silence_ms / 4) < 0 && errno != EINTR) break;
      if (wait[0].revents != 0) break;
      if ((wait[1].revents & (POLLERR | POLLNVAL)) != 0) break;
      // One request of each user at a time: what one asks for delays another by one.
      std::array<bool, most_clients> heard{};
      for (std::size_t k = 0; k < most_clients; ++k) {
        const std::size_t i = (first + k) % most_clients;
        struct pollfd& client = wait[2 + i];
        if (client.fd < 0 || client.revents == 0) continue;
        bool waits = false;
        for (std::size_t j = 0; j < most_clients; ++j) {
          waits = waits || (heard[j] && whose[j] == whose[i]);
        }
        if (waits) continue;
        heard[i] = true;
        // Who is gone has given up: what he asked for must not happen after that.
        const bool gone = (client.revents & (POLLHUP | POLLERR)) != 0;
        client.revents = 0;
        if (gone || !serve_one(client.fd, whose[i])) hang_up(client.fd);
      }
      first = (first + 1) % most_clients;
      if ((wait[1].revents & POLLIN) != 0 && free != most_clients) {
        const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (client >= 0) {
          const auto user = detail::peer_user(client);
          if (!user || !serves(*user)) {
            turn_away(client);
          } else {
            make_room(*user, std::span(wait).template last<most_clients>(), whose, since);
            wait[2 + free] = {client, POLLIN, 0};
            since[free] = Calls::milliseconds();
            whose[free] = *user;
          }
        }
      }
      wait[1].revents = 0;
    }
    for (std::size_t i = 0; i < most_clients; ++i) hang_up(wait[2 + i].fd);
    return wait[0].revents != 0;
  }

 private:
  using file_name = std::array<char, 96>;
  static constexpr std::array<std::uint8_t, 8> magic{'C', 'T', 'R', 'V', 'L', 'T', 0, 1};
  static constexpr std::size_t file_bytes = magic.size() + 8 + seal_key::size_bytes;

  struct entry {
    std::uint64_t counter = 0;
    seal_key key{};
  };

  static void hang_up(int& client) noexcept {
    if (client >= 0) ::close(client);
    client = -1;
  }

  void let_go() noexcept {
    if (held_ >= 0) Calls::close(held_);
    held_ = -1;
  }

  [[nodiscard]] bool serves(uid_t user) const noexcept {
    return std::find(users_.begin(), users_.end(), user) != users_.end();
  }

  static void turn_away(int client) noexcept {
    vault_reply reply;
    reply.what = errc::state_foreign;
    send_reply(client, reply);
    ::close(client);
  }

  /// Hangs up on the user's oldest client if he has as many as he may.
  static void make_room(uid_t user, std::span<struct pollfd, most_clients> clients,
                        const std::array<uid_t, most_clients>& whose,
                        const std::array<long long, most_clients>& since) noexcept {
    std::size_t count = 0;
    std::size_t oldest = most_clients;
    for (std::size_t i = 0; i < most_clients; ++i) {
      if (clients[i].fd < 0 || whose[i] != user) continue;
      ++count;
      if (oldest == most_clients || since[i] < since[oldest]) oldest = i;
    }
    if (count >= most_clients_per_user) hang_up(clients[oldest].fd);
  }

  bool serve_one(int client, uid_t user) noexcept {
    std::array<std::uint8_t, vault_request::size_bytes + 1> in{};
    const ssize_t size = ::recv(client, in.data(), in.size(), MSG_DONTWAIT);
    if (size <= 0) return false;
    return send_reply(client, answer(user, bytes_view(in).first(static_cast<std::size_t>(size))));
  }

  static bool send_reply(int client, const vault_reply& reply) noexcept {
    std::array<std::uint8_t, vault_reply::size_bytes> out;
    detail::write_reply(out, reply);
    const bool sent = ::send(client, out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
                      static_cast<ssize_t>(out.size());
    wipe(out);
    return sent;
  }

  static void name_of(uid_t user, std::string_view name, file_name& out) noexcept {
    std::array<char, 12> digits{};
    std::size_t size = 0;
    do {
      digits[size++] = static_cast<char>('0' + user % 10);
      user /= 10;
    } while (user != 0);
    std::reverse(digits.begin(), digits.begin() + static_cast<std::ptrdiff_t>(size));
    auto to = std::copy_n(digits.begin(), size, out.begin());
    *to++ = '.';
    to = std::copy(name.begin(), name.end(), to);
    *to = '\0';
  }

  result<void> obey(int directory, uid_t user, const vault_request& request, const file_name& name,
                    const result<void>& read, entry& kept) noexcept {
    if (request.verb == vault_verb::create) {
      if (read) return errc::state_exists;
      if (read.error().what != errc::state_absent) return read;
      if (!has_room(directory, user)) return errc::state_unwritable;
      if (!Backend::random_octets(kept.key.octets)) return errc::state_unwritable;
      return store(directory, name, kept);
    }
    if (!read) return read;
    if (request.verb != vault_verb::advance) return {};
    if (request.to != kept.counter + 1) return errc::state_rolled_back;
    ++kept.counter;
    return store(directory, name, kept);
  }

  /// A user that may make any number of vaults could fill the disk of the others.
  bool has_room(int directory, uid_t user) noexcept {
    const int again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* const all = again < 0 ? nullptr : ::fdopendir(again);
    if (all == nullptr) {
      if (again >= 0) ::close(again);
      return false;
    }
    file_name first{};
    name_of(user, {}, first);
    std::size_t count = 0;
    while (const struct dirent* one = ::readdir(all)) {
      if (std::string_view(one->d_name).starts_with(first.data())) ++count;
    }
    ::closedir(all);
    return count < most_vaults_per_user;
  }

  result<void> load(int directory, const file_name& name, entry& out) noexcept {
    const int file = Calls::open(directory, name.data(), O_RDONLY);
    if (file < 0) return absent_or_foreign(errno);
    struct stat about {};
    result<void> fit = check_private<Calls>(file, about);
    std::array<std::uint8_t, file_bytes + 1> octets{};
    if (fit) {
      const ssize_t size = Calls::read(file, octets.data(), octets.size(), 0);
      if (size < 0) {
        fit = error{errc::state_unreadable, 0, errno};
      } else if (static_cast<std::size_t>(size) != file_bytes ||
                 !std::equal(magic.begin(), magic.end(), octets.begin())) {
        fit = errc::state_damaged;
      }
    }
    Calls::close(file);
    if (fit) {
      const std::span<const std::uint8_t, file_bytes + 1> all(octets);
      out.counter = detail::get_number(all.template subspan<magic.size(), 8>());
      std::copy_n(octets.begin() + magic.size() + 8, seal_key::size_bytes, out.key.octets.begin());
    }
    wipe(octets);
    return fit;
  }

  /// The one in force is replaced whole, and only by one that is on the disk.
  result<void> store(int directory, const file_name& name, const entry& from) noexcept {
    constexpr const char* scratch = ".next";
    std::array<std::uint8_t, file_bytes> octets{};
    std::copy(magic.begin(), magic.end(), octets.begin());
    detail::put_number(std::span(octets).template subspan<magic.size(), 8>(), from.counter);
    std::copy(from.key.octets.begin(), from.key.octets.end(), octets.begin() + magic.size() + 8);
    Calls::unlink(directory, scratch);
    const int file = Calls::create(directory, scratch);
    bool good = file >= 0 &&
                Calls::write(file, octets.data(), octets.size(), 0) ==
                    static_cast<ssize_t>(octets.size()) &&
                Calls::sync(file) == 0;
    wipe(octets);
    int native = errno;
    if (file >= 0) Calls::close(file);
    if (good) {
      good = Calls::rename(directory, scratch, name.data()) == 0 && Calls::sync(directory) == 0;
      native = errno;
    }
    return good ? result<void>() : error{errc::state_unwritable, 0, native};
  }

  std::string directory_;
  std::vector<uid_t> users_;
  int held_ = -1;
};

}  // namespace posix
}  // namespace v0
}  // namespace cotter
