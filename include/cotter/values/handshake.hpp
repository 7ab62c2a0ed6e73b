// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/tls_version.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// What the TLS library says of the chain, whole: signature, anchors, purpose, constraints, name
/// and time, all depths together.
struct chain_outcome {
  bool trusted = false;     ///< true only if the library found nothing wrong anywhere
  std::int32_t native = 0;  ///< its error code, for logs
};

/// What is known of a connection after its handshake; every default refuses.
struct handshake_facts {
  bool finished = false;       ///< the peer's Finished has been verified (RFC 8446 4.4.4)
  bool resumed = false;        ///< a session or PSK took the place of a Certificate message
  bool hooks_intact = false;   ///< everything attach installed is still in force
  bool authenticated = false;  ///< TLS >= 1.2, (EC)DHE, a certificate signed the handshake
  std::int32_t native = 0;     ///< the library's last error, for logs

  // Of backends that resume, once sessions are allowed.
  bool offered = false;    ///< with `resumed`: what was resumed is what `offer` was given, no other
  bool resumable = false;  ///< its sessions may be kept: TLS 1.3, or 1.2 under RFC 7627
  tls_version version = tls_version::tls1_2;  ///< that was negotiated, if `offered` or `resumable`
};

/// What a backend reports to during one handshake: the pipeline's side of a connection.
///
/// Backends hand over and obey; they decide nothing. Calls come from the library's hooks, on the
/// thread that drives the handshake, in this order: `on_start`, `on_leaf`, `on_chain`.
class handshake_observer {
 public:
  handshake_observer(const handshake_observer&) = delete;
  handshake_observer& operator=(const handshake_observer&) = delete;

  /// A handshake begins. Forgets whatever an earlier one on the same connection decided.
  virtual void on_start() noexcept = 0;

  /// The end-entity certificate as the peer sent it, or as near to it as the library keeps it.
  /// `der` need not outlive the call.
  virtual void on_leaf(bytes_view der) noexcept = 0;

  /// The library's own verdict on the chain. Returns true if the handshake may go on; on false the
  /// backend makes the library abort it. Never true unless `on_leaf` came before and
  /// `outcome.trusted`.
  [[nodiscard]] virtual bool on_chain(chain_outcome outcome) noexcept = 0;

 protected:
  handshake_observer() noexcept = default;
  ~handshake_observer() = default;
};

/// A host as the NUL-terminated text that C libraries want; 256 octets on the stack.
struct host_text {
  explicit constexpr host_text(std::string_view host) noexcept {
    if (host.size() > max_host_bytes) return;
    for (std::size_t i = 0; i < host.size(); ++i) text[i] = host[i];
  }
  [[nodiscard]] constexpr const char* c_str() const noexcept { return text; }

  char text[max_host_bytes + 3]{};
};

}  // namespace v0
}  // namespace cotter
