// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/error.hpp>
#include <cotter/values/result.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace posix {

/// A Unix socket of this machine to which messages are sent and from which nothing is read: a datagram
/// socket, or a stream, in which a message is a line. It connects when there is something to send, and
/// once again when the receiver has been started anew.
class local_socket {
 public:
  explicit local_socket(std::string_view path) : path_(path) {}
  ~local_socket() { close(); }
  local_socket(const local_socket&) = delete;
  local_socket& operator=(const local_socket&) = delete;

  /// Sends a message whole. It waits for a receiver that is busy, until `deadline`, and for nothing
  /// else.
  /// @errors `connect_failed`, `timeout`, `closed`, `message_too_big`; `native` is errno
  [[nodiscard]] result<void> send(std::string_view message,
                                  std::chrono::steady_clock::time_point deadline) noexcept {
    return send(message, -1, deadline);
  }
  /// Sends a file in place of a message: an empty datagram that carries it.
  [[nodiscard]] result<void> send_file(int file,
                                       std::chrono::steady_clock::time_point deadline) noexcept {
    return send({}, file, deadline);
  }

 private:
  result<void> send(std::string_view message, int file,
                    std::chrono::steady_clock::time_point deadline) noexcept {
    for (bool again = false;; again = true) {
      if (socket_ < 0) {
        if (const result<void> connected = connect(deadline); !connected) return connected;
      }
      if (stream_ && file >= 0) return error{errc::connect_failed, 0, EPROTOTYPE};
      const result<void> sent =
          stream_ ? send_line(message, deadline) : send_one(message, file, deadline);
      if (sent) return sent;
      if (sent.error().what != errc::closed) return sent;
      close();
      if (again) return sent;
    }
  }

  result<void> connect(std::chrono::steady_clock::time_point deadline) noexcept {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.empty() || path_.size() >= sizeof address.sun_path) {
      return error{errc::connect_failed, 0, ENAMETOOLONG};
    }
    std::memcpy(address.sun_path, path_.data(), path_.size());
    for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
      socket_ = ::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      if (socket_ < 0) return error{errc::connect_failed, 0, errno};
      stream_ = type == SOCK_STREAM;
      while (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int native = errno;
        if (native == EINTR) continue;
        // A stream whose backlog is full says EAGAIN, and there is nothing to poll for.
        if (native == EAGAIN && std::chrono::steady_clock::now() < deadline) {
          ::poll(nullptr, 0, 1);
          continue;
        }
        close();
        if (native == EPROTOTYPE && type == SOCK_DGRAM) break;
        return error{native == EAGAIN ? errc::timeout : errc::connect_failed, 0, native};
      }
      if (socket_ >= 0) return {};
    }
    return error{errc::connect_failed, 0, EPROTOTYPE};
  }

  result<void> send_one(std::string_view message, int file,
                        std::chrono::steady_clock::time_point deadline) noexcept {
    iovec piece{const_cast<char*>(message.data()), message.size()};
    alignas(cmsghdr) unsigned char control[CMSG_SPACE(sizeof(int))]{};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    if (file >= 0) {
      header.msg_control = control;
      header.msg_controllen = sizeof control;
      cmsghdr* const rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(rights), &file, sizeof file);
    }
    for (;;) {
      if (::sendmsg(socket_, &header, MSG_NOSIGNAL) >= 0) return {};
      const int native = errno;
      if (native == EINTR) continue;
      if (native == EMSGSIZE || native == ENOBUFS) return error{errc::message_too_big, 0, native};
      if (native != EAGAIN) return error{errc::closed, 0, native};
      if (const result<void> room = wait(native, deadline); !room) return room;
    }
  }

  /// A line that was begun and cannot be ended goes with its connection: the receiver sees what is torn.
  result<void> send_line(std::string_view message,
                         std::chrono::steady_clock::time_point deadline) noexcept {
    char newline = '\n';
    std::size_t done = 0;
    while (done <= message.size()) {
      iovec pieces[2] = {{const_cast<char*>(message.data()) + done, message.size() - done},
                         {&newline, 1}};
      msghdr header{};
      header.msg_iov = pieces;
      header.msg_iovlen = 2;
      const ssize_t sent = ::sendmsg(socket_, &header, MSG_NOSIGNAL);
      if (sent >= 0) {
        done += static_cast<std::size_t>(sent);
        continue;
      }
      const int native = errno;
      if (native == EINTR) continue;
      if (native != EAGAIN) return error{errc::closed, 0, native};
      if (const result<void> room = wait(native, deadline); !room) {
        if (done != 0) close();
        return room;
      }
    }
    return {};
  }

  /// Waits for room; a datagram socket is writable when its receiver's queue has some.
  result<void> wait(int native, std::chrono::steady_clock::time_point deadline) const noexcept {
    using namespace std::chrono;
    constexpr milliseconds longest{100};
    const auto left = deadline - steady_clock::now();
    if (left <= steady_clock::duration{}) return error{errc::timeout, 0, native};
    pollfd room{socket_, POLLOUT, 0};
    const auto nap = std::min<steady_clock::duration>(left, longest);
    ::poll(&room, 1, static_cast<int>(ceil<milliseconds>(nap).count()));
    return {};
  }

  void close() noexcept {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }

  std::string path_;
  int socket_ = -1;
  bool stream_ = false;
};

}  // namespace posix
}  // namespace v0
}  // namespace cotter
