// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/error.hpp>
#include <cotter/values/verdict.hpp>

#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace cotter {
inline namespace v0 {

/// What to do about `c`, one line of English for people; the code itself is the contract.
[[nodiscard]] constexpr std::string_view advice(errc c) noexcept {
  switch (c) {
    case errc::ok: return "nothing to do";
    case errc::invalid_host:
      return "write the host as A-labels in lower case without a trailing dot, or as a canonical "
             "IP address";
    case errc::invalid_port: return "give a port from 1 to 65535 without leading zeros";
    case errc::invalid_url:
      return "give wss://HOST[:PORT][/PATH], https://HOST[:PORT][/PATH], sips:HOST[:PORT] or "
             "tls://HOST:PORT";
    case errc::insecure_scheme:
      return "use wss, https, sips or tls: nothing can be pinned without TLS";
    case errc::unfit_session: return "give each stream one handshake, begun through cotter only";
    case errc::unfit_backend: return "run the backend's self_test() and see docs/contract.md";
    case errc::unfit_trust_anchors:
      return "check that the CA bundle exists and holds PEM certificates";
    case errc::unfit_credentials: return "check the client certificate and its key";
    case errc::out_of_memory: return "free memory, then connect again";
    case errc::tls_failure:
      return "see the TLS library's own code; the peer may not speak TLS 1.2 or later";
    case errc::tls_closed:
      return "the peer ended the connection in good order; connect again if needed";
    case errc::tls_truncated:
      return "the connection was cut: treat what came last as incomplete and connect again";
    case errc::permit_spent: return "ask the guard for a permit per connection";
    case errc::permit_foreign: return "attach with the guard that issued the permit";
    case errc::timeout: return "check that the server answers, or allow more time";
    case errc::connect_failed: return "check address, port and firewall; no TLS has taken place";
    case errc::resolve_failed: return "check the name and the resolver; no TCP has taken place";
    case errc::upgrade_refused:
      return "check path, credentials and subprotocol: the server did not agree to a WebSocket";
    case errc::protocol_error:
      return "the peer broke the protocol; close, and report it to its operator";
    case errc::message_too_big: return "raise the limit if the message is meant, else close";
    case errc::not_confirmed:
      return "run handshake() to an accepted verdict before the first application octet";
    case errc::invalid_header:
      return "give header names as tokens and values without CR, LF, NUL; leave the upgrade's own "
             "out";
    case errc::closed: return "the WebSocket is closed; open a new one";
    default: return "see `cotter explain`";
  }
}

/// What to do about a refusal, one line of English for people; the reason itself is the contract.
[[nodiscard]] constexpr std::string_view advice(reason r) noexcept {
  switch (r) {
    case reason::none: return "nothing to do";
    case reason::unbound: return "no guarded handshake has been completed on this connection";
    case reason::pkix: return "check the server's chain against the CA bundle";
    case reason::hostname: return "check that the certificate's SAN names the target";
    case reason::validity: return "check the certificate's dates, then this machine's clock";
    case reason::malformed_certificate: return "report the certificate to the server's operator";
    case reason::pin_mismatch:
      return "do not connect; compare fingerprint and manifest: a rotation, or an interceptor";
    case reason::fallback_expired: return "deploy the manifest that ends the rotation";
    case reason::no_pins: return "add a target with exactly this host and port";
    case reason::manifest_invalid:
    case reason::manifest_signature:
    case reason::manifest_rollback:
      return "deploy a manifest that is signed and newer than the last";
    case reason::manifest_expired: return "deploy a fresh manifest";
    case reason::runtime_mismatch: return "run the TLS library that the manifest allows";
    case reason::clock_untrusted: return "set this machine's clock";
    case reason::breaker_cooling: return "wait for the cooldown, then try once";
    case reason::breaker_locked: return "an administrator must reset the lock";
    case reason::resumption_unbound: return "connect with a full handshake";
    case reason::backend_unfit:
      return "run the backend's self_test(); let nothing replace its hooks";
    case reason::state_unavailable: return "initialise the breaker's state";
  }
  return "see `cotter explain`";
}

namespace detail {

/// What a category says; shared with Boost.System's.
[[nodiscard]] inline std::string message(errc c) {
  return std::string(code(c)).append(": ").append(advice(c));
}
[[nodiscard]] inline std::string message(reason r) {
  return std::string(to_string(r)).append(": ").append(advice(r));
}

class errc_category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "cotter"; }
  std::string message(int value) const override {
    return detail::message(static_cast<errc>(value));
  }
};

class reason_category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "cotter.verdict"; }
  std::string message(int value) const override {
    return detail::message(static_cast<reason>(value));
  }
};

}  // namespace detail

/// The category of `errc`; values are those of the enumeration.
[[nodiscard]] inline const std::error_category& error_category() noexcept {
  static const detail::errc_category category;
  return category;
}
/// The category of `reason`: the refusal of one handshake or admission.
[[nodiscard]] inline const std::error_category& verdict_category() noexcept {
  static const detail::reason_category category;
  return category;
}

[[nodiscard]] inline std::error_code make_error_code(errc c) noexcept {
  return {static_cast<int>(c), error_category()};
}
[[nodiscard]] inline std::error_code make_error_code(reason r) noexcept {
  return {static_cast<int>(r), verdict_category()};
}

}  // namespace v0
}  // namespace cotter

template <>
struct std::is_error_code_enum<cotter::errc> : std::true_type {};
template <>
struct std::is_error_code_enum<cotter::reason> : std::true_type {};
