// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/posix/system_calls.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/sealing.hpp>

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace posix {

/// What a `service_vault` and a `vault_service` say to each other over a sequenced-packet socket of
/// this machine: one request, one reply, both of fixed size, numbers little endian. Whose vault it is
/// follows from the peer's credentials, which nobody can send.
enum class vault_verb : std::uint8_t { create = 1, key = 2, counter = 3, advance = 4 };

struct vault_request {
  static constexpr std::size_t most_name_bytes = 64;
  static constexpr std::size_t size_bytes = 4 + 1 + 1 + most_name_bytes + 8;

  vault_verb verb{};
  std::string_view name{};
  std::uint64_t to = 0;
};

struct vault_reply {
  static constexpr std::size_t size_bytes = 4 + 1 + 8 + seal_key::size_bytes;

  errc what = errc::state_unreadable;
  std::uint64_t counter = 0;
  seal_key key{};
};

namespace detail {

inline constexpr std::array<std::uint8_t, 4> vault_magic{'C', 'T', 'V', 1};

/// The codes that cross the socket, by their place.
inline constexpr std::array<errc, 8> vault_codes{errc::ok,
                                                 errc::state_absent,
                                                 errc::state_exists,
                                                 errc::state_foreign,
                                                 errc::state_damaged,
                                                 errc::state_rolled_back,
                                                 errc::state_unwritable,
                                                 errc::state_unreadable};

inline void put_number(std::span<std::uint8_t, 8> out, std::uint64_t value) noexcept {
  for (std::uint8_t& octet : out) {
    octet = static_cast<std::uint8_t>(value);
    value >>= 8;
  }
}
inline std::uint64_t get_number(std::span<const std::uint8_t, 8> in) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = in.size(); i-- > 0;) value = value << 8 | in[i];
  return value;
}

/// A name that may be part of a file's: letters, digits, `-` and `_`.
[[nodiscard]] constexpr bool is_vault_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= vault_request::most_name_bytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

inline void write_request(std::span<std::uint8_t, vault_request::size_bytes> out,
                          const vault_request& from) noexcept {
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  std::copy(vault_magic.begin(), vault_magic.end(), out.begin());
  out[4] = static_cast<std::uint8_t>(from.verb);
  out[5] = static_cast<std::uint8_t>(from.name.size());
  std::copy(from.name.begin(), from.name.end(), out.begin() + 6);
  put_number(out.last<8>(), from.to);
}
/// The name borrows from `in`. Nothing if it is no request.
inline std::optional<vault_request> read_request(bytes_view in) noexcept {
  if (in.size() != vault_request::size_bytes ||
      !std::equal(vault_magic.begin(), vault_magic.end(), in.begin())) {
    return std::nullopt;
  }
  const std::size_t size = in[5];
  if (in[4] < 1 || in[4] > 4 || size > vault_request::most_name_bytes) return std::nullopt;
  vault_request out;
  out.verb = static_cast<vault_verb>(in[4]);
  out.name = {reinterpret_cast<const char*>(in.data() + 6), size};
  out.to = get_number(in.last<8>());
  if (!is_vault_name(out.name)) return std::nullopt;
  return out;
}

inline void write_reply(std::span<std::uint8_t, vault_reply::size_bytes> out,
                        const vault_reply& from) noexcept {
  std::copy(vault_magic.begin(), vault_magic.end(), out.begin());
  const auto* place = std::find(vault_codes.begin(), vault_codes.end(), from.what);
  out[4] = place == vault_codes.end() ? std::uint8_t{vault_codes.size() - 1}
                                      : static_cast<std::uint8_t>(place - vault_codes.begin());
  put_number(out.subspan<5, 8>(), from.counter);
  std::copy(from.key.octets.begin(), from.key.octets.end(), out.begin() + 13);
}
/// False if it is no reply.
inline bool read_reply(bytes_view in, vault_reply& out) noexcept {
  if (in.size() != vault_reply::size_bytes || in[4] >= vault_codes.size() ||
      !std::equal(vault_magic.begin(), vault_magic.end(), in.begin())) {
    return false;
  }
  out.what = vault_codes[in[4]];
  out.counter = get_number(in.subspan<5, 8>());
  std::copy(in.begin() + 13, in.end(), out.key.octets.begin());
  return true;
}

/// False for a path that is empty or too long for a socket's address.
inline bool socket_address(std::string_view path, sockaddr_un& out) noexcept {
  out = {};
  out.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof out.sun_path) return false;
  std::copy(path.begin(), path.end(), out.sun_path);
  return true;
}

/// Who is at the other end, as the kernel saw it when the connection was made.
inline std::optional<uid_t> peer_user(int socket) noexcept {
  struct ucred peer {};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer.uid;
}

}  // namespace detail
}  // namespace posix
}  // namespace v0
}  // namespace cotter
