// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace cotter {
inline namespace v0 {

/// What a ClientHello offers to resume (RFC 5246 7.4.1.2, RFC 5077 3.2, RFC 8446 4.2.11).
struct client_hello {
  bytes_view session_id{};
  bytes_view ticket{};             ///< TLS 1.2's; empty if none or an empty one
  std::size_t psk_identities = 0;  ///< TLS 1.3's, tickets among them
  bytes_view psk_identity{};       ///< the first of them
  bool early_data = false;
};

/// What a ServerHello says of resumption.
struct server_hello {
  bytes_view session_id{};
  bool retry = false;                   ///< HelloRetryRequest (RFC 8446 4.1.4)
  bool extended_master_secret = false;  ///< RFC 7627
  bool key_share = false;               ///< TLS 1.3: there is an (EC)DHE exchange
  bool pre_shared_key = false;          ///< TLS 1.3: the server took an identity
};

namespace detail {

/// Reads big-endian lengths; sticks at the first fault.
class hello_reader {
 public:
  explicit constexpr hello_reader(bytes_view octets) noexcept : left_(octets) {}

  constexpr bytes_view take(std::size_t size) noexcept {
    if (size > left_.size()) {
      good_ = false;
      left_ = {};
      return {};
    }
    const bytes_view taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }
  constexpr std::size_t number(std::size_t octets) noexcept {
    std::size_t value = 0;
    for (const std::uint8_t octet : take(octets)) value = value << 8 | octet;
    return value;
  }
  /// A vector behind a length of so many octets.
  constexpr bytes_view vector(std::size_t length_octets) noexcept {
    return take(number(length_octets));
  }
  [[nodiscard]] constexpr bool good() const noexcept { return good_; }
  [[nodiscard]] constexpr bool more() const noexcept { return good_ && !left_.empty(); }

 private:
  bytes_view left_;
  bool good_ = true;
};

inline constexpr std::array<std::uint8_t, 32> retry_random{
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

}  // namespace detail

/// Reads a whole handshake message, its header of four octets included; false unless it is a
/// ClientHello without fault. What is found borrows from `message`.
[[nodiscard]] constexpr bool read_client_hello(bytes_view message, client_hello& found) noexcept {
  detail::hello_reader whole(message);
  if (whole.number(1) != 1) return false;
  detail::hello_reader body(whole.vector(3));
  if (!whole.good() || whole.more()) return false;
  found = {};
  body.take(2 + 32);
  found.session_id = body.vector(1);
  body.vector(2);
  body.vector(1);
  if (!body.good()) return false;
  if (!body.more()) return true;
  detail::hello_reader extensions(body.vector(2));
  if (!body.good() || body.more()) return false;
  while (extensions.more()) {
    const std::size_t type = extensions.number(2);
    const bytes_view value = extensions.vector(2);
    if (!extensions.good()) return false;
    if (type == 35) found.ticket = value;
    if (type == 42) found.early_data = true;
    if (type != 41) continue;
    detail::hello_reader psk(value);
    detail::hello_reader identities(psk.vector(2));
    while (identities.more()) {
      const bytes_view one = identities.vector(2);
      identities.take(4);
      if (++found.psk_identities == 1) found.psk_identity = one;
    }
    if (!psk.good() || !identities.good()) return false;
  }
  return extensions.good();
}

/// The same for a ServerHello.
[[nodiscard]] constexpr bool read_server_hello(bytes_view message, server_hello& found) noexcept {
  detail::hello_reader whole(message);
  if (whole.number(1) != 2) return false;
  detail::hello_reader body(whole.vector(3));
  if (!whole.good() || whole.more()) return false;
  found = {};
  body.take(2);
  const bytes_view random = body.take(32);
  found.session_id = body.vector(1);
  body.take(2 + 1);
  if (!body.good()) return false;
  found.retry = true;
  for (std::size_t i = 0; i < random.size(); ++i) {
    if (random[i] != detail::retry_random[i]) found.retry = false;
  }
  if (!body.more()) return true;
  detail::hello_reader extensions(body.vector(2));
  if (!body.good() || body.more()) return false;
  while (extensions.more()) {
    const std::size_t type = extensions.number(2);
    extensions.vector(2);
    if (!extensions.good()) return false;
    if (type == 23) found.extended_master_secret = true;
    if (type == 41) found.pre_shared_key = true;
    if (type == 51) found.key_share = true;
  }
  return extensions.good();
}

/// What was offered and answered in the clear in one handshake, told by whoever sees the messages.
/// Everything is refused that it did not see.
class hello_watch {
 public:
  /// What may be offered: a session of TLS 1.3 by its ticket, one of TLS 1.2 by its ticket or, if it
  /// has none, by its id. Nothing, if both are empty. Borrowed until the hellos are through.
  struct expectation {
    bool tls1_3 = false;
    bytes_view ticket{};
    bytes_view session_id{};
  };

  void on_client_hello(bytes_view message, const expectation& wanted) noexcept {
    client_hello seen;
    const bool readable = read_client_hello(message, seen);
    const bool first = !client_seen_;
    client_seen_ = true;
    if (!readable || seen.early_data) {
      foreign_ = true;
      return;
    }
    const bool none = seen.psk_identities == 0 && seen.ticket.empty();
    bool ours = false;
    if (wanted.tls1_3) {
      ours = seen.psk_identities == 1 && !wanted.ticket.empty() &&
             equal(seen.psk_identity, wanted.ticket) && seen.ticket.empty();
    } else if (!wanted.ticket.empty()) {
      ours = seen.psk_identities == 0 && equal(seen.ticket, wanted.ticket);
    } else if (!wanted.session_id.empty()) {
      ours = none && equal(seen.session_id, wanted.session_id);
    }
    as_offered_ = ours && (first || as_offered_);
    if (!ours && !none) foreign_ = true;
  }
  void on_server_hello(bytes_view message) noexcept {
    server_hello seen;
    if (!read_server_hello(message, seen)) return;
    if (seen.retry) return;
    if (server_seen_) {
      foreign_ = true;
      return;
    }
    server_seen_ = true;
    extended_master_secret_ = seen.extended_master_secret;
    key_share_ = seen.key_share;
  }

  /// The last ClientHello offered what was expected, and nothing else was ever offered.
  [[nodiscard]] bool as_offered() const noexcept { return as_offered_ && !foreign_; }
  [[nodiscard]] bool server_seen() const noexcept { return server_seen_; }
  [[nodiscard]] bool extended_master_secret() const noexcept {
    return server_seen_ && extended_master_secret_;
  }
  [[nodiscard]] bool key_share() const noexcept { return server_seen_ && key_share_; }

 private:
  static bool equal(bytes_view a, bytes_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }

  bool client_seen_ = false;
  bool server_seen_ = false;
  bool as_offered_ = false;
  bool foreign_ = false;
  bool extended_master_secret_ = false;
  bool key_share_ = false;
};

}  // namespace v0
}  // namespace cotter
