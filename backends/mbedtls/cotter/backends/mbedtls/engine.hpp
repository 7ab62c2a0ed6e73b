// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/backends/mbedtls.hpp>
#include <cotter/backends/mbedtls/random.hpp>
#include <cotter/concepts/engine.hpp>
#include <cotter/values/hello_tap.hpp>
#include <cotter/values/session_binding.hpp>
#include <cotter/values/tls_version.hpp>

#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
#include <span>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace backends {

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
  friend struct mbedtls;

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
        case MBEDTLS_ERR_SSL_WANT_READ: return {want::input, 0, {}};
        case MBEDTLS_ERR_SSL_WANT_WRITE: return {want::output, 0, {}};
        case MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS: continue;
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
        case MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET: continue;
#endif
        case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
          // The peer has finished writing; it may still read (RFC 8446 6.1).
          closed_ = true;
          if (is_over(ssl_)) return {want::failed, 0, {errc::tls_closed, 0, result}};
          failure_ = {errc::tls_closed, 0, result};
          break;
        case MBEDTLS_ERR_SSL_CONN_EOF: failure_ = {errc::tls_truncated, 0, result}; break;
        case MBEDTLS_ERR_SSL_ALLOC_FAILED: failure_ = {errc::out_of_memory, 0, result}; break;
        default: failure_ = {errc::tls_failure, 0, result}; break;
      }
      return {want::failed, 0, failure_};
    }
  }

  static int send(void* context, const unsigned char* octets, std::size_t size_bytes) noexcept {
    auto& self = *static_cast<connection*>(context);
    const std::size_t n = self.outgoing_.append({octets, bounded(size_bytes)});
    if (n != 0 && self.tap_ != nullptr) self.tap_->sent({octets, n});
    if (n != 0) return static_cast<int>(n);
    return self.outgoing_.empty() ? MBEDTLS_ERR_SSL_ALLOC_FAILED : MBEDTLS_ERR_SSL_WANT_WRITE;
  }

  static int receive(void* context, unsigned char* out, std::size_t size_bytes) noexcept {
    auto& self = *static_cast<connection*>(context);
    const bytes_view waiting = self.incoming_.view();
    if (waiting.empty()) return self.ended_ ? 0 : MBEDTLS_ERR_SSL_WANT_READ;
    const std::size_t n = bounded(size_bytes < waiting.size() ? size_bytes : waiting.size());
    std::memcpy(out, waiting.data(), n);
    if (self.tap_ != nullptr) self.tap_->received(waiting.first(n));
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
  hello_tap* tap_ = nullptr;
};

inline hello_tap** mbedtls::tap_of(const mbedtls_ssl_context& ssl) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
  const bool ours = ssl.MBEDTLS_PRIVATE(f_recv) == connection::receive &&
                    ssl.MBEDTLS_PRIVATE(f_send) == connection::send;
  void* self = ssl.MBEDTLS_PRIVATE(p_bio);
#else
  const bool ours = ssl.f_recv == connection::receive && ssl.f_send == connection::send;
  void* self = ssl.p_bio;
#endif
  return ours && self != nullptr ? &static_cast<connection*>(self)->tap_ : nullptr;
}

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

  /// What the anchors loaded by these two are called: SHA-256 of what the ones before were called and
  /// of the octets given. Unknown while there are none, and after octets that could not be read. It
  /// knows nothing of what was put into `native()`.
  [[nodiscard]] const anchors_identity& anchors() const noexcept { return identity_; }
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

  void identify(const file_octets& text) noexcept {
    hasher whole;
    const bool good = text.readable() && !unreadable_ && whole.prepare();
    whole.update(identity_.digest.octets);
    if (text.readable()) whole.update({text.data(), text.size()});
    identity_.known = whole.finish(identity_.digest) && good;
    unreadable_ = !identity_.known;
  }
  result<void> add_anchors(const file_octets& text) noexcept {
    identify(text);
    if (!text.readable()) return errc::unreadable;
    const int native = mbedtls_x509_crt_parse(&anchors_, text.data(), text.size());
    if (native < 0) return error{errc::unfit_trust_anchors, 0, native};
    mbedtls_ssl_conf_ca_chain(&conf_, &anchors_, nullptr);
    return {};
  }

  detail::mbedtls_random_source random_;
  mbedtls_ssl_config conf_;
  mbedtls_x509_crt anchors_;
  mbedtls_x509_crt own_chain_;
  mbedtls_pk_context own_key_;
#if defined(MBEDTLS_SSL_ALPN)
  std::array<const char*, 2> alpn_{};
#endif
  bool valid_ = false;
  anchors_identity identity_{};
  bool unreadable_ = false;
};

#endif

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

  detail::mbedtls_random_source random;
  mbedtls_ssl_config conf;
  mbedtls_x509_crt leaf;
  mbedtls_pk_context key;
  bool loaded = false;
};

class mbedtls::server : private server_identity, public connection {
 public:
  /// The key in DER, PKCS #8 or SEC 1, unencrypted.
  server(bytes_view leaf_der, bytes_view pkcs8_or_sec1_key_der) noexcept
      : server_identity(leaf_der, pkcs8_or_sec1_key_der), connection(server_identity::conf) {}

  [[nodiscard]] bool valid() const noexcept { return loaded && connection::valid(); }
  [[nodiscard]] explicit operator bool() const noexcept { return valid(); }
};

#endif

static_assert(engine<mbedtls::client>);

}  // namespace backends
}  // namespace v0
}  // namespace cotter
