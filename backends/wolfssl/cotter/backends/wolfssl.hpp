// SPDX-License-Identifier: BSL-1.0
#pragma once

// The build's own options come before every other header of wolfSSL: its structures differ with
// them. They also switch Asio's TLS over to wolfSSL and fortify libc; a program that includes this
// header keeps its own choice of those.
#pragma push_macro("ASIO_USE_WOLFSSL")
#pragma push_macro("BOOST_ASIO_USE_WOLFSSL")
#pragma push_macro("_FORTIFY_SOURCE")
#include <wolfssl/options.h>
#pragma pop_macro("_FORTIFY_SOURCE")
#pragma pop_macro("BOOST_ASIO_USE_WOLFSSL")
#pragma pop_macro("ASIO_USE_WOLFSSL")

#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/ssl.h>
#include <wolfssl/version.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <cotter/concepts/backend.hpp>
#include <cotter/concepts/engine.hpp>
#include <cotter/concepts/sealer.hpp>
#include <cotter/concepts/verifier.hpp>
#include <cotter/values/runtime.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/signature_encoding.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/tls_version.hpp>

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
#error \
    "cotter: no document could be verified; HAVE_ECC_VERIFY, HAVE_ECC_KEY_IMPORT needed"
#endif
#ifdef NO_SHA
#error "cotter: RFC 6455 needs SHA-1; build wolfSSL without NO_SHA"
#endif

#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

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
  class context;
  class client;
#ifdef NO_WOLFSSL_SERVER
  static constexpr bool has_server = false;
#else
  class server;
  static constexpr bool has_server = true;
#endif

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
  };

  /// Concept `backend`, B1. Allocates.
  /// @errors `unfit_session`: a server's, DTLS, below TLS 1.2, begun, attached before, or holding a
  /// session or ECH configurations; `invalid_host`; `unfit_backend`; `out_of_memory`.
  static result<void> attach(WOLFSSL* ssl, const target& whom, handshake_observer& observer,
                             attachment& state) noexcept {
    if (ssl == nullptr) return errc::unfit_session;
    const result<void> hardened = harden(ssl, whom, state);
    if (!hardened) {
      refuse_all_handshakes(ssl);
      wolfSSL_SSLSetIOSend(ssl, &refuse_to_send);
      return hardened;
    }
    state.ssl = ssl;
    state.ctx = wolfSSL_get_SSL_CTX(ssl);
    state.observer = &observer;
    observer.on_start();
    return {};
  }

  /// Concept `backend`, B5.
  static handshake_facts inspect(const attachment& state) noexcept {
    handshake_facts facts;
    WOLFSSL* ssl = state.ssl;
    if (ssl == nullptr) return facts;
    facts.native = wolfSSL_get_error(ssl, 0);
    facts.finished = wolfSSL_is_init_finished(ssl) != 0;
    facts.resumed = wolfSSL_session_reused(ssl) != 0;
    facts.hooks_intact = attached(ssl) == &state && wolfSSL_get_SSL_CTX(ssl) == state.ctx &&
                         wolfSSL_get_verify_mode(ssl) == WOLFSSL_VERIFY_PEER &&
                         wolfSSL_get_verify_callback(ssl) == &verify_one;
    facts.authenticated = state.accepted && wolfSSL_GetVersion(ssl) >= WOLFSSL_TLSV1_2 &&
                          acceptable(wolfSSL_get_current_cipher_suite(ssl));
    return facts;
  }

  /// Concept `backend`, B6. The established connection goes on.
  static void detach(attachment& state) noexcept {
    WOLFSSL* ssl = std::exchange(state.ssl, nullptr);
    if (ssl == nullptr || attached(ssl) != &state) return;
    wolfSSL_set_ex_data(ssl, session_index(), nullptr);
    refuse_all_handshakes(ssl);
    if (wolfSSL_is_init_finished(ssl) == 0) wolfSSL_SSLSetIOSend(ssl, &refuse_to_send);
  }

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
      case WOLFSSL_TLSV1_2:
        return "TLSv1.2";
      case WOLFSSL_TLSV1_3:
        return "TLSv1.3";
      default:
        return "unknown";
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
  static bool sha1(bytes_view in, std::span<std::uint8_t, 20> out) noexcept {
    return in.size() <= INT_MAX &&
           wc_ShaHash(in.data(), static_cast<word32>(in.size()), out.data()) == 0;
  }

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
                                           bytes_view message, bytes_view signature) noexcept {
    if (!supports(scheme)) return errc::unsupported_key;
    const result<void> encoded = check_signature_encoding(scheme, key, signature);
    if (!encoded) return encoded;
    if (message.size() > std::numeric_limits<word32>::max()) return errc::too_large;
    if (!started()) return errc::out_of_memory;
    detail::free_points_with_thread();
#if defined(HAVE_ED25519_VERIFY) && defined(HAVE_ED25519_KEY_IMPORT)
    if (scheme == signature_scheme::ed25519) return verify_ed25519(key, message, signature);
#endif
    return verify_p256(key, message, signature);
  }

#if defined(HAVE_AESGCM) && defined(HAVE_AES_DECRYPT) && defined(WOLFSSL_AES_256) && \
    !defined(WC_NO_RNG)
  /// Concept `sealer`. False if wolfSSL was built without AES-GCM, keys of 256 bits, or random
  /// numbers.
  static constexpr bool supports_sealing = true;
  /// Concept `sealer`, S1 and S3. Allocates. The first call starts wolfSSL, for good.
  /// @errors `too_large`, `unfit_backend`, `out_of_memory`
  [[nodiscard]] static result<void> seal(const seal_key& key, bytes_view plain,
                                         bytes_view associated,
                                         std::span<std::uint8_t> out) noexcept {
    result<void> outcome = check_seal_sizes(plain.size(), associated.size(), out.size());
    if (outcome) outcome = seal_sized(key, plain, associated, out);
    if (!outcome) wipe(out);
    return outcome;
  }
  /// Concept `sealer`, S1 and S2. The first call starts wolfSSL, for good.
  /// @errors `bad_seal`, `unfit_backend`, `out_of_memory`
  [[nodiscard]] static result<void> open(const seal_key& key, bytes_view sealed,
                                         bytes_view associated,
                                         std::span<std::uint8_t> out) noexcept {
    result<void> outcome = check_open_sizes(sealed.size(), associated.size(), out.size());
    if (outcome) {
      outcome = with_gcm(key, [&](Aes& aes) {
        const bytes_view tag = sealed.last(seal_tag_bytes);
        return wc_AesGcmDecrypt(&aes, out.data(), sealed.data() + seal_nonce_bytes,
                                static_cast<word32>(out.size()), sealed.data(), seal_nonce_bytes,
                                tag.data(), seal_tag_bytes, associated.data(),
                                static_cast<word32>(associated.size()));
      });
    }
    if (!outcome) wipe(out);
    return outcome;
  }
  /// Concept `sealer`, S5. Allocates. Each call seeds a generator of its own: the one that
  /// `wolfSSL_RAND_bytes` shares may say the same in a process and its child.
  [[nodiscard]] static bool random_octets(std::span<std::uint8_t> out) noexcept {
    const bool filled = draw(out) == 0;
    if (!filled) wipe(out);
    return filled;
  }
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
  /// For good: what wolfSSL locks (its cache of points) or finds out (the processor) is then there
  /// for every thread.
  static bool started() noexcept {
    static const bool yes = wolfSSL_Init() == WOLFSSL_SUCCESS;
    return yes;
  }

#if defined(HAVE_AESGCM) && defined(HAVE_AES_DECRYPT) && defined(WOLFSSL_AES_256) && \
    !defined(WC_NO_RNG)
  /// 0, or the library's own code.
  static int draw(std::span<std::uint8_t> out) noexcept {
    if (!started()) return MEMORY_E;
    WC_RNG generator;
    int native = wc_InitRng(&generator);
    if (native != 0) return native;
    while (native == 0 && !out.empty()) {
      constexpr std::size_t most = 0x1000;
      const std::size_t n = out.size() < most ? out.size() : most;
      native = wc_RNG_GenerateBlock(&generator, out.data(), static_cast<word32>(n));
      out = out.subspan(n);
    }
    wc_FreeRng(&generator);
    return native;
  }

  /// What `run(Aes&)` returns, 0 or the library's own code, with the key set.
  template <typename Run>
  static result<void> with_gcm(const seal_key& key, Run run) noexcept {
    if (!started()) return errc::out_of_memory;
    Aes aes{};
    int native = wc_AesInit(&aes, nullptr, INVALID_DEVID);
    if (native == 0) {
      native = wc_AesGcmSetKey(&aes, key.octets.data(), static_cast<word32>(key.octets.size()));
      if (native == 0) native = run(aes);
      wc_AesFree(&aes);
    }
    // It does not always wipe.
    wipe({reinterpret_cast<std::uint8_t*>(&aes), sizeof aes});
    return judge_seal(native);
  }

  static result<void> judge_seal(int native) noexcept {
    switch (native) {
      case 0: return {};
      case AES_GCM_AUTH_E: return error{errc::bad_seal, 0, native};
      case MEMORY_E: return error{errc::out_of_memory, 0, native};
      default: return error{errc::unfit_backend, 0, native};
    }
  }

  static result<void> seal_sized(const seal_key& key, bytes_view plain, bytes_view associated,
                                 std::span<std::uint8_t> out) noexcept {
    const auto nonce = out.first<seal_nonce_bytes>();
    const result<void> drawn = judge_seal(draw(nonce));
    if (!drawn) return drawn;
    return with_gcm(key, [&](Aes& aes) {
      return wc_AesGcmEncrypt(&aes, out.data() + seal_nonce_bytes, plain.data(),
                              static_cast<word32>(plain.size()), nonce.data(), seal_nonce_bytes,
                              out.data() + seal_nonce_bytes + plain.size(), seal_tag_bytes,
                              associated.data(), static_cast<word32>(associated.size()));
    });
  }
#endif

  /// wolfSSL registers an index per process and never takes it back. Index 0 is the application's
  /// (`wolfSSL_set_app_data`), registered or not.
  static int session_index() noexcept {
    static const int index = [] {
      const int first = wolfSSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
      return first != 0 ? first : wolfSSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    }();
    return index;
  }
  static attachment* attached(const WOLFSSL* ssl) noexcept {
    return ssl == nullptr || session_index() < 0
               ? nullptr
               : static_cast<attachment*>(wolfSSL_get_ex_data(ssl, session_index()));
  }

  /// `verified` is 1 if the library found the signature good, and `native` 0 if it met no error.
  static result<void> judge(int native, int verified) noexcept {
    if (native == 0 && verified == 1) return {};
    return error{native == MEMORY_E ? errc::out_of_memory : errc::bad_signature, 0, native};
  }

  static result<void> verify_p256(bytes_view spki, bytes_view message,
                                  bytes_view signature) noexcept {
    std::array<byte, 32> digest{};
    static constexpr byte nothing = 0;
    const int hashed = wc_Sha256Hash(message.empty() ? &nothing : message.data(),
                                     static_cast<word32>(message.size()), digest.data());
    if (hashed != 0) return error{errc::out_of_memory, 0, hashed};

    const bytes_view point = spki.subspan(p256_key_prefix.size() - 1);
    ecc_key key;
    int native = wc_ecc_init(&key);
    if (native != 0) return error{errc::out_of_memory, 0, native};
    native =
        wc_ecc_import_x963_ex(point.data(), static_cast<word32>(point.size()), &key, ECC_SECP256R1);
    if (native == 0) native = wc_ecc_check_key(&key);  // importing does not
    result<void> outcome =
        error{native == MEMORY_E ? errc::out_of_memory : errc::unsupported_key, 0, native};
    if (native == 0) {
      int verified = 0;
      native =
          wc_ecc_verify_hash(signature.data(), static_cast<word32>(signature.size()), digest.data(),
                             static_cast<word32>(digest.size()), &verified, &key);
      outcome = judge(native, verified);
    }
    wc_ecc_free(&key);
    return outcome;
  }

#if defined(HAVE_ED25519_VERIFY) && defined(HAVE_ED25519_KEY_IMPORT)
  static result<void> verify_ed25519(bytes_view spki, bytes_view message,
                                     bytes_view signature) noexcept {
    const bytes_view point = spki.subspan(ed25519_key_prefix.size());
    static constexpr byte nothing = 0;
    ed25519_key key;
    int native = wc_ed25519_init(&key);
    if (native != 0) return error{errc::out_of_memory, 0, native};
    int verified = 0;
    native = wc_ed25519_import_public(point.data(), static_cast<word32>(point.size()), &key);
    if (native == 0) {
      native = wc_ed25519_verify_msg(signature.data(), static_cast<word32>(signature.size()),
                                     message.empty() ? &nothing : message.data(),
                                     static_cast<word32>(message.size()), &verified, &key);
    }
    wc_ed25519_free(&key);
    return judge(native, verified);
  }
#endif

  /// Ephemeral (EC)DH, authenticated by a certificate, with a cipher that is neither NULL, RC4 nor
  /// 3DES; IANA's numbers, which are wolfSSL's.
  static constexpr std::array<std::uint16_t, 32> suites{
      0x1301, 0x1302, 0x1303, 0x1304, 0x1305,                          // TLS 1.3
      0xc02b, 0xc02c, 0xcca9, 0xc02f, 0xc030, 0xcca8, 0xc0ac, 0xc0ad,  // ECDHE, AEAD
      0xc0ae, 0xc0af, 0x009e, 0x009f, 0xccaa,                          // ECDHE CCM_8; DHE, AEAD
      0xc023, 0xc024, 0xc027, 0xc028, 0xc009, 0xc00a, 0xc013, 0xc014,  // ECDHE, CBC
      0x0067, 0x006b, 0x0033, 0x0039, 0x00be, 0x00c4};                 // DHE, CBC

  static constexpr bool acceptable(int suite) noexcept {
    for (const std::uint16_t good : suites) {
      if (good == suite) return true;
    }
    return false;
  }

  static bool same_text(const char* a, const char* b) noexcept {
    return a != nullptr && b != nullptr && std::strcmp(a, b) == 0;
  }

  /// Keeps of the suites that the application chose, in its order, those that are acceptable.
  static result<void> restrict_suites(WOLFSSL* ssl) noexcept {
    std::array<byte, 2 * suites.size()> wanted{};
    std::size_t used = 0;
    const auto keep = [&](std::uint16_t suite) {
      if (used == wanted.size()) return;
      wanted[used++] = static_cast<byte>(suite >> 8);
      wanted[used++] = static_cast<byte>(suite & 0xff);
    };
    WOLFSSL_STACK* offered = wolfSSL_get_ciphers_compat(ssl);
    const int count = offered == nullptr ? 0 : wolfSSL_sk_SSL_CIPHER_num(offered);
    for (int i = 0; i < count; ++i) {
      const char* text = wolfSSL_CIPHER_get_name(wolfSSL_sk_SSL_CIPHER_value(offered, i));
      for (const std::uint16_t suite : suites) {
        const auto high = static_cast<unsigned char>(suite >> 8);
        const auto low = static_cast<unsigned char>(suite & 0xff);
        if (same_text(text, wolfSSL_get_cipher_name_from_suite(high, low)) ||
            same_text(text, wolfSSL_get_cipher_name_iana_from_suite(high, low))) {
          keep(suite);
          break;
        }
      }
    }
    if (offered == nullptr) {
      for (const std::uint16_t suite : suites) keep(suite);
    }
    if (used == 0 || wolfSSL_set_cipher_list_bytes(ssl, wanted.data(), static_cast<int>(used)) !=
                         WOLFSSL_SUCCESS) {
      return errc::unfit_backend;
    }
    return {};
  }

  /// The handshake state of a client is not readable; the random of its first message is.
  static bool begun(WOLFSSL* ssl) noexcept {
    std::array<unsigned char, 32> random{};
    static constexpr std::array<unsigned char, 32> unset{};
    return wolfSSL_get_client_random(ssl, random.data(), random.size()) != random.size() ||
           random != unset || wolfSSL_is_init_finished(ssl) != 0;
  }

  static result<void> harden(WOLFSSL* ssl, const target& whom, attachment& state) noexcept {
    const int version = wolfSSL_GetVersion(ssl);
    if (wolfSSL_is_server(ssl) != 0 || wolfSSL_dtls(ssl) != 0 ||
        (version != WOLFSSL_TLSV1_2 && version != WOLFSSL_TLSV1_3) || begun(ssl) ||
        wolfSSL_session_reused(ssl) != 0 || attached(ssl) != nullptr) {
      return errc::unfit_session;
    }
#if defined(HAVE_ECH) && defined(WOLFSSL_TLS13)
    word32 configs_bytes = 0;
    const int ech = wolfSSL_GetEchConfigs(ssl, nullptr, &configs_bytes);
    if (configs_bytes != 0 || ech == WOLFSSL_SUCCESS) return errc::unfit_session;
#endif
    const result<host_kind> kind = classify_host(whom.host);
    if (!kind) return kind.error();
    if (session_index() < 0) return errc::out_of_memory;

    wolfSSL_set_connect_state(ssl);  // a method for either side has none yet
    // A mask, not wolfSSL_SetMinVersion: that would lower the minimum of an application that allows
    // TLS 1.3 only, and it cannot be read back.
    wolfSSL_set_options(ssl, WOLFSSL_OP_NO_SSLv3 | WOLFSSL_OP_NO_TLSv1 | WOLFSSL_OP_NO_TLSv1_1 |
                                 WOLFSSL_OP_NO_TICKET | WOLFSSL_OP_NO_COMPRESSION);
    if (const result<void> fit = restrict_suites(ssl); !fit) return fit;
    if (const result<void> fit = no_other_secrets(ssl); !fit) return fit;
#ifdef WOLFSSL_TRUST_PEER_CERT
    if (wolfSSL_Unload_trust_peers(ssl) != WOLFSSL_SUCCESS) return errc::unfit_backend;
#endif

    if (*kind == host_kind::dns_name) {
      const host_text host(whom.host);
      if (wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, host.c_str(),
                         static_cast<word16>(whom.host.size())) != WOLFSSL_SUCCESS) {
        return errc::out_of_memory;
      }
      if (whom.kind == identity::host &&
          wolfSSL_check_domain_name(ssl, host.c_str()) != WOLFSSL_SUCCESS) {
        return errc::out_of_memory;
      }
    }

    wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_PEER, &verify_one);
    return wolfSSL_set_ex_data(ssl, session_index(), &state) == WOLFSSL_SUCCESS
               ? result<void>()
               : errc::out_of_memory;
  }

  /// Whatever could take the place of a Certificate message. Comes after `restrict_suites`: these
  /// setters would put PSK suites into a list that nobody has set. Early data needs one of them.
  static result<void> no_other_secrets(WOLFSSL* ssl) noexcept {
#ifndef NO_PSK
    wolfSSL_set_psk_client_callback(ssl, nullptr);
    wolfSSL_set_psk_use_session_callback(ssl, nullptr);
#ifdef WOLFSSL_TLS13
    wolfSSL_set_psk_client_cs_callback(ssl, nullptr);
    wolfSSL_set_psk_client_tls13_callback(ssl, nullptr);
#endif
#endif
#ifdef HAVE_SECRET_CALLBACK
    if (wolfSSL_set_session_secret_cb(ssl, nullptr, nullptr) != WOLFSSL_SUCCESS) {
      return errc::unfit_backend;
    }
#endif
#ifdef HAVE_SESSION_TICKET
    if (wolfSSL_set_SessionTicket(ssl, nullptr, 0) != WOLFSSL_SUCCESS) return errc::unfit_backend;
#endif
#if defined(WOLFSSL_TLS13) && defined(WOLFSSL_POST_HANDSHAKE_AUTH)
    wolfSSL_set_post_handshake_auth(ssl, 0);  // fails below TLS 1.3, where there is none
#endif
#ifdef HAVE_RPK
    if (wolfSSL_set_server_cert_type(ssl, nullptr, 0) != WOLFSSL_SUCCESS ||
        wolfSSL_set_client_cert_type(ssl, nullptr, 0) != WOLFSSL_SUCCESS) {
      return errc::unfit_backend;
    }
#endif
    return {};
  }

  /// Makes every further handshake fail and leaves an established connection as it is: the only
  /// version left is 1.3, and the only suite is one of 1.2.
  static void refuse_all_handshakes(WOLFSSL* ssl) noexcept {
    static constexpr std::array<byte, 2> one_of_tls12{0xc0, 0x2f};
    wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_PEER, &refuse_chain);
    wolfSSL_set_cipher_list_bytes(ssl, one_of_tls12.data(), static_cast<int>(one_of_tls12.size()));
#ifdef WOLFSSL_TLS13
    wolfSSL_SetMinVersion(ssl, WOLFSSL_TLSV1_3);
#else
    wolfSSL_SSLSetIOSend(ssl, &refuse_to_send);
#endif
  }

  static int refuse_to_send(WOLFSSL*, char*, int, void*) noexcept {
    return WOLFSSL_CBIO_ERR_GENERAL;
  }
  static int refuse_chain(int, WOLFSSL_X509_STORE_CTX*) noexcept { return 0; }

  /// Called for each certificate of the message that wolfSSL got to, the last one first, and for
  /// the leaf at the end unless one above it was refused. `certs[0]` is the first of the message in
  /// every call; the session's own chain drops what it has no room for and is never asked.
  static int verify_one(int good_so_far, WOLFSSL_X509_STORE_CTX* store) noexcept {
    auto* ssl = static_cast<WOLFSSL*>(
        wolfSSL_X509_STORE_CTX_get_ex_data(store, wolfSSL_get_ex_data_X509_STORE_CTX_idx()));
    attachment* state = attached(ssl);
    if (state == nullptr || state->ssl != ssl || state->decided) return 0;

    // Under another mode than ours wolfSSL has not looked, and calls every certificate good.
    bool good = good_so_far == 1 && store->error == 0 &&
                wolfSSL_get_verify_mode(ssl) == WOLFSSL_VERIFY_PEER;
    if (!state->leaf_handed_over) {
#if defined(WOLFSSL_TRUST_PEER_CERT) && defined(WOLFSSL_VERIFY_CB_ALL_CERTS)
      // The rest of the chain was skipped: the leaf is on a list loaded since attach.
      if (store->error_depth == 0 && store->totalCerts > 1) good = false;
#endif
      if (store->certs == nullptr || store->totalCerts < 1 || store->certs[0].buffer == nullptr ||
          store->certs[0].length == 0) {
        good = false;  // wolfSSL calls an empty Certificate message of TLS 1.2 good
      } else {
        state->observer->on_leaf({store->certs[0].buffer, store->certs[0].length});
      }
      state->leaf_handed_over = true;
    }
    if (!good) {
      state->decided = true;
      static_cast<void>(
          state->observer->on_chain({false, store->error != 0 ? store->error : VERIFY_CERT_ERROR}));
#if LIBWOLFSSL_VERSION_HEX > 0x05005004
      // Another callback that forgives this certificate outvotes the zero below.
      if (good_so_far != 1) wolfSSL_SSLSetIOSend(ssl, &refuse_to_send);
#endif
      return 0;
    }
    if (store->error_depth != 0) return 1;
    state->decided = true;
    state->accepted = state->observer->on_chain({true, 0});
    return state->accepted ? 1 : 0;
  }
};

/// SHA-256 by wolfCrypt; models concept `hasher`.
class wolfssl::hasher {
 public:
  hasher() noexcept = default;
  hasher(const hasher&) = delete;
  hasher& operator=(const hasher&) = delete;
  ~hasher() { release(); }

  [[nodiscard]] bool prepare() noexcept {
    release();
    ready_ = held_ = wc_InitSha256(&context_) == 0;
    return ready_;
  }
  void update(bytes_view octets) noexcept {
    while (ready_ && !octets.empty()) {
      const auto piece = octets.first(octets.size() < INT_MAX ? octets.size() : INT_MAX);
      ready_ = wc_Sha256Update(&context_, piece.data(), static_cast<word32>(piece.size())) == 0;
      octets = octets.subspan(piece.size());
    }
  }
  [[nodiscard]] bool finish(sha256_digest& out) noexcept {
    if (!std::exchange(ready_, false)) return false;
    sha256_digest digest;
    if (wc_Sha256Final(&context_, digest.octets.data()) != 0) return false;
    out = digest;
    return true;
  }

 private:
  void release() noexcept {
    if (std::exchange(held_, false)) wc_Sha256Free(&context_);
  }

  wc_Sha256 context_;
  bool held_ = false;
  bool ready_ = false;
};

/// A client's configuration, for programs that have none of their own. TLS 1.2 and newer, peers
/// verified, no session kept; a session made from it that was not attached is refused. Neither
/// copied nor moved; outlives its clients.
class wolfssl::context {
 public:
  context() noexcept : initialised_(wolfSSL_Init() == WOLFSSL_SUCCESS) {
    if (!initialised_) return;
    ctx_ = wolfSSL_CTX_new(wolfTLS_client_method());
    if (ctx_ == nullptr) return;
    wolfSSL_CTX_set_verify(ctx_, WOLFSSL_VERIFY_PEER, &refuse_chain);
    wolfSSL_CTX_set_session_cache_mode(ctx_, WOLFSSL_SESS_CACHE_OFF);
#ifdef WOLFSSL_NO_TLS12
    constexpr int oldest = WOLFSSL_TLSV1_3;
#else
    constexpr int oldest = WOLFSSL_TLSV1_2;
#endif
    if (wolfSSL_CTX_SetMinVersion(ctx_, oldest) != WOLFSSL_SUCCESS) {
      wolfSSL_CTX_free(std::exchange(ctx_, nullptr));
    }
  }
  context(const context&) = delete;
  context& operator=(const context&) = delete;
  ~context() {
    wolfSSL_CTX_free(ctx_);
    if (initialised_) wolfSSL_Cleanup();
  }

  /// False if wolfSSL could not be started or could not allocate.
  [[nodiscard]] bool valid() const noexcept { return ctx_ != nullptr; }
  /// Borrowed; null unless `valid()`.
  [[nodiscard]] WOLFSSL_CTX* native() const noexcept { return ctx_; }

  /// Adds the certificates of a PEM bundle as trust anchors; expired and unreadable ones are left
  /// out.
  /// @errors `unfit_trust_anchors` if none is left, or in a build without files (NO_FILESYSTEM).
  result<void> load_anchors_file(const char* pem_path) noexcept {
    if (ctx_ == nullptr) return errc::out_of_memory;
#ifdef NO_FILESYSTEM
    static_cast<void>(pem_path);
    return errc::unfit_trust_anchors;
#else
    return anchors_loaded(wolfSSL_CTX_load_verify_locations(ctx_, pem_path, nullptr));
#endif
  }
  /// The same from memory: a PEM bundle, or one certificate in DER.
  /// @errors `unfit_trust_anchors`
  result<void> load_anchors(bytes_view pem_or_der) noexcept {
    if (ctx_ == nullptr) return errc::out_of_memory;
    if (pem_or_der.empty() || pem_or_der.size() > INT_MAX) return errc::unfit_trust_anchors;
    const int format = pem_or_der[0] == 0x30 ? WOLFSSL_FILETYPE_ASN1 : WOLFSSL_FILETYPE_PEM;
    return anchors_loaded(wolfSSL_CTX_load_verify_buffer(
        ctx_, pem_or_der.data(), static_cast<long>(pem_or_der.size()), format));
  }
  /// The client's own certificate chain, leaf first, and its key, both PEM. That an EC key belongs
  /// to another certificate is not found here (wolfSSL does not look) but by the server.
  /// @errors `unfit_credentials`, also in a build without files (NO_FILESYSTEM)
  result<void> use_credentials(const char* cert_pem_path, const char* key_pem_path) noexcept {
    if (ctx_ == nullptr) return errc::out_of_memory;
#ifdef NO_FILESYSTEM
    static_cast<void>(cert_pem_path);
    static_cast<void>(key_pem_path);
    return errc::unfit_credentials;
#else
    int done = wolfSSL_CTX_use_certificate_chain_file(ctx_, cert_pem_path);
    if (done == WOLFSSL_SUCCESS) {
      done = wolfSSL_CTX_use_PrivateKey_file(ctx_, key_pem_path, WOLFSSL_FILETYPE_PEM);
    }
    if (done == WOLFSSL_SUCCESS) done = wolfSSL_CTX_check_private_key(ctx_);
    return done == WOLFSSL_SUCCESS ? result<void>() : error{errc::unfit_credentials, 0, done};
#endif
  }
  /// Offers one protocol (RFC 7301) from the next client on. `protocol` is kept, not copied: static
  /// storage, without a comma.
  /// @errors `unfit_backend`: empty, too long, or a build without ALPN (HAVE_ALPN)
  result<void> offer_alpn(const char* protocol) noexcept {
#ifdef HAVE_ALPN
    const std::size_t size_bytes = std::strlen(protocol);
    if (size_bytes == 0 || size_bytes > 255 || std::strchr(protocol, ',') != nullptr) {
      return errc::unfit_backend;
    }
    alpn_ = protocol;
    return {};
#else
    static_cast<void>(protocol);
    return errc::unfit_backend;
#endif
  }
  /// From the next client on, speaks nothing older than `lowest` and nothing newer than `highest`.
  /// Without a call: TLS 1.2 and TLS 1.3, as far as wolfSSL was built with them.
  /// @errors `unfit_backend` if none is left or the library lacks either; nothing has changed then
  result<void> limit_versions(cotter::tls_version lowest, cotter::tls_version highest) noexcept {
    if (ctx_ == nullptr) return errc::out_of_memory;
    if (lowest > highest || !built_with(lowest) || !built_with(highest)) {
      return errc::unfit_backend;
    }
    const bool old = lowest == cotter::tls_version::tls1_2;
    const int native = wolfSSL_CTX_SetMinVersion(ctx_, old ? WOLFSSL_TLSV1_2 : WOLFSSL_TLSV1_3);
    if (native != WOLFSSL_SUCCESS) return error{errc::unfit_backend, 0, native};
    if (highest == cotter::tls_version::tls1_2) {
      wolfSSL_CTX_set_options(ctx_, WOLFSSL_OP_NO_TLSv1_3);
    } else {
      wolfSSL_CTX_clear_options(ctx_, WOLFSSL_OP_NO_TLSv1_3);
    }
    return {};
  }
  /// Fills `out` from wolfSSL's random generator.
  [[nodiscard]] bool random(std::span<std::uint8_t> out) noexcept {
    return initialised_ && out.size() <= INT_MAX &&
           (out.empty() ||
            wolfSSL_RAND_bytes(out.data(), static_cast<int>(out.size())) == WOLFSSL_SUCCESS);
  }

 private:
  friend class wolfssl::client;

  static constexpr bool built_with(cotter::tls_version version) noexcept {
#ifdef WOLFSSL_NO_TLS12
    if (version == cotter::tls_version::tls1_2) return false;
#endif
#ifndef WOLFSSL_TLS13
    if (version == cotter::tls_version::tls1_3) return false;
#endif
    return version <= cotter::tls_version::tls1_3;
  }
  result<void> anchors_loaded(int done) noexcept {
#ifdef WOLFSSL_TRUST_PEER_CERT
    wolfSSL_CTX_Unload_trust_peers(ctx_);
#endif
    return done == WOLFSSL_SUCCESS ? result<void>() : error{errc::unfit_trust_anchors, 0, done};
  }

  bool initialised_;
  WOLFSSL_CTX* ctx_ = nullptr;
  const char* alpn_ = nullptr;
};

namespace detail {

/// Octets in, octets out; one allocation that grows as needed and never shrinks.
class wolfssl_queue {
 public:
  wolfssl_queue() noexcept = default;
  wolfssl_queue(const wolfssl_queue&) = delete;
  wolfssl_queue& operator=(const wolfssl_queue&) = delete;
  ~wolfssl_queue() { std::free(octets_); }

  [[nodiscard]] bytes_view view() const noexcept {
    return size_ == 0 ? bytes_view() : bytes_view(octets_ + begin_, size_);
  }
  /// False, and nothing taken, if there is no memory.
  bool append(bytes_view more) noexcept {
    if (more.empty()) return true;
    if (room_ - begin_ - size_ < more.size()) {
      if (begin_ != 0) {
        std::memmove(octets_, octets_ + begin_, size_);
        begin_ = 0;
      }
      if (room_ - size_ < more.size()) {
        std::size_t room = room_ * 2;
        if (room < size_ + more.size()) room = size_ + more.size();
        auto* grown = static_cast<std::uint8_t*>(std::realloc(octets_, room));
        if (grown == nullptr) return false;
        octets_ = grown;
        room_ = room;
      }
    }
    std::memcpy(octets_ + begin_ + size_, more.data(), more.size());
    size_ += more.size();
    return true;
  }
  void drop(std::size_t count) noexcept {
    if (count > size_) count = size_;
    size_ -= count;
    begin_ = size_ == 0 ? 0 : begin_ + count;
  }

 private:
  std::uint8_t* octets_ = nullptr;
  std::size_t room_ = 0;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
};

/// Either side of a connection between two queues.
class wolfssl_engine {
 public:
  wolfssl_engine(const wolfssl_engine&) = delete;
  wolfssl_engine& operator=(const wolfssl_engine&) = delete;

  /// False if wolfSSL could not allocate; every step then fails.
  [[nodiscard]] bool valid() const noexcept { return ssl_ != nullptr; }
  [[nodiscard]] explicit operator bool() const noexcept { return valid(); }
  [[nodiscard]] WOLFSSL* native() const noexcept { return ssl_; }

  [[nodiscard]] step read(std::span<std::uint8_t> out) noexcept {
    if (closed_) return fail(errc::tls_closed);
    if (!established()) return fail(ssl_ == nullptr ? errc::out_of_memory : errc::tls_failure);
    if (out.empty()) return {want::nothing, 0, {}};
    return settle(wolfSSL_read(ssl_, out.data(), at_most_int(out.size())));
  }
  [[nodiscard]] step write(bytes_view in) noexcept {
    if (!established()) return fail(ssl_ == nullptr ? errc::out_of_memory : errc::tls_failure);
    if (in.empty()) return {want::nothing, 0, {}};
    return settle(wolfSSL_write(ssl_, in.data(), at_most_int(in.size())));
  }
  /// Queues close_notify; does not wait for the peer's.
  [[nodiscard]] step shutdown() noexcept {
    if (ssl_ == nullptr) return fail(errc::out_of_memory);
    if (std::exchange(shut_, true)) return {want::nothing, 0, {}};
    const int done = wolfSSL_shutdown(ssl_);
    return done >= 0 ? step{want::nothing, 0, {}} : settle(done);
  }
  [[nodiscard]] std::size_t feed(bytes_view in) noexcept {
    const std::size_t unread = in_.view().size();
    if (ssl_ == nullptr || end_ || unread >= most_unread) return 0;
    const std::size_t room = most_unread - unread;
    const std::size_t taken = in.size() < room ? in.size() : room;
    return in_.append(in.first(taken)) ? taken : 0;
  }
  void end_of_input() noexcept { end_ = true; }
  [[nodiscard]] bytes_view pending() noexcept { return out_.view(); }
  void sent(std::size_t size_bytes) noexcept { out_.drop(size_bytes); }

 protected:
  explicit wolfssl_engine(WOLFSSL_CTX* ctx) noexcept
      : ssl_(ctx == nullptr ? nullptr : wolfSSL_new(ctx)) {
    if (ssl_ == nullptr) return;
    wolfSSL_SSLSetIORecv(ssl_, &receive);
    wolfSSL_SSLSetIOSend(ssl_, &send);
    wolfSSL_SetIOReadCtx(ssl_, this);
    wolfSSL_SetIOWriteCtx(ssl_, this);
  }
  ~wolfssl_engine() { wolfSSL_free(ssl_); }

  [[nodiscard]] step drive(int (*handshake)(WOLFSSL*)) noexcept {
    detail::free_points_with_thread();
    return ssl_ == nullptr ? fail(errc::out_of_memory) : settle(handshake(ssl_));
  }

 private:
  /// Two of the largest records (RFC 8446 5.2).
  static constexpr std::size_t most_unread = std::size_t{2} * (5 + 16384 + 256);

  static int at_most_int(std::size_t size_bytes) noexcept {
    return size_bytes < INT_MAX ? static_cast<int>(size_bytes) : INT_MAX;
  }
  static step fail(errc what, int native = 0) noexcept {
    return {want::failed, 0, {what, 0, native}};
  }
  [[nodiscard]] bool established() const noexcept {
    return ssl_ != nullptr && wolfSSL_is_init_finished(ssl_) != 0;
  }

  step settle(int done) noexcept {
    if (done > 0) return {want::nothing, static_cast<std::size_t>(done), {}};
    const int why = wolfSSL_get_error(ssl_, done);
    switch (why) {
      case WOLFSSL_ERROR_WANT_READ:
        if (!out_.view().empty()) return {want::output, 0, {}};
        return {want::input, 0, {}};
      case WOLFSSL_ERROR_WANT_WRITE:
        return {want::output, 0, {}};
      case WOLFSSL_ERROR_ZERO_RETURN:
        closed_ = true;
        return fail(errc::tls_closed);
      default:
        return fail(cut_short_ ? errc::tls_truncated : errc::tls_failure, why);
    }
  }

  static int receive(WOLFSSL*, char* to, int room, void* argument) noexcept {
    auto& self = *static_cast<wolfssl_engine*>(argument);
    const bytes_view unread = self.in_.view();
    if (unread.empty()) {
      self.cut_short_ = self.end_;
      return self.end_ ? WOLFSSL_CBIO_ERR_CONN_CLOSE : WOLFSSL_CBIO_ERR_WANT_READ;
    }
    const std::size_t wanted = room > 0 ? static_cast<std::size_t>(room) : 0;
    const std::size_t taken = unread.size() < wanted ? unread.size() : wanted;
    std::memcpy(to, unread.data(), taken);
    self.in_.drop(taken);
    return static_cast<int>(taken);
  }
  static int send(WOLFSSL*, char* from, int size_bytes, void* argument) noexcept {
    auto& self = *static_cast<wolfssl_engine*>(argument);
    const auto count = size_bytes > 0 ? static_cast<std::size_t>(size_bytes) : 0;
    const bytes_view octets(reinterpret_cast<const std::uint8_t*>(from), count);
    return self.out_.append(octets) ? size_bytes : WOLFSSL_CBIO_ERR_GENERAL;
  }

  WOLFSSL* ssl_;
  wolfssl_queue in_;
  wolfssl_queue out_;
  bool end_ = false;
  bool cut_short_ = false;
  bool closed_ = false;
  bool shut_ = false;
};

}  // namespace detail

/// A client's engine; models concept `engine`.
class wolfssl::client : public detail::wolfssl_engine {
 public:
  explicit client(context& from) noexcept : wolfssl_engine(from.native()) {
#ifdef HAVE_ALPN
    if (!valid() || from.alpn_ == nullptr) return;
    char* list = const_cast<char*>(from.alpn_);  // NOLINT(*-const-cast): read only
    wolfSSL_UseALPN(native(), list, static_cast<unsigned>(std::strlen(list)),
                    WOLFSSL_ALPN_CONTINUE_ON_MISMATCH);
#endif
  }
  /// A connection that outlives its engine knows nothing of the handshake any more, and refuses.
  ~client() {
    if (attachment* state = attached(native())) detach(*state);
  }

  [[nodiscard]] step handshake() noexcept {
    step one = drive(&wolfSSL_connect);
    one.size_bytes = 0;
    return one;
  }
};

#ifndef NO_WOLFSSL_SERVER
namespace detail {

class wolfssl_server_context {
 public:
  wolfssl_server_context(bytes_view leaf, bytes_view key) noexcept
      : initialised_(wolfSSL_Init() == WOLFSSL_SUCCESS) {
    if (!initialised_) return;
    ctx_ = wolfSSL_CTX_new(wolfTLS_server_method());
    if (ctx_ == nullptr) return;
    wolfSSL_CTX_set_verify(ctx_, WOLFSSL_VERIFY_NONE, nullptr);
    if (wolfSSL_CTX_use_certificate_buffer(ctx_, leaf.data(), static_cast<long>(leaf.size()),
                                           WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_use_PrivateKey_buffer(ctx_, key.data(), static_cast<long>(key.size()),
                                          WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS) {
      wolfSSL_CTX_free(std::exchange(ctx_, nullptr));
    }
  }
  wolfssl_server_context(const wolfssl_server_context&) = delete;
  wolfssl_server_context& operator=(const wolfssl_server_context&) = delete;
  ~wolfssl_server_context() {
    wolfSSL_CTX_free(ctx_);
    if (initialised_) wolfSSL_Cleanup();
  }

  [[nodiscard]] WOLFSSL_CTX* get() const noexcept { return ctx_; }

 private:
  bool initialised_;
  WOLFSSL_CTX* ctx_ = nullptr;
};

}  // namespace detail

/// The other end of a self-test, and nothing more: one leaf, one key (PKCS #8), no client
/// certificates.
class wolfssl::server : private detail::wolfssl_server_context, public detail::wolfssl_engine {
 public:
  server(bytes_view leaf_der, bytes_view pkcs8_key_der) noexcept
      : wolfssl_server_context(leaf_der, pkcs8_key_der), wolfssl_engine(get()) {}

  [[nodiscard]] step handshake() noexcept {
    step one = drive(&wolfSSL_accept);
    one.size_bytes = 0;
    return one;
  }
};
#endif

}  // namespace backends

template <>
struct backend_of<WOLFSSL*> {
  using type = backends::wolfssl;
};

static_assert(backend<backends::wolfssl>);
static_assert(verifier<backends::wolfssl>);
static_assert(sealer<backends::wolfssl> == backends::wolfssl::supports_sealing);
static_assert(engine<backends::wolfssl::client>);

}  // namespace v0
}  // namespace cotter

#undef COTTER_WOLFSSL_CANNOT_SEAL
