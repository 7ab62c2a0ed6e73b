// SPDX-License-Identifier: BSL-1.0
#include "exact_server.hpp"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace exact {
namespace {

void require(int outcome, const char* what) {
  if (outcome < 0) throw std::runtime_error(std::string(what) + ": " + gnutls_strerror(outcome));
}

gnutls_datum_t borrow(const octets& in) {
  return {const_cast<unsigned char*>(in.data()), static_cast<unsigned>(in.size())};
}

}  // namespace

struct server::implementation {
  std::vector<gnutls_pcert_st> chain;
  gnutls_privkey_t key = nullptr;
  gnutls_certificate_credentials_t credentials = nullptr;
  gnutls_session_t session = nullptr;
  octets in;
  octets out;
  bool finished = false;
  bool failed = false;

  ~implementation() {
    if (session != nullptr) gnutls_deinit(session);
    if (credentials != nullptr) gnutls_certificate_free_credentials(credentials);
    for (gnutls_pcert_st& each : chain) gnutls_pcert_deinit(&each);
    if (key != nullptr) gnutls_privkey_deinit(key);
  }

  void add(const octets& der) {
    gnutls_pcert_st parsed;
    const gnutls_datum_t borrowed = borrow(der);
    require(gnutls_pcert_import_x509_raw(&parsed, &borrowed, GNUTLS_X509_FMT_DER, 0),
            "certificate");
    chain.push_back(parsed);
  }

  void replace_leaf(const octets& der) {
    auto* copy = static_cast<unsigned char*>(gnutls_malloc(der.size() + 1));
    if (copy == nullptr) throw std::bad_alloc();
    std::copy(der.begin(), der.end(), copy);
    gnutls_free(chain.front().cert.data);
    chain.front().cert = {copy, static_cast<unsigned>(der.size())};
  }

  static int choose(gnutls_session_t session, const gnutls_datum_t*, int,
                    const gnutls_pk_algorithm_t*, int, gnutls_pcert_st** chain, unsigned* count,
                    gnutls_privkey_t* key) {
    auto* self = static_cast<implementation*>(gnutls_session_get_ptr(session));
    *chain = self->chain.data();
    *count = static_cast<unsigned>(self->chain.size());
    *key = self->key;
    return 0;
  }
  static ssize_t push(gnutls_transport_ptr_t self, const void* data, std::size_t size) {
    auto& out = static_cast<implementation*>(self)->out;
    const auto* from = static_cast<const std::uint8_t*>(data);
    out.insert(out.end(), from, from + size);
    return static_cast<ssize_t>(size);
  }
  static ssize_t pull(gnutls_transport_ptr_t self, void* data, std::size_t size) {
    auto* state = static_cast<implementation*>(self);
    if (state->in.empty()) {
      gnutls_transport_set_errno(state->session, EAGAIN);
      return -1;
    }
    const std::size_t moved = std::min(size, state->in.size());
    std::memcpy(data, state->in.data(), moved);
    state->in.erase(state->in.begin(), state->in.begin() + static_cast<std::ptrdiff_t>(moved));
    return static_cast<ssize_t>(moved);
  }
};

server::server(const options& how) : state_(std::make_unique<implementation>()) {
  state_->add(how.sound_leaf);
  state_->replace_leaf(how.leaf);
  for (const octets& each : how.intermediates) state_->add(each);
  const gnutls_datum_t key = borrow(how.key_pkcs8);
  require(gnutls_privkey_init(&state_->key), "key");
  require(gnutls_privkey_import_x509_raw(state_->key, &key, GNUTLS_X509_FMT_DER, nullptr, 0),
          "key");
  require(gnutls_certificate_allocate_credentials(&state_->credentials), "credentials");
  gnutls_certificate_set_retrieve_function2(state_->credentials, &implementation::choose);
  require(gnutls_init(&state_->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL),
          "session");
  require(gnutls_priority_set_direct(state_->session,
                                     how.version == 0x0303 ? "NORMAL:-VERS-ALL:+VERS-TLS1.2"
                                                           : "NORMAL:-VERS-ALL:+VERS-TLS1.3",
                                     nullptr),
          "version");
  require(gnutls_credentials_set(state_->session, GNUTLS_CRD_CERTIFICATE, state_->credentials),
          "credentials");
  gnutls_session_set_ptr(state_->session, state_.get());
  gnutls_transport_set_ptr(state_->session, state_.get());
  gnutls_transport_set_push_function(state_->session, &implementation::push);
  gnutls_transport_set_pull_function(state_->session, &implementation::pull);
  gnutls_transport_set_pull_timeout_function(state_->session,
                                             [](gnutls_transport_ptr_t, unsigned) { return 1; });
}

server::~server() = default;

void server::feed(std::span<const std::uint8_t> ciphertext) {
  state_->in.insert(state_->in.end(), ciphertext.begin(), ciphertext.end());
}

void server::drive() {
  if (state_->finished || state_->failed) return;
  int outcome = GNUTLS_E_AGAIN;
  do {
    outcome = gnutls_handshake(state_->session);
  } while (outcome < 0 && gnutls_error_is_fatal(outcome) == 0 && !state_->in.empty());
  state_->finished = outcome == 0;
  state_->failed = outcome < 0 && gnutls_error_is_fatal(outcome) != 0;
}

octets server::take_pending() { return std::exchange(state_->out, {}); }

bool server::finished() const { return state_->finished; }

}  // namespace exact
