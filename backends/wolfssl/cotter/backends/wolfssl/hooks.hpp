// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/wolfssl.hpp>
#include <cotter/values/hello_tap.hpp>
#include <cotter/values/session_binding.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/tls_version.hpp>

#include <wolfssl/ssl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace backends {

/// What wolfSSL calls, and how a session is made to call it.
struct wolfssl::hooks {
  /// wolfSSL registers an index per process and never takes it back. Index 0 is the application's
  /// (`wolfSSL_set_app_data`), registered or not.
  static int session_index() noexcept {
    static const int index = [] {
      const int first = wolfSSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
      return first != 0 ? first : wolfSSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    }();
    return index;
  }

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
    return a != nullptr && b != nullptr && (a == b || std::strcmp(a, b) == 0);
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
    // wolfSSL looks for a name as long as its list of suites is: once for each.
    struct spelling {
      const char* own;
      const char* iana;
    };
    std::array<spelling, suites.size()> names{};
    for (std::size_t i = 0; i < suites.size(); ++i) {
      const auto high = static_cast<unsigned char>(suites[i] >> 8);
      const auto low = static_cast<unsigned char>(suites[i] & 0xff);
      names[i] = {wolfSSL_get_cipher_name_from_suite(high, low),
                  wolfSSL_get_cipher_name_iana_from_suite(high, low)};
    }
    WOLFSSL_STACK* offered = wolfSSL_get_ciphers_compat(ssl);
    const int count = offered == nullptr ? 0 : wolfSSL_sk_SSL_CIPHER_num(offered);
    for (int i = 0; i < count; ++i) {
      const char* text = wolfSSL_CIPHER_get_name(wolfSSL_sk_SSL_CIPHER_value(offered, i));
      for (std::size_t j = 0; j < suites.size(); ++j) {
        if (same_text(text, names[j].own) || same_text(text, names[j].iana)) {
          keep(suites[j]);
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

  /// wolfSSL speaks the version of the session it is given, whatever else it was told.
  static bool allows(WOLFSSL* ssl, bool tls1_3) noexcept {
    const long options = wolfSSL_get_options(ssl);
    if (tls1_3) {
      return wolfSSL_GetVersion(ssl) == WOLFSSL_TLSV1_3 && (options & WOLFSSL_OP_NO_TLSv1_3) == 0;
    }
    return wolfSSL_CTX_get_min_proto_version(wolfSSL_get_SSL_CTX(ssl)) <= TLS1_2_VERSION &&
           (options & WOLFSSL_OP_NO_TLSv1_2) == 0;
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

inline wolfssl::attachment* wolfssl::attached(const WOLFSSL* ssl) noexcept {
  return ssl == nullptr || hooks::session_index() < 0
             ? nullptr
             : static_cast<attachment*>(wolfSSL_get_ex_data(ssl, hooks::session_index()));
}

inline result<void> wolfssl::attach(WOLFSSL* ssl, const target& whom, handshake_observer& observer,
                                    attachment& state) noexcept {
  if (ssl == nullptr) return errc::unfit_session;
  const result<void> hardened = hooks::harden(ssl, whom, state);
  if (!hardened) {
    hooks::refuse_all_handshakes(ssl);
    wolfSSL_SSLSetIOSend(ssl, &hooks::refuse_to_send);
    return hardened;
  }
  state.ssl = ssl;
  state.ctx = wolfSSL_get_SSL_CTX(ssl);
  state.observer = &observer;
  observer.on_start();
  return {};
}

inline int wolfssl::tap_index() noexcept {
  static const int index = [] {
    static_cast<void>(hooks::session_index());
    return wolfSSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  }();
  return index;
}

/// wolfSSL has a session of this connection for an external cache. Zero leaves it to wolfSSL.
inline int wolfssl::keep_session(WOLFSSL* ssl, WOLFSSL_SESSION* session) noexcept {
  const attachment* state = attached(ssl);
  if (state != nullptr && state->sessions != nullptr) state->sessions->got(session);
  return 0;
}

inline bool wolfssl::allow_sessions(attachment& state) noexcept {
#if defined(HAVE_EXT_CACHE) && defined(HAVE_SESSION_TICKET) && !defined(NO_SESSION_CACHE)
  if (state.ssl == nullptr || state.sessions != nullptr || tap_index() < 0) return false;
  auto** slot = static_cast<hello_tap**>(wolfSSL_get_ex_data(state.ssl, tap_index()));
  if (slot == nullptr || *slot != nullptr) return false;
  state.sessions = new (std::nothrow) resumption(slot);
  return state.sessions != nullptr;
#else
  static_cast<void>(state);
  return false;
#endif
}

inline bool wolfssl::offer(attachment& state, bytes_view octets) noexcept {
#if defined(HAVE_EXT_CACHE) && defined(HAVE_SESSION_TICKET) && !defined(NO_SESSION_CACHE)
  detail::wolfssl_session_view seen;
  if (state.ssl == nullptr || state.sessions == nullptr || state.sessions->offers() ||
      octets.size() > max_session_bytes || !detail::read_wolfssl_session(octets, seen) ||
      !hooks::acceptable(seen.suite) || !detail::may_be_offered(seen) ||
      !hooks::allows(state.ssl, seen.tls1_3)) {
    return false;
  }
  const unsigned char* at = octets.data();
  WOLFSSL_SESSION* session =
      wolfSSL_d2i_SSL_SESSION(nullptr, &at, static_cast<long>(octets.size()));
  if (session == nullptr) return false;
  const bool given = state.sessions->keep_offer(octets) &&
                     wolfSSL_set_session(state.ssl, session) == WOLFSSL_SUCCESS;
  wolfSSL_SESSION_free(session);
  if (given) return true;
  // Half a session may have been taken over: without its ticket it is none.
  state.sessions->drop_offer();
  wolfSSL_set_SessionTicket(state.ssl, nullptr, 0);
  return false;
#else
  static_cast<void>(state);
  static_cast<void>(octets);
  return false;
#endif
}

template <typename Each>
void wolfssl::collect(attachment& state, Each&& each) noexcept {
  if (state.ssl == nullptr || state.sessions == nullptr) return;
  const bool resumed = wolfSSL_session_reused(state.ssl) != 0 && !state.decided &&
                       wolfSSL_GetVersion(state.ssl) == WOLFSSL_TLSV1_2;
  state.sessions->collect(resumed, each);
}

inline handshake_facts wolfssl::inspect(const attachment& state) noexcept {
  handshake_facts facts;
  WOLFSSL* ssl = state.ssl;
  if (ssl == nullptr) return facts;
  facts.native = wolfSSL_get_error(ssl, 0);
  facts.finished = wolfSSL_is_init_finished(ssl) != 0;
  facts.resumed = wolfSSL_session_reused(ssl) != 0;
  facts.hooks_intact = attached(ssl) == &state && wolfSSL_get_SSL_CTX(ssl) == state.ctx &&
                       wolfSSL_get_verify_mode(ssl) == WOLFSSL_VERIFY_PEER &&
                       wolfSSL_get_verify_callback(ssl) == &hooks::verify_one;
  bool vouched = state.accepted;
  if (facts.finished && state.sessions != nullptr) {
    const hello_watch& seen = state.sessions->watch();
    const bool tls1_3 = wolfSSL_GetVersion(ssl) == WOLFSSL_TLSV1_3;
    facts.version = tls1_3 ? tls_version::tls1_3 : tls_version::tls1_2;
    facts.resumable = tls1_3 || seen.extended_master_secret();
    facts.offered = facts.resumed && !state.decided && seen.as_offered() &&
                    (state.sessions->offers() || state.sessions->spent());
    if (facts.offered) vouched = facts.resumable && (!tls1_3 || seen.key_share());
  }
  facts.authenticated = vouched && wolfSSL_GetVersion(ssl) >= WOLFSSL_TLSV1_2 &&
                        hooks::acceptable(wolfSSL_get_current_cipher_suite(ssl));
  return facts;
}

inline void wolfssl::detach(attachment& state) noexcept {
  WOLFSSL* ssl = std::exchange(state.ssl, nullptr);
  delete std::exchange(state.sessions, nullptr);
  if (ssl == nullptr || attached(ssl) != &state) return;
  wolfSSL_set_ex_data(ssl, hooks::session_index(), nullptr);
  hooks::refuse_all_handshakes(ssl);
  if (wolfSSL_is_init_finished(ssl) == 0) wolfSSL_SSLSetIOSend(ssl, &hooks::refuse_to_send);
}

}  // namespace backends
}  // namespace v0
}  // namespace cotter
