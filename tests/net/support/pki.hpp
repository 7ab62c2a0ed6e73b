// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/digest.hpp>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// A certification authority and leaves for DNS:localhost, made afresh for each run.
namespace pki {

struct credentials {
  std::string certificate_pem;
  std::string key_pem;
  cotter::sha256_digest fingerprint;
};

inline std::string pem_of(X509* certificate) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_X509(out.get(), certificate);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

class authority {
 public:
  authority() : key_(EVP_EC_gen("P-256"), &EVP_PKEY_free) {
    certificate_ = make("cotter test CA", key_.get(), nullptr);
  }

  [[nodiscard]] std::string pem() const { return pem_of(certificate_.get()); }

  [[nodiscard]] credentials issue() const {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                  &EVP_PKEY_free);
    const auto leaf = make("localhost", key.get(), certificate_.get());
    credentials out;
    out.certificate_pem = pem_of(leaf.get());
    const std::unique_ptr<BIO, decltype(&BIO_free)> pem(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(pem.get(), &text);
    out.key_pem.assign(text, static_cast<std::size_t>(size));
    unsigned length = 0;
    X509_digest(leaf.get(), EVP_sha256(), out.fingerprint.octets.data(), &length);
    return out;
  }

 private:
  using certificate_ptr = std::unique_ptr<X509, decltype(&X509_free)>;

  static void extend(X509* certificate, X509* issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer == nullptr ? certificate : issuer, certificate, nullptr,
                   nullptr, 0);
    X509_EXTENSION* one = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
    if (one == nullptr) throw std::runtime_error("extension");
    X509_add_ext(certificate, one, -1);
    X509_EXTENSION_free(one);
  }

  certificate_ptr make(const char* name, EVP_PKEY* key, X509* issuer) const {
    static std::uint64_t serial = 1;
    certificate_ptr made(X509_new(), &X509_free);
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -86400);
    X509_time_adj_ex(X509_getm_notAfter(made.get()), 7300, 0, nullptr);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(made.get(),
                         X509_get_subject_name(issuer == nullptr ? made.get() : issuer));
    X509_set_pubkey(made.get(), key);
    if (issuer == nullptr) {
      extend(made.get(), issuer, NID_basic_constraints, "critical,CA:TRUE");
      extend(made.get(), issuer, NID_key_usage, "critical,keyCertSign");
    } else {
      extend(made.get(), issuer, NID_subject_alt_name, "DNS:localhost");
      extend(made.get(), issuer, NID_ext_key_usage, "serverAuth");
    }
    if (X509_sign(made.get(), key_.get(), EVP_sha256()) == 0) throw std::runtime_error("sign");
    return made;
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  certificate_ptr certificate_{nullptr, &X509_free};
};

}  // namespace pki
