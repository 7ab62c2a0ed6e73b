// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/mbedtls.hpp>
#include <cotter/values/hello.hpp>
#include <cotter/values/hello_tap.hpp>
#include <cotter/values/session_binding.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/tls_version.hpp>

#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

// Version 3 mangles the names of the fields without which enforcement is impossible.
#pragma push_macro("COTTER_MBEDTLS_FIELD")
#undef COTTER_MBEDTLS_FIELD
#if MBEDTLS_VERSION_MAJOR >= 3
#define COTTER_MBEDTLS_FIELD(name) MBEDTLS_PRIVATE(name)
#else
#define COTTER_MBEDTLS_FIELD(name) name
#endif

namespace cotter {
inline namespace v0 {
namespace backends {

/// What a session is made to call, and the configuration that serves no handshake.
struct mbedtls::hooks {
  static constexpr unsigned min_dh_bits = 2048;
  static constexpr int no_suites[] = {0};

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
      case MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA: return true;
      default: return false;
    }
  }

  /// True if `session` is the one that `offer` took.
  [[nodiscard]] static bool is_ours(const attachment& held,
                                    const mbedtls_ssl_session& session) noexcept {
    return held.sessions_ != nullptr && held.sessions_->is_offered(session);
  }
  /// True past the point where a full handshake would have had to draw its key: then it is an
  /// abbreviated one, and what it resumes is ours.
  [[nodiscard]] static bool is_resumed(const attachment& held) noexcept {
    const mbedtls_ssl_context& ssl = *held.ssl_;
    if (held.sessions_ == nullptr || held.stage_ != attachment::stage::before_certificate ||
        ssl.COTTER_MBEDTLS_FIELD(state) < MBEDTLS_SSL_CLIENT_CHANGE_CIPHER_SPEC) {
      return false;
    }
    const mbedtls_ssl_session* session = ssl.COTTER_MBEDTLS_FIELD(session_negotiate) != nullptr
                                             ? ssl.COTTER_MBEDTLS_FIELD(session_negotiate)
                                             : ssl.COTTER_MBEDTLS_FIELD(session);
    return session != nullptr && held.sessions_->has_secret_of(*session);
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

inline constexpr mbedtls_ssl_config mbedtls::hooks::inert = mbedtls::hooks::make_inert();

inline bool mbedtls::is_over(const mbedtls_ssl_context& ssl) noexcept {
  const int state = ssl.COTTER_MBEDTLS_FIELD(state);
#if MBEDTLS_VERSION_MAJOR >= 3
  return state >= MBEDTLS_SSL_HANDSHAKE_OVER;
#else
  return state == MBEDTLS_SSL_HANDSHAKE_OVER;
#endif
}

inline int mbedtls::attachment::on_certificate(void* context, mbedtls_x509_crt* crt, int depth,
                                               std::uint32_t* flags) noexcept {
  attachment& held = *static_cast<attachment*>(context);
  if (held.stage_ != stage::before_certificate) {
    return hooks::refuse_certificate(nullptr, crt, depth, flags);
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
    return hooks::refuse_certificate(nullptr, crt, depth, flags);
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
    if (offered == nullptr || held.stage_ != stage::before_certificate ||
        (offered->COTTER_MBEDTLS_FIELD(ciphersuite) != 0 && !hooks::is_ours(held, *offered))) {
      return MBEDTLS_ERR_SSL_NO_RNG;
    }
  } else if (state > MBEDTLS_SSL_SERVER_CERTIFICATE && held.stage_ != stage::accepted &&
             !hooks::is_resumed(held)) {
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
      if (!hooks::is_strong(*wanted)) continue;
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
  const result<host_kind> host = cotter::detail::kind_of_canonical(whom.host);
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
  if (conf_.COTTER_MBEDTLS_FIELD(dhm_min_bitlen) < hooks::min_dh_bits) {
    mbedtls_ssl_conf_dhm_min_bitlen(&conf_, hooks::min_dh_bits);
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
  } else if (own == &hooks::inert &&
             ssl->COTTER_MBEDTLS_FIELD(f_vrfy) == hooks::refuse_certificate) {
    own = static_cast<const mbedtls_ssl_config*>(ssl->COTTER_MBEDTLS_FIELD(p_vrfy));
  }
  const result<void> outcome =
      fresh && own != nullptr ? held.enforce(*ssl, *own, whom, observer) : errc::unfit_session;
  if (!outcome) {
    if (fresh) held.ssl_ = nullptr;
    hooks::neutralise(*ssl, own);
    return outcome;
  }
  observer.on_start();
  return {};
}

inline bool mbedtls::allow_sessions([[maybe_unused]] attachment& held) noexcept {
#if defined(MBEDTLS_SSL_EXTENDED_MASTER_SECRET)
  if (held.ssl_ == nullptr || held.sessions_ != nullptr) return false;
  hello_tap** slot = tap_of(*held.ssl_);
  if (slot == nullptr || *slot != nullptr) return false;
  held.sessions_ = new (std::nothrow) resumption(slot);
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
  if (held.sessions_ != nullptr) {
    mbedtls_ssl_conf_session_tickets(&held.conf_, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
  }
#endif
  return held.sessions_ != nullptr;
#else
  return false;
#endif
}

inline bool mbedtls::offer(attachment& held, bytes_view octets) noexcept {
  if (held.ssl_ == nullptr || held.sessions_ == nullptr || octets.size() > max_session_bytes) {
    return false;
  }
  const mbedtls_ssl_session* session = held.sessions_->load(octets);
  if (session == nullptr) return false;
#if MBEDTLS_VERSION_MAJOR >= 3
  const int* offered = held.conf_.COTTER_MBEDTLS_FIELD(ciphersuite_list);
  bool fit = session->COTTER_MBEDTLS_FIELD(tls_version) == MBEDTLS_SSL_VERSION_TLS1_2 &&
             held.conf_.COTTER_MBEDTLS_FIELD(min_tls_version) == MBEDTLS_SSL_VERSION_TLS1_2;
#else
  const int* offered = held.conf_.ciphersuite_list[MBEDTLS_SSL_MINOR_VERSION_3];
  bool fit = true;
#endif
  while (*offered != 0 && *offered != session->COTTER_MBEDTLS_FIELD(ciphersuite)) ++offered;
  fit = fit && *offered != 0 && mbedtls_ssl_set_session(held.ssl_, session) == 0;
  if (fit) {
    held.sessions_->expect();
  } else {
    held.sessions_->drop();
  }
  return fit;
}

template <typename Each>
void mbedtls::collect(attachment& held, Each&& each) noexcept {
  if (held.ssl_ == nullptr || held.sessions_ == nullptr || !is_over(*held.ssl_)) return;
#if MBEDTLS_VERSION_MAJOR >= 3
  if (held.ssl_->COTTER_MBEDTLS_FIELD(tls_version) != MBEDTLS_SSL_VERSION_TLS1_2) return;
#endif
  held.sessions_->collect(*held.ssl_, each);
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
  bool vouched = saw_certificate;
  if (held.sessions_ != nullptr) {
    const hello_watch& seen = held.sessions_->watch();
#if MBEDTLS_VERSION_MAJOR >= 3
    const bool tls1_2 = ssl.COTTER_MBEDTLS_FIELD(tls_version) == MBEDTLS_SSL_VERSION_TLS1_2;
#else
    const bool tls1_2 = recent;
#endif
    facts.resumable = tls1_2 && seen.extended_master_secret();
    facts.offered =
        facts.resumed && seen.as_offered() && held.sessions_->has_secret_of(*negotiated);
    if (facts.offered) vouched = facts.resumable;
  }
  facts.authenticated =
      recent && vouched && hooks::is_strong(negotiated->COTTER_MBEDTLS_FIELD(ciphersuite));
  return facts;
}

inline void mbedtls::detach(attachment& held) noexcept {
  delete std::exchange(held.sessions_, nullptr);
  if (held.ssl_ == nullptr) return;
  mbedtls_ssl_context& ssl = *held.ssl_;
  const mbedtls_ssl_config* current = ssl.COTTER_MBEDTLS_FIELD(conf);
  // A context without configuration has been freed: nothing in it points anywhere.
  if (current != nullptr && current != &hooks::inert) {
    hooks::neutralise(ssl, current == &held.conf_ ? held.own_ : current);
  }
  held.ssl_ = nullptr;
  held.own_ = nullptr;
  held.observer_ = nullptr;
}

}  // namespace backends
}  // namespace v0
}  // namespace cotter

#pragma pop_macro("COTTER_MBEDTLS_FIELD")
