// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/wolfssl/resumption.hpp>
#include <cotter/concepts/backend.hpp>
#include <cotter/concepts/sealer.hpp>
#include <cotter/concepts/verifier.hpp>
#include <cotter/values/runtime.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/session_binding.hpp>
#include <cotter/values/target.hpp>

#if LIBWOLFSSL_VERSION_HEX < 0x05005004
#error "cotter: wolfSSL 5.5.4 or newer is needed"
#endif
#ifdef NO_CERTS
#error "cotter: wolfSSL was built without certificates (NO_CERTS)"
#endif
#ifdef NO_WOLFSSL_CLIENT
#error "cotter: wolfSSL was built without its client side (NO_WOLFSSL_CLIENT)"
#endif
#ifdef NO_ASN_TIME
#error "cotter: wolfSSL was built without validity checks (NO_ASN_TIME)"
#endif
#ifndef OPENSSL_EXTRA
#error "cotter: verify mode and hook cannot be read back; build wolfSSL with OPENSSL_EXTRA"
#endif
#ifndef HAVE_EX_DATA
#error "cotter: a session cannot be told from its hook; build wolfSSL with HAVE_EX_DATA"
#endif
#ifndef WOLFSSL_ALWAYS_VERIFY_CB
#error "cotter: the verify hook sees failures only; build wolfSSL with WOLFSSL_ALWAYS_VERIFY_CB"
#endif
#ifndef HAVE_SNI
#error "cotter: wolfSSL was built without server names; build it with HAVE_SNI (--enable-sni)"
#endif
#if defined(WOLFSSL_PUBLIC_ASN) && defined(HAVE_PK_CALLBACKS)
#error "cotter: a hook could hide faults; build wolfSSL without WOLFSSL_PUBLIC_ASN"
#endif
#if defined(WOLFSSL_NO_TLS12) && !defined(WOLFSSL_TLS13)
#error "cotter: wolfSSL was built without TLS 1.2 and 1.3 (WOLFSSL_NO_TLS12, no WOLFSSL_TLS13)"
#endif
#if defined(WOLFSSL_SMALL_STACK) && !defined(WOLFSSL_SMALL_STACK_CACHE)
#error "cotter: every SHA-256 block would allocate; build wolfSSL with WOLFSSL_SMALL_STACK_CACHE"
#endif
#if !defined(HAVE_ECC_VERIFY) || !defined(HAVE_ECC_KEY_IMPORT) || defined(NO_ECC256)
#error "cotter: no document could be verified; HAVE_ECC_VERIFY, HAVE_ECC_KEY_IMPORT needed"
#endif
#ifdef NO_SHA
#error "cotter: RFC 6455 needs SHA-1; build wolfSSL without NO_SHA"
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#define COTTER_WOLFSSL_CANNOT_SEAL                                                               \
  "cotter: nothing can be sealed; build wolfSSL with HAVE_AESGCM, HAVE_AES_DECRYPT and 256-bit " \
  "keys"

namespace cotter {
inline namespace v0 {
namespace backends {

namespace detail {

/// Has wolfSSL's cache of points freed when the calling thread ends: up to 13 MiB for each thread
/// that has used ECC, which nobody else frees. Nothing to do where all threads share one cache.
inline void free_points_with_thread() noexcept {
#if defined(FP_ECC) && defined(HAVE_THREAD_LS)
  struct holder {
    bool used = false;
    ~holder() { wc_ecc_fp_free(); }
  };
  static thread_local holder one;
  one.used = true;
#endif
}

}  // namespace detail

/// wolfSSL 5.5.4 and newer, client side. Never in one translation unit with another TLS library.
///
/// Attach works on one `WOLFSSL` and leaves its `WOLFSSL_CTX` alone, with one exception that can
/// only make others stricter: it empties the context's list of trusted peers. A certificate on that
/// list skips the chain, and a forged one that repeats its name and signature octets under another
/// key is taken for it; a wolfSSL with OPENSSL_COMPATIBLE_DEFAULTS puts every anchor on it. Load
/// anchors before the first attach, as wolfSSL's own rules want it.
///
/// A session that the application gave to the `WOLFSSL` cannot be taken back, so attach refuses it.
/// What the application does after attach: a verify callback, a verify mode or a context of its own
/// is found by `inspect`; a session, a PSK or a session secret likewise, because no certificate was
/// judged. A context-wide or certificate-manager callback that forgives changes no decision; where
/// wolfSSL would let it (after 5.5.4), a session whose chain was refused can no longer send, and so
/// its peer gets no alert.
///
/// Hand-made checks of the application (`wolfSSL_check_domain_name`, `wolfSSL_set1_host`) stay in
/// force where the target's own name does not replace them; they can only refuse.
///
/// The `WOLFSSL` outlives the connection made from it. The handshake's errors are wolfSSL's own
/// (`native`), those of the chain its X509 codes.
struct wolfssl {
  static constexpr std::string_view name = "wolfssl";
  using session = WOLFSSL*;

  class hasher;
  /// A client's configuration, for programs that have none of their own. TLS 1.2 and newer, peers
  /// verified, no session kept; a session made from it that was not attached is refused. Neither
  /// copied nor moved; outlives its clients.
  class context;
  /// A client's engine; models concept `engine`.
  class client;
#ifdef NO_WOLFSSL_SERVER
  static constexpr bool has_server = false;
#else
  /// The other end of a self-test, and nothing more: one leaf, one key (PKCS #8), no client
  /// certificates.
  class server;
  static constexpr bool has_server = true;
#endif

  using resumption = detail::wolfssl_resumption;

  /// Per-connection state; see concept `backend`.
  struct attachment {
    attachment() noexcept = default;
    attachment(const attachment&) = delete;
    attachment& operator=(const attachment&) = delete;

    WOLFSSL* ssl = nullptr;
    WOLFSSL_CTX* ctx = nullptr;
    handshake_observer* observer = nullptr;
    bool leaf_handed_over = false;
    bool decided = false;
    bool accepted = false;
    resumption* sessions = nullptr;  // owned; null unless sessions are allowed
  };

  /// Concept `backend`, B1. Allocates.
  /// @errors `unfit_session`: a server's, DTLS, below TLS 1.2, begun, attached before, or holding a
  /// session or ECH configurations; `invalid_host`; `unfit_backend`; `out_of_memory`.
  static result<void> attach(WOLFSSL* ssl, const target& whom, handshake_observer& observer,
                             attachment& state) noexcept;

  /// Concept `backend`, B5.
  static handshake_facts inspect(const attachment& state) noexcept;

  /// Concept `backend`, B6. The established connection goes on.
  static void detach(attachment& state) noexcept;

  /// Concept `resuming_backend`. Allocates. Only for a `client`: wolfSSL shows nobody the hellos of
  /// TLS 1.3, so its engine reads them itself; and only in a build with HAVE_EXT_CACHE and
  /// HAVE_SESSION_TICKET. wolfSSL offers psk_ke beside psk_dhe_ke; a server that takes it is refused.
  [[nodiscard]] static bool allow_sessions(attachment& state) noexcept;
  /// Concept `resuming_backend`, F1. Allocates. TLS 1.2 by session id only: asks for no ticket, and
  /// offers none. A session of TLS 1.2 makes wolfSSL offer TLS 1.2 only; after a HelloRetryRequest
  /// (a server that has changed its groups) wolfSSL 5.5.4 cannot go on with one of TLS 1.3.
  /// That a session's own minimum (`wolfSSL_SetMinVersion`) forbids it cannot be read; the context's
  /// and the options are.
  [[nodiscard]] static bool offer(attachment& state, bytes_view octets) noexcept;
  /// Concept `resuming_backend`, F5.
  template <typename Each>
  static void collect(attachment& state, Each&& each) noexcept;

  /// The protocol both sides agreed on (RFC 7301); empty if none. Valid as long as the session.
  [[nodiscard]] static std::string_view negotiated_alpn(WOLFSSL* ssl) noexcept {
#ifdef HAVE_ALPN
    char* text = nullptr;
    word16 size_bytes = 0;
    if (wolfSSL_ALPN_GetProtocol(ssl, &text, &size_bytes) == WOLFSSL_SUCCESS && text != nullptr) {
      return {text, size_bytes};
    }
#endif
    static_cast<void>(ssl);
    return {};
  }
  /// "TLSv1.2" or "TLSv1.3"; static storage.
  [[nodiscard]] static std::string_view tls_version(WOLFSSL* ssl) noexcept {
    switch (wolfSSL_GetVersion(ssl)) {
      case WOLFSSL_TLSV1_2: return "TLSv1.2";
      case WOLFSSL_TLSV1_3: return "TLSv1.3";
      default: return "unknown";
    }
  }
  /// For diagnosis, never for a decision: calls `each(bytes_view)` with the certificates that the
  /// peer presented, octets as they came, its leaf first, in a handshake that completed or that a
  /// hook refused. wolfSSL keeps 9 of them, and none of `MAX_X509_SIZE` octets or more: the others
  /// are missing without a trace. None in a build without SESSION_CERTS. Borrowed from `ssl`.
  template <typename Each>
  static void for_each_peer_certificate(WOLFSSL* ssl, Each&& each) {
#ifdef SESSION_CERTS
    WOLFSSL_X509_CHAIN* chain = wolfSSL_get_peer_chain(ssl);
    const int count = chain == nullptr ? 0 : wolfSSL_get_chain_count(chain);
    for (int i = 0; i < count; ++i) {
      const int size = wolfSSL_get_chain_length(chain, i);
      const unsigned char* octets = wolfSSL_get_chain_cert(chain, i);
      if (octets != nullptr && size > 0) each(bytes_view(octets, static_cast<std::size_t>(size)));
    }
#else
    static_cast<void>(ssl);
    static_cast<void>(each);
#endif
  }
  /// The library that runs, for example "wolfSSL 5.5.4"; static storage.
  [[nodiscard]] static std::string_view build() noexcept {
    struct made_once {
      made_once() noexcept {
        const std::string_view version = wolfSSL_lib_version();
        size_bytes += version.copy(text.data() + size_bytes, text.size() - size_bytes);
      }
      std::array<char, 40> text{'w', 'o', 'l', 'f', 'S', 'S', 'L', ' '};
      std::size_t size_bytes = 8;
    };
    static const made_once spelling;
    return {spelling.text.data(), spelling.size_bytes};
  }
  /// The version of the library that runs.
  [[nodiscard]] static library_version version() noexcept {
    const auto packed = static_cast<std::uint32_t>(wolfSSL_lib_version_hex());
    return {static_cast<std::uint16_t>(packed >> 24),
            static_cast<std::uint16_t>(packed >> 12 & 0xfff),
            static_cast<std::uint16_t>(packed & 0xfff)};
  }
  /// For the accept key of RFC 6455 4.2.2 and for nothing else.
  static bool sha1(bytes_view in, std::span<std::uint8_t, 20> out) noexcept;

  /// Concept `verifier`, V3. Ed25519 depends on how wolfSSL was built (HAVE_ED25519).
  [[nodiscard]] static constexpr bool supports(signature_scheme scheme) noexcept {
#if defined(HAVE_ED25519_VERIFY) && defined(HAVE_ED25519_KEY_IMPORT)
    if (scheme == signature_scheme::ed25519) return true;
#endif
    return scheme == signature_scheme::ecdsa_p256_sha256;
  }
  /// Concept `verifier`, V1 and V2. Allocates. The first call starts wolfSSL, for good: its cache
  /// of points would otherwise not be locked.
  /// @errors `unsupported_key`, `bad_signature`, `out_of_memory`; `too_large` for 4 GiB and more
  [[nodiscard]] static result<void> verify(signature_scheme scheme, bytes_view key,
                                           bytes_view message, bytes_view signature) noexcept;

#if defined(HAVE_AESGCM) && defined(HAVE_AES_DECRYPT) && defined(WOLFSSL_AES_256) && \
    !defined(WC_NO_RNG)
  /// Concept `sealer`. False if wolfSSL was built without AES-GCM, keys of 256 bits, or random
  /// numbers.
  static constexpr bool supports_sealing = true;
  /// Concept `sealer`, S1 and S3. Allocates. The first call starts wolfSSL, for good.
  /// @errors `too_large`, `unfit_backend`, `out_of_memory`
  [[nodiscard]] static result<void> seal(const seal_key& key, bytes_view plain,
                                         bytes_view associated,
                                         std::span<std::uint8_t> out) noexcept;
  /// Concept `sealer`, S1 and S2. The first call starts wolfSSL, for good.
  /// @errors `bad_seal`, `unfit_backend`, `out_of_memory`
  [[nodiscard]] static result<void> open(const seal_key& key, bytes_view sealed,
                                         bytes_view associated,
                                         std::span<std::uint8_t> out) noexcept;
  /// Concept `sealer`, S5. Allocates. Each call seeds a generator of its own: the one that
  /// `wolfSSL_RAND_bytes` shares may say the same in a process and its child.
  [[nodiscard]] static bool random_octets(std::span<std::uint8_t> out) noexcept;
#else
  static constexpr bool supports_sealing = false;
  template <typename Key>
  static result<void> seal(const Key&, bytes_view, bytes_view, std::span<std::uint8_t>) noexcept {
    static_assert(sizeof(Key) == 0, COTTER_WOLFSSL_CANNOT_SEAL);
    return errc::unfit_backend;
  }
  template <typename Key>
  static result<void> open(const Key&, bytes_view, bytes_view, std::span<std::uint8_t>) noexcept {
    static_assert(sizeof(Key) == 0, COTTER_WOLFSSL_CANNOT_SEAL);
    return errc::unfit_backend;
  }
  template <typename Octet>
  static bool random_octets(std::span<Octet>) noexcept {
    static_assert(sizeof(Octet) == 0, COTTER_WOLFSSL_CANNOT_SEAL);
    return false;
  }
#endif

 private:
  struct hooks;
  struct signatures;
  struct gcm;

  /// For good: what wolfSSL locks (its cache of points) or finds out (the processor) is then there
  /// for every thread.
  static bool started() noexcept {
    static const bool yes = wolfSSL_Init() == WOLFSSL_SUCCESS;
    return yes;
  }

  /// Where a `client` has the place for a `hello_tap*`.
  static int tap_index() noexcept;
  static int keep_session(WOLFSSL* ssl, WOLFSSL_SESSION* session) noexcept;
  /// Null if the session is not, or no longer, attached.
  static attachment* attached(const WOLFSSL* ssl) noexcept;
  static int refuse_chain(int, WOLFSSL_X509_STORE_CTX*) noexcept { return 0; }
};

/// SHA-256 by wolfCrypt; models concept `hasher`.
class wolfssl::hasher {
 public:
  hasher() noexcept = default;
  hasher(const hasher&) = delete;
  hasher& operator=(const hasher&) = delete;
  ~hasher() { release(); }

  [[nodiscard]] bool prepare() noexcept;
  void update(bytes_view octets) noexcept;
  [[nodiscard]] bool finish(sha256_digest& out) noexcept;

 private:
  void release() noexcept;

  wc_Sha256 context_;
  bool held_ = false;
  bool ready_ = false;
};

}  // namespace backends

template <>
struct backend_of<WOLFSSL*> {
  using type = backends::wolfssl;
};

static_assert(resuming_backend<backends::wolfssl>);
static_assert(verifier<backends::wolfssl>);
static_assert(sealer<backends::wolfssl> == backends::wolfssl::supports_sealing);

}  // namespace v0
}  // namespace cotter

#undef COTTER_WOLFSSL_CANNOT_SEAL

// The definitions. Each part needs what is declared above and no other part: one that is included
// by itself comes after all the others.
#include <cotter/backends/wolfssl/engine.hpp>
#include <cotter/backends/wolfssl/hash.hpp>
#include <cotter/backends/wolfssl/hooks.hpp>
#include <cotter/backends/wolfssl/seal.hpp>
#include <cotter/backends/wolfssl/verify.hpp>
