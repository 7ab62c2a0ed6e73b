// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/backend.hpp>
#include <cotter/concepts/engine.hpp>
#include <cotter/concepts/hasher.hpp>
#include <cotter/concepts/sealer.hpp>
#include <cotter/concepts/verifier.hpp>
#include <cotter/values/runtime.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/signature_encoding.hpp>
#include <cotter/values/tls_version.hpp>

#include <mbedtls/version.h>

#if MBEDTLS_VERSION_NUMBER < 0x021C0000
#error "cotter needs Mbed TLS 2.28 or later"
#endif

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/gcm.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/x509_crt.h>

#if defined(MBEDTLS_USE_PSA_CRYPTO) || defined(MBEDTLS_SSL_PROTO_TLS1_3)
#include <psa/crypto.h>
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
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

// Version 3 mangles the names of the fields without which enforcement is impossible.
#if MBEDTLS_VERSION_MAJOR >= 3
#define COTTER_MBEDTLS_FIELD(name) MBEDTLS_PRIVATE(name)
#else
#define COTTER_MBEDTLS_FIELD(name) name
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
/// A session set with `mbedtls_ssl_set_session` is dropped by `attach`, and one set later makes the
/// handshake fail before ClientHello is sent. One attachment serves one handshake that reaches a
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

#if defined(MBEDTLS_CTR_DRBG_C) && defined(MBEDTLS_ENTROPY_C)
  /// False if the library lacks MBEDTLS_CTR_DRBG_C or MBEDTLS_ENTROPY_C: then there is neither
  /// `context` nor `server`, and `client` takes the program's own configuration.
  static constexpr bool has_context = true;
  class context;
#else
  static constexpr bool has_context = false;
#endif
  class connection;
  class client;
#if defined(MBEDTLS_SSL_SRV_C) && defined(MBEDTLS_CTR_DRBG_C) && defined(MBEDTLS_ENTROPY_C)
  /// False if the library is built without MBEDTLS_SSL_SRV_C, or `has_context` is false.
  static constexpr bool has_server = true;
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
  [[nodiscard]] static bool sha1([[maybe_unused]] bytes_view octets,
                                 [[maybe_unused]] std::span<std::uint8_t, 20> out) noexcept {
#if !defined(MBEDTLS_SHA1_C)
    return false;
#elif MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_sha1(octets.data(), octets.size(), out.data()) == 0;
#else
    return mbedtls_sha1_ret(octets.data(), octets.size(), out.data()) == 0;
#endif
  }

  /// Concept `verifier`, V3: the library has no Ed25519.
  [[nodiscard]] static constexpr bool supports(signature_scheme scheme) noexcept {
    return scheme == signature_scheme::ecdsa_p256_sha256;
  }
  /// Concept `verifier`, V1 and V2. Allocates.
  /// @errors `unsupported_key`, `bad_signature`, `out_of_memory`
  [[nodiscard]] static result<void> verify(signature_scheme scheme, bytes_view key,
                                           bytes_view message, bytes_view signature) noexcept {
    if (!supports(scheme)) return errc::unsupported_key;
    const result<void> encoded = check_signature_encoding(scheme, key, signature);
    if (!encoded) return encoded;
#if defined(MBEDTLS_USE_PSA_CRYPTO) || defined(MBEDTLS_SSL_PROTO_TLS1_3)
    if (psa_crypto_init() != PSA_SUCCESS) return errc::out_of_memory;
#endif
    std::array<std::uint8_t, 32> digest{};
    static constexpr std::uint8_t nothing = 0;
    const std::uint8_t* octets = message.empty() ? &nothing : message.data();
#if MBEDTLS_VERSION_MAJOR >= 3
    int native = mbedtls_sha256(octets, message.size(), digest.data(), 0);
#else
    int native = mbedtls_sha256_ret(octets, message.size(), digest.data(), 0);
#endif
    if (native != 0) return error{errc::out_of_memory, 0, native};

    std::array<std::uint8_t, p256_key_prefix.size() + 64> spki{};  // the parser wants it writable
    std::memcpy(spki.data(), key.data(), spki.size());
    std::uint8_t* at = spki.data();
    mbedtls_pk_context parsed;
    mbedtls_pk_init(&parsed);
    errc what = errc::unsupported_key;
    native = mbedtls_pk_parse_subpubkey(&at, spki.data() + spki.size(), &parsed);
    if (native == 0) {
      what = errc::bad_signature;
      native = mbedtls_pk_verify(&parsed, MBEDTLS_MD_SHA256, digest.data(), digest.size(),
                                 signature.data(), signature.size());
    }
    mbedtls_pk_free(&parsed);
    if (native == 0) return {};
    return error{is_out_of_memory(native) ? errc::out_of_memory : what, 0, native};
  }

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
  class octet_queue;
  class file_octets;
  struct random_source;
  struct server_identity;
  template <typename Run>
  static result<void> with_gcm(const seal_key& key, Run run) noexcept;

#if defined(MBEDTLS_VERSION_C)
  struct running_version {
    running_version() noexcept { mbedtls_version_get_string_full(text.data()); }
    std::array<char, 32> text{};
  };
#endif

  static constexpr std::size_t max_suites = 32;
  static constexpr unsigned min_dh_bits = 2048;
  static constexpr int no_suites[] = {0};

  /// Whether an error of mbedtls_pk, which may add one of a lower module to its own, is about
  /// memory.
  static constexpr bool is_out_of_memory(int native) noexcept {
    const int high = -(-native & 0xff80);
    const int low = -(-native & 0x7f);
    return high == MBEDTLS_ERR_PK_ALLOC_FAILED || high == MBEDTLS_ERR_ECP_ALLOC_FAILED ||
           low == MBEDTLS_ERR_MPI_ALLOC_FAILED;
  }

  static int refuse_random(void*, unsigned char*, std::size_t) noexcept {
    return MBEDTLS_ERR_SSL_NO_RNG;
  }
  static int refuse_certificate(void*, mbedtls_x509_crt*, int, std::uint32_t* flags) noexcept {
    *flags |= MBEDTLS_X509_BADCERT_OTHER;
    return MBEDTLS_ERR_X509_FATAL_ERROR;
  }

  /// A configuration under which ClientHello cannot be written for want of a random number, and
  /// which still serves a connection that is established.
  static constexpr mbedtls_ssl_config make_inert() noexcept {
    mbedtls_ssl_config conf{};
    conf.COTTER_MBEDTLS_FIELD(endpoint) = MBEDTLS_SSL_IS_CLIENT;
    conf.COTTER_MBEDTLS_FIELD(transport) = MBEDTLS_SSL_TRANSPORT_STREAM;
    conf.COTTER_MBEDTLS_FIELD(authmode) = MBEDTLS_SSL_VERIFY_REQUIRED;
    conf.COTTER_MBEDTLS_FIELD(f_rng) = refuse_random;
    conf.COTTER_MBEDTLS_FIELD(f_vrfy) = refuse_certificate;
#if MBEDTLS_VERSION_MAJOR >= 3
    conf.COTTER_MBEDTLS_FIELD(min_tls_version) = MBEDTLS_SSL_VERSION_TLS1_2;
    conf.COTTER_MBEDTLS_FIELD(max_tls_version) = MBEDTLS_SSL_VERSION_TLS1_2;
    conf.COTTER_MBEDTLS_FIELD(ciphersuite_list) = no_suites;
#else
    conf.min_major_ver = conf.max_major_ver = MBEDTLS_SSL_MAJOR_VERSION_3;
    conf.min_minor_ver = conf.max_minor_ver = MBEDTLS_SSL_MINOR_VERSION_3;
    for (auto& list : conf.ciphersuite_list) list = no_suites;
#endif
    return conf;
  }
  static const mbedtls_ssl_config inert;

  [[nodiscard]] static bool is_over(const mbedtls_ssl_context& ssl) noexcept {
    const int state = ssl.COTTER_MBEDTLS_FIELD(state);
#if MBEDTLS_VERSION_MAJOR >= 3
    return state >= MBEDTLS_SSL_HANDSHAKE_OVER;
#else
    return state == MBEDTLS_SSL_HANDSHAKE_OVER;
#endif
  }

  /// True for (EC)DHE signed by a certificate, with a cipher that is one.
  [[nodiscard]] static bool is_strong(int id) noexcept {
    const mbedtls_ssl_ciphersuite_t* suite = mbedtls_ssl_ciphersuite_from_id(id);
    if (suite == nullptr) return false;
    const int cipher = suite->COTTER_MBEDTLS_FIELD(cipher);
    if (cipher == MBEDTLS_CIPHER_NULL || cipher == MBEDTLS_CIPHER_DES_CBC ||
        cipher == MBEDTLS_CIPHER_DES_EDE3_CBC) {
      return false;
    }
#if MBEDTLS_VERSION_MAJOR >= 3
    if (suite->COTTER_MBEDTLS_FIELD(min_tls_version) >= MBEDTLS_SSL_VERSION_TLS1_3) return true;
#else
    if (cipher == MBEDTLS_CIPHER_ARC4_128) return false;
#endif
    switch (static_cast<int>(suite->COTTER_MBEDTLS_FIELD(key_exchange))) {
      case MBEDTLS_KEY_EXCHANGE_DHE_RSA:
      case MBEDTLS_KEY_EXCHANGE_ECDHE_RSA:
      case MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA:
        return true;
      default:
        return false;
    }
  }

  /// Puts `ssl` beyond any handshake. `own` is what `attach` will find again.
  static void neutralise(mbedtls_ssl_context& ssl, const mbedtls_ssl_config* own) noexcept {
    ssl.COTTER_MBEDTLS_FIELD(conf) = &inert;
    mbedtls_ssl_set_verify(&ssl, refuse_certificate, const_cast<mbedtls_ssl_config*>(own));
    // A handshake that is past its key exchange could still be completed: back to the beginning.
    if (!is_over(ssl) && ssl.COTTER_MBEDTLS_FIELD(state) != MBEDTLS_SSL_HELLO_REQUEST) {
      static_cast<void>(mbedtls_ssl_session_reset(&ssl));
    }
  }
};

inline constexpr mbedtls_ssl_config mbedtls::inert = mbedtls::make_inert();

/// SHA-256 by the library (`mbedtls_sha256_context`); allocates nothing, `prepare` included, unless
/// MBEDTLS_SHA256_ALT does.
class mbedtls::hasher {
 public:
  hasher() noexcept { mbedtls_sha256_init(&state_); }
  ~hasher() { mbedtls_sha256_free(&state_); }
  hasher(const hasher&) = delete;
  hasher& operator=(const hasher&) = delete;

  [[nodiscard]] bool prepare() noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    ready_ = mbedtls_sha256_starts(&state_, 0) == 0;
#else
    ready_ = mbedtls_sha256_starts_ret(&state_, 0) == 0;
#endif
    return ready_;
  }

  void update(bytes_view octets) noexcept {
    if (!ready_ || octets.empty()) return;
#if MBEDTLS_VERSION_MAJOR >= 3
    ready_ = mbedtls_sha256_update(&state_, octets.data(), octets.size()) == 0;
#else
    ready_ = mbedtls_sha256_update_ret(&state_, octets.data(), octets.size()) == 0;
#endif
  }

  [[nodiscard]] bool finish(sha256_digest& out) noexcept {
    if (!ready_) return false;
    ready_ = false;
    sha256_digest digest;
#if MBEDTLS_VERSION_MAJOR >= 3
    if (mbedtls_sha256_finish(&state_, digest.octets.data()) != 0) return false;
#else
    if (mbedtls_sha256_finish_ret(&state_, digest.octets.data()) != 0) return false;
#endif
    out = digest;
    return true;
  }

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
};

inline int mbedtls::attachment::on_certificate(void* context, mbedtls_x509_crt* crt, int depth,
                                               std::uint32_t* flags) noexcept {
  attachment& held = *static_cast<attachment*>(context);
  if (held.stage_ != stage::before_certificate) {
    return refuse_certificate(nullptr, crt, depth, flags);
  }
  if (depth == 0) {
    // The library looks at these only after this hook, too late for the observer to hear of it.
    if (mbedtls_x509_crt_check_key_usage(crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0) {
      *flags |= MBEDTLS_X509_BADCERT_KEY_USAGE;
    }
    if (mbedtls_x509_crt_check_extended_key_usage(crt, MBEDTLS_OID_SERVER_AUTH,
                                                  MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) != 0) {
      *flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
    }
#if MBEDTLS_VERSION_MAJOR < 3 && defined(MBEDTLS_ECP_C)
    if (mbedtls_pk_can_do(&crt->pk, MBEDTLS_PK_ECKEY)) {
      const mbedtls_ecp_group_id* curve = held.conf_.curve_list;
      while (curve != nullptr && *curve != MBEDTLS_ECP_DP_NONE &&
             *curve != mbedtls_pk_ec(crt->pk)->grp.id) {
        ++curve;
      }
      if (curve == nullptr || *curve == MBEDTLS_ECP_DP_NONE) *flags |= MBEDTLS_X509_BADCERT_BAD_KEY;
    }
#endif
  }
  held.flags_ |= *flags;
  if (depth != 0) return 0;

  // RFC 5922 7.1 names a domain by URI too, which the library cannot judge: left to the pipeline.
  const std::uint32_t not_ours =
      held.kind_ == identity::sip ? std::uint32_t{MBEDTLS_X509_BADCERT_CN_MISMATCH} : 0;
  held.flags_ &= ~not_ours;
  held.stage_ = stage::refused;
  held.observer_->on_leaf({crt->raw.p, crt->raw.len});
  const bool trusted = held.flags_ == 0;
  if (!held.observer_->on_chain({trusted, static_cast<std::int32_t>(held.flags_)}) || !trusted) {
    return refuse_certificate(nullptr, crt, depth, flags);
  }
  held.stage_ = stage::accepted;
  *flags &= ~not_ours;
  return 0;
}

/// The only call into the copied configuration that the library makes at the start of a handshake,
/// and, in TLS 1.2, again between the server's certificate and the client's Finished.
inline int mbedtls::attachment::on_random(void* context, unsigned char* out,
                                          std::size_t size_bytes) noexcept {
  const attachment& held = *static_cast<const attachment*>(context);
  const int state = held.ssl_->COTTER_MBEDTLS_FIELD(state);
  if (state == MBEDTLS_SSL_CLIENT_HELLO) {
    const mbedtls_ssl_session* offered = held.ssl_->COTTER_MBEDTLS_FIELD(session_negotiate);
    // A session that is to be resumed has a cipher suite; a fresh one has none yet.
    if (offered == nullptr || offered->COTTER_MBEDTLS_FIELD(ciphersuite) != 0 ||
        held.stage_ != stage::before_certificate) {
      return MBEDTLS_ERR_SSL_NO_RNG;
    }
  } else if (state > MBEDTLS_SSL_SERVER_CERTIFICATE && held.stage_ != stage::accepted) {
    return MBEDTLS_ERR_SSL_NO_RNG;
  }
  return held.random_(held.random_context_, out, size_bytes);
}

inline bool mbedtls::attachment::harden_suites(const int* wanted) noexcept {
  const int* chosen = suites_;
  if (wanted == nullptr || wanted == mbedtls_ssl_list_ciphersuites()) {
    chosen = strong_suites;
  } else {
    std::size_t count = 0;
    for (; *wanted != 0; ++wanted) {
      if (!is_strong(*wanted)) continue;
      if (count == max_suites) return false;
      suites_[count++] = *wanted;
    }
    suites_[count] = 0;
    if (count == 0) return false;
  }
  mbedtls_ssl_conf_ciphersuites(&conf_, chosen);
  return true;
}

inline bool mbedtls::attachment::harden_versions() noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
  if (conf_.COTTER_MBEDTLS_FIELD(max_tls_version) < MBEDTLS_SSL_VERSION_TLS1_2) return false;
  if (conf_.COTTER_MBEDTLS_FIELD(min_tls_version) < MBEDTLS_SSL_VERSION_TLS1_2) {
    mbedtls_ssl_conf_min_tls_version(&conf_, MBEDTLS_SSL_VERSION_TLS1_2);
  }
  return true;
#else
  if (conf_.max_major_ver != MBEDTLS_SSL_MAJOR_VERSION_3 ||
      conf_.max_minor_ver < MBEDTLS_SSL_MINOR_VERSION_3) {
    return false;
  }
  mbedtls_ssl_conf_min_version(&conf_, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  return true;
#endif
}

inline void mbedtls::attachment::harden_profile(const mbedtls_x509_crt_profile* wanted) noexcept {
  profile_ = mbedtls_x509_crt_profile_default;
  if (wanted != nullptr) {
    profile_.allowed_mds &= wanted->allowed_mds;
    profile_.allowed_pks &= wanted->allowed_pks;
    profile_.allowed_curves &= wanted->allowed_curves;
    if (profile_.rsa_min_bitlen < wanted->rsa_min_bitlen) {
      profile_.rsa_min_bitlen = wanted->rsa_min_bitlen;
    }
  }
  mbedtls_ssl_conf_cert_profile(&conf_, &profile_);
}

inline result<void> mbedtls::attachment::enforce(mbedtls_ssl_context& ssl,
                                                 const mbedtls_ssl_config& own, const target& whom,
                                                 handshake_observer& observer) noexcept {
  const result<host_kind> host = classify_host(whom.host);
  if (!host) return host.error();
  if (own.COTTER_MBEDTLS_FIELD(endpoint) != MBEDTLS_SSL_IS_CLIENT ||
      own.COTTER_MBEDTLS_FIELD(transport) != MBEDTLS_SSL_TRANSPORT_STREAM ||
      ssl.COTTER_MBEDTLS_FIELD(state) != MBEDTLS_SSL_HELLO_REQUEST) {
    return errc::unfit_session;
  }
#if defined(MBEDTLS_VERSION_C) && defined(MBEDTLS_SSL_PROTO_TLS1_3)
  if (mbedtls_version_get_number() < 0x03060100) return errc::unfit_backend;
#endif
  if (own.COTTER_MBEDTLS_FIELD(f_rng) == nullptr) return errc::unfit_backend;

  conf_ = own;
#if MBEDTLS_VERSION_MAJOR >= 3
  const int* wanted_suites = own.COTTER_MBEDTLS_FIELD(ciphersuite_list);
#else
  const int* wanted_suites = own.ciphersuite_list[MBEDTLS_SSL_MINOR_VERSION_3];
#endif
  if (!harden_versions() || !harden_suites(wanted_suites)) return errc::unfit_backend;
  harden_profile(own.COTTER_MBEDTLS_FIELD(cert_profile));

  mbedtls_ssl_conf_authmode(&conf_, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_verify(&conf_, on_certificate, this);
  mbedtls_ssl_conf_rng(&conf_, on_random, this);
  mbedtls_ssl_conf_legacy_renegotiation(&conf_, MBEDTLS_SSL_LEGACY_BREAK_HANDSHAKE);
#if defined(MBEDTLS_SSL_RENEGOTIATION)
  mbedtls_ssl_conf_renegotiation(&conf_, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
#if defined(MBEDTLS_SSL_EXTENDED_MASTER_SECRET)
  mbedtls_ssl_conf_extended_master_secret(&conf_, MBEDTLS_SSL_EXTENDED_MS_ENABLED);
#endif
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
  mbedtls_ssl_conf_session_tickets(&conf_, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
#if defined(MBEDTLS_DHM_C)
  if (conf_.COTTER_MBEDTLS_FIELD(dhm_min_bitlen) < min_dh_bits) {
    mbedtls_ssl_conf_dhm_min_bitlen(&conf_, min_dh_bits);
  }
#endif
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
  mbedtls_ssl_conf_tls13_key_exchange_modes(&conf_, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
  mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
      &conf_, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_DISABLED);
#endif
#if defined(MBEDTLS_SSL_EARLY_DATA)
  mbedtls_ssl_conf_early_data(&conf_, MBEDTLS_SSL_EARLY_DATA_DISABLED);
#endif
#endif
  // The copy borrows the key: forgotten here, freed by its owner.
#if defined(MBEDTLS_KEY_EXCHANGE_SOME_PSK_ENABLED) || \
    defined(MBEDTLS_SSL_HANDSHAKE_WITH_PSK_ENABLED)
  conf_.COTTER_MBEDTLS_FIELD(psk) = nullptr;
  conf_.COTTER_MBEDTLS_FIELD(psk_len) = 0;
  conf_.COTTER_MBEDTLS_FIELD(psk_identity) = nullptr;
  conf_.COTTER_MBEDTLS_FIELD(psk_identity_len) = 0;
#if defined(MBEDTLS_USE_PSA_CRYPTO)
  conf_.COTTER_MBEDTLS_FIELD(psk_opaque) = {};
#endif
#endif

  ssl_ = &ssl;
  own_ = &own;
  observer_ = &observer;
  random_ = own.COTTER_MBEDTLS_FIELD(f_rng);
  random_context_ = own.COTTER_MBEDTLS_FIELD(p_rng);
  kind_ = whom.kind;

  ssl.COTTER_MBEDTLS_FIELD(conf) = &conf_;
  // Drops a session to be resumed and what was set for this handshake only (authentication mode,
  // anchors, PSK); keeps configuration, transport and timers.
  int native = mbedtls_ssl_session_reset(&ssl);
  if (native == 0) {
    const host_text text(whom.host);
    const bool dns = *host == host_kind::dns_name;
    native = mbedtls_ssl_set_hostname(&ssl, dns ? text.c_str() : nullptr);
  }
  if (native != 0) {
    return error{native == MBEDTLS_ERR_SSL_ALLOC_FAILED ? errc::out_of_memory : errc::unfit_backend,
                 0, native};
  }
  mbedtls_ssl_set_verify(&ssl, on_certificate, this);
  return {};
}

inline result<void> mbedtls::attach(session ssl, const target& whom, handshake_observer& observer,
                                    attachment& held) noexcept {
  if (ssl == nullptr || ssl->COTTER_MBEDTLS_FIELD(conf) == nullptr) return errc::unfit_session;
  const mbedtls_ssl_config* own = ssl->COTTER_MBEDTLS_FIELD(conf);
  bool fresh = held.ssl_ == nullptr;
  if (own->COTTER_MBEDTLS_FIELD(f_rng) == attachment::on_random) {
    own = static_cast<const attachment*>(own->COTTER_MBEDTLS_FIELD(p_rng))->own_;
    fresh = false;
  } else if (own == &inert && ssl->COTTER_MBEDTLS_FIELD(f_vrfy) == refuse_certificate) {
    own = static_cast<const mbedtls_ssl_config*>(ssl->COTTER_MBEDTLS_FIELD(p_vrfy));
  }
  const result<void> outcome =
      fresh && own != nullptr ? held.enforce(*ssl, *own, whom, observer) : errc::unfit_session;
  if (!outcome) {
    if (fresh) held.ssl_ = nullptr;
    neutralise(*ssl, own);
    return outcome;
  }
  observer.on_start();
  return {};
}

inline handshake_facts mbedtls::inspect(const attachment& held) noexcept {
  handshake_facts facts;
  if (held.ssl_ == nullptr) return facts;
  const mbedtls_ssl_context& ssl = *held.ssl_;
  const mbedtls_ssl_config& conf = held.conf_;
  const bool saw_certificate = held.stage_ != attachment::stage::before_certificate;
  facts.finished = is_over(ssl);
  facts.resumed = facts.finished && !saw_certificate;
  facts.hooks_intact = ssl.COTTER_MBEDTLS_FIELD(conf) == &conf &&
                       ssl.COTTER_MBEDTLS_FIELD(f_vrfy) == attachment::on_certificate &&
                       ssl.COTTER_MBEDTLS_FIELD(p_vrfy) == &held &&
                       conf.COTTER_MBEDTLS_FIELD(f_rng) == attachment::on_random &&
                       conf.COTTER_MBEDTLS_FIELD(authmode) == MBEDTLS_SSL_VERIFY_REQUIRED;
  facts.native = static_cast<std::int32_t>(held.flags_);
  const mbedtls_ssl_session* negotiated = ssl.COTTER_MBEDTLS_FIELD(session);
  if (!facts.finished || negotiated == nullptr) return facts;
#if MBEDTLS_VERSION_MAJOR >= 3
  const bool recent = ssl.COTTER_MBEDTLS_FIELD(tls_version) >= MBEDTLS_SSL_VERSION_TLS1_2;
#else
  const bool recent =
      ssl.major_ver == MBEDTLS_SSL_MAJOR_VERSION_3 && ssl.minor_ver >= MBEDTLS_SSL_MINOR_VERSION_3;
#endif
  facts.authenticated =
      recent && saw_certificate && is_strong(negotiated->COTTER_MBEDTLS_FIELD(ciphersuite));
  return facts;
}

inline void mbedtls::detach(attachment& held) noexcept {
  if (held.ssl_ == nullptr) return;
  mbedtls_ssl_context& ssl = *held.ssl_;
  const mbedtls_ssl_config* current = ssl.COTTER_MBEDTLS_FIELD(conf);
  // A context without configuration has been freed: nothing in it points anywhere.
  if (current != nullptr && current != &inert) {
    neutralise(ssl, current == &held.conf_ ? held.own_ : current);
  }
  held.ssl_ = nullptr;
  held.own_ = nullptr;
  held.observer_ = nullptr;
}

/// Octets in the order in which they came, on the heap, at most `limit_bytes` of them.
class mbedtls::octet_queue {
 public:
  /// Three of the largest TLS records (RFC 8446 5.2), and more.
  static constexpr std::size_t limit_bytes = 65536;

  octet_queue() noexcept = default;
  ~octet_queue() { delete[] data_; }
  octet_queue(const octet_queue&) = delete;
  octet_queue& operator=(const octet_queue&) = delete;

  [[nodiscard]] bytes_view view() const noexcept { return {data_ + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }

  /// Returns how many of `octets` it took: fewer when it is full or memory is short.
  std::size_t append(bytes_view octets) noexcept {
    const std::size_t used = end_ - begin_;
    std::size_t n = octets.size();
    if (n > limit_bytes - used) n = limit_bytes - used;
    if (n > capacity_ - end_ && used + n <= capacity_) {
      std::memmove(data_, data_ + begin_, used);
      begin_ = 0;
      end_ = used;
    } else if (n > capacity_ - end_ && !grow(used, used + n)) {
      n = capacity_ - end_;
    }
    if (n == 0) return 0;
    std::memcpy(data_ + end_, octets.data(), n);
    end_ += n;
    return n;
  }

  void drop(std::size_t n) noexcept {
    begin_ += n < end_ - begin_ ? n : end_ - begin_;
    if (begin_ == end_) begin_ = end_ = 0;
  }

 private:
  bool grow(std::size_t used, std::size_t wanted) noexcept {
    std::size_t capacity = 4096;
    while (capacity < wanted) capacity *= 2;
    auto* data = new (std::nothrow) std::uint8_t[capacity];
    if (data == nullptr) return false;
    if (used != 0) std::memcpy(data, data_ + begin_, used);
    delete[] data_;
    data_ = data;
    capacity_ = capacity;
    begin_ = 0;
    end_ = used;
    return true;
  }

  std::uint8_t* data_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// A TLS connection over memory (`cotter::engine`): what `client` and `server` share. Ciphertext
/// waits on the heap, at most 64 KiB each way.
class mbedtls::connection {
 public:
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// False if the library could not set the connection up; every step then fails.
  [[nodiscard]] bool valid() const noexcept { return setup_ == 0; }
  [[nodiscard]] explicit operator bool() const noexcept { return valid(); }
  [[nodiscard]] session native() noexcept { return &ssl_; }

  step handshake() noexcept {
    if (failed()) return {want::failed, 0, failure_};
    return advance([this] { return mbedtls_ssl_handshake(&ssl_); });
  }

  step read(std::span<std::uint8_t> out) noexcept {
    if (closed_) return {want::failed, 0, {errc::tls_closed, 0, MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY}};
    if (failed()) return {want::failed, 0, failure_};
    if (out.empty()) return {want::nothing, 0, {}};
    return advance([this, out] {
      const int n = mbedtls_ssl_read(&ssl_, out.data(), bounded(out.size()));
      return n == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : n;
    });
  }

  step write(bytes_view in) noexcept {
    if (failed()) return {want::failed, 0, failure_};
    if (in.empty()) return {want::nothing, 0, {}};
    return advance([this, in] { return mbedtls_ssl_write(&ssl_, in.data(), bounded(in.size())); });
  }

  /// Queues close_notify; does not wait for the peer's.
  step shutdown() noexcept {
    if (failed()) return {want::failed, 0, failure_};
    return advance([this] { return mbedtls_ssl_close_notify(&ssl_); });
  }

  std::size_t feed(bytes_view ciphertext) noexcept {
    const std::size_t n = incoming_.append(ciphertext);
    if (n == 0 && !ciphertext.empty() && incoming_.empty()) failure_ = {errc::out_of_memory, 0, 0};
    return n;
  }
  void end_of_input() noexcept { ended_ = true; }
  [[nodiscard]] bytes_view pending() const noexcept { return outgoing_.view(); }
  void sent(std::size_t n) noexcept { outgoing_.drop(n); }

 protected:
  /// `conf` is borrowed for the connection's life.
  explicit connection(const mbedtls_ssl_config& conf) noexcept {
    mbedtls_ssl_init(&ssl_);
    setup_ = mbedtls_ssl_setup(&ssl_, &conf);
    mbedtls_ssl_set_bio(&ssl_, this, send, receive, nullptr);
  }
  ~connection() { mbedtls_ssl_free(&ssl_); }

 private:
  [[nodiscard]] bool failed() noexcept {
    if (setup_ != 0) {
      failure_ = {
          setup_ == MBEDTLS_ERR_SSL_ALLOC_FAILED ? errc::out_of_memory : errc::unfit_backend, 0,
          setup_};
    }
    return failure_.what != errc::ok;
  }

  static std::size_t bounded(std::size_t n) noexcept {
    constexpr auto most = static_cast<std::size_t>(std::numeric_limits<int>::max());
    return n < most ? n : most;
  }

  template <typename Operation>
  step advance(Operation operation) noexcept {
    for (;;) {
      const int result = operation();
      if (result >= 0) return {want::nothing, static_cast<std::size_t>(result), {}};
      switch (result) {
        case MBEDTLS_ERR_SSL_WANT_READ:
          return {want::input, 0, {}};
        case MBEDTLS_ERR_SSL_WANT_WRITE:
          return {want::output, 0, {}};
        case MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS:
          continue;
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
        case MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET:
          continue;
#endif
        case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
          // The peer has finished writing; it may still read (RFC 8446 6.1).
          closed_ = true;
          if (is_over(ssl_)) return {want::failed, 0, {errc::tls_closed, 0, result}};
          failure_ = {errc::tls_closed, 0, result};
          break;
        case MBEDTLS_ERR_SSL_CONN_EOF:
          failure_ = {errc::tls_truncated, 0, result};
          break;
        case MBEDTLS_ERR_SSL_ALLOC_FAILED:
          failure_ = {errc::out_of_memory, 0, result};
          break;
        default:
          failure_ = {errc::tls_failure, 0, result};
          break;
      }
      return {want::failed, 0, failure_};
    }
  }

  static int send(void* context, const unsigned char* octets, std::size_t size_bytes) noexcept {
    auto& self = *static_cast<connection*>(context);
    const std::size_t n = self.outgoing_.append({octets, bounded(size_bytes)});
    if (n != 0) return static_cast<int>(n);
    return self.outgoing_.empty() ? MBEDTLS_ERR_SSL_ALLOC_FAILED : MBEDTLS_ERR_SSL_WANT_WRITE;
  }

  static int receive(void* context, unsigned char* out, std::size_t size_bytes) noexcept {
    auto& self = *static_cast<connection*>(context);
    const bytes_view waiting = self.incoming_.view();
    if (waiting.empty()) return self.ended_ ? 0 : MBEDTLS_ERR_SSL_WANT_READ;
    const std::size_t n = bounded(size_bytes < waiting.size() ? size_bytes : waiting.size());
    std::memcpy(out, waiting.data(), n);
    self.incoming_.drop(n);
    return static_cast<int>(n);
  }

  mbedtls_ssl_context ssl_;
  int setup_ = 0;
  bool ended_ = false;
  bool closed_ = false;
  error failure_{};
  octet_queue incoming_;
  octet_queue outgoing_;
};

#if defined(MBEDTLS_CTR_DRBG_C) && defined(MBEDTLS_ENTROPY_C)

/// A whole file in memory, ended by NUL as the library's PEM reader wants it, wiped when released.
class mbedtls::file_octets {
 public:
  /// Far above the largest CA bundle in use (some 250 KB).
  static constexpr std::size_t limit_bytes = std::size_t{16} << 20;

  explicit file_octets(const char* path) noexcept {
    std::FILE* file = path == nullptr ? nullptr : std::fopen(path, "rb");
    if (file == nullptr) return;
    // Else the C library keeps a copy of a private key in a buffer that nobody wipes.
    static_cast<void>(std::setvbuf(file, nullptr, _IONBF, 0));
    for (;;) {
      if (size_ + 1 >= capacity_ && !grow()) break;
      const std::size_t n = std::fread(data_ + size_, 1, capacity_ - size_ - 1, file);
      size_ += n;
      if (n == 0) {
        readable_ = std::ferror(file) == 0;
        break;
      }
    }
    static_cast<void>(std::fclose(file));
    if (data_ != nullptr) data_[size_] = 0;
  }
  explicit file_octets(bytes_view octets) noexcept {
    if (octets.size() >= limit_bytes) return;
    while (octets.size() >= capacity_) {
      if (!grow()) return;
    }
    if (!octets.empty()) std::memcpy(data_, octets.data(), octets.size());
    size_ = octets.size();
    data_[size_] = 0;
    readable_ = true;
  }
  ~file_octets() { release(); }
  file_octets(const file_octets&) = delete;
  file_octets& operator=(const file_octets&) = delete;

  [[nodiscard]] bool readable() const noexcept { return readable_; }
  [[nodiscard]] const std::uint8_t* data() const noexcept { return data_; }
  /// With the NUL if the text is PEM, without it otherwise: so the library tells them apart.
  [[nodiscard]] std::size_t size() const noexcept {
    const std::string_view text(reinterpret_cast<const char*>(data_), size_);
    return size_ + (text.find("-----BEGIN ") != std::string_view::npos ? 1U : 0U);
  }

 private:
  bool grow() noexcept {
    const std::size_t capacity = capacity_ == 0 ? 16384 : capacity_ * 2;
    auto* data = capacity > limit_bytes ? nullptr : new (std::nothrow) std::uint8_t[capacity];
    if (data == nullptr) return false;
    const std::size_t size = size_;
    if (size != 0) std::memcpy(data, data_, size);
    release();
    data_ = data;
    size_ = size;
    capacity_ = capacity;
    return true;
  }
  void release() noexcept {
    if (data_ != nullptr) mbedtls_platform_zeroize(data_, capacity_);
    delete[] data_;
    data_ = nullptr;
    size_ = capacity_ = 0;
  }

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  bool readable_ = false;
};

/// The library's CTR_DRBG, seeded by its entropy sources.
struct mbedtls::random_source {
  random_source() noexcept {
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&drbg);
#if defined(MBEDTLS_USE_PSA_CRYPTO) || defined(MBEDTLS_SSL_PROTO_TLS1_3)
    if (psa_crypto_init() != PSA_SUCCESS) return;
#endif
    seeded = mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, nullptr, 0) == 0;
  }
  ~random_source() {
    mbedtls_ctr_drbg_free(&drbg);
    mbedtls_entropy_free(&entropy);
  }
  random_source(const random_source&) = delete;
  random_source& operator=(const random_source&) = delete;

  bool fill(std::span<std::uint8_t> out) noexcept {
    while (seeded && !out.empty()) {
      const std::size_t n =
          out.size() < MBEDTLS_CTR_DRBG_MAX_REQUEST ? out.size() : MBEDTLS_CTR_DRBG_MAX_REQUEST;
      if (mbedtls_ctr_drbg_random(&drbg, out.data(), n) != 0) return false;
      out = out.subspan(n);
    }
    return seeded;
  }

  int parse_key(mbedtls_pk_context& key, const std::uint8_t* data, std::size_t size) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_parse_key(&key, data, size, nullptr, 0, mbedtls_ctr_drbg_random, &drbg);
#else
    return mbedtls_pk_parse_key(&key, data, size, nullptr, 0);
#endif
  }
  int check_pair(const mbedtls_x509_crt& crt, const mbedtls_pk_context& key) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_check_pair(&crt.pk, &key, mbedtls_ctr_drbg_random, &drbg);
#else
    return mbedtls_pk_check_pair(&crt.pk, &key);
#endif
  }

  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context drbg;
  bool seeded = false;
};

#endif

#if defined(MBEDTLS_GCM_C) && defined(MBEDTLS_AES_C) &&                             \
    !defined(MBEDTLS_AES_ONLY_128_BIT_KEY_LENGTH) && defined(MBEDTLS_CTR_DRBG_C) && \
    defined(MBEDTLS_ENTROPY_C)

/// What `run(mbedtls_gcm_context&)` returns, 0 or the library's own code, with the key set.
template <typename Run>
result<void> mbedtls::with_gcm(const seal_key& key, Run run) noexcept {
#if defined(MBEDTLS_USE_PSA_CRYPTO) || defined(MBEDTLS_SSL_PROTO_TLS1_3)
  if (psa_crypto_init() != PSA_SUCCESS) return errc::out_of_memory;
#endif
  mbedtls_gcm_context gcm;
  mbedtls_gcm_init(&gcm);
  int native = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key.octets.data(),
                                  8 * static_cast<unsigned>(key.octets.size()));
  if (native == 0) native = run(gcm);
  mbedtls_gcm_free(&gcm);  // which wipes the key
  switch (native) {
    case 0: return {};
    case MBEDTLS_ERR_GCM_AUTH_FAILED: return error{errc::bad_seal, 0, native};
    case MBEDTLS_ERR_CIPHER_ALLOC_FAILED: return error{errc::out_of_memory, 0, native};
    default: return error{errc::unfit_backend, 0, native};
  }
}

inline result<void> mbedtls::seal(const seal_key& key, bytes_view plain, bytes_view associated,
                                  std::span<std::uint8_t> out) noexcept {
  result<void> outcome = check_seal_sizes(plain.size(), associated.size(), out.size());
  if (outcome) {
    const auto nonce = out.first<seal_nonce_bytes>();
    if (random_octets(nonce)) {
      outcome = with_gcm(key, [&](mbedtls_gcm_context& gcm) {
        return mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, plain.size(), nonce.data(),
                                         nonce.size(), associated.data(), associated.size(),
                                         plain.data(), out.data() + nonce.size(), seal_tag_bytes,
                                         out.data() + nonce.size() + plain.size());
      });
    } else {
      outcome = errc::unfit_backend;
    }
  }
  if (!outcome) wipe(out);
  return outcome;
}

inline result<void> mbedtls::open(const seal_key& key, bytes_view sealed, bytes_view associated,
                                  std::span<std::uint8_t> out) noexcept {
  result<void> outcome = check_open_sizes(sealed.size(), associated.size(), out.size());
  if (outcome) {
    outcome = with_gcm(key, [&](mbedtls_gcm_context& gcm) {
      return mbedtls_gcm_auth_decrypt(&gcm, out.size(), sealed.data(), seal_nonce_bytes,
                                      associated.data(), associated.size(),
                                      sealed.last(seal_tag_bytes).data(), seal_tag_bytes,
                                      sealed.data() + seal_nonce_bytes, out.data());
    });
  }
  if (!outcome) wipe(out);
  return outcome;
}

inline bool mbedtls::random_octets(std::span<std::uint8_t> out) noexcept {
  random_source source;
  const bool filled = source.fill(out);
  if (!filled) wipe(out);
  return filled;
}

#endif

#if defined(MBEDTLS_CTR_DRBG_C) && defined(MBEDTLS_ENTROPY_C)

/// Client configuration for programs that have none of their own. Trusts nobody until anchors are
/// loaded. Set up before the first `client` and outlives the last; not changed in between.
class mbedtls::context {
 public:
  context() noexcept {
    mbedtls_ssl_config_init(&conf_);
    mbedtls_x509_crt_init(&anchors_);
    mbedtls_x509_crt_init(&own_chain_);
    mbedtls_pk_init(&own_key_);
    valid_ = random_.seeded && mbedtls_ssl_config_defaults(&conf_, MBEDTLS_SSL_IS_CLIENT,
                                                           MBEDTLS_SSL_TRANSPORT_STREAM,
                                                           MBEDTLS_SSL_PRESET_DEFAULT) == 0;
    mbedtls_ssl_conf_authmode(&conf_, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_rng(&conf_, mbedtls_ctr_drbg_random, &random_.drbg);
#if MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_ssl_conf_min_tls_version(&conf_, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    mbedtls_ssl_conf_min_version(&conf_, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
  }
  ~context() {
    mbedtls_ssl_config_free(&conf_);
    mbedtls_pk_free(&own_key_);
    mbedtls_x509_crt_free(&own_chain_);
    mbedtls_x509_crt_free(&anchors_);
  }
  context(const context&) = delete;
  context& operator=(const context&) = delete;

  /// False if the random number generator could not be seeded or memory is short.
  [[nodiscard]] bool valid() const noexcept { return valid_; }
  [[nodiscard]] explicit operator bool() const noexcept { return valid_; }
  /// For the library's own setters.
  [[nodiscard]] mbedtls_ssl_config* native() noexcept { return &conf_; }

  /// Adds the certificates of a PEM file (or the one of a DER file) to the anchors. Those of a
  /// bundle that the library cannot parse are left out, and so not trusted.
  ///
  /// @errors `unreadable` (above 16 MiB too), `unfit_trust_anchors` if not one could be parsed.
  result<void> load_anchors_file(const char* pem_path) noexcept {
    return add_anchors(file_octets(pem_path));
  }
  result<void> load_anchors(bytes_view pem_or_der) noexcept {
    return add_anchors(file_octets(pem_or_der));
  }

  /// The client's own certificate chain, leaf first, and its unencrypted key. Once per context.
  ///
  /// @errors `unreadable`, `unfit_credentials`.
  result<void> use_credentials(const char* cert_pem_path, const char* key_pem_path) noexcept {
    if (own_chain_.version != 0) return errc::unfit_credentials;
    const file_octets chain(cert_pem_path);
    const file_octets key(key_pem_path);
    if (!chain.readable() || !key.readable()) return errc::unreadable;
    int native = mbedtls_x509_crt_parse(&own_chain_, chain.data(), chain.size());
    if (native == 0) native = random_.parse_key(own_key_, key.data(), key.size());
    if (native == 0) native = random_.check_pair(own_chain_, own_key_);
    if (native == 0) native = mbedtls_ssl_conf_own_cert(&conf_, &own_chain_, &own_key_);
    if (native == 0) return {};
    mbedtls_x509_crt_free(&own_chain_);
    mbedtls_pk_free(&own_key_);
    mbedtls_x509_crt_init(&own_chain_);
    mbedtls_pk_init(&own_key_);
    return error{errc::unfit_credentials, 0, native};
  }

  /// Offers one protocol (RFC 7301). `protocol` is borrowed for the context's life.
  ///
  /// @errors `unfit_backend` if the library refuses it or is built without MBEDTLS_SSL_ALPN.
  result<void> offer_alpn([[maybe_unused]] const char* protocol) noexcept {
#if defined(MBEDTLS_SSL_ALPN)
    if (protocol == nullptr) return errc::unfit_backend;
    alpn_ = {protocol, nullptr};
    const int native = mbedtls_ssl_conf_alpn_protocols(&conf_, alpn_.data());
    if (native == 0) return {};
    return error{errc::unfit_backend, 0, native};
#else
    return errc::unfit_backend;
#endif
  }

  /// From the next client on, speaks nothing older than `lowest` and nothing newer than `highest`.
  /// Without a call: TLS 1.2 and whatever newer there is. Mbed TLS 2.28 has TLS 1.2 alone.
  ///
  /// @errors `unfit_backend` if none is left or the library lacks either; nothing has changed then.
  result<void> limit_versions(cotter::tls_version lowest, cotter::tls_version highest) noexcept {
    if (lowest > highest || !built_with(lowest) || !built_with(highest)) {
      return errc::unfit_backend;
    }
#if MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_ssl_conf_min_tls_version(&conf_, number_of(lowest));
    mbedtls_ssl_conf_max_tls_version(&conf_, number_of(highest));
#endif
    return {};
  }

  /// Fills `out` from the library's generator; false if it failed, and `out` is then not random.
  [[nodiscard]] bool random(std::span<std::uint8_t> out) noexcept { return random_.fill(out); }

 private:
  static constexpr bool built_with(cotter::tls_version version) noexcept {
#if defined(MBEDTLS_SSL_PROTO_TLS1_2)
    if (version == cotter::tls_version::tls1_2) return true;
#endif
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    if (version == cotter::tls_version::tls1_3) return true;
#endif
    return false;
  }
#if MBEDTLS_VERSION_MAJOR >= 3
  static constexpr mbedtls_ssl_protocol_version number_of(cotter::tls_version version) noexcept {
    return version == cotter::tls_version::tls1_2 ? MBEDTLS_SSL_VERSION_TLS1_2
                                                  : MBEDTLS_SSL_VERSION_TLS1_3;
  }
#endif

  result<void> add_anchors(const file_octets& text) noexcept {
    if (!text.readable()) return errc::unreadable;
    const int native = mbedtls_x509_crt_parse(&anchors_, text.data(), text.size());
    if (native < 0) return error{errc::unfit_trust_anchors, 0, native};
    mbedtls_ssl_conf_ca_chain(&conf_, &anchors_, nullptr);
    return {};
  }

  random_source random_;
  mbedtls_ssl_config conf_;
  mbedtls_x509_crt anchors_;
  mbedtls_x509_crt own_chain_;
  mbedtls_pk_context own_key_;
#if defined(MBEDTLS_SSL_ALPN)
  std::array<const char*, 2> alpn_{};
#endif
  bool valid_ = false;
};

#endif

/// A client's connection over memory. It enforces nothing until a guard is attached to `native()`.
class mbedtls::client : public connection {
 public:
  /// Over a configuration of the program's own, borrowed for the connection's life.
  explicit client(const mbedtls_ssl_config& conf) noexcept : connection(conf) {}
#if defined(MBEDTLS_CTR_DRBG_C) && defined(MBEDTLS_ENTROPY_C)
  explicit client(context& shared) noexcept : connection(*shared.native()) {}
#endif
};

#if defined(MBEDTLS_SSL_SRV_C) && defined(MBEDTLS_CTR_DRBG_C) && defined(MBEDTLS_ENTROPY_C)

struct mbedtls::server_identity {
  server_identity(bytes_view leaf_der, bytes_view key_der) noexcept {
    mbedtls_ssl_config_init(&conf);
    mbedtls_x509_crt_init(&leaf);
    mbedtls_pk_init(&key);
    loaded = random.seeded &&
             mbedtls_ssl_config_defaults(&conf, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                         MBEDTLS_SSL_PRESET_DEFAULT) == 0 &&
             mbedtls_x509_crt_parse_der(&leaf, leaf_der.data(), leaf_der.size()) == 0 &&
             random.parse_key(key, key_der.data(), key_der.size()) == 0 &&
             mbedtls_ssl_conf_own_cert(&conf, &leaf, &key) == 0;
    mbedtls_ssl_conf_rng(&conf, mbedtls_ctr_drbg_random, &random.drbg);
  }
  ~server_identity() {
    mbedtls_ssl_config_free(&conf);
    mbedtls_pk_free(&key);
    mbedtls_x509_crt_free(&leaf);
  }
  server_identity(const server_identity&) = delete;
  server_identity& operator=(const server_identity&) = delete;

  random_source random;
  mbedtls_ssl_config conf;
  mbedtls_x509_crt leaf;
  mbedtls_pk_context key;
  bool loaded = false;
};

/// A server's connection over memory, for self-tests: one leaf, no client authentication, no
/// resumption.
class mbedtls::server : private server_identity, public connection {
 public:
  /// The key in DER, PKCS #8 or SEC 1, unencrypted.
  server(bytes_view leaf_der, bytes_view pkcs8_or_sec1_key_der) noexcept
      : server_identity(leaf_der, pkcs8_or_sec1_key_der), connection(server_identity::conf) {}

  [[nodiscard]] bool valid() const noexcept { return loaded && connection::valid(); }
  [[nodiscard]] explicit operator bool() const noexcept { return valid(); }
};

#endif

static_assert(hasher<mbedtls::hasher>);
static_assert(backend<mbedtls>);
static_assert(verifier<mbedtls>);
static_assert(sealer<mbedtls> == mbedtls::supports_sealing);
static_assert(engine<mbedtls::client>);

}  // namespace backends

template <>
struct backend_of<mbedtls_ssl_context*> {
  using type = backends::mbedtls;
};

}  // namespace v0
}  // namespace cotter

#undef COTTER_MBEDTLS_FIELD
#undef COTTER_MBEDTLS_CANNOT_SEAL
