// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/bytes_view.hpp>
#include <cotter/values/digest.hpp>
#include <cotter/values/runtime.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/time.hpp>
#include <cotter/values/tls_version.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// How long after the full handshake a session may be resumed, however often it was renewed since.
inline constexpr std::chrono::hours longest_session{24};

/// The largest session that is kept, in the TLS library's own encoding: one whose peer had a
/// post-quantum certificate, and its ticket.
inline constexpr std::size_t max_session_bytes = 65536;

/// Which trust anchors a chain is judged against: a digest of all of them, whatever it is taken
/// over, as long as it is another one for other anchors. A backend's `context` knows its own; for
/// anchors that the program loaded itself, the program says. Unknown unless told: then no session
/// is kept and none is resumed.
struct anchors_identity {
  sha256_digest digest{};
  bool known = false;
};

/// A name or a host in place, at most `Bytes` octets. What is longer is not taken, and leaves it
/// empty.
template <std::size_t Bytes>
class short_text {
 public:
  constexpr short_text() noexcept = default;
  explicit constexpr short_text(std::string_view text) noexcept {
    if (text.size() > Bytes) return;
    for (std::size_t i = 0; i < text.size(); ++i) octets_[i] = text[i];
    size_ = static_cast<std::uint8_t>(text.size());
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {octets_.data(), size_}; }

 private:
  static_assert(Bytes <= 0xff);
  std::array<char, Bytes> octets_{};
  std::uint8_t size_ = 0;
};

inline constexpr std::size_t max_backend_name_bytes = 15;

/// Whose a session is. Two connections may share one only if all of this is equal.
struct session_key {
  short_text<max_host_bytes> host{};
  std::uint16_t port = 0;
  identity kind = identity::host;
  sha256_digest anchors{};
  sha256_digest guard{};  ///< the guard, or the group of guards that share by name
  short_text<max_backend_name_bytes> backend{};
  library_version library{};

  [[nodiscard]] constexpr bool same_target(const session_key& other) const noexcept {
    return host.view() == other.host.view() && port == other.port && kind == other.kind;
  }
  friend constexpr bool operator==(const session_key& a, const session_key& b) noexcept {
    return a.same_target(b) && a.anchors == b.anchors && a.guard == b.guard &&
           a.backend.view() == b.backend.view() && a.library == b.library;
  }
};

/// What a session stands for: the full handshake that it comes from, as that handshake's own hooks
/// saw it. What the TLS library itself remembers of the peer is not asked.
struct session_binding {
  session_key whose{};
  sha256_digest fingerprint{};  ///< SHA-256 over form C of the leaf
  sha256_digest key{};          ///< of its SubjectPublicKeyInfo; zero without `has_key`
  bool has_key = false;
  instant not_before{};  ///< of the leaf
  instant not_after{};
  tls_version version = tls_version::tls1_2;
  instant established_at{};    ///< of the full handshake; a renewed session inherits it
  std::uint64_t sequence = 0;  ///< of the manifest in force then; recorded, not compared
  sha256_digest octets{};      ///< SHA-256 of the session in the library's encoding
};

}  // namespace v0
}  // namespace cotter
