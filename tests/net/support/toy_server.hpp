// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <net/support/toy.hpp>

#include <asio/buffer.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include <string>
#include <system_error>
#include <utility>

namespace toy {

/// The other end of a toy connection: blocking, for a thread of its own. Every call survives a peer
/// that has gone.
template <typename Socket>
class server {
 public:
  explicit server(Socket socket) : socket_(std::move(socket)) {}

  /// False once the client has gone.
  bool say(const std::string& octets) {
    std::error_code gone;
    asio::write(socket_, asio::buffer(octets), gone);
    return !gone;
  }
  bool data(const std::string& octets) {
    bool there = true;
    for (std::size_t at = 0; there && at < octets.size(); at += 60000) {
      there = say(record('D', octets.substr(at, 60000)));
    }
    return there;
  }
  /// The next record's letter; 0 once the client has gone.
  char hear(std::string& payload) {
    for (;;) {
      if (const char kind = take(in_, payload)) {
        heard_ += kind;
        return kind;
      }
      char some[4096];
      std::error_code gone;
      const std::size_t size = socket_.read_some(asio::buffer(some), gone);
      if (gone) return 0;
      in_.append(some, size);
    }
  }
  char hear() {
    std::string ignored;
    return hear(ignored);
  }
  /// The handshake, as a server that has nothing to hide. True if the client has sent Finished.
  bool greet() {
    if (hear() != 'H') return false;
    say(record('S'));
    return hear() == 'F';
  }
  /// Listens until the client has gone.
  void listen() {
    while (hear() != 0) {
    }
  }
  void close() {
    std::error_code ignored;
    socket_.close(ignored);
  }

  /// The letters of all records so far, in order.
  [[nodiscard]] const std::string& heard() const noexcept { return heard_; }

  /// The client's next WebSocket frame.
  frames::client_frame hear_frame() {
    for (;;) {
      if (auto one = frames::take(stream_)) return *one;
      std::string payload;
      if (hear(payload) != 'D') return {};
      stream_ += payload;
    }
  }
  /// The client's HTTP request; empty if it has gone.
  std::string hear_request() {
    for (;;) {
      const std::size_t end = stream_.find("\r\n\r\n");
      if (end != std::string::npos) {
        std::string request = stream_.substr(0, end + 4);
        stream_.erase(0, end + 4);
        return request;
      }
      std::string payload;
      if (hear(payload) != 'D') return {};
      stream_ += payload;
    }
  }

 private:
  Socket socket_;
  std::string in_;
  std::string stream_;
  std::string heard_;
};

}  // namespace toy
