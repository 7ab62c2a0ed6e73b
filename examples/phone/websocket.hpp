// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/mbedtls.hpp>

#include <mbedtls/base64.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sip.hpp"
#include "tls.hpp"

/// As much of RFC 6455 as one question and one answer take, without a heap. A program with a heap
/// uses `cotter/net/websocket.hpp`, which knows the rest.
namespace websocket {

namespace detail {
template <std::size_t Bytes>
[[nodiscard]] text_buffer<32> base64(const std::array<std::uint8_t, Bytes>& octets) noexcept {
  std::array<unsigned char, 33> out;
  std::size_t size = 0;
  text_buffer<32> text;
  if (mbedtls_base64_encode(out.data(), out.size(), &size, octets.data(), octets.size()) == 0) {
    text << std::string_view(reinterpret_cast<const char*>(out.data()), size);
  }
  return text;
}

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool same(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

/// The value of a field that occurs once; else empty.
[[nodiscard]] constexpr std::string_view field(std::string_view header,
                                               std::string_view name) noexcept {
  std::string_view found;
  int times = 0;
  while (!header.empty()) {
    const std::size_t end = header.find("\r\n");
    const std::string_view line = header.substr(0, end);
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 2);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !same(line.substr(0, colon), name)) continue;
    found = line.substr(colon + 1);
    while (found.starts_with(' ')) found.remove_prefix(1);
    ++times;
  }
  return times == 1 ? found : std::string_view{};
}
}  // namespace detail

/// The opening handshake (RFC 6455 4.1) with the subprotocol of RFC 7118.
[[nodiscard]] inline bool open(tls& on, std::string_view host) noexcept {
  std::array<std::uint8_t, 16> nonce{};
  std::array<std::uint8_t, 20> digest{};
  if (!on.random(nonce)) return false;
  const text_buffer<32> key = detail::base64(nonce);
  text_buffer<80> keyed;
  keyed << key.view() << "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  if (!cotter::backends::mbedtls::sha1(
          {reinterpret_cast<const std::uint8_t*>(keyed.view().data()), keyed.size()}, digest)) {
    return false;
  }
  message request;
  request << "GET / HTTP/1.1\r\nHost: " << host
          << "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Key: "
          << key.view() << "\r\n\r\n";
  message answer;
  // The server has nothing to say before it is asked: the header section is all that comes.
  return request.whole() && on.write(request.view()) && answer.read_header(on) &&
         answer.view().ends_with("\r\n\r\n") && answer.view().starts_with("HTTP/1.1 101 ") &&
         detail::same(detail::field(answer.view(), "Upgrade"), "websocket") &&
         detail::same(detail::field(answer.view(), "Connection"), "Upgrade") &&
         detail::field(answer.view(), "Sec-WebSocket-Protocol") == "sip" &&
         detail::field(answer.view(), "Sec-WebSocket-Accept") == detail::base64(digest).view();
}

/// One text message of at most `message::room` octets, masked (RFC 6455 5.3).
[[nodiscard]] inline bool send(tls& on, std::string_view text) noexcept {
  std::array<std::uint8_t, 4> mask{};
  text_buffer<message::room + 8> frame;
  if (text.size() > message::room || !on.random(mask)) return false;
  const auto octet = [&](std::size_t value) {
    const char c = static_cast<char>(value & 0xff);
    frame << std::string_view(&c, 1);
  };
  octet(0x81);
  octet(text.size() < 126 ? 0x80 | text.size() : 0xfe);
  if (text.size() >= 126) {
    octet(text.size() >> 8);
    octet(text.size());
  }
  for (const std::uint8_t m : mask) octet(m);
  for (std::size_t i = 0; i < text.size(); ++i) {
    octet(static_cast<std::uint8_t>(text[i]) ^ mask[i % 4]);
  }
  return frame.whole() && on.write(frame.view());
}

/// One unfragmented text or binary message; pings before it are left unanswered, anything else ends it.
template <std::size_t Bytes>
[[nodiscard]] bool receive(tls& on, std::array<char, Bytes>& into,
                           std::string_view& text) noexcept {
  const auto fill = [&](std::uint8_t* at, std::size_t size) {
    while (size > 0) {
      const std::size_t n = on.read({at, size});
      if (n == 0) return false;
      at += n;
      size -= n;
    }
    return true;
  };
  for (;;) {
    std::array<std::uint8_t, 2> head{};
    std::array<std::uint8_t, 2> more{};
    if (!fill(head.data(), head.size()) || (head[1] & 0x80) != 0) return false;
    std::size_t size = head[1];
    if (size == 126) {
      if (!fill(more.data(), more.size())) return false;
      size = static_cast<std::size_t>(more[0] << 8 | more[1]);
    }
    if (head[1] == 127 || size > Bytes ||
        !fill(reinterpret_cast<std::uint8_t*>(into.data()), size)) {
      return false;
    }
    if (head[0] == 0x89) continue;
    if (head[0] != 0x81 && head[0] != 0x82) return false;
    text = {into.data(), size};
    return true;
  }
}

}  // namespace websocket
