// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/openssl/resumption.hpp>
#include <cotter/concepts/backend.hpp>
#include <cotter/concepts/sealer.hpp>
#include <cotter/concepts/verifier.hpp>
#include <cotter/values/runtime.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/session_binding.hpp>
#include <cotter/values/target.hpp>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#if defined(LIBRESSL_VERSION_NUMBER) || defined(OPENSSL_IS_BORINGSSL)
#error "cotter: this header is for OpenSSL 3; LibreSSL and BoringSSL need a backend of their own"
#elif OPENSSL_VERSION_NUMBER < 0x30000000L
#error "cotter: OpenSSL 3.0 or newer is needed"
#endif
#if (defined(OPENSSL_NO_TLS1_2) || defined(OPENSSL_NO_TLS1_2_CLIENT)) && defined(OPENSSL_NO_TLS1_3)
#error "cotter: OpenSSL was built without TLS 1.2 and 1.3 (no-tls1_2, no-tls1_3)"
#endif
#ifdef OPENSSL_NO_EC
#error "cotter: no document could be verified; build OpenSSL without no-ec"
#endif

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace backends {

/// OpenSSL 3, client side. Never in one translation unit with another TLS library.
///
/// The hook that sees the whole chain belongs to the `SSL_CTX`: from the first attach on, a context
/// serves guarded connections only, and an `SSL` of it that was not attached is refused. Where
/// several threads share a context, `prepare` it before they start.
///
/// What the application may do to an `SSL` after attach, and what then happens: its message, info
/// or verify callback or its `SSL_CTX` replaced, or the context's certificate hook: the handshake
/// fails, or, where OpenSSL leaves no way to tell in time, `connection::confirm` refuses. Without
/// the message callback there are no octets as they came: an `X509` has lost how its shell was
/// spelled.
struct openssl {
  static constexpr std::string_view name = "openssl";
  using session = SSL*;

  class hasher;
  /// A client configuration for programs that have none of their own. Trusts nothing until anchors
  /// are loaded; reads no environment and no default store.
  class context;
  /// A client without a socket. Attach a guard to `native()` before the first `handshake`.
  class client;
  /// A server without a socket, for the self-test.
  class server;
  static constexpr bool has_server = true;

  using resumption = detail::openssl_resumption;

  /// Per-connection state; see concept `backend`.
  struct attachment {
    attachment() noexcept = default;
    attachment(const attachment&) = delete;
    attachment& operator=(const attachment&) = delete;

    SSL* ssl = nullptr;  // null once the SSL is gone
    SSL_CTX* ssl_ctx = nullptr;
    handshake_observer* observer = nullptr;
    const X509* leaf = nullptr;  // compared, never read
    void (*previous_info)(const SSL*, int, int) = nullptr;
    bool leaf_handed_over = false;
    bool verifying = false;
    bool decided = false;
    resumption* sessions = nullptr;  // owned; null unless sessions are allowed
  };

  /// Installs the certificate hook in `ctx`, once. Not needed unless threads share `ctx`.
  static void prepare(SSL_CTX* ctx) noexcept;

  /// @see backend, B1.
  /// @errors `unfit_session` (not a TLS client, or the handshake has begun), `unfit_backend`
  static result<void> attach(SSL* ssl, const target& whom, handshake_observer& observer,
                             attachment& state) noexcept;

  /// @see backend, B5
  static handshake_facts inspect(const attachment& state) noexcept;

  /// @see backend, B6
  static void detach(attachment& state) noexcept;

  /// @see resuming_backend. Allocates. Under a context of one's own (`openssl::context`) every ticket
  /// of TLS 1.3 is collected, elsewhere the last one of each `collect`.
  [[nodiscard]] static bool allow_sessions(attachment& state) noexcept;
  /// @see resuming_backend, F1. Allocates.
  [[nodiscard]] static bool offer(attachment& state, bytes_view octets) noexcept;
  /// @see resuming_backend, F5. Allocates if there is anything.
  template <typename Each>
  static void collect(attachment& state, Each&& each) noexcept;

  /// The protocol that ALPN chose (RFC 7301), or empty; borrowed from `ssl`.
  [[nodiscard]] static std::string_view negotiated_alpn(SSL* ssl) noexcept {
    const unsigned char* text = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &text, &size);
    return {reinterpret_cast<const char*>(text), size};
  }
  /// "TLSv1.2" or "TLSv1.3"; static storage.
  [[nodiscard]] static std::string_view tls_version(SSL* ssl) noexcept {
    return SSL_get_version(ssl);
  }
  /// For diagnosis, never for a decision: calls `each(bytes_view)` with every certificate that the
  /// peer presented, its leaf first, in a handshake that completed or that a hook refused. In DER
  /// as OpenSSL writes it: TBSCertificate as it came, the shell around it made canonical. The
  /// octets live as long as the call. Allocates; a certificate for which there is no memory is left
  /// out.
  template <typename Each>
  static void for_each_peer_certificate(SSL* ssl, Each&& each) {
    const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl);
    const int count = chain == nullptr ? 0 : sk_X509_num(chain);
    for (int i = 0; i < count; ++i) {
      std::uint8_t* octets = nullptr;
      const int size = i2d_X509(sk_X509_value(chain, i), &octets);
      if (size > 0) each(bytes_view(octets, static_cast<std::size_t>(size)));
      OPENSSL_free(octets);
    }
  }
  /// The library that runs, not the one compiled against; static storage.
  [[nodiscard]] static std::string_view build() noexcept {
    return OpenSSL_version(OPENSSL_VERSION);
  }
  /// The version of the library that runs.
  [[nodiscard]] static library_version version() noexcept {
    return {static_cast<std::uint16_t>(OPENSSL_version_major()),
            static_cast<std::uint16_t>(OPENSSL_version_minor()),
            static_cast<std::uint16_t>(OPENSSL_version_patch())};
  }
  /// SHA-1, for Sec-WebSocket-Accept (RFC 6455 4.2.2) and nothing else.
  static bool sha1(bytes_view in, std::span<std::uint8_t, 20> out) noexcept;

  /// @see verifier, V3. Ed25519 depends on the providers that are loaded.
  [[nodiscard]] static bool supports(signature_scheme scheme) noexcept;
  /// @see verifier, V1 and V2. Allocates; leaves OpenSSL's error queue as it was.
  /// @errors `unsupported_key`, `bad_signature`, `out_of_memory`
  [[nodiscard]] static result<void> verify(signature_scheme scheme, bytes_view key,
                                           bytes_view message, bytes_view signature) noexcept;

  /// @see sealer. Whether AES-256-GCM is there at run time depends on the providers that are
  /// loaded: without it, `unfit_backend`.
  static constexpr bool supports_sealing = true;
  /// @see sealer, S1 and S3. Allocates; leaves OpenSSL's error queue as it was.
  /// @errors `too_large`, `unfit_backend`, `out_of_memory`
  [[nodiscard]] static result<void> seal(const seal_key& key, bytes_view plain,
                                         bytes_view associated,
                                         std::span<std::uint8_t> out) noexcept;
  /// @see sealer, S1 and S2. Allocates; leaves OpenSSL's error queue as it was.
  /// @errors `bad_seal`, `unfit_backend`, `out_of_memory`
  [[nodiscard]] static result<void> open(const seal_key& key, bytes_view sealed,
                                         bytes_view associated,
                                         std::span<std::uint8_t> out) noexcept;
  /// @see sealer, S5: from the generator that OpenSSL keeps apart for secrets.
  [[nodiscard]] static bool random_octets(std::span<std::uint8_t> out) noexcept;

 private:
  static int keep_session(SSL* ssl, SSL_SESSION* session) noexcept;

  struct hooks;
  struct signatures;
  struct gcm;
};

/// SHA-256 in an EVP context. `prepare` allocates; the rest does not.
class openssl::hasher {
 public:
  hasher() noexcept = default;
  hasher(const hasher&) = delete;
  hasher& operator=(const hasher&) = delete;
  ~hasher() { EVP_MD_CTX_free(context_); }

  [[nodiscard]] bool prepare() noexcept;
  void update(bytes_view octets) noexcept;
  [[nodiscard]] bool finish(sha256_digest& out) noexcept;

 private:
  EVP_MD_CTX* context_ = nullptr;
  bool ready_ = false;
};

}  // namespace backends

template <>
struct backend_of<SSL*> {
  using type = backends::openssl;
};

static_assert(resuming_backend<backends::openssl>);
static_assert(verifier<backends::openssl>);
static_assert(sealer<backends::openssl>);

}  // namespace v0
}  // namespace cotter

// The definitions. Each part needs what is declared above and no other part: one that is included
// by itself comes after all the others.
#include <cotter/backends/openssl/engine.hpp>
#include <cotter/backends/openssl/hash.hpp>
#include <cotter/backends/openssl/hooks.hpp>
#include <cotter/backends/openssl/seal.hpp>
#include <cotter/backends/openssl/verify.hpp>
