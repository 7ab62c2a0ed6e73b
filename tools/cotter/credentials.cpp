// SPDX-License-Identifier: BSL-1.0
#include "credentials.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace cotter::command {

namespace {

int no_passphrase(char*, int, int, void*) { return -1; }

std::string_view fault(const std::string& certificate_file, const std::string& key_file) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> chain(BIO_new_file(certificate_file.c_str(), "r"),
                                                        &BIO_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> secret(BIO_new_file(key_file.c_str(), "r"),
                                                         &BIO_free);
  if (chain == nullptr || secret == nullptr) return "cannot be opened";
  const std::unique_ptr<X509, decltype(&X509_free)> leaf(
      PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr), &X509_free);
  if (leaf == nullptr) return "no certificate";
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(secret.get(), nullptr, &no_passphrase, nullptr), &EVP_PKEY_free);
  if (key == nullptr) return "no key that can be read without a passphrase";
  return X509_check_private_key(leaf.get(), key.get()) == 1 ? ""
                                                            : "certificate and key do not match";
}

}  // namespace

std::optional<problem> check_credentials(const std::string& certificate_file,
                                         const std::string& key_file) {
  const std::string_view found = fault(certificate_file, key_file);
  ERR_clear_error();
  if (found.empty()) return {};
  return describe(errc::unfit_credentials, found);
}

}  // namespace cotter::command
