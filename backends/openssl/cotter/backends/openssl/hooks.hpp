// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/openssl.hpp>
#include <cotter/values/hello.hpp>
#include <cotter/values/session_binding.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/tls_version.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace backends {

/// What OpenSSL calls, and how a session is made to call it.
struct openssl::hooks {
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

  static bool extended_master_secret(const SSL* ssl) noexcept {
    auto* asked = const_cast<SSL*>(ssl);  // NOLINT(*-const-cast): OpenSSL's own type
    return SSL_get_extms_support(asked) == 1;
  }
  /// True if the peer sent a key of its own for this handshake.
  static bool ephemeral(const SSL* ssl) noexcept {
    EVP_PKEY* key = nullptr;
    auto* asked = const_cast<SSL*>(ssl);  // NOLINT(*-const-cast): OpenSSL's own type
    const bool sent = SSL_get_peer_tmp_key(asked, &key) == 1 && key != nullptr;
    EVP_PKEY_free(key);
    return sent;
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
      SSL_SESSION* ours = state->sessions == nullptr ? nullptr : state->sessions->offered();
      SSL_set_session(const_cast<SSL*>(ssl), ours);  // NOLINT(*-const-cast): OpenSSL's own type
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
    if (content_type == SSL3_RT_HANDSHAKE && message.size() >= 4 && state != nullptr &&
        attached(ssl) == state && state->sessions != nullptr) {
      state->sessions->on_message(sent != 0, message);
    }
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

/// OpenSSL has a session of this connection for its context's cache.
inline int openssl::keep_session(SSL* ssl, SSL_SESSION* session) noexcept {
  attachment* state = hooks::attached(ssl);
  if (state == nullptr || state->sessions == nullptr) return 0;
  state->sessions->got(session);
  return 1;
}

inline bool openssl::allow_sessions(attachment& state) noexcept {
  if (state.ssl == nullptr || state.sessions != nullptr) return false;
  state.sessions = new (std::nothrow) resumption;
  if (state.sessions == nullptr) return false;
  SSL_clear_options(state.ssl, SSL_OP_NO_TICKET);
  return true;
}

inline bool openssl::offer(attachment& state, bytes_view octets) noexcept {
  if (state.ssl == nullptr || state.sessions == nullptr || octets.size() > max_session_bytes) {
    return false;
  }
  const unsigned char* at = octets.data();
  SSL_SESSION* session = d2i_SSL_SESSION(nullptr, &at, static_cast<long>(octets.size()));
  ERR_clear_error();
  if (session == nullptr) return false;
  const int version = SSL_SESSION_get_protocol_version(session);
  const auto highest = SSL_get_max_proto_version(state.ssl);
  const std::uint64_t banned = version == TLS1_2_VERSION ? SSL_OP_NO_TLSv1_2 : SSL_OP_NO_TLSv1_3;
  const SSL_CIPHER* cipher = SSL_SESSION_get0_cipher(session);
  const bool fit = at == octets.data() + octets.size() &&
                   (version == TLS1_2_VERSION || version == TLS1_3_VERSION) &&
                   version >= SSL_get_min_proto_version(state.ssl) &&
                   (highest == 0 || version <= highest) &&
                   (SSL_get_options(state.ssl) & banned) == 0 && cipher != nullptr &&
                   hooks::acceptable(cipher) && SSL_SESSION_is_resumable(session) == 1 &&
                   SSL_SESSION_set_max_early_data(session, 0) == 1;
  if (!fit) {
    SSL_SESSION_free(session);
    return false;
  }
  state.sessions->offer(session);
  return true;
}

template <typename Each>
void openssl::collect(attachment& state, Each&& each) noexcept {
  if (state.ssl != nullptr && state.sessions != nullptr) state.sessions->collect(state.ssl, each);
}

inline void openssl::prepare(SSL_CTX* ctx) noexcept {
  if (SSL_CTX_get_ex_data(ctx, hooks::context_index()) != nullptr) return;
  SSL_CTX_set_cert_verify_callback(ctx, &hooks::verify_chain, nullptr);
  SSL_CTX_set_ex_data(ctx, hooks::context_index(), ctx);
}

inline result<void> openssl::attach(SSL* ssl, const target& whom, handshake_observer& observer,
                                    attachment& state) noexcept {
  if (ssl == nullptr) return errc::unfit_session;
  state.ssl = ssl;
  state.ssl_ctx = SSL_get_SSL_CTX(ssl);
  state.observer = &observer;
  const result<void> hardened = hooks::harden(ssl, whom, state);
  if (!hardened) hooks::disable(ssl);
  return hardened;
}

inline handshake_facts openssl::inspect(const attachment& state) noexcept {
  handshake_facts facts;
  facts.native = ERR_GET_REASON(ERR_peek_last_error());
  const SSL* ssl = state.ssl;
  if (ssl == nullptr) return facts;
  facts.finished = SSL_is_init_finished(ssl) != 0;
  facts.resumed = SSL_session_reused(ssl) != 0;
  const hello_watch* seen = state.sessions == nullptr ? nullptr : &state.sessions->watch();
  const bool tls1_3 = SSL_version(ssl) >= TLS1_3_VERSION;
  if (facts.finished && seen != nullptr) {
    const bool extended = seen->extended_master_secret() && hooks::extended_master_secret(ssl);
    facts.version = tls1_3 ? tls_version::tls1_3 : tls_version::tls1_2;
    facts.resumable = tls1_3 || extended;
    facts.offered = facts.resumed && state.sessions->offered() != nullptr && seen->as_offered();
  }
  // A resumed connection calls no hook, one that is not has been decided by one.
  facts.hooks_intact =
      state.decided != facts.offered && SSL_get_ex_data(ssl, hooks::session_index()) == &state &&
      SSL_get_SSL_CTX(ssl) == state.ssl_ctx && (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0 &&
      SSL_get_verify_callback(ssl) == &hooks::verify_one &&
      SSL_get_info_callback(ssl) == &hooks::note_state && SSL_get_verify_result(ssl) == X509_V_OK;
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  const X509* peer = SSL_get0_peer_certificate(ssl);
  facts.authenticated = SSL_version(ssl) >= TLS1_2_VERSION && cipher != nullptr &&
                        hooks::acceptable(cipher) && peer != nullptr && peer == state.leaf;
  if (facts.offered) {
    facts.authenticated = SSL_version(ssl) >= TLS1_2_VERSION && cipher != nullptr &&
                          hooks::acceptable(cipher) && facts.resumable &&
                          (!tls1_3 || (seen->key_share() && hooks::ephemeral(ssl)));
  }
  return facts;
}

inline void openssl::detach(attachment& state) noexcept {
  SSL* ssl = std::exchange(state.ssl, nullptr);
  delete std::exchange(state.sessions, nullptr);
  if (ssl == nullptr || SSL_get_ex_data(ssl, hooks::session_index()) != &state) return;
  SSL_set_ex_data(ssl, hooks::session_index(), nullptr);
  SSL_set_info_callback(ssl, state.previous_info);
  SSL_set_msg_callback(ssl, nullptr);
  SSL_set_msg_callback_arg(ssl, nullptr);
}

}  // namespace backends
}  // namespace v0
}  // namespace cotter
