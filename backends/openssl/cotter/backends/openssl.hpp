// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/backend.hpp>
#include <cotter/concepts/engine.hpp>
#include <cotter/concepts/sealer.hpp>
#include <cotter/concepts/verifier.hpp>
#include <cotter/values/runtime.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/signature_encoding.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/tls_version.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

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

#include <algorithm>
#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

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
  class context;
  class client;
  class server;
  static constexpr bool has_server = true;

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
  };

  /// Installs the certificate hook in `ctx`, once. Not needed unless threads share `ctx`.
  static void prepare(SSL_CTX* ctx) noexcept {
    if (SSL_CTX_get_ex_data(ctx, context_index()) != nullptr) return;
    SSL_CTX_set_cert_verify_callback(ctx, &verify_chain, nullptr);
    SSL_CTX_set_ex_data(ctx, context_index(), ctx);
  }

  /// @see backend, B1.
  /// @errors `unfit_session` (not a TLS client, or the handshake has begun), `unfit_backend`
  static result<void> attach(SSL* ssl, const target& whom, handshake_observer& observer,
                             attachment& state) noexcept {
    if (ssl == nullptr) return errc::unfit_session;
    state.ssl = ssl;
    state.ssl_ctx = SSL_get_SSL_CTX(ssl);
    state.observer = &observer;
    const result<void> hardened = harden(ssl, whom, state);
    if (!hardened) disable(ssl);
    return hardened;
  }

  /// @see backend, B5
  static handshake_facts inspect(const attachment& state) noexcept {
    handshake_facts facts;
    facts.native = ERR_GET_REASON(ERR_peek_last_error());
    const SSL* ssl = state.ssl;
    if (ssl == nullptr) return facts;
    facts.finished = SSL_is_init_finished(ssl) != 0;
    facts.resumed = SSL_session_reused(ssl) != 0;
    facts.hooks_intact = state.decided && SSL_get_ex_data(ssl, session_index()) == &state &&
                         SSL_get_SSL_CTX(ssl) == state.ssl_ctx &&
                         (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0 &&
                         SSL_get_verify_callback(ssl) == &verify_one &&
                         SSL_get_info_callback(ssl) == &note_state &&
                         SSL_get_verify_result(ssl) == X509_V_OK;
    const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
    const X509* peer = SSL_get0_peer_certificate(ssl);
    facts.authenticated = SSL_version(ssl) >= TLS1_2_VERSION && cipher != nullptr &&
                          acceptable(cipher) && peer != nullptr && peer == state.leaf;
    return facts;
  }

  /// @see backend, B6
  static void detach(attachment& state) noexcept {
    SSL* ssl = std::exchange(state.ssl, nullptr);
    if (ssl == nullptr || SSL_get_ex_data(ssl, session_index()) != &state) return;
    SSL_set_ex_data(ssl, session_index(), nullptr);
    SSL_set_info_callback(ssl, state.previous_info);
    SSL_set_msg_callback(ssl, nullptr);
    SSL_set_msg_callback_arg(ssl, nullptr);
  }

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
  static bool sha1(bytes_view in, std::span<std::uint8_t, 20> out) noexcept {
    return EVP_Digest(in.data(), in.size(), out.data(), nullptr, EVP_sha1(), nullptr) == 1;
  }

  /// @see verifier, V3. Ed25519 depends on the providers that are loaded.
  [[nodiscard]] static bool supports(signature_scheme scheme) noexcept {
    if (scheme != signature_scheme::ed25519) return scheme == signature_scheme::ecdsa_p256_sha256;
    ERR_set_mark();
    EVP_SIGNATURE* found = EVP_SIGNATURE_fetch(nullptr, "ED25519", nullptr);
    EVP_SIGNATURE_free(found);
    ERR_pop_to_mark();
    return found != nullptr;
  }
  /// @see verifier, V1 and V2. Allocates; leaves OpenSSL's error queue as it was.
  /// @errors `unsupported_key`, `bad_signature`, `out_of_memory`
  [[nodiscard]] static result<void> verify(signature_scheme scheme, bytes_view key,
                                           bytes_view message, bytes_view signature) noexcept {
    if (!supports(scheme)) return errc::unsupported_key;
    const result<void> encoded = check_signature_encoding(scheme, key, signature);
    if (!encoded) return encoded;
    ERR_set_mark();
    const result<void> outcome = verify_encoded(scheme, key, message, signature);
    ERR_pop_to_mark();
    return outcome;
  }

  /// @see sealer. Whether AES-256-GCM is there at run time depends on the providers that are
  /// loaded: without it, `unfit_backend`.
  static constexpr bool supports_sealing = true;
  /// @see sealer, S1 and S3. Allocates; leaves OpenSSL's error queue as it was.
  /// @errors `too_large`, `unfit_backend`, `out_of_memory`
  [[nodiscard]] static result<void> seal(const seal_key& key, bytes_view plain,
                                         bytes_view associated,
                                         std::span<std::uint8_t> out) noexcept {
    result<void> outcome = check_seal_sizes(plain.size(), associated.size(), out.size());
    if (outcome) {
      const auto nonce = out.first<seal_nonce_bytes>();
      ERR_set_mark();
      // The nonce is published: it does not come from the generator that keys come from.
      outcome = RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) == 1
                    ? run_gcm(direction::seal, key, nonce, associated, plain,
                              out.subspan(nonce.size(), plain.size()), out.last<seal_tag_bytes>())
                    : errc::unfit_backend;
      ERR_pop_to_mark();
    }
    if (!outcome) wipe(out);
    return outcome;
  }
  /// @see sealer, S1 and S2. Allocates; leaves OpenSSL's error queue as it was.
  /// @errors `bad_seal`, `unfit_backend`, `out_of_memory`
  [[nodiscard]] static result<void> open(const seal_key& key, bytes_view sealed,
                                         bytes_view associated,
                                         std::span<std::uint8_t> out) noexcept {
    result<void> outcome = check_open_sizes(sealed.size(), associated.size(), out.size());
    if (outcome) {
      std::array<std::uint8_t, seal_tag_bytes> tag{};  // OpenSSL wants it writable
      std::memcpy(tag.data(), sealed.data() + sealed.size() - tag.size(), tag.size());
      ERR_set_mark();
      outcome = run_gcm(direction::open, key, sealed.first<seal_nonce_bytes>(), associated,
                        sealed.subspan(seal_nonce_bytes, out.size()), out, tag);
      ERR_pop_to_mark();
    }
    if (!outcome) wipe(out);
    return outcome;
  }
  /// @see sealer, S5: from the generator that OpenSSL keeps apart for secrets.
  [[nodiscard]] static bool random_octets(std::span<std::uint8_t> out) noexcept {
    if (out.empty()) return true;
    ERR_set_mark();
    const bool filled =
        out.size() <= INT_MAX && RAND_priv_bytes(out.data(), static_cast<int>(out.size())) == 1;
    ERR_pop_to_mark();
    if (!filled) wipe(out);
    return filled;
  }

 private:
  // OpenSSL numbers the slots of its ex_data per process; there is no other way to find one's own.
  static int session_index() noexcept {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, &not_to_copies, &forget);
    return index;
  }
  static int context_index() noexcept {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
  }
  static int not_to_copies(CRYPTO_EX_DATA*, const CRYPTO_EX_DATA*, void** value, int, long,
                           void*) noexcept {
    *value = nullptr;
    return 1;
  }
  static void forget(void*, void* value, CRYPTO_EX_DATA*, int, long, void*) noexcept {
    if (value != nullptr) static_cast<attachment*>(value)->ssl = nullptr;
  }
  static attachment* attached(const SSL* ssl) noexcept {
    return ssl == nullptr ? nullptr
                          : static_cast<attachment*>(SSL_get_ex_data(ssl, session_index()));
  }

  static result<void> verify_encoded(signature_scheme scheme, bytes_view spki, bytes_view message,
                                     bytes_view signature) noexcept {
    const std::uint8_t* at = spki.data();
    EVP_PKEY* key = d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size()));
    if (key == nullptr) return errc::unsupported_key;
    result<void> outcome = errc::out_of_memory;
    if (EVP_MD_CTX* context = EVP_MD_CTX_new()) {
      static constexpr std::uint8_t nothing = 0;
      const EVP_MD* md = scheme == signature_scheme::ed25519 ? nullptr : EVP_sha256();
      outcome = errc::unsupported_key;
      if (EVP_DigestVerifyInit(context, nullptr, md, nullptr, key) == 1) {
        const int good =
            EVP_DigestVerify(context, signature.data(), signature.size(),
                             message.empty() ? &nothing : message.data(), message.size());
        outcome = good == 1 ? result<void>() : errc::bad_signature;
      }
      EVP_MD_CTX_free(context);
    }
    EVP_PKEY_free(key);
    return outcome;
  }

  enum class direction { open, seal };

  /// AES-256-GCM from `from` to `to`, as long. `tag` is made, or the one to be met: until that is
  /// known, what is in `to` is nobody's.
  static result<void> run_gcm(direction way, const seal_key& key,
                              std::span<const std::uint8_t, seal_nonce_bytes> nonce,
                              bytes_view associated, bytes_view from, std::span<std::uint8_t> to,
                              std::span<std::uint8_t, seal_tag_bytes> tag) noexcept {
    const bool opening = way == direction::open;
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    if (context == nullptr) return errc::out_of_memory;
    const auto take = [context](std::uint8_t* into, bytes_view octets) {
      int moved = 0;
      // Without a place to put them to, octets are associated; none at all would be the end.
      return octets.empty() || (EVP_CipherUpdate(context, into, &moved, octets.data(),
                                                 static_cast<int>(octets.size())) == 1 &&
                                moved == static_cast<int>(octets.size()));
    };
    std::array<std::uint8_t, EVP_MAX_BLOCK_LENGTH> rest{};
    int moved = 0;
    const int tag_size = static_cast<int>(tag.size());
    result<void> outcome = errc::unfit_backend;
    if (EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nullptr, key.octets.data(), nonce.data(),
                          opening ? 0 : 1) == 1 &&
        EVP_CIPHER_CTX_get_iv_length(context) == static_cast<int>(nonce.size()) &&
        take(nullptr, associated) && take(to.data(), from) &&
        (!opening ||
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) == 1)) {
      if (EVP_CipherFinal_ex(context, rest.data(), &moved) == 1) {
        outcome = opening || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag_size,
                                                 tag.data()) == 1
                      ? result<void>()
                      : errc::unfit_backend;
      } else if (opening) {
        outcome = errc::bad_seal;
      }
    }
    EVP_CIPHER_CTX_free(context);  // which wipes the key
    return outcome;
  }

  /// Certificate-authenticated, ephemeral, encrypting (RFC 9325 4.1, 4.2).
  static bool acceptable(const SSL_CIPHER* cipher) noexcept {
    const int exchange = SSL_CIPHER_get_kx_nid(cipher);
    const int authentication = SSL_CIPHER_get_auth_nid(cipher);
    const int encryption = SSL_CIPHER_get_cipher_nid(cipher);
    if (encryption == NID_undef || encryption == NID_rc4 || encryption == NID_des_ede3_cbc) {
      return false;
    }
    return (exchange == NID_kx_any && authentication == NID_auth_any) ||  // TLS 1.3
           ((exchange == NID_kx_ecdhe || exchange == NID_kx_dhe) &&
            (authentication == NID_auth_rsa || authentication == NID_auth_ecdsa));
  }

  static result<void> restrict_ciphers(SSL* ssl) noexcept {
    std::array<char, 4096> names{};
    std::size_t used = 0;
    bool dropped = false;
    const STACK_OF(SSL_CIPHER)* offered = SSL_get_ciphers(ssl);
    const int count = offered == nullptr ? 0 : sk_SSL_CIPHER_num(offered);
    for (int i = 0; i < count; ++i) {
      const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(offered, i);
      if (SSL_CIPHER_get_kx_nid(cipher) == NID_kx_any) continue;  // TLS 1.3: a list of its own
      if (!acceptable(cipher)) {
        dropped = true;
        continue;
      }
      const std::string_view one = SSL_CIPHER_get_name(cipher);
      if (used + one.size() + 2 > names.size()) return errc::unfit_backend;
      if (used != 0) names[used++] = ':';
      std::copy(one.begin(), one.end(), names.begin() + static_cast<std::ptrdiff_t>(used));
      used += one.size();
    }
    if (used == 0) {
      // Nothing that TLS 1.2 could use is left: TLS 1.3 or nothing.
      return SSL_set_min_proto_version(ssl, TLS1_3_VERSION) == 1 ? result<void>()
                                                                 : errc::unfit_backend;
    }
    if (dropped && SSL_set_cipher_list(ssl, names.data()) != 1) return errc::unfit_backend;
    return {};
  }

  static int set_server_name(SSL* ssl, const char* host) noexcept {
    // SSL_set_tlsext_host_name without its old-style cast; OpenSSL copies the text.
    void* text = const_cast<char*>(host);  // NOLINT(*-const-cast)
    return static_cast<int>(
        SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, text));
  }

  static result<void> harden(SSL* ssl, const target& whom, attachment& state) noexcept {
    if (SSL_is_server(ssl) != 0 || SSL_is_dtls(ssl) != 0 || SSL_in_before(ssl) == 0 ||
        attached(ssl) != nullptr) {
      return errc::unfit_session;
    }
    const result<host_kind> kind = classify_host(whom.host);
    if (!kind) return kind.error();
    if (session_index() < 0 || context_index() < 0) return errc::out_of_memory;
    prepare(state.ssl_ctx);

    if (SSL_get_min_proto_version(ssl) < TLS1_2_VERSION &&
        SSL_set_min_proto_version(ssl, TLS1_2_VERSION) != 1) {
      return errc::unfit_backend;
    }
    if (SSL_get_security_level(ssl) < 2) SSL_set_security_level(ssl, 2);
    if (const result<void> fit = restrict_ciphers(ssl); !fit) return fit;

    SSL_clear_options(ssl, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SSL_OP_LEGACY_SERVER_CONNECT |
                               SSL_OP_ALLOW_NO_DHE_KEX | SSL_OP_NO_EXTENDED_MASTER_SECRET);
    SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION
    SSL_set_options(ssl, SSL_OP_NO_RX_CERTIFICATE_COMPRESSION);
#endif
#ifdef TLSEXT_cert_type_rpk
    if (SSL_set1_server_cert_type(ssl, nullptr, 0) != 1) return errc::unfit_backend;
#endif
    SSL_set_post_handshake_auth(ssl, 0);
#ifndef OPENSSL_NO_PSK
    SSL_set_psk_client_callback(ssl, nullptr);
#endif
    SSL_set_psk_use_session_callback(ssl, nullptr);
    if (SSL_set_session(ssl, nullptr) != 1) return errc::unfit_backend;

    const host_text host(whom.host);
    X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set1_host(param, nullptr, 0);
    X509_VERIFY_PARAM_set1_ip(param, nullptr, 0);
    X509_VERIFY_PARAM_set1_email(param, nullptr, 0);
    int named = 1;
    if (*kind == host_kind::dns_name) {
      named = set_server_name(ssl, host.c_str());
      if (named == 1 && whom.kind == identity::host) {
        X509_VERIFY_PARAM_set_hostflags(
            param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        named = X509_VERIFY_PARAM_set1_host(param, host.c_str(), whom.host.size());
      }
    } else {
      set_server_name(ssl, nullptr);  // RFC 6066 3: no literals
      if (whom.kind == identity::host) named = X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str());
    }
    if (named != 1) return errc::unfit_backend;

    state.previous_info = SSL_get_info_callback(ssl);
    if (state.previous_info == nullptr) {
      state.previous_info = SSL_CTX_get_info_callback(state.ssl_ctx);
    }
    SSL_set_verify(ssl, SSL_VERIFY_PEER, &verify_one);
    SSL_set_info_callback(ssl, &note_state);
    SSL_set_msg_callback(ssl, &note_message);
    SSL_set_msg_callback_arg(ssl, &state);
    return SSL_set_ex_data(ssl, session_index(), &state) == 1 ? result<void>()
                                                              : errc::out_of_memory;
  }

  /// Leaves a session whose handshake must fail: no ciphers would do, but no version is certain.
  static void disable(SSL* ssl) noexcept {
    SSL_set_verify(ssl, SSL_VERIFY_PEER, &verify_one);
    if (SSL_in_before(ssl) != 0) {
      SSL_set_min_proto_version(ssl, TLS1_3_VERSION);
      SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
    } else {
      SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
  }

  static void note_state(const SSL* ssl, int where, int value) noexcept {
    attachment* state = attached(ssl);
    if (state == nullptr) return;
    // A start in any other state is a HelloRequest, which NO_RENEGOTIATION turns down.
    if ((where & SSL_CB_HANDSHAKE_START) != 0 && SSL_get_state(ssl) == TLS_ST_BEFORE) {
      // A session set by the application after attach would be resumed without one hook.
      SSL_set_session(const_cast<SSL*>(ssl), nullptr);  // NOLINT(*-const-cast): OpenSSL's own type
      state->leaf_handed_over = false;
      state->observer->on_start();
    }
    if (state->previous_info != nullptr) state->previous_info(ssl, where, value);
  }

  /// Takes the first certificate out of a Certificate message (RFC 5246 7.4.2, RFC 8446 4.4.2).
  static void note_message(int sent, int, int content_type, const void* octets, std::size_t size,
                           SSL* ssl, void* argument) noexcept {
    auto* state = static_cast<attachment*>(argument);
    const bytes_view message(static_cast<const std::uint8_t*>(octets), size);
    if (sent != 0 || content_type != SSL3_RT_HANDSHAKE || message.size() < 4 ||
        message[0] != SSL3_MT_CERTIFICATE || state == nullptr || attached(ssl) != state ||
        state->leaf_handed_over) {
      return;
    }
    std::size_t at = 4;
    if (SSL_version(ssl) >= TLS1_3_VERSION) {
      if (at >= message.size()) return;
      at += std::size_t{1} + message[at];
    }
    at += 3;  // the length of the whole list
    if (at + 3 > message.size()) return;
    const std::size_t leaf_bytes = static_cast<std::size_t>(message[at]) << 16 |
                                   static_cast<std::size_t>(message[at + 1]) << 8 | message[at + 2];
    at += 3;
    if (leaf_bytes == 0 || leaf_bytes > message.size() - at) return;
    state->leaf_handed_over = true;
    state->observer->on_leaf(message.subspan(at, leaf_bytes));
  }

  /// OpenSSL calls this for each certificate, inside X509_verify_cert. It forgives nothing, and it
  /// fails every verification that does not run inside `verify_chain`.
  static int verify_one(int good, X509_STORE_CTX* store) noexcept {
    const auto* ssl = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    const attachment* state = attached(ssl);
    if (state == nullptr || !state->verifying) {
      X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
      return 0;
    }
    return good;
  }

  static int verify_chain(X509_STORE_CTX* store, void*) noexcept {
    auto* ssl =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    attachment* state = attached(ssl);
    if (ssl != nullptr) {
      // Under VERIFY_NONE OpenSSL would ignore what we return; set here, it counts.
      SSL_set_verify(ssl, SSL_VERIFY_PEER, &verify_one);
    }
    if (state == nullptr || state->decided) return refuse(store);

    const bool trusted = verify_path(store, *state);
    const int native = X509_STORE_CTX_get_error(store);
    const bool may_go_on = state->observer->on_chain({trusted, trusted ? 0 : native});
    if (!trusted) return 0;
    if (!may_go_on) return refuse(store);
    state->leaf = X509_STORE_CTX_get0_cert(store);
    state->decided = true;
    return 1;
  }

  static int refuse(X509_STORE_CTX* store) noexcept {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
  }

  /// X509_verify_cert (RFC 5280 6), after undoing what may have been done to weaken it: flags and
  /// callbacks of the SSL and of its X509_STORE, and DANE, under which usage 3 skips PKIX.
  static bool verify_path(X509_STORE_CTX* store, attachment& state) noexcept {
    X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(store);
    X509_VERIFY_PARAM_clear_flags(
        param, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_USE_CHECK_TIME | X509_V_FLAG_PARTIAL_CHAIN |
                   X509_V_FLAG_IGNORE_CRITICAL | X509_V_FLAG_ALLOW_PROXY_CERTS);
    const bool set = X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER) == 1 &&
                     X509_VERIFY_PARAM_set_trust(param, X509_TRUST_SSL_SERVER) == 1;
    if (X509_VERIFY_PARAM_get_auth_level(param) < 2) X509_VERIFY_PARAM_set_auth_level(param, 2);
    X509_STORE_CTX_set_verify_cb(store, &verify_one);
    X509_STORE_CTX_set_verify(store, nullptr);
    X509_STORE_CTX_set0_dane(store, nullptr);
    X509_STORE* anchors = X509_STORE_CTX_get0_store(store);
    if (!set || anchors == nullptr || X509_STORE_get_check_issued(anchors) != nullptr ||
        X509_STORE_get_check_policy(anchors) != nullptr) {
      X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
      return false;
    }
    state.verifying = true;
    const int good = X509_verify_cert(store);
    state.verifying = false;
    return good == 1 && X509_STORE_CTX_get_error(store) == X509_V_OK;
  }
};

/// SHA-256 in an EVP context. `prepare` allocates; the rest does not.
class openssl::hasher {
 public:
  hasher() noexcept = default;
  hasher(const hasher&) = delete;
  hasher& operator=(const hasher&) = delete;
  ~hasher() { EVP_MD_CTX_free(context_); }

  [[nodiscard]] bool prepare() noexcept {
    if (context_ == nullptr) context_ = EVP_MD_CTX_new();
    ready_ = context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1;
    return ready_;
  }
  void update(bytes_view octets) noexcept {
    ready_ = ready_ && EVP_DigestUpdate(context_, octets.data(), octets.size()) == 1;
  }
  [[nodiscard]] bool finish(sha256_digest& out) noexcept {
    if (!std::exchange(ready_, false)) return false;
    sha256_digest digest;
    if (EVP_DigestFinal_ex(context_, digest.octets.data(), nullptr) != 1) return false;
    out = digest;
    return true;
  }

 private:
  EVP_MD_CTX* context_ = nullptr;
  bool ready_ = false;
};

/// A client configuration for programs that have none of their own. Trusts nothing until anchors
/// are loaded; reads no environment and no default store.
class openssl::context {
 public:
  context() noexcept : ctx_(SSL_CTX_new(TLS_client_method())) {
    if (ctx_ == nullptr) return;
    SSL_CTX_set_verify(ctx_, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_cache_mode(ctx_, SSL_SESS_CACHE_OFF);
    // OpenSSL would ask the terminal.
    SSL_CTX_set_default_passwd_cb(ctx_, [](char*, int, int, void*) { return -1; });
    SSL_CTX_set_mode(ctx_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS);
    prepare(ctx_);
  }
  context(const context&) = delete;
  context& operator=(const context&) = delete;
  ~context() { SSL_CTX_free(ctx_); }

  [[nodiscard]] bool valid() const noexcept { return ctx_ != nullptr; }
  [[nodiscard]] SSL_CTX* native() const noexcept { return ctx_; }

  /// Adds the certificates of a PEM file as trust anchors.
  /// @errors `unfit_trust_anchors`
  result<void> load_anchors_file(const char* pem_path) noexcept {
    if (ctx_ == nullptr) return errc::out_of_memory;
    ERR_clear_error();
    if (SSL_CTX_load_verify_file(ctx_, pem_path) != 1) return last(errc::unfit_trust_anchors);
    return {};
  }
  /// Adds certificates in PEM, or one in DER, as trust anchors.
  /// @errors `unfit_trust_anchors`
  result<void> load_anchors(bytes_view pem_or_der) noexcept {
    if (ctx_ == nullptr) return errc::out_of_memory;
    if (pem_or_der.size() > INT_MAX) return errc::unfit_trust_anchors;
    ERR_clear_error();
    const std::uint8_t* at = pem_or_der.data();
    if (X509* one = d2i_X509(nullptr, &at, static_cast<long>(pem_or_der.size()))) {
      const int added = X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx_), one);
      X509_free(one);
      return added == 1 ? result<void>() : last(errc::unfit_trust_anchors);
    }
    BIO* in = BIO_new_mem_buf(pem_or_der.data(), static_cast<int>(pem_or_der.size()));
    int added = 0;
    while (X509* one = PEM_read_bio_X509(in, nullptr, nullptr, nullptr)) {
      added += X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx_), one);
      X509_free(one);
    }
    BIO_free(in);
    if (added == 0) return last(errc::unfit_trust_anchors);
    ERR_clear_error();
    return {};
  }
  /// Authenticates this client: a PEM chain, leaf first, and its PEM key, not encrypted.
  /// @errors `unfit_credentials`
  result<void> use_credentials(const char* cert_pem_path, const char* key_pem_path) noexcept {
    if (ctx_ == nullptr) return errc::out_of_memory;
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ctx_, cert_pem_path) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx_, key_pem_path, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx_) != 1) {
      return last(errc::unfit_credentials);
    }
    return {};
  }
  /// Offers one application protocol (RFC 7301), 1 to 255 octets.
  /// @errors `unfit_backend`
  result<void> offer_alpn(const char* protocol) noexcept {
    std::array<std::uint8_t, 256> list{};
    const std::size_t size = std::strlen(protocol);
    if (ctx_ == nullptr || size == 0 || size > 255) return errc::unfit_backend;
    list[0] = static_cast<std::uint8_t>(size);
    std::memcpy(list.data() + 1, protocol, size);
    const int failed = SSL_CTX_set_alpn_protos(ctx_, list.data(), static_cast<unsigned>(size + 1));
    return failed == 0 ? result<void>() : errc::unfit_backend;
  }
  /// From the next client on, speaks nothing older than `lowest` and nothing newer than `highest`.
  /// Without a call: TLS 1.2 and whatever newer there is.
  /// @errors `unfit_backend` if none is left or the library lacks either; nothing has changed then
  result<void> limit_versions(cotter::tls_version lowest, cotter::tls_version highest) noexcept {
    if (ctx_ == nullptr) return errc::out_of_memory;
    const long before = SSL_CTX_get_min_proto_version(ctx_);
    if (lowest > highest || SSL_CTX_set_min_proto_version(ctx_, number_of(lowest)) != 1) {
      return errc::unfit_backend;
    }
    if (SSL_CTX_set_max_proto_version(ctx_, number_of(highest)) != 1) {
      SSL_CTX_set_min_proto_version(ctx_, before);
      return errc::unfit_backend;
    }
    return {};
  }
  /// Fills `out` from the library's random generator; false if it cannot.
  [[nodiscard]] bool random(std::span<std::uint8_t> out) noexcept {
    return out.size() <= INT_MAX && RAND_bytes(out.data(), static_cast<int>(out.size())) == 1;
  }

 private:
  static constexpr int number_of(cotter::tls_version version) noexcept {
    return version == cotter::tls_version::tls1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
  }
  static error last(errc what) noexcept { return {what, 0, ERR_GET_REASON(ERR_peek_last_error())}; }

  SSL_CTX* ctx_;
};

namespace detail {

/// An SSL between two halves of a BIO pair: OpenSSL on one side, octets in memory on the other.
class openssl_engine {
 public:
  openssl_engine(const openssl_engine&) = delete;
  openssl_engine& operator=(const openssl_engine&) = delete;

  [[nodiscard]] bool valid() const noexcept { return ssl_ != nullptr; }
  [[nodiscard]] SSL* native() const noexcept { return ssl_; }

  [[nodiscard]] step handshake() noexcept {
    if (ssl_ == nullptr) return {want::failed, 0, {errc::out_of_memory, 0, 0}};
    ERR_clear_error();
    return settle(SSL_do_handshake(ssl_), 0);
  }
  [[nodiscard]] step read(std::span<std::uint8_t> out) noexcept {
    if (ssl_ == nullptr) return {want::failed, 0, {errc::out_of_memory, 0, 0}};
    if (out.empty()) return {want::nothing, 0, {}};
    std::size_t moved = 0;
    ERR_clear_error();
    const int done = SSL_read_ex(ssl_, out.data(), out.size(), &moved);
    return settle(done, moved);
  }
  [[nodiscard]] step write(bytes_view in) noexcept {
    if (ssl_ == nullptr) return {want::failed, 0, {errc::out_of_memory, 0, 0}};
    if (in.empty()) return {want::nothing, 0, {}};
    std::size_t moved = 0;
    ERR_clear_error();
    const int done = SSL_write_ex(ssl_, in.data(), in.size(), &moved);
    return settle(done, moved);
  }
  /// Sends close_notify; complete once it is pending. Does not wait for the peer's.
  [[nodiscard]] step shutdown() noexcept {
    if (ssl_ == nullptr) return {want::failed, 0, {errc::out_of_memory, 0, 0}};
    ERR_clear_error();
    const int done = SSL_shutdown(ssl_);
    return done >= 0 ? step{want::nothing, 0, {}} : settle(done, 0);
  }
  [[nodiscard]] std::size_t feed(bytes_view in) noexcept {
    if (network_ == nullptr || in.empty() || end_) return 0;
    const int limit = static_cast<int>(std::min<std::size_t>(in.size(), INT_MAX));
    const int taken = BIO_write(network_, in.data(), limit);
    return taken > 0 ? static_cast<std::size_t>(taken) : 0;
  }
  void end_of_input() noexcept {
    if (network_ != nullptr && !std::exchange(end_, true)) BIO_shutdown_wr(network_);
  }
  [[nodiscard]] bytes_view pending() noexcept {
    char* octets = nullptr;
    const int size = network_ == nullptr ? 0 : BIO_nread0(network_, &octets);
    if (size <= 0) return {};
    return {reinterpret_cast<const std::uint8_t*>(octets), static_cast<std::size_t>(size)};
  }
  void sent(std::size_t size) noexcept {
    char* octets = nullptr;
    if (network_ == nullptr || size == 0) return;
    BIO_nread(network_, &octets, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
  }

 protected:
  explicit openssl_engine(SSL_CTX* ctx) noexcept {
    if (ctx == nullptr) return;
    ssl_ = SSL_new(ctx);
    BIO* library = nullptr;
    if (ssl_ == nullptr || BIO_new_bio_pair(&library, 0, &network_, 0) != 1) {
      SSL_free(std::exchange(ssl_, nullptr));
      return;
    }
    SSL_set_bio(ssl_, library, library);
  }
  ~openssl_engine() {
    SSL_free(ssl_);
    BIO_free(network_);
  }

 private:
  step settle(int done, std::size_t moved) noexcept {
    if (done > 0) return {want::nothing, moved, {}};
    switch (SSL_get_error(ssl_, done)) {
      case SSL_ERROR_WANT_READ:
        // Whatever is pending goes out first: the peer may be waiting for it.
        if (BIO_ctrl_pending(network_) > 0) return {want::output, 0, {}};
        return end_ ? step{want::failed, 0, {errc::tls_truncated, 0, 0}} : step{want::input, 0, {}};
      case SSL_ERROR_WANT_WRITE:
        return {want::output, 0, {}};
      case SSL_ERROR_ZERO_RETURN:
        return {want::failed, 0, {errc::tls_closed, 0, 0}};
      default: {
        const unsigned long code = ERR_peek_last_error();
        const int why = ERR_GET_REASON(code);
        const bool truncated = code == 0 || (ERR_GET_LIB(code) == ERR_LIB_SSL &&
                                             why == SSL_R_UNEXPECTED_EOF_WHILE_READING);
        return {
            want::failed, 0, {truncated && end_ ? errc::tls_truncated : errc::tls_failure, 0, why}};
      }
    }
  }

  SSL* ssl_ = nullptr;
  BIO* network_ = nullptr;
  bool end_ = false;
};

}  // namespace detail

/// A client without a socket. Attach a guard to `native()` before the first `handshake`.
class openssl::client : public detail::openssl_engine {
 public:
  /// `from` outlives it.
  explicit client(context& from) noexcept : openssl_engine(from.native()) {
    if (valid()) SSL_set_connect_state(native());
  }
};

namespace detail {

/// A server configuration with one certificate and one key, both DER.
class openssl_server_context {
 public:
  openssl_server_context(bytes_view leaf, bytes_view key) noexcept
      : ctx_(SSL_CTX_new(TLS_server_method())) {
    const std::uint8_t* at = key.data();
    EVP_PKEY* parsed = d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(key.size()));
    const bool usable =
        ctx_ != nullptr && parsed != nullptr &&
        SSL_CTX_use_certificate_ASN1(ctx_, static_cast<int>(leaf.size()), leaf.data()) == 1 &&
        SSL_CTX_use_PrivateKey(ctx_, parsed) == 1;
    EVP_PKEY_free(parsed);
    if (!usable) SSL_CTX_free(std::exchange(ctx_, nullptr));
  }
  openssl_server_context(const openssl_server_context&) = delete;
  openssl_server_context& operator=(const openssl_server_context&) = delete;
  ~openssl_server_context() { SSL_CTX_free(ctx_); }

  [[nodiscard]] SSL_CTX* get() const noexcept { return ctx_; }

 private:
  SSL_CTX* ctx_;
};

}  // namespace detail

/// A server without a socket, for the self-test.
class openssl::server : private detail::openssl_server_context, public detail::openssl_engine {
 public:
  /// One certificate and its key (PKCS#8 or SEC 1), both DER.
  server(bytes_view leaf_der, bytes_view key_der) noexcept
      : openssl_server_context(leaf_der, key_der), openssl_engine(get()) {
    if (valid()) SSL_set_accept_state(native());
  }
};

}  // namespace backends

template <>
struct backend_of<SSL*> {
  using type = backends::openssl;
};

static_assert(backend<backends::openssl>);
static_assert(verifier<backends::openssl>);
static_assert(sealer<backends::openssl>);
static_assert(engine<backends::openssl::client>);

}  // namespace v0
}  // namespace cotter
