// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/wolfssl.hpp>
#include <cotter/concepts/engine.hpp>
#include <cotter/values/hello_tap.hpp>
#include <cotter/values/session_binding.hpp>
#include <cotter/values/tls_version.hpp>

#include <wolfssl/ssl.h>

#include <array>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace backends {

class wolfssl::context {
 public:
  context() noexcept : initialised_(wolfSSL_Init() == WOLFSSL_SUCCESS) {
    if (!initialised_) return;
    ctx_ = wolfSSL_CTX_new(wolfTLS_client_method());
    if (ctx_ == nullptr) return;
    wolfSSL_CTX_set_verify(ctx_, WOLFSSL_VERIFY_PEER, &refuse_chain);
    wolfSSL_CTX_set_session_cache_mode(ctx_, WOLFSSL_SESS_CACHE_OFF);
#if defined(HAVE_EXT_CACHE) && !defined(NO_SESSION_CACHE)
    wolfSSL_CTX_sess_set_new_cb(ctx_, &keep_session);
    // Else wolfSSL calls a session of TLS 1.2 too old after 500 s; the guard knows better.
    constexpr std::chrono::seconds longest = longest_session;
    wolfSSL_CTX_set_timeout(ctx_, static_cast<unsigned>(longest.count()));
#endif
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
    identify_file(pem_path);
    return anchors_loaded(wolfSSL_CTX_load_verify_locations(ctx_, pem_path, nullptr));
#endif
  }
  /// The same from memory: a PEM bundle, or one certificate in DER.
  /// @errors `unfit_trust_anchors`
  result<void> load_anchors(bytes_view pem_or_der) noexcept {
    if (ctx_ == nullptr) return errc::out_of_memory;
    if (pem_or_der.empty() || pem_or_der.size() > INT_MAX) return errc::unfit_trust_anchors;
    identify(pem_or_der);
    const int format = pem_or_der[0] == 0x30 ? WOLFSSL_FILETYPE_ASN1 : WOLFSSL_FILETYPE_PEM;
    return anchors_loaded(wolfSSL_CTX_load_verify_buffer(
        ctx_, pem_or_der.data(), static_cast<long>(pem_or_der.size()), format));
  }
  /// What the anchors loaded by these two are called: SHA-256 of what the ones before were called and
  /// of the octets given. Unknown while there are none, and after octets that could not be read. It
  /// knows nothing of what was put into `native()`.
  [[nodiscard]] const anchors_identity& anchors() const noexcept { return anchors_; }
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

  void identify(bytes_view octets) noexcept {
    hasher whole;
    const bool good = !unreadable_ && whole.prepare();
    whole.update(anchors_.digest.octets);
    whole.update(octets);
    anchors_.known = whole.finish(anchors_.digest) && good;
    unreadable_ = !anchors_.known;
  }
#ifndef NO_FILESYSTEM
  void identify_file(const char* path) noexcept {
    hasher whole;
    std::FILE* file = path == nullptr ? nullptr : std::fopen(path, "rb");
    bool good = !unreadable_ && file != nullptr && whole.prepare();
    whole.update(anchors_.digest.octets);
    std::array<std::uint8_t, 4096> some;
    while (good) {
      const std::size_t size = std::fread(some.data(), 1, some.size(), file);
      whole.update(bytes_view(some).first(size));
      if (size == some.size()) continue;
      good = std::ferror(file) == 0;
      break;
    }
    if (file != nullptr) static_cast<void>(std::fclose(file));
    anchors_.known = whole.finish(anchors_.digest) && good;
    unreadable_ = !anchors_.known;
  }
#endif

  bool initialised_;
  WOLFSSL_CTX* ctx_ = nullptr;
  const char* alpn_ = nullptr;
  anchors_identity anchors_{};
  bool unreadable_ = false;
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

  hello_tap* tap_ = nullptr;  ///< who reads along

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
      case WOLFSSL_ERROR_WANT_WRITE: return {want::output, 0, {}};
      case WOLFSSL_ERROR_ZERO_RETURN: closed_ = true; return fail(errc::tls_closed);
      default: return fail(cut_short_ ? errc::tls_truncated : errc::tls_failure, why);
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
    if (self.tap_ != nullptr) self.tap_->received(unread.first(taken));
    self.in_.drop(taken);
    return static_cast<int>(taken);
  }
  static int send(WOLFSSL*, char* from, int size_bytes, void* argument) noexcept {
    auto& self = *static_cast<wolfssl_engine*>(argument);
    const auto count = size_bytes > 0 ? static_cast<std::size_t>(size_bytes) : 0;
    const bytes_view octets(reinterpret_cast<const std::uint8_t*>(from), count);
    if (!self.out_.append(octets)) return WOLFSSL_CBIO_ERR_GENERAL;
    if (self.tap_ != nullptr) self.tap_->sent(octets);
    return size_bytes;
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

class wolfssl::client : public detail::wolfssl_engine {
 public:
  explicit client(context& from) noexcept : wolfssl_engine(from.native()) {
    if (valid() && tap_index() >= 0) {
      wolfSSL_set_ex_data(native(), tap_index(), &tap_);
    }
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

static_assert(engine<wolfssl::client>);

}  // namespace backends
}  // namespace v0
}  // namespace cotter
