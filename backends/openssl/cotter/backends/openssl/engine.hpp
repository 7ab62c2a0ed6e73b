// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/openssl.hpp>
#include <cotter/concepts/engine.hpp>
#include <cotter/values/session_binding.hpp>
#include <cotter/values/tls_version.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace backends {

class openssl::context {
 public:
  context() noexcept : ctx_(SSL_CTX_new(TLS_client_method())) {
    if (ctx_ == nullptr) return;
    SSL_CTX_set_verify(ctx_, SSL_VERIFY_PEER, nullptr);
    // No cache, but word of every session: guards that resume keep them themselves.
    SSL_CTX_set_session_cache_mode(
        ctx_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    SSL_CTX_sess_set_new_cb(ctx_, &keep_session);
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
    identify_file(pem_path);
    if (SSL_CTX_load_verify_file(ctx_, pem_path) != 1) return last(errc::unfit_trust_anchors);
    return {};
  }
  /// Adds certificates in PEM, or one in DER, as trust anchors.
  /// @errors `unfit_trust_anchors`
  result<void> load_anchors(bytes_view pem_or_der) noexcept {
    if (ctx_ == nullptr) return errc::out_of_memory;
    if (pem_or_der.size() > INT_MAX) return errc::unfit_trust_anchors;
    ERR_clear_error();
    identify(pem_or_der);
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
  /// What the anchors loaded by these two are called: SHA-256 of what the ones before were called and
  /// of the octets given. Unknown while there are none, and after octets that could not be read. It
  /// knows nothing of what was put into `native()`.
  [[nodiscard]] const anchors_identity& anchors() const noexcept { return anchors_; }
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
  void identify(bytes_view octets) noexcept {
    hasher whole;
    anchors_.known = !unreadable_ && whole.prepare();
    whole.update(anchors_.digest.octets);
    whole.update(octets);
    anchors_.known = whole.finish(anchors_.digest) && anchors_.known;
    unreadable_ = !anchors_.known;
  }
  void identify_file(const char* path) noexcept {
    hasher whole;
    bool good = !unreadable_ && whole.prepare();
    whole.update(anchors_.digest.octets);
    BIO* in = BIO_new_file(path, "rb");
    std::array<std::uint8_t, 4096> some{};
    std::size_t size = 0;
    good = good && in != nullptr;
    while (good && BIO_read_ex(in, some.data(), some.size(), &size) == 1) {
      whole.update(bytes_view(some).first(size));
    }
    good = good && BIO_eof(in) == 1;
    BIO_free(in);
    ERR_clear_error();
    anchors_.known = whole.finish(anchors_.digest) && good;
    unreadable_ = !anchors_.known;
  }
  static error last(errc what) noexcept { return {what, 0, ERR_GET_REASON(ERR_peek_last_error())}; }

  SSL_CTX* ctx_;
  anchors_identity anchors_{};
  bool unreadable_ = false;
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
      case SSL_ERROR_WANT_WRITE: return {want::output, 0, {}};
      case SSL_ERROR_ZERO_RETURN: return {want::failed, 0, {errc::tls_closed, 0, 0}};
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

class openssl::server : private detail::openssl_server_context, public detail::openssl_engine {
 public:
  /// One certificate and its key (PKCS#8 or SEC 1), both DER.
  server(bytes_view leaf_der, bytes_view key_der) noexcept
      : openssl_server_context(leaf_der, key_der), openssl_engine(get()) {
    if (valid()) SSL_set_accept_state(native());
  }
};

static_assert(engine<openssl::client>);

}  // namespace backends
}  // namespace v0
}  // namespace cotter
