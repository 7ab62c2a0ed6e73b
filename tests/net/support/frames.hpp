// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/net/websocket.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// The server's half of RFC 6455, by hand: what a test says must not come from what it tests.
namespace frames {

inline cotter::bytes_view octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string text(cotter::bytes_view in) {
  return {reinterpret_cast<const char*>(in.data()), in.size()};
}

/// A frame without mask; `first` is FIN, RSV and opcode.
inline std::string frame(int first, std::string_view payload) {
  std::string out(1, static_cast<char>(first));
  if (payload.size() < 126) {
    out += static_cast<char>(payload.size());
  } else if (payload.size() < 65536) {
    out += static_cast<char>(126);
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size() & 0xff);
  } else {
    out += static_cast<char>(127);
    for (int shift = 56; shift >= 0; shift -= 8) {
      out += static_cast<char>(payload.size() >> shift & 0xff);
    }
  }
  return out.append(payload);
}

inline std::string close_payload(unsigned code, std::string_view reason = {}) {
  std::string out(1, static_cast<char>(code >> 8));
  out += static_cast<char>(code & 0xff);
  return out.append(reason);
}

/// What a client sent.
struct client_frame {
  int first = 0;
  bool masked = false;
  std::string payload;
};

/// Takes one whole frame off the front of `in`, unmasked; nothing if it is not all there.
inline std::optional<client_frame> take(std::string& in) {
  const auto at = [&in](std::size_t i) { return static_cast<unsigned char>(in[i]); };
  if (in.size() < 2) return std::nullopt;
  client_frame out;
  out.first = at(0);
  out.masked = (at(1) & 0x80) != 0;
  std::size_t size = at(1) & 0x7f;
  std::size_t head = 2;
  if (size == 126 || size == 127) {
    const std::size_t wide = size == 126 ? 2 : 8;
    if (in.size() < head + wide) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < wide; ++i) size = size << 8 | at(head + i);
    head += wide;
  }
  const std::size_t mask = head;
  if (out.masked) head += 4;
  if (in.size() < head + size) return std::nullopt;
  for (std::size_t i = 0; i < size; ++i) {
    const int key = out.masked ? at(mask + i % 4) : 0;
    out.payload += static_cast<char>(at(head + i) ^ key);
  }
  in.erase(0, head + size);
  return out;
}

/// The value of a field in an HTTP message; empty if there is none.
inline std::string field(const std::string& message, const std::string& name) {
  const std::size_t at = message.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 4;
  return message.substr(begin, message.find("\r\n", begin) - begin);
}

/// SHA-1 (FIPS 180-4) by hand, so that these tests need no TLS library.
inline bool sha1(void*, cotter::bytes_view in, std::span<std::uint8_t, 20> out) {
  std::string data = text(in);
  const std::uint64_t bits = data.size() * 8;
  data += static_cast<char>(0x80);
  while (data.size() % 64 != 56) data += '\0';
  for (int shift = 56; shift >= 0; shift -= 8) data += static_cast<char>(bits >> shift & 0xff);
  const auto roll = [](std::uint32_t x, int n) { return x << n | x >> (32 - n); };
  std::uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  for (std::size_t block = 0; block < data.size(); block += 64) {
    std::uint32_t w[80];
    for (std::size_t i = 0; i < 16; ++i) {
      w[i] = 0;
      for (std::size_t k = 0; k < 4; ++k) {
        w[i] = w[i] << 8 | static_cast<unsigned char>(data[block + i * 4 + k]);
      }
    }
    for (int i = 16; i < 80; ++i) w[i] = roll(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    std::uint32_t v[5] = {h[0], h[1], h[2], h[3], h[4]};
    for (int i = 0; i < 80; ++i) {
      const std::uint32_t f = i < 20   ? (v[1] & v[2]) | (~v[1] & v[3])
                              : i < 40 ? v[1] ^ v[2] ^ v[3]
                              : i < 60 ? (v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3])
                                       : v[1] ^ v[2] ^ v[3];
      const std::uint32_t k = i < 20   ? 0x5a827999u
                              : i < 40 ? 0x6ed9eba1u
                              : i < 60 ? 0x8f1bbcdcu
                                       : 0xca62c1d6u;
      const std::uint32_t next = roll(v[0], 5) + f + v[4] + k + w[i];
      v[4] = v[3];
      v[3] = v[2];
      v[2] = roll(v[1], 30);
      v[1] = v[0];
      v[0] = next;
    }
    for (int i = 0; i < 5; ++i) h[i] += v[i];
  }
  for (std::size_t i = 0; i < 20; ++i) {
    out[i] = static_cast<std::uint8_t>(h[i / 4] >> (24 - i % 4 * 8) & 0xff);
  }
  return true;
}

/// Octets that differ from call to call.
inline bool random(void*, std::span<std::uint8_t> out) {
  static std::uint32_t state = 1;
  for (std::uint8_t& octet : out) {
    state = state * 1664525u + 1013904223u;
    octet = static_cast<std::uint8_t>(state >> 24);
  }
  return true;
}

inline constexpr cotter::websocket_crypto crypto{&random, &sha1, nullptr};

/// The answer that RFC 6455 4.2.2 prescribes to `request`.
inline std::string accepting(const std::string& request) {
  std::uint8_t digest[20];
  const std::string keyed =
      field(request, "Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  sha1(nullptr, octets(keyed), digest);
  std::string answer =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, "
      "Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      cotter::detail::to_base64(digest) + "\r\n";
  const std::string offered = field(request, "Sec-WebSocket-Protocol");
  if (!offered.empty()) answer += "Sec-WebSocket-Protocol: " + offered + "\r\n";
  return answer + "\r\n";
}

}  // namespace frames
