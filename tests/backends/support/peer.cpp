// SPDX-License-Identifier: BSL-1.0
#include "peer.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace peer {
namespace {

struct free_any {
  void operator()(BIO* p) const { BIO_free_all(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
  void operator()(BIGNUM* p) const { BN_free(p); }
  void operator()(ECDSA_SIG* p) const { ECDSA_SIG_free(p); }
  void operator()(EC_GROUP* p) const { EC_GROUP_free(p); }
  void operator()(OSSL_PARAM* p) const { OSSL_PARAM_free(p); }
  void operator()(OSSL_PARAM_BLD* p) const { OSSL_PARAM_BLD_free(p); }
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(SSL* p) const { SSL_free(p); }
};
template <typename T>
using owned = std::unique_ptr<T, free_any>;

void require(bool good, const std::string& what) {
  if (good) return;
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  throw std::runtime_error("peer: " + what + ": " + text.data());
}

owned<X509> read_certificate(const std::string& file) {
  owned<BIO> in(BIO_new_file(file.c_str(), "r"));
  require(in != nullptr, file);
  owned<X509> one(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  require(one != nullptr, file);
  return one;
}

owned<EVP_PKEY> read_key(const std::string& file) {
  owned<BIO> in(BIO_new_file(file.c_str(), "r"));
  require(in != nullptr, file);
  owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  require(key != nullptr, file);
  return key;
}

/// A P-256 key that shows one public key and signs with another's private one, or with none.
owned<EVP_PKEY> forge(X509* shown, EVP_PKEY* signing) {
  std::array<unsigned char, 65> point{};
  std::size_t size = 0;
  require(EVP_PKEY_get_octet_string_param(X509_get0_pubkey(shown), OSSL_PKEY_PARAM_PUB_KEY,
                                          point.data(), point.size(), &size) == 1,
          "public key");
  const owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), size);
  owned<BIGNUM> held;
  if (signing != nullptr) {
    BIGNUM* secret = nullptr;
    require(EVP_PKEY_get_bn_param(signing, OSSL_PKEY_PARAM_PRIV_KEY, &secret) == 1, "private key");
    held.reset(secret);
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret);
  }
  const owned<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(builder.get()));
  const owned<EVP_PKEY_CTX> maker(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  const int parts = signing != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
  EVP_PKEY* made = nullptr;
  require(EVP_PKEY_fromdata_init(maker.get()) == 1 &&
              EVP_PKEY_fromdata(maker.get(), &made, parts, params.get()) == 1,
          "forged key");
  return owned<EVP_PKEY>(made);
}

/// The same certificate with the other of the two ECDSA signatures that anybody can make of one: as
/// good as the first, other octets.
owned<X509> mirror(X509* signed_by_p256) {
  owned<X509> copy(X509_dup(signed_by_p256));
  const ASN1_BIT_STRING* signature = nullptr;
  X509_get0_signature(&signature, nullptr, copy.get());
  const unsigned char* at = signature->data;
  const owned<ECDSA_SIG> pair(d2i_ECDSA_SIG(nullptr, &at, signature->length));
  const owned<EC_GROUP> curve(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  require(pair != nullptr && curve != nullptr, "ECDSA signature");
  BIGNUM* r = BN_dup(ECDSA_SIG_get0_r(pair.get()));
  BIGNUM* s = BN_new();
  require(BN_sub(s, EC_GROUP_get0_order(curve.get()), ECDSA_SIG_get0_s(pair.get())) == 1 &&
              ECDSA_SIG_set0(pair.get(), r, s) == 1,
          "n - s");
  std::vector<unsigned char> octets(static_cast<std::size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)));
  unsigned char* out = octets.data();
  i2d_ECDSA_SIG(pair.get(), &out);
  // NOLINTNEXTLINE(*-const-cast): OpenSSL has no setter
  require(ASN1_STRING_set(const_cast<ASN1_BIT_STRING*>(signature), octets.data(),
                          static_cast<int>(octets.size())) == 1,
          "mirrored signature");
  return copy;
}

std::string spell(const char* form, const std::vector<std::uint8_t>& octets) {
  std::array<unsigned char, 32> digest{};
  EVP_Digest(octets.data(), octets.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::string text = form;
  for (const unsigned char octet : digest) {
    std::array<char, 3> hex{};
    std::snprintf(hex.data(), hex.size(), "%02x", octet);
    text += hex.data();
  }
  return text;
}

class in_memory final : public connection {
 public:
  in_memory(SSL_CTX* ctx, bool early_data) : ssl_(SSL_new(ctx)), early_(early_data) {
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_accept_state(ssl_.get());
    SSL_set_app_data(ssl_.get(), &handshakes_);
    SSL_set_info_callback(ssl_.get(), [](const SSL* ssl, int where, int) {
      if (where == SSL_CB_ACCEPT_LOOP && SSL_get_state(ssl) == TLS_ST_SR_FINISHED) {
        ++*static_cast<int*>(SSL_get_app_data(ssl));
      }
    });
  }

  ~in_memory() override {
    // OpenSSL forgets the sessions of connections that were not closed.
    SSL_shutdown(ssl_.get());
  }
  in_memory(const in_memory&) = delete;
  in_memory& operator=(const in_memory&) = delete;

  void drive() override {
    ERR_clear_error();
    if (early_ && !read_early_data()) return;
    if (!SSL_is_init_finished(ssl_.get()) && SSL_do_handshake(ssl_.get()) != 1) return;
    finished_ = true;
    std::array<char, 4096> plain{};
    for (int n; (n = SSL_read(ssl_.get(), plain.data(), plain.size())) > 0;) {
      application_bytes_ += static_cast<std::size_t>(n);
    }
  }
  std::size_t feed(std::span<const std::uint8_t> ciphertext) override {
    const int n = BIO_write(in_, ciphertext.data(), static_cast<int>(ciphertext.size()));
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  std::vector<std::uint8_t> take_pending() override {
    char* data = nullptr;
    const long size = BIO_get_mem_data(out_, &data);
    std::vector<std::uint8_t> octets(data, data + size);
    (void)BIO_reset(out_);
    return octets;
  }
  void send(const std::string& text) override {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
  }
  bool ask_again(const std::string& chain_file, const std::string& key_file) override {
    ERR_clear_error();
    if (!chain_file.empty()) {
      require(SSL_use_certificate_chain_file(ssl_.get(), chain_file.c_str()) == 1 &&
                  SSL_use_PrivateKey_file(ssl_.get(), key_file.c_str(), SSL_FILETYPE_PEM) == 1,
              chain_file);
    }
    if (SSL_version(ssl_.get()) >= TLS1_3_VERSION) {
      SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, nullptr);
      if (SSL_verify_client_post_handshake(ssl_.get()) != 1) return false;
    } else if (SSL_renegotiate(ssl_.get()) != 1) {
      return false;
    }
    SSL_do_handshake(ssl_.get());
    return true;
  }

  bool finished() const override { return finished_; }
  int handshakes() const override { return handshakes_; }
  bool resumed() const override { return SSL_session_reused(ssl_.get()) != 0; }
  std::size_t application_bytes() const override { return application_bytes_; }
  std::string server_name() const override {
    const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? "" : name;
  }

 private:
  /// Reads what comes ahead of the handshake; true when that is over.
  bool read_early_data() {
    std::array<char, 4096> plain{};
    for (;;) {
      std::size_t got = 0;
      switch (SSL_read_early_data(ssl_.get(), plain.data(), plain.size(), &got)) {
        case SSL_READ_EARLY_DATA_SUCCESS: application_bytes_ += got; break;
        case SSL_READ_EARLY_DATA_FINISH:
          application_bytes_ += got;
          early_ = false;
          return true;
        default: return false;
      }
    }
  }

  int handshakes_ = 0;  // outlives the SSL that counts in it
  owned<SSL> ssl_;
  bool early_ = false;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  bool finished_ = false;
  std::size_t application_bytes_ = 0;
};

std::string& shared_psk() {
  static std::string key;
  return key;
}

}  // namespace

static void set_groups(SSL_CTX* ctx, const options& how) {
  if (how.psk_without_dhe) SSL_CTX_set_options(ctx, SSL_OP_ALLOW_NO_DHE_KEX);
  if (!how.groups.empty())
    require(SSL_CTX_set1_groups_list(ctx, how.groups.c_str()) == 1, how.groups);
}

struct server::implementation {
  owned<SSL_CTX> ctx;
  bool early_data = false;
};

server::server(const options& how) : state_(std::make_unique<implementation>()) {
  SSL_CTX* ctx = SSL_CTX_new(TLS_server_method());
  state_->ctx.reset(ctx);
  state_->early_data = how.early_data;
  require(ctx != nullptr, "context");
  static constexpr unsigned char id[] = "peer";
  SSL_CTX_set_session_id_context(ctx, id, sizeof id);
  SSL_CTX_set_min_proto_version(ctx, how.version != 0 ? how.version : TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(ctx, how.version);
  SSL_CTX_clear_options(ctx, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_options(ctx, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
  if (!how.tickets) SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
  if (!how.extended_master_secret) SSL_CTX_set_options(ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
  set_groups(ctx, how);
  SSL_CTX_set_max_early_data(ctx, 16384);
  SSL_CTX_set_options(ctx, SSL_OP_NO_ANTI_REPLAY);
  SSL_CTX_set_dh_auto(ctx, 1);
  if (how.anonymous) {
    SSL_CTX_set_security_level(ctx, 0);
    require(SSL_CTX_set_cipher_list(ctx, "aNULL@SECLEVEL=0") == 1, "anonymous ciphers");
  } else if (!how.ciphers.empty()) {
    require(SSL_CTX_set_cipher_list(ctx, how.ciphers.c_str()) == 1, how.ciphers);
  }
  if (!how.psk.empty()) {
    shared_psk() = how.psk;
    SSL_CTX_set_psk_server_callback(ctx, [](SSL*, const char*, unsigned char* out, unsigned room) {
      const std::string& key = shared_psk();
      if (key.size() > room) return 0u;
      std::memcpy(out, key.data(), key.size());
      return static_cast<unsigned>(key.size());
    });
  }
  if (!how.chain_file.empty()) {
    require(SSL_CTX_use_certificate_chain_file(ctx, how.chain_file.c_str()) == 1, how.chain_file);
    if (how.mirrored_signature) {
      require(
          SSL_CTX_use_certificate(ctx, mirror(read_certificate(how.chain_file).get()).get()) == 1,
          "mirrored leaf");
    }
    if (how.without_key || !how.forged_key_file.empty()) {
      const auto signing = how.without_key ? nullptr : read_key(how.forged_key_file);
      const auto key = forge(read_certificate(how.chain_file).get(), signing.get());
      require(SSL_CTX_use_PrivateKey(ctx, key.get()) == 1, "forged key");
    } else {
      require(SSL_CTX_use_PrivateKey_file(ctx, how.key_file.c_str(), SSL_FILETYPE_PEM) == 1,
              how.key_file);
    }
  }
  for (const std::string& file : how.more_files) {
    require(SSL_CTX_add1_chain_cert(ctx, read_certificate(file).get()) == 1, file);
  }
}

server::~server() = default;

void server::become(const options& how) {
  SSL_CTX* ctx = state_->ctx.get();
  require(SSL_CTX_use_certificate_chain_file(ctx, how.chain_file.c_str()) == 1 &&
              SSL_CTX_use_PrivateKey_file(ctx, how.key_file.c_str(), SSL_FILETYPE_PEM) == 1,
          how.chain_file);
  if (!how.extended_master_secret) SSL_CTX_set_options(ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
  set_groups(ctx, how);
}

std::unique_ptr<connection> server::accept() {
  return std::make_unique<in_memory>(state_->ctx.get(), state_->early_data);
}

std::vector<std::uint8_t> der(const std::string& pem_file) {
  const auto one = read_certificate(pem_file);
  std::vector<std::uint8_t> octets(static_cast<std::size_t>(i2d_X509(one.get(), nullptr)));
  unsigned char* at = octets.data();
  i2d_X509(one.get(), &at);
  return octets;
}

std::string certificate_pin(const std::string& pem_file) {
  return spell("cert-sha256:", der(pem_file));
}

std::string key_pin(const std::string& pem_file) {
  const auto one = read_certificate(pem_file);
  X509_PUBKEY* key = X509_get_X509_PUBKEY(one.get());
  std::vector<std::uint8_t> octets(static_cast<std::size_t>(i2d_X509_PUBKEY(key, nullptr)));
  unsigned char* at = octets.data();
  i2d_X509_PUBKEY(key, &at);
  return spell("spki-sha256:", octets);
}

}  // namespace peer
