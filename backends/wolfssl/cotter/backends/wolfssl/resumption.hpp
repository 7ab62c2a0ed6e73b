// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/wolfssl/library.hpp>
#include <cotter/values/hello.hpp>
#include <cotter/values/hello_tap.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/session_binding.hpp>

#include <wolfssl/ssl.h>

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

/// What cotter reads of a session as wolfSSL writes it.
struct wolfssl_session_view {
  bool tls1_3 = false;
  bool extended_master_secret = false;
  int suite = 0;
  bytes_view id{};
  bytes_view ticket{};
};

/// Reads what `wolfSSL_i2d_SSL_SESSION` wrote; false if that is not what it is. wolfSSL's own reader
/// copies lengths that it finds there into fields of a fixed size without a look: nothing may come
/// before it that this did not pass.
[[nodiscard]] inline bool read_wolfssl_session(bytes_view octets,
                                               wolfssl_session_view& found) noexcept {
  constexpr std::size_t id_bytes = 32;
  constexpr std::size_t secret_bytes = 48;
  constexpr std::size_t chain_length = 9;
  constexpr std::size_t certificate_bytes = 2048;
  constexpr std::size_t nonce_bytes = 8;
  cotter::detail::hello_reader in(octets);
  if (in.number(1) != WOLFSSL_CLIENT_END) return false;
  in.take(4 + 4);  // born on, lives for
  found.id = in.vector(1);
  in.take(secret_bytes);
  const std::size_t extended = in.number(1);
  const std::size_t other_id = in.number(1);
  if (!in.good() || found.id.size() > id_bytes || extended > 1) return false;
  if (other_id != 0 && other_id != id_bytes) return false;
  found.extended_master_secret = extended == 1;
  in.take(other_id);
#ifdef SESSION_CERTS
  const std::size_t certificates = in.number(1);
  if (certificates > chain_length) return false;
  for (std::size_t i = 0; i < certificates; ++i) {
    if (in.vector(2).size() > certificate_bytes) return false;
  }
#endif
#if defined(SESSION_CERTS) || (defined(WOLFSSL_TLS13) && defined(HAVE_SESSION_TICKET))
  const std::size_t version = in.number(2);
  if (version != 0x0303 && version != 0x0304) return false;
  found.tls1_3 = version == 0x0304;
#endif
#if defined(SESSION_CERTS) || !defined(NO_RESUME_SUITE_CHECK) || \
    (defined(WOLFSSL_TLS13) && defined(HAVE_SESSION_TICKET))
  found.suite = static_cast<int>(in.number(2));
#endif
#ifndef NO_CLIENT_CACHE
  if (in.vector(2).size() > 20) return false;
#endif
#ifdef OPENSSL_EXTRA
  if (in.vector(1).size() > id_bytes) return false;
#endif
#if defined(OPENSSL_EXTRA) || defined(OPENSSL_EXTRA_X509_SMALL)
  in.take(1);
#endif
#ifdef WOLFSSL_TLS13
  in.take(2);
#endif
#if defined(HAVE_SESSION_TICKET) || !defined(NO_PSK)
#ifdef WOLFSSL_TLS13
#ifdef WOLFSSL_32BIT_MILLI_TIME
  in.take(4 + 4);
#else
  in.take(8 + 4);
#endif
  if (in.vector(1).size() > nonce_bytes) return false;
#endif
#ifdef WOLFSSL_EARLY_DATA
  in.take(4);
#endif
#endif
#ifdef HAVE_SESSION_TICKET
  found.ticket = in.vector(2);
#endif
  return in.good() && !in.more();
}

/// In TLS 1.2 only what has an extended master secret and no ticket: a client of wolfSSL (5.5.4 at
/// least) that offers a ticket takes every server for one that accepted it, and calls the certificate
/// of one that did not a fatal error.
[[nodiscard]] inline bool may_be_offered(const wolfssl_session_view& session) noexcept {
  if (session.tls1_3) return !session.ticket.empty();
  return session.extended_master_secret && session.ticket.empty() && !session.id.empty();
}

/// Octets on the heap, wiped when they go.
class wolfssl_secret {
 public:
  wolfssl_secret() noexcept = default;
  wolfssl_secret(wolfssl_secret&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  wolfssl_secret& operator=(wolfssl_secret&& other) noexcept {
    if (this != &other) {
      drop();
      data_ = std::exchange(other.data_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  ~wolfssl_secret() { drop(); }

  [[nodiscard]] bool reserve(std::size_t bytes) noexcept {
    drop();
    data_ = new (std::nothrow) std::uint8_t[bytes];
    size_ = data_ == nullptr ? 0 : bytes;
    return data_ != nullptr;
  }
  [[nodiscard]] std::uint8_t* data() noexcept { return data_; }
  [[nodiscard]] bytes_view view() const noexcept { return {data_, size_}; }
  void drop() noexcept {
    if (data_ == nullptr) return;
    wipe({data_, size_});
    delete[] std::exchange(data_, nullptr);
    size_ = 0;
  }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// What a connection that may resume knows of sessions: the one offered, those it got, and what went
/// over the wire in the clear.
class wolfssl_resumption {
 public:
  /// `slot` is the engine's.
  explicit wolfssl_resumption(hello_tap** slot) noexcept : slot_(slot) { *slot_ = &tap_; }
  wolfssl_resumption(const wolfssl_resumption&) = delete;
  wolfssl_resumption& operator=(const wolfssl_resumption&) = delete;
  ~wolfssl_resumption() { *slot_ = nullptr; }

  [[nodiscard]] const hello_watch& watch() const noexcept { return tap_.watch; }
  [[nodiscard]] bool offers() const noexcept { return !offered_.view().empty(); }

  /// Keeps a copy of what is offered.
  [[nodiscard]] bool keep_offer(bytes_view octets) noexcept {
    wolfssl_session_view seen;
    if (!offered_.reserve(octets.size())) return false;
    std::copy(octets.begin(), octets.end(), offered_.data());
    if (!read_wolfssl_session(offered_.view(), seen)) {
      drop_offer();
      return false;
    }
    tap_.wanted = {seen.tls1_3, seen.ticket, seen.id};
    return true;
  }
  void drop_offer() noexcept {
    offered_.drop();
    tap_.wanted = {};
  }

  void got(WOLFSSL_SESSION* session) noexcept {
    const int size = wolfSSL_i2d_SSL_SESSION(session, nullptr);
    if (size <= 0 || static_cast<std::size_t>(size) > max_session_bytes) return;
    wolfssl_secret one;
    if (!one.reserve(static_cast<std::size_t>(size))) return;
    unsigned char* to = one.data();
    wolfssl_session_view seen;
    if (wolfSSL_i2d_SSL_SESSION(session, &to) != size || !read_wolfssl_session(one.view(), seen)) {
      return;
    }
    if (!seen.tls1_3) {
      // In TLS 1.2 wolfSSL calls before and after the ticket; the last word counts.
      for (auto& earlier : got_) earlier.drop();
      got_count_ = 0;
    }
    if (!may_be_offered(seen)) return;
    if (got_count_ == got_.size()) {
      std::move(got_.begin() + 1, got_.end(), got_.begin());
      --got_count_;
    }
    got_[got_count_++] = std::move(one);
  }

  template <typename Each>
  void collect(bool resumed_tls1_2, Each&& each) noexcept {
    const bool renewed = got_count_ != 0;
    for (std::size_t i = 0; i < got_count_; ++i) {
      each(got_[i].view());
      got_[i].drop();
    }
    got_count_ = 0;
    if (resumed_tls1_2 && offers()) {
      if (!renewed) each(offered_.view());
      drop_offer();
      spent_ = true;
    }
  }
  [[nodiscard]] bool spent() const noexcept { return spent_; }

 private:
  hello_tap tap_{};
  hello_tap** slot_;
  wolfssl_secret offered_{};
  std::array<wolfssl_secret, 8> got_{};
  std::size_t got_count_ = 0;
  bool spent_ = false;  ///< what was offered has been given back or renewed
};

}  // namespace detail
}  // namespace backends
}  // namespace v0
}  // namespace cotter
