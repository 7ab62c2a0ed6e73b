// SPDX-License-Identifier: BSL-1.0
#include "authority.hpp"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace rotation {

namespace {

struct free_any {
  void operator()(BIO* p) const { BIO_free_all(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
};
template <typename T>
using owned = std::unique_ptr<T, free_any>;

void demand(bool good, const std::string& what) {
  if (!good) throw std::runtime_error("authority: " + what);
}

owned<EVP_PKEY> new_key() {
  owned<EVP_PKEY> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  demand(key != nullptr, "key");
  return key;
}

void extend(X509* subject, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, subject, nullptr, nullptr, 0);
  const owned<X509_EXTENSION> made(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  demand(made != nullptr && X509_add_ext(subject, made.get(), -1) == 1, value);
}

owned<X509> draft(EVP_PKEY* key, const std::string& common_name, std::uint64_t serial,
                  cotter::instant from, cotter::instant until) {
  owned<X509> made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), serial);
  const auto seconds = [](cotter::instant when) {
    return static_cast<std::time_t>(when.time_since_epoch().count());
  };
  demand(ASN1_TIME_set(X509_getm_notBefore(made.get()), seconds(from)) != nullptr, "notBefore");
  demand(ASN1_TIME_set(X509_getm_notAfter(made.get()), seconds(until)) != nullptr, "notAfter");
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  X509_set_pubkey(made.get(), key);
  return made;
}

owned<BIO> to_file(const std::string& name) {
  owned<BIO> out(BIO_new_file(name.c_str(), "w"));
  demand(out != nullptr, name);
  return out;
}

}  // namespace

struct authority::implementation {
  // RSA, whose signatures cost the phones least to verify: there are thousands of handshakes.
  owned<EVP_PKEY> key{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})};
  owned<X509> root{};
  std::uint64_t last_serial = 1;
};

authority::authority(std::string directory)
    : directory_(std::move(directory)), state_(std::make_unique<implementation>()) {
  std::filesystem::remove_all(directory_);
  std::filesystem::create_directories(directory_);
  using namespace std::chrono;
  state_->root = draft(state_->key.get(), "rotation's CA", 1, sys_days{2020y / 1 / 1},
                       sys_days{2049y / 1 / 1});
  X509* root = state_->root.get();
  X509_set_issuer_name(root, X509_get_subject_name(root));
  extend(root, root, NID_basic_constraints, "critical,CA:TRUE");
  extend(root, root, NID_key_usage, "critical,keyCertSign");
  extend(root, root, NID_subject_key_identifier, "hash");
  demand(X509_sign(root, state_->key.get(), EVP_sha256()) > 0, "root");
  const owned<BIO> out(BIO_new(BIO_s_mem()));
  demand(PEM_write_bio_X509(out.get(), root) == 1, "root");
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  root_pem_.assign(text, static_cast<std::size_t>(size));
}

authority::~authority() = default;

certificate authority::issue(const std::string& name, const std::string& host,
                             cotter::instant not_before, cotter::instant not_after) {
  X509* root = state_->root.get();
  const owned<EVP_PKEY> key = new_key();
  const owned<X509> leaf = draft(key.get(), host, ++state_->last_serial, not_before, not_after);
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(root));
  extend(leaf.get(), root, NID_basic_constraints, "critical,CA:FALSE");
  extend(leaf.get(), root, NID_key_usage, "critical,digitalSignature");
  extend(leaf.get(), root, NID_ext_key_usage, "serverAuth");
  extend(leaf.get(), root, NID_subject_alt_name, "DNS:" + host);
  extend(leaf.get(), root, NID_authority_key_identifier, "keyid");
  demand(X509_sign(leaf.get(), state_->key.get(), EVP_sha256()) > 0, name);
  const std::string base = directory_ + "/" + name;
  certificate made{base + ".pem", base + ".key", not_before, not_after};
  demand(PEM_write_bio_X509(to_file(made.chain_file).get(), leaf.get()) == 1, made.chain_file);
  demand(PEM_write_bio_PrivateKey(to_file(made.key_file).get(), key.get(), nullptr, nullptr, 0,
                                  nullptr, nullptr) == 1,
         made.key_file);
  return made;
}

}  // namespace rotation
