// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/hello.hpp>
#include <cotter/values/hello_tap.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/session_binding.hpp>

#include <mbedtls/ssl.h>
#include <mbedtls/version.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <new>
#include <utility>

#pragma push_macro("COTTER_MBEDTLS_FIELD")
#undef COTTER_MBEDTLS_FIELD
#if MBEDTLS_VERSION_MAJOR >= 3
#define COTTER_MBEDTLS_FIELD(name) MBEDTLS_PRIVATE(name)
#else
#define COTTER_MBEDTLS_FIELD(name) name
#endif

namespace cotter {
inline namespace v0 {
namespace backends {
namespace detail {

/// What a connection that may resume knows of sessions: the one offered, and what went over the wire
/// in the clear.
class mbedtls_resumption {
 public:
  /// `slot` is the engine's.
  explicit mbedtls_resumption(hello_tap** slot) noexcept : slot_(slot) {
    mbedtls_ssl_session_init(&offered_);
    *slot_ = &tap_;
  }
  mbedtls_resumption(const mbedtls_resumption&) = delete;
  mbedtls_resumption& operator=(const mbedtls_resumption&) = delete;
  ~mbedtls_resumption() {
    *slot_ = nullptr;
    mbedtls_ssl_session_free(&offered_);
  }

  [[nodiscard]] const hello_watch& watch() const noexcept { return tap_.watch; }

  /// The session that these octets are; null if they are none.
  [[nodiscard]] const mbedtls_ssl_session* load(bytes_view octets) noexcept {
    drop();
    if (mbedtls_ssl_session_load(&offered_, octets.data(), octets.size()) != 0) drop();
    return offered_.COTTER_MBEDTLS_FIELD(ciphersuite) == 0 ? nullptr : &offered_;
  }
  void drop() noexcept {
    mbedtls_ssl_session_free(&offered_);
    mbedtls_ssl_session_init(&offered_);
    tap_.wanted = {};
  }
  /// From here on the loaded session is the one to be offered.
  void expect() noexcept { tap_.wanted = {false, ticket_of(offered_), id_of(offered_)}; }

  [[nodiscard]] bool is_offered(const mbedtls_ssl_session& session) const noexcept {
    const bytes_view ticket = ticket_of(session);
    // With a ticket the library makes up an id for each connection.
    return has_secret_of(session) && equal(ticket, ticket_of(offered_)) &&
           (!ticket.empty() || equal(id_of(session), id_of(offered_)));
  }
  [[nodiscard]] bool has_secret_of(const mbedtls_ssl_session& session) const noexcept {
    const auto& ours = offered_.COTTER_MBEDTLS_FIELD(master);
    const auto& theirs = session.COTTER_MBEDTLS_FIELD(master);
    return offered_.COTTER_MBEDTLS_FIELD(ciphersuite) != 0 &&
           std::equal(std::begin(ours), std::end(ours), std::begin(theirs));
  }

  static bytes_view ticket_of([[maybe_unused]] const mbedtls_ssl_session& session) noexcept {
#if defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_CLI_C)
    if (session.COTTER_MBEDTLS_FIELD(ticket) != nullptr) {
      return {session.COTTER_MBEDTLS_FIELD(ticket), session.COTTER_MBEDTLS_FIELD(ticket_len)};
    }
#endif
    return {};
  }
  static bytes_view id_of(const mbedtls_ssl_session& session) noexcept {
    return {session.COTTER_MBEDTLS_FIELD(id), session.COTTER_MBEDTLS_FIELD(id_len)};
  }

  /// Once per connection: TLS 1.2 has nothing to say of sessions after its handshake.
  template <typename Each>
  void collect(const mbedtls_ssl_context& ssl, Each&& each) noexcept {
    if (std::exchange(collected_, true)) return;
    mbedtls_ssl_session session;
    mbedtls_ssl_session_init(&session);
    if (mbedtls_ssl_get_session(&ssl, &session) == 0 &&
        (!ticket_of(session).empty() || !id_of(session).empty())) {
      give(session, each);
    }
    mbedtls_ssl_session_free(&session);
  }

 private:
  static bool equal(bytes_view a, bytes_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }
  template <typename Each>
  static void give(const mbedtls_ssl_session& session, Each& each) noexcept {
    std::size_t bytes = 0;
    static_cast<void>(mbedtls_ssl_session_save(&session, nullptr, 0, &bytes));
    if (bytes == 0 || bytes > max_session_bytes) return;
    auto* octets = new (std::nothrow) std::uint8_t[bytes];
    if (octets == nullptr) return;
    std::size_t written = 0;
    if (mbedtls_ssl_session_save(&session, octets, bytes, &written) == 0 && written == bytes) {
      each(bytes_view(octets, bytes));
    }
    wipe({octets, bytes});
    delete[] octets;
  }

  hello_tap tap_{};
  hello_tap** slot_;
  mbedtls_ssl_session offered_;
  bool collected_ = false;
};

}  // namespace detail
}  // namespace backends
}  // namespace v0
}  // namespace cotter

#pragma pop_macro("COTTER_MBEDTLS_FIELD")
