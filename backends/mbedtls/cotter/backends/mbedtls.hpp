// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/mbedtls/resumption.hpp>
#include <cotter/concepts/backend.hpp>
#include <cotter/concepts/hasher.hpp>
#include <cotter/concepts/sealer.hpp>
#include <cotter/concepts/verifier.hpp>
#include <cotter/values/runtime.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/session_binding.hpp>

#include <mbedtls/version.h>

#if MBEDTLS_VERSION_NUMBER < 0x021C0000
#error "cotter needs Mbed TLS 2.28 or later"
#endif

#include <mbedtls/sha256.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/x509_crt.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#if defined(MBEDTLS_SSL_PROTO_TLS1_3) && MBEDTLS_VERSION_NUMBER < 0x03060100
#error \
    "cotter: Mbed TLS before 3.6.1 loses per-connection verification under MBEDTLS_SSL_PROTO_TLS1_3"
#endif
#if !defined(MBEDTLS_SSL_PROTO_TLS1_2) && !defined(MBEDTLS_SSL_PROTO_TLS1_3)
#error "cotter needs MBEDTLS_SSL_PROTO_TLS1_2 or MBEDTLS_SSL_PROTO_TLS1_3"
#endif
#if !defined(MBEDTLS_SSL_CLI_C)
#error "cotter needs MBEDTLS_SSL_CLI_C"
#endif
#if !defined(MBEDTLS_X509_CRT_PARSE_C)
#error "cotter needs MBEDTLS_X509_CRT_PARSE_C"
#endif
#if !defined(MBEDTLS_SHA256_C)
#error "cotter needs MBEDTLS_SHA256_C"
#endif
#if !defined(MBEDTLS_ECDSA_C) && !defined(MBEDTLS_PK_CAN_ECDSA_VERIFY)
#error "cotter needs MBEDTLS_ECDSA_C: without it no document could be verified"
#endif
#if !defined(MBEDTLS_ECP_DP_SECP256R1_ENABLED) && !defined(PSA_WANT_ECC_SECP_R1_256)
#error "cotter needs MBEDTLS_ECP_DP_SECP256R1_ENABLED: without it no document could be verified"
#endif
#if !defined(MBEDTLS_HAVE_TIME_DATE)
#error "cotter needs MBEDTLS_HAVE_TIME_DATE: without it certificates never expire"
#endif
#if !defined(MBEDTLS_SSL_SERVER_NAME_INDICATION)
#error "cotter needs MBEDTLS_SSL_SERVER_NAME_INDICATION"
#endif
#if defined(MBEDTLS_X509_ALLOW_UNSUPPORTED_CRITICAL_EXTENSION)
#error "cotter refuses MBEDTLS_X509_ALLOW_UNSUPPORTED_CRITICAL_EXTENSION (RFC 5280 4.2)"
#endif
#if MBEDTLS_VERSION_MAJOR < 3 && !defined(MBEDTLS_X509_CHECK_KEY_USAGE)
#error "cotter needs MBEDTLS_X509_CHECK_KEY_USAGE"
#endif
#if MBEDTLS_VERSION_MAJOR < 3 && !defined(MBEDTLS_X509_CHECK_EXTENDED_KEY_USAGE)
#error "cotter needs MBEDTLS_X509_CHECK_EXTENDED_KEY_USAGE"
#endif
#if defined(MBEDTLS_SSL_PROTO_TLS1_2) && !defined(MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED) && \
    !defined(MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED) &&                                        \
    !defined(MBEDTLS_KEY_EXCHANGE_DHE_RSA_ENABLED)
#error \
    "cotter needs MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED, _ECDHE_RSA_ENABLED or _DHE_RSA_ENABLED"
#endif
#if defined(MBEDTLS_SSL_PROTO_TLS1_3) && \
    !defined(MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED)
#error "cotter needs MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED"
#endif

#define COTTER_MBEDTLS_CANNOT_SEAL                                                         \
  "cotter: nothing can be sealed without MBEDTLS_GCM_C, MBEDTLS_AES_C with 256-bit keys, " \
  "MBEDTLS_CTR_DRBG_C and MBEDTLS_ENTROPY_C"

namespace cotter {
inline namespace v0 {
namespace backends {

/// Mbed TLS 2.28 and 3.6 (3.x without TLS 1.3 as well), client side.
///
/// `attach` gives the session a configuration of its own: a copy of the application's, hardened and
/// kept in the attachment. The application's configuration is never written, and changing it
/// afterwards changes nothing here; what it points to (anchors, CRLs, own certificates, the random
/// number generator, ALPN names) stays borrowed. What the hardening sets:
///   - TLS 1.2 at least, and the application's maximum;
///   - those of the application's cipher suites that are (EC)DHE signed by a certificate (no PSK,
///     static RSA or ECDH, anonymous, NULL, RC4, DES), at most 32 of them; in place of the
///     library's default list, `strong_suites`. Diffie-Hellman groups of at least 2048 bits;
///   - verification required, against the stricter of the application's certificate profile and
///     `mbedtls_x509_crt_profile_default`. An application's verify callback is not called: it could
///     clear what the library found;
///   - no PSK, no tickets, no early data, no renegotiation, no peer without RFC 5746;
///   - extended master secret offered (RFC 7627).
/// A session set with `mbedtls_ssl_set_session` is dropped by `attach`, and one set later, other than
/// by `offer`, makes the handshake fail before ClientHello is sent. One attachment serves one handshake that reaches a
/// certificate: a second one fails.
///
/// Where the copy cannot speak (the hook replaced by `mbedtls_ssl_set_verify` after `attach`, or
/// `mbedtls_ssl_set_hs_authmode`), a TLS 1.2 handshake fails when the client wants randomness for
/// its key exchange; a TLS 1.3 one completes, and `inspect` says what is missing.
///
/// The library parses the chain before any hook runs: a handshake whose certificates it cannot
/// parse, or whose chain is longer than `MBEDTLS_X509_MAX_INTERMEDIATE_CA`, fails without a call to
/// the observer.
struct mbedtls {
  static constexpr std::string_view name = "mbedtls";
  using session = mbedtls_ssl_context*;

  class hasher;
  struct attachment;

  /// @errors `invalid_host`; `unfit_session` if the session is null, not set up, a server's, a
  ///   datagram one, attached already, or its handshake has begun; `unfit_backend` if the
  ///   application's configuration leaves no fit version or cipher suite, more than 32 of the
  ///   latter, or no random number generator; `out_of_memory`. After any of them the session cannot
  ///   complete a handshake until an attach succeeds or it is set up anew.
  static result<void> attach(session ssl, const target& whom, handshake_observer& observer,
                             attachment& held) noexcept;

  static handshake_facts inspect(const attachment& held) noexcept;

  /// Leaves the session with a configuration that cannot start a handshake, nor finish one that is
  /// under way. An established connection still reads; it still writes and closes unless a CBC
  /// suite was negotiated, which wants random numbers. For another handshake, `attach` finds the
  /// application's configuration again.
  static void detach(attachment& held) noexcept;

  using resumption = detail::mbedtls_resumption;
  /// Concept `resuming_backend`: TLS 1.2, tickets and session ids. Only for a `client`: the library
  /// tells nobody whether the server agreed to an extended master secret (RFC 7627), so its engine
  /// reads the hellos. False, too, in a build without MBEDTLS_SSL_EXTENDED_MASTER_SECRET. Sessions
  /// of TLS 1.3 (version 3.6) are neither kept nor resumed. Allocates.
  [[nodiscard]] static bool allow_sessions(attachment& held) noexcept;
  /// Concept `resuming_backend`, F1. Allocates.
  [[nodiscard]] static bool offer(attachment& held, bytes_view octets) noexcept;
  /// Concept `resuming_backend`, F5. Allocates.
  template <typename Each>
  static void collect(attachment& held, Each&& each) noexcept;

#if defined(MBEDTLS_CTR_DRBG_C) && defined(MBEDTLS_ENTROPY_C)
  /// False if the library lacks MBEDTLS_CTR_DRBG_C or MBEDTLS_ENTROPY_C: then there is neither
  /// `context` nor `server`, and `client` takes the program's own configuration.
  static constexpr bool has_context = true;
  /// Client configuration for programs that have none of their own. Trusts nobody until anchors are
  /// loaded. Set up before the first `client` and outlives the last; not changed in between.
  class context;
#else
  static constexpr bool has_context = false;
#endif
  /// A TLS connection over memory (`cotter::engine`): what `client` and `server` share. Ciphertext
  /// waits on the heap, at most 64 KiB each way.
  class connection;
  /// A client's connection over memory. It enforces nothing until a guard is attached to
  /// `native()`.
  class client;
#if defined(MBEDTLS_SSL_SRV_C) && defined(MBEDTLS_CTR_DRBG_C) && defined(MBEDTLS_ENTROPY_C)
  /// False if the library is built without MBEDTLS_SSL_SRV_C, or `has_context` is false.
  static constexpr bool has_server = true;
  /// A server's connection over memory, for self-tests: one leaf, no client authentication, no
  /// resumption.
  class server;
#else
  static constexpr bool has_server = false;
#endif

  /// The protocol that both sides agreed on (RFC 7301), empty if none. Borrowed from the list that
  /// was offered.
  [[nodiscard]] static std::string_view negotiated_alpn([[maybe_unused]] session ssl) noexcept {
#if defined(MBEDTLS_SSL_ALPN)
    if (ssl != nullptr) {
      if (const char* chosen = mbedtls_ssl_get_alpn_protocol(ssl)) return chosen;
    }
#endif
    return {};
  }

  /// "TLSv1.2" or "TLSv1.3" after the handshake. Static storage.
  [[nodiscard]] static std::string_view tls_version(session ssl) noexcept {
    return ssl == nullptr ? std::string_view{} : std::string_view{mbedtls_ssl_get_version(ssl)};
  }

  /// For diagnosis, never for a decision: calls `each(bytes_view)` with every certificate that the
  /// peer presented, octets as they came, its leaf first. Only after a handshake that completed:
  /// the library frees the chain of one that was refused. None in a build without
  /// MBEDTLS_SSL_KEEP_PEER_CERTIFICATE. Borrowed from the session.
  template <typename Each>
  static void for_each_peer_certificate(session ssl, Each&& each) {
    const mbedtls_x509_crt* one = ssl == nullptr ? nullptr : mbedtls_ssl_get_peer_cert(ssl);
    for (; one != nullptr; one = one->next) each(bytes_view(one->raw.p, one->raw.len));
  }

  /// The library that runs, where it was built with MBEDTLS_VERSION_C, else the one compiled
  /// against: "mbed TLS 2.28.3". Static storage.
  [[nodiscard]] static std::string_view build() noexcept {
#if defined(MBEDTLS_VERSION_C)
    static const running_version running;
    return running.text.data();
#else
    return MBEDTLS_VERSION_STRING_FULL;
#endif
  }
  /// The version of the library that runs.
  [[nodiscard]] static library_version version() noexcept {
#if defined(MBEDTLS_VERSION_C)
    const auto packed = static_cast<std::uint32_t>(mbedtls_version_get_number());
#else
    const std::uint32_t packed = MBEDTLS_VERSION_NUMBER;
#endif
    return {static_cast<std::uint16_t>(packed >> 24),
            static_cast<std::uint16_t>(packed >> 16 & 0xff),
            static_cast<std::uint16_t>(packed >> 8 & 0xff)};
  }

  /// SHA-1 as RFC 6455 4.2.2 uses it, for nothing else. False, `out` untouched, if the library is
  /// built without MBEDTLS_SHA1_C.
  [[nodiscard]] static bool sha1(bytes_view octets, std::span<std::uint8_t, 20> out) noexcept;

  /// Concept `verifier`, V3: the library has no Ed25519.
  [[nodiscard]] static constexpr bool supports(signature_scheme scheme) noexcept {
    return scheme == signature_scheme::ecdsa_p256_sha256;
  }
  /// Concept `verifier`, V1 and V2. Allocates.
  /// @errors `unsupported_key`, `bad_signature`, `out_of_memory`
  [[nodiscard]] static result<void> verify(signature_scheme scheme, bytes_view key,
                                           bytes_view message, bytes_view signature) noexcept;

#if defined(MBEDTLS_GCM_C) && defined(MBEDTLS_AES_C) &&                             \
    !defined(MBEDTLS_AES_ONLY_128_BIT_KEY_LENGTH) && defined(MBEDTLS_CTR_DRBG_C) && \
    defined(MBEDTLS_ENTROPY_C)
  /// Concept `sealer`. False if the library lacks MBEDTLS_GCM_C, MBEDTLS_AES_C (with keys of 256
  /// bits), MBEDTLS_CTR_DRBG_C or MBEDTLS_ENTROPY_C.
  static constexpr bool supports_sealing = true;
  /// Concept `sealer`, S1 and S3. Allocates. Each call seeds a generator of its own: a shared one
  /// would say the same in a process and its child.
  /// @errors `too_large`, `unfit_backend`, `out_of_memory`
  [[nodiscard]] static result<void> seal(const seal_key& key, bytes_view plain,
                                         bytes_view associated,
                                         std::span<std::uint8_t> out) noexcept;
  /// Concept `sealer`, S1 and S2. Allocates.
  /// @errors `bad_seal`, `unfit_backend`, `out_of_memory`
  [[nodiscard]] static result<void> open(const seal_key& key, bytes_view sealed,
                                         bytes_view associated,
                                         std::span<std::uint8_t> out) noexcept;
  /// Concept `sealer`, S5, as for `seal`.
  [[nodiscard]] static bool random_octets(std::span<std::uint8_t> out) noexcept;
#else
  static constexpr bool supports_sealing = false;
  template <typename Key>
  static result<void> seal(const Key&, bytes_view, bytes_view, std::span<std::uint8_t>) noexcept {
    static_assert(sizeof(Key) == 0, COTTER_MBEDTLS_CANNOT_SEAL);
    return errc::unfit_backend;
  }
  template <typename Key>
  static result<void> open(const Key&, bytes_view, bytes_view, std::span<std::uint8_t>) noexcept {
    static_assert(sizeof(Key) == 0, COTTER_MBEDTLS_CANNOT_SEAL);
    return errc::unfit_backend;
  }
  template <typename Octet>
  static bool random_octets(std::span<Octet>) noexcept {
    static_assert(sizeof(Octet) == 0, COTTER_MBEDTLS_CANNOT_SEAL);
    return false;
  }
#endif

  /// What is offered in place of the library's default list, in order of preference; zero ends it.
  /// Suites that the library was built without are skipped by it.
  static constexpr int strong_suites[] = {
#if MBEDTLS_VERSION_MAJOR >= 3
      MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
      MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
      MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
      MBEDTLS_TLS1_3_AES_128_CCM_SHA256,
#endif
      MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
      MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
      MBEDTLS_TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
      MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
      MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
      MBEDTLS_TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,
      MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
      MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
      MBEDTLS_TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
      MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_CCM,
      MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
      MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8,
      MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
      MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
      MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
      MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
      MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
      MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
      MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
      MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
      MBEDTLS_TLS_DHE_RSA_WITH_AES_256_CBC_SHA256,
      MBEDTLS_TLS_DHE_RSA_WITH_AES_128_CBC_SHA256,
      0};

 private:
  struct hooks;
  struct signatures;
  struct gcm;
  class octet_queue;
  class file_octets;
  struct server_identity;

#if defined(MBEDTLS_VERSION_C)
  struct running_version {
    running_version() noexcept { mbedtls_version_get_string_full(text.data()); }
    std::array<char, 32> text{};
  };
#endif

  static constexpr std::size_t max_suites = 32;

  /// Where the `connection` behind `ssl` has the place for who reads along; null if it is none.
  static hello_tap** tap_of(const mbedtls_ssl_context& ssl) noexcept;
  /// Whether the handshake has completed.
  [[nodiscard]] static bool is_over(const mbedtls_ssl_context& ssl) noexcept;
};

/// SHA-256 by the library (`mbedtls_sha256_context`); allocates nothing, `prepare` included, unless
/// MBEDTLS_SHA256_ALT does.
class mbedtls::hasher {
 public:
#if !defined(MBEDTLS_SHA256_ALT)
  using reusable = hasher;
#endif

  hasher() noexcept { mbedtls_sha256_init(&state_); }
  ~hasher() { mbedtls_sha256_free(&state_); }
  hasher(const hasher&) = delete;
  hasher& operator=(const hasher&) = delete;

  [[nodiscard]] bool prepare() noexcept;
  void update(bytes_view octets) noexcept;
  [[nodiscard]] bool finish(sha256_digest& out) noexcept;

 private:
  mbedtls_sha256_context state_;
  bool ready_ = false;
};

/// What one attached connection needs: its configuration and its progress. The session points into
/// it until `detach`.
struct mbedtls::attachment {
 public:
  attachment() noexcept = default;
  attachment(const attachment&) = delete;
  attachment& operator=(const attachment&) = delete;

 private:
  friend struct mbedtls;

  enum class stage : std::uint8_t { before_certificate, refused, accepted };

  static int on_certificate(void* context, mbedtls_x509_crt* crt, int depth,
                            std::uint32_t* flags) noexcept;
  static int on_random(void* context, unsigned char* out, std::size_t size_bytes) noexcept;

  result<void> enforce(mbedtls_ssl_context& ssl, const mbedtls_ssl_config& own, const target& whom,
                       handshake_observer& observer) noexcept;
  bool harden_suites(const int* wanted) noexcept;
  bool harden_versions() noexcept;
  void harden_profile(const mbedtls_x509_crt_profile* wanted) noexcept;

  mbedtls_ssl_context* ssl_ = nullptr;
  const mbedtls_ssl_config* own_ = nullptr;
  handshake_observer* observer_ = nullptr;
  int (*random_)(void*, unsigned char*, std::size_t) = nullptr;
  void* random_context_ = nullptr;
  mbedtls_ssl_config conf_{};
  mbedtls_x509_crt_profile profile_{};
  int suites_[max_suites + 1]{};
  std::uint32_t flags_ = 0;
  identity kind_ = identity::host;
  stage stage_ = stage::before_certificate;
  resumption* sessions_ = nullptr;  // owned; null unless sessions are allowed
};

static_assert(hasher<mbedtls::hasher>);
static_assert(resuming_backend<mbedtls>);
static_assert(verifier<mbedtls>);
static_assert(sealer<mbedtls> == mbedtls::supports_sealing);

}  // namespace backends

template <>
struct backend_of<mbedtls_ssl_context*> {
  using type = backends::mbedtls;
};

}  // namespace v0
}  // namespace cotter

#undef COTTER_MBEDTLS_CANNOT_SEAL

// The definitions. Each part needs what is declared above and no other part: one that is included
// by itself comes after all the others.
#include <cotter/backends/mbedtls/engine.hpp>
#include <cotter/backends/mbedtls/hash.hpp>
#include <cotter/backends/mbedtls/hooks.hpp>
#include <cotter/backends/mbedtls/seal.hpp>
#include <cotter/backends/mbedtls/verify.hpp>
