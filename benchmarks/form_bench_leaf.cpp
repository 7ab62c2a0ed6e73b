// SPDX-License-Identifier: BSL-1.0
#include "form_bench_leaf.hpp"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>

namespace bench_leaf {

namespace {

template <auto Free>
struct freed_by {
  template <typename T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};
using owned_x509 = std::unique_ptr<X509, freed_by<X509_free>>;
using owned_key = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;

void need(bool good, const char* what) {
  if (!good) throw std::runtime_error(what);
}

owned_key make_key(bool is_rsa) {
  owned_key key(is_rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
  need(key != nullptr, "no key");
  return key;
}

void add(X509* to, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  X509_EXTENSION* one = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  need(one != nullptr && X509_add_ext(to, one, -1) == 1, "no extension");
  X509_EXTENSION_free(one);
}

/// An SCT list is what fills the leaves of public CAs; no library looks into it.
void add_filler(X509* to, std::size_t bytes) {
  std::vector<unsigned char> text(bytes, 0x5a);
  ASN1_OCTET_STRING* inner = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING* outer = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(inner, text.data(), static_cast<int>(text.size()));
  unsigned char* encoded = nullptr;
  const int size = i2d_ASN1_OCTET_STRING(inner, &encoded);
  ASN1_OCTET_STRING_set(outer, encoded, size);
  X509_EXTENSION* one = X509_EXTENSION_create_by_NID(nullptr, NID_ct_precert_scts, 0, outer);
  need(one != nullptr && X509_add_ext(to, one, -1) == 1, "no filler");
  X509_EXTENSION_free(one);
  OPENSSL_free(encoded);
  ASN1_OCTET_STRING_free(inner);
  ASN1_OCTET_STRING_free(outer);
}

owned_x509 begin(const char* common_name, X509* issuer, EVP_PKEY* key) {
  owned_x509 made(X509_new());
  need(X509_set_version(made.get(), X509_VERSION_3) == 1, "no version");
  std::vector<unsigned char> serial(16, 0x3c);
  BIGNUM* number = BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made.get()));
  BN_free(number);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -86'400);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 90 * 86'400);
  X509_NAME* name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>("Benchmarks"), -1, -1, 0);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
  X509_set_issuer_name(made.get(), issuer == nullptr ? name : X509_get_subject_name(issuer));
  X509_set_pubkey(made.get(), key);
  return made;
}

std::vector<std::uint8_t> der_of(X509* certificate) {
  unsigned char* out = nullptr;
  const int size = i2d_X509(certificate, &out);
  need(size > 0, "no DER");
  std::vector<std::uint8_t> copied(out, out + size);
  OPENSSL_free(out);
  return copied;
}

/// A root if there is no issuer.
owned_x509 make_authority(const char* name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
  owned_x509 made = begin(name, issuer, key);
  X509* above = issuer == nullptr ? made.get() : issuer;
  add(made.get(), above, NID_basic_constraints, "critical,CA:TRUE");
  add(made.get(), above, NID_key_usage, "critical,keyCertSign,cRLSign");
  add(made.get(), above, NID_subject_key_identifier, "hash");
  if (issuer != nullptr) add(made.get(), above, NID_authority_key_identifier, "keyid");
  need(X509_sign(made.get(), issuer_key, EVP_sha256()) > 0, "no signature");
  return made;
}

owned_x509 make_leaf(X509* issuer, EVP_PKEY* issuer_key, EVP_PKEY* key, std::size_t filler) {
  owned_x509 made = begin(host, issuer, key);
  X509* to = made.get();
  add(to, issuer, NID_key_usage, "critical,digitalSignature");
  add(to, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
  add(to, issuer, NID_basic_constraints, "critical,CA:FALSE");
  add(to, issuer, NID_subject_key_identifier, "hash");
  add(to, issuer, NID_authority_key_identifier, "keyid");
  add(to, issuer, NID_info_access,
      "OCSP;URI:http://ocsp.ca.example,caIssuers;URI:http://ca.example/one.der");
  add(to, issuer, NID_subject_alt_name,
      "DNS:edge.voice.example,DNS:sip.voice.example,URI:sip:voice.example");
  add_filler(to, filler);
  need(X509_sign(to, issuer_key, EVP_sha256()) > 0, "no signature");
  return made;
}

/// ECDSA signatures differ in size by chance: made again until the size is right.
owned_x509 make_leaf_of(std::size_t bytes, X509* issuer, EVP_PKEY* issuer_key, EVP_PKEY* key) {
  std::size_t filler = 150;
  for (int tries = 0; tries < 200; ++tries) {
    owned_x509 made = make_leaf(issuer, issuer_key, key, filler);
    const std::size_t size = der_of(made.get()).size();
    if (size == bytes) return made;
    const bool near = size < bytes ? bytes - size < 3 : size - bytes < 3;
    if (!near || tries % 20 == 19) filler = filler + bytes - size;
  }
  throw std::runtime_error("no leaf of this size");
}

/// Files of this process, removed at its end.
class directory {
 public:
  directory() {
    std::string text = (std::filesystem::temp_directory_path() / "bench-XXXXXX").string();
    need(mkdtemp(text.data()) != nullptr, "no directory");
    path_ = text;
  }
  directory(const directory&) = delete;
  directory& operator=(const directory&) = delete;
  ~directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

template <typename Write>
std::string write_file(const std::string& name, Write write) {
  static const directory here;
  const std::string path = here.file(name);
  const std::unique_ptr<std::FILE, freed_by<std::fclose>> out(std::fopen(path.c_str(), "w"));
  need(out != nullptr && write(out.get()) == 1, "no file");
  return path;
}

std::string hex_of(const cotter::sha256_digest& digest) {
  std::string out;
  for (const std::uint8_t octet : digest.octets) {
    out += "0123456789abcdef"[octet >> 4];
    out += "0123456789abcdef"[octet & 15];
  }
  return out;
}

std::string key_digest_base64(X509* certificate) {
  unsigned char* spki = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
  cotter::sha256_digest digest;
  need(size > 0 && EVP_Digest(spki, static_cast<std::size_t>(size), digest.octets.data(), nullptr,
                              EVP_sha256(), nullptr) == 1,
       "no digest");
  OPENSSL_free(spki);
  unsigned char text[45];
  EVP_EncodeBlock(text, digest.octets.data(), static_cast<int>(digest.octets.size()));
  return reinterpret_cast<const char*>(text);
}

leaf make(bool is_rsa, std::size_t bytes) {
  const owned_key anchor_key = make_key(is_rsa);
  const owned_key issuer_key = make_key(is_rsa);
  const owned_key key = make_key(is_rsa);
  const owned_x509 anchor =
      make_authority("Benchmark Root", anchor_key.get(), nullptr, anchor_key.get());
  const owned_x509 issuer =
      make_authority("Benchmark CA", issuer_key.get(), anchor.get(), anchor_key.get());
  const owned_x509 certificate = make_leaf_of(bytes, issuer.get(), issuer_key.get(), key.get());
  leaf made;
  made.name = is_rsa ? "rsa" : "p256";
  made.der = der_of(certificate.get());
  made.issuer_der = der_of(issuer.get());
  made.anchor_der = der_of(anchor.get());
  need(EVP_Digest(made.der.data(), made.der.size(), made.fingerprint.octets.data(), nullptr,
                  EVP_sha256(), nullptr) == 1,
       "no digest");
  made.fingerprint_hex = hex_of(made.fingerprint);
  made.key_base64 = key_digest_base64(certificate.get());
  made.chain_file = write_file(made.name + ".pem", [&](std::FILE* out) {
    return PEM_write_X509(out, certificate.get()) & PEM_write_X509(out, issuer.get());
  });
  made.anchor_file = write_file(made.name + "-ca.pem",
                                [&](std::FILE* out) { return PEM_write_X509(out, anchor.get()); });
  made.key_file = write_file(made.name + ".key", [&](std::FILE* out) {
    return PEM_write_PKCS8PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return made;
}

}  // namespace

const leaf& p256() {
  static const leaf made = make(false, 901);
  return made;
}

const leaf& rsa() {
  static const leaf made = make(true, 1727);
  return made;
}

}  // namespace bench_leaf
