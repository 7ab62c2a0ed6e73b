// SPDX-License-Identifier: BSL-1.0
#include "signing.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace cotter::command {

namespace {

using owned_bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using owned_context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

std::optional<problem> signing_key::load(const std::string& file) {
  const owned_bio in(BIO_new_file(file.c_str(), "r"), &BIO_free);
  std::FILE* opened = nullptr;
  struct stat about {};
  // The file that is open is the one that is looked at.
  if (in == nullptr || BIO_ctrl(in.get(), BIO_C_GET_FILE_PTR, 0, &opened) != 1 ||
      ::fstat(::fileno(opened), &about) != 0) {
    ERR_clear_error();
    return describe(errc::unreadable, file + ": " + std::strerror(errno));
  }
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    problem p = describe(errc::unfit_credentials, "others may read the signing key");
    p.expected = "a key file that its owner alone can read";
    p.action = "chmod 600 it; if others may have read it, replace the key";
    return p;
  }
  key_.reset(PEM_read_bio_PrivateKey(in.get(), nullptr, &no_passphrase, nullptr), &EVP_PKEY_free);
  ERR_clear_error();
  if (key_ == nullptr) {
    problem p = describe(errc::unfit_credentials, "no private key without a passphrase");
    p.expected = "a PEM private key, ECDSA P-256 or Ed25519";
    p.action = "check --key; for a key in a KMS or HSM, `sign --print` and `attach`";
    return p;
  }
  char group[32]{};
  std::size_t size = 0;
  if (EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_ED25519) {
    scheme_ = signature_scheme::ed25519;
  } else if (EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_EC &&
             EVP_PKEY_get_group_name(key_.get(), group, sizeof group, &size) == 1 &&
             std::string_view(group) == "prime256v1") {
    scheme_ = signature_scheme::ecdsa_p256_sha256;
  } else {
    key_.reset();
    return describe(errc::unsupported_key);
  }
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key_.get(), &der);
  if (length > 0) public_key_.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return length > 0 ? std::nullopt : std::optional(describe(errc::out_of_memory));
}

std::string signing_key::sign(std::string_view message) const {
  const owned_context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const EVP_MD* digest = scheme_ == signature_scheme::ed25519 ? nullptr : EVP_sha256();
  const auto* octets = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  std::string out;
  if (context != nullptr &&
      EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_.get()) == 1 &&
      EVP_DigestSign(context.get(), nullptr, &size, octets, message.size()) == 1) {
    out.resize(size);
    if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, octets,
                       message.size()) == 1) {
      out.resize(size);
    } else {
      out.clear();
    }
  }
  ERR_clear_error();
  return out;
}

}  // namespace cotter::command
