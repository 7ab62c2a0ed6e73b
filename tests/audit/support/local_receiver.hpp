// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

/// A directory of the test's own, gone with it.
class temporary_directory {
 public:
  temporary_directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cotter-audit-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
  }
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// What listens in the place of a syslog or a journal: a Unix socket and a thread that reads it.
class local_receiver {
 public:
  struct message {
    std::string octets;
    int seals = -1;  ///< of the file that came instead of a payload; -1: none came
  };

  local_receiver(std::string path, int type) : path_(std::move(path)), type_(type) { start(); }
  ~local_receiver() { stop(); }
  local_receiver(const local_receiver&) = delete;
  local_receiver& operator=(const local_receiver&) = delete;

  void start() {
    listener_ = ::socket(AF_UNIX, type_ | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    ::unlink(path_.c_str());
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("bind " + path_);
    }
    if (type_ == SOCK_STREAM) ::listen(listener_, 4);
    over_ = false;
    reader_ = std::thread([this] { read(); });
  }
  /// Hangs up. The path stays, with nobody behind it.
  void stop() {
    over_ = true;
    if (reader_.joinable()) reader_.join();
    if (listener_ >= 0) ::close(listener_);
    listener_ = -1;
  }
  /// Listens, and reads nothing, until called with `false`.
  void stall(bool so) { stalled_ = so; }

  /// All that came, once nothing more comes.
  std::vector<message> messages() {
    std::size_t before = ~std::size_t{0};
    for (;;) {
      {
        const std::lock_guard<std::mutex> held(mutex_);
        if (all_.size() == before) return all_;
        before = all_.size();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{60});
    }
  }
  std::vector<std::string> texts() {
    std::vector<std::string> out;
    for (const message& one : messages()) out.push_back(one.octets);
    return out;
  }
  /// What came on a stream without its newline.
  std::vector<std::string> torn() {
    const std::lock_guard<std::mutex> held(mutex_);
    return torn_;
  }

 private:
  void read() {
    int stream = -1;
    std::string line;
    while (!over_) {
      const int from = type_ == SOCK_STREAM && stream >= 0 ? stream : listener_;
      pollfd ready{from, POLLIN, 0};
      if (stalled_ || ::poll(&ready, 1, 20) <= 0) {
        if (stalled_) std::this_thread::sleep_for(std::chrono::milliseconds{5});
        continue;
      }
      if (type_ == SOCK_DGRAM) {
        read_datagram();
      } else if (stream < 0) {
        stream = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      } else {
        char some[4096];
        const ssize_t size = ::recv(stream, some, sizeof some, 0);
        if (size <= 0) {
          tear(line);
          ::close(std::exchange(stream, -1));
          continue;
        }
        for (const char c : std::string_view(some, static_cast<std::size_t>(size))) {
          if (c != '\n') {
            line += c;
            continue;
          }
          keep({std::exchange(line, {}), -1});
        }
      }
    }
    tear(line);
    if (stream >= 0) ::close(stream);
  }

  void read_datagram() {
    static thread_local std::vector<char> room(std::size_t{1} << 20);
    alignas(cmsghdr) unsigned char control[CMSG_SPACE(sizeof(int))]{};
    iovec piece{room.data(), room.size()};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const ssize_t size = ::recvmsg(listener_, &header, MSG_CMSG_CLOEXEC);
    if (size < 0) return;
    message one{std::string(room.data(), static_cast<std::size_t>(size)), -1};
    if (const cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights != nullptr && rights->cmsg_type == SCM_RIGHTS) {
      int file = -1;
      std::memcpy(&file, CMSG_DATA(rights), sizeof file);
      if (!one.octets.empty()) one.octets = "a payload beside a file";
      one.seals = ::fcntl(file, F_GET_SEALS);
      struct stat about {};
      ::fstat(file, &about);
      one.octets.resize(static_cast<std::size_t>(about.st_size));
      if (::pread(file, one.octets.data(), one.octets.size(), 0) != about.st_size) one.octets = "?";
      ::close(file);
    }
    keep(std::move(one));
  }

  void keep(message one) {
    const std::lock_guard<std::mutex> held(mutex_);
    all_.push_back(std::move(one));
  }
  void tear(std::string& line) {
    const std::lock_guard<std::mutex> held(mutex_);
    if (!line.empty()) torn_.push_back(std::exchange(line, {}));
  }

  std::string path_;
  int type_;
  int listener_ = -1;
  std::atomic<bool> over_{false};
  std::atomic<bool> stalled_{false};
  std::thread reader_;
  std::mutex mutex_;
  std::vector<message> all_;
  std::vector<std::string> torn_;
};
