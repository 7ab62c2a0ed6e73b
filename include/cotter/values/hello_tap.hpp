// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/hello.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace cotter {
inline namespace v0 {

/// Finds the hellos in what an engine sends and receives, for libraries that show them to nobody.
/// Reads records (RFC 8446 5.1) until the server's hello, then nothing more. Keeps at most
/// `limit_bytes` each way on the heap; a longer hello is not found, and so proves nothing.
class hello_tap {
 public:
  static constexpr std::size_t limit_bytes = 32768;

  hello_tap() noexcept = default;
  hello_tap(const hello_tap&) = delete;
  hello_tap& operator=(const hello_tap&) = delete;

  void sent(bytes_view octets) noexcept {
    if (done_) return;
    client_.append(octets, [this](bytes_view message) {
      if (message[0] == 1) watch.on_client_hello(message, wanted);
    });
  }
  void received(bytes_view octets) noexcept {
    if (done_) return;
    server_.append(octets, [this](bytes_view message) {
      if (done_ || message[0] != 2) return;
      watch.on_server_hello(message);
      done_ = watch.server_seen();
    });
    if (!done_) return;
    client_.drop();
    server_.drop();
  }

  hello_watch watch{};
  hello_watch::expectation wanted{};

 private:
  /// One direction: takes the messages out of the records.
  class stream {
   public:
    stream() noexcept = default;
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;
    ~stream() { drop(); }

    template <typename Each>
    void append(bytes_view octets, Each&& each) noexcept {
      for (const std::uint8_t octet : octets) {
        if (dead_) return;
        if (header_bytes_ < 5) {
          header_[header_bytes_++] = octet;
          if (header_bytes_ < 5) continue;
          left_ = static_cast<std::size_t>(header_[3]) << 8 | header_[4];
          if (left_ == 0) header_bytes_ = 0;
          continue;
        }
        if (header_[0] == 22) push(octet, each);
        if (--left_ == 0) header_bytes_ = 0;
      }
    }
    void drop() noexcept {
      std::free(message_);
      message_ = nullptr;
      size_ = room_ = 0;
      dead_ = true;
    }

   private:
    template <typename Each>
    void push(std::uint8_t octet, Each& each) noexcept {
      if (size_ == room_) {
        const std::size_t room = room_ == 0 ? 1024 : room_ * 2;
        void* grown = room > limit_bytes ? nullptr : std::realloc(message_, room);
        if (grown == nullptr) {
          drop();
          return;
        }
        message_ = static_cast<std::uint8_t*>(grown);
        room_ = room;
      }
      message_[size_++] = octet;
      if (size_ < 4) return;
      const std::size_t whole =
          std::size_t{4} + (static_cast<std::size_t>(message_[1]) << 16 |
                            static_cast<std::size_t>(message_[2]) << 8 | message_[3]);
      if (size_ < whole) return;
      each(bytes_view(message_, size_));
      size_ = 0;
    }

    std::uint8_t* message_ = nullptr;
    std::size_t size_ = 0;
    std::size_t room_ = 0;
    std::uint8_t header_[5]{};
    std::size_t header_bytes_ = 0;
    std::size_t left_ = 0;
    bool dead_ = false;
  };

  stream client_{};
  stream server_{};
  bool done_ = false;
};

}  // namespace v0
}  // namespace cotter
