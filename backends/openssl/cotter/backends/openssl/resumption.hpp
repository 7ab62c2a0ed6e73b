// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/hello.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/session_binding.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace backends {
namespace detail {

/// What a connection that may resume knows of sessions: the one offered, those it got, and what its
/// own messages said about both.
class openssl_resumption {
 public:
  openssl_resumption() noexcept = default;
  openssl_resumption(const openssl_resumption&) = delete;
  openssl_resumption& operator=(const openssl_resumption&) = delete;
  ~openssl_resumption() {
    SSL_SESSION_free(offered_);
    SSL_SESSION_free(given_);
    for (SSL_SESSION* one : got_) SSL_SESSION_free(one);
    delete[] ticket_;
  }

  /// Takes over a reference.
  void offer(SSL_SESSION* session) noexcept { SSL_SESSION_free(std::exchange(offered_, session)); }
  [[nodiscard]] SSL_SESSION* offered() const noexcept { return offered_; }
  [[nodiscard]] const hello_watch& watch() const noexcept { return watch_; }

  void on_message(bool sent, bytes_view message) noexcept {
    if (sent && message[0] == SSL3_MT_CLIENT_HELLO) watch_.on_client_hello(message, expected());
    if (sent) return;
    if (message[0] == SSL3_MT_SERVER_HELLO) {
      watch_.on_server_hello(message);
      server_hello hello;
      if (read_server_hello(message, hello) && hello.session_id.size() <= id_.size()) {
        std::copy(hello.session_id.begin(), hello.session_id.end(), id_.begin());
        id_bytes_ = hello.session_id.size();
      }
    }
    if (message[0] == SSL3_MT_NEWSESSION_TICKET) note_ticket(message);
  }

  /// Takes over a reference.
  void got(SSL_SESSION* session) noexcept {
    if (got_count_ == got_.size()) {
      SSL_SESSION_free(got_[0]);
      std::rotate(got_.begin(), got_.begin() + 1, got_.end());
      --got_count_;
    }
    got_[got_count_++] = session;
  }

  template <typename Each>
  void collect(const SSL* ssl, Each&& each) noexcept {
    for (std::size_t i = 0; i < got_count_; ++i) give(std::exchange(got_[i], nullptr), each);
    got_count_ = 0;
    SSL_SESSION* now = SSL_get_session(ssl);
    if (now == nullptr || now == given_ || !seen(now, SSL_version(ssl) >= TLS1_3_VERSION)) return;
    SSL_SESSION_up_ref(now);
    give(now, each);
  }

 private:
  static constexpr std::size_t most_tickets = 8;

  [[nodiscard]] hello_watch::expectation expected() const noexcept {
    hello_watch::expectation wanted;
    if (offered_ == nullptr) return wanted;
    wanted.tls1_3 = SSL_SESSION_get_protocol_version(offered_) >= TLS1_3_VERSION;
    wanted.ticket = ticket_of(offered_);
    wanted.session_id = id_of(offered_);
    return wanted;
  }
  static bytes_view ticket_of(const SSL_SESSION* session) noexcept {
    const unsigned char* octets = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(session, &octets, &size);
    return {octets, size};
  }
  static bytes_view id_of(const SSL_SESSION* session) noexcept {
    unsigned size = 0;
    const unsigned char* octets = SSL_SESSION_get_id(session, &size);
    return {octets, size};
  }

  /// RFC 5077 3.3, RFC 8446 4.6.1.
  void note_ticket(bytes_view message) noexcept {
    cotter::detail::hello_reader body(message.subspan(4));
    body.take(4);
    bytes_view ticket = body.vector(2);
    if (!body.good() ||
        body.more()) {  // TLS 1.3 has an age and a nonce before, extensions after it
      body = cotter::detail::hello_reader(message.subspan(4));
      body.take(8);
      body.vector(1);
      ticket = body.vector(2);
      body.vector(2);
      if (!body.good() || body.more()) ticket = {};
    }
    delete[] std::exchange(ticket_, nullptr);
    ticket_bytes_ = 0;
    if (ticket.empty()) return;
    ticket_ = new (std::nothrow) std::uint8_t[ticket.size()];
    if (ticket_ == nullptr) return;
    std::copy(ticket.begin(), ticket.end(), ticket_);
    ticket_bytes_ = ticket.size();
  }

  /// True if the session came in this connection's messages, or was offered and may be used again.
  [[nodiscard]] bool seen(const SSL_SESSION* session, bool tls1_3) const noexcept {
    if (session == offered_ && !tls1_3) return true;
    const bytes_view ticket = ticket_of(session);
    if (ticket_bytes_ != 0) return equal(ticket, {ticket_, ticket_bytes_});
    return !tls1_3 && ticket.empty() && id_bytes_ != 0 &&
           equal(id_of(session), {id_.data(), id_bytes_});
  }
  static bool equal(bytes_view a, bytes_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

  template <typename Each>
  void give(SSL_SESSION* session, Each& each) noexcept {
    SSL_SESSION_free(std::exchange(given_, session));
    if (SSL_SESSION_is_resumable(session) != 1) return;
    const int size = i2d_SSL_SESSION(session, nullptr);
    if (size <= 0 || static_cast<std::size_t>(size) > max_session_bytes) return;
    const auto bytes = static_cast<std::size_t>(size);
    auto* octets = new (std::nothrow) std::uint8_t[bytes];
    if (octets == nullptr) return;
    unsigned char* end = octets;
    if (i2d_SSL_SESSION(session, &end) == size) each(bytes_view(octets, bytes));
    wipe({octets, bytes});
    delete[] octets;
  }

  SSL_SESSION* offered_ = nullptr;
  SSL_SESSION* given_ =
      nullptr;  ///< the last one that was given; held, so that no other has its address
  hello_watch watch_{};
  std::array<SSL_SESSION*, most_tickets> got_{};
  std::size_t got_count_ = 0;
  std::uint8_t* ticket_ = nullptr;  ///< of the last NewSessionTicket
  std::size_t ticket_bytes_ = 0;
  std::array<std::uint8_t, 32> id_{};  ///< of the ServerHello
  std::size_t id_bytes_ = 0;
};

}  // namespace detail
}  // namespace backends
}  // namespace v0
}  // namespace cotter
