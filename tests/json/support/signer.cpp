// SPDX-License-Identifier: BSL-1.0
#include "signer.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <stdexcept>

namespace lab {

namespace {

void demand(bool good) {
  if (!good) throw std::runtime_error("OpenSSL cannot make the tests' keys");
}

EVP_PKEY* native(const std::shared_ptr<void>& key) { return static_cast<EVP_PKEY*>(key.get()); }

EVP_PKEY* make(signer::algorithm of) {
  switch (of) {
    case signer::algorithm::ed25519: return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    case signer::algorithm::rsa: return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{2048});
    default: return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  }
}

}  // namespace

signer::signer(algorithm of)
    : key_(make(of), [](void* key) { EVP_PKEY_free(static_cast<EVP_PKEY*>(key)); }) {
  demand(key_ != nullptr);
  if (of == algorithm::p256_compressed) {
    demand(EVP_PKEY_set_utf8_string_param(native(key_), "point-format", "compressed") == 1);
  }
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(native(key_), &der);
  demand(size > 0);
  spki_.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
}

std::string signer::pem() const {
  BIO* out = BIO_new(BIO_s_mem());
  demand(out != nullptr && PEM_write_bio_PUBKEY(out, native(key_)) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(out);
  return pem;
}

std::string signer::sign(std::string_view message) const {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool own_digest = EVP_PKEY_is_a(native(key_), "ED25519") == 1;
  demand(EVP_DigestSignInit(context, nullptr, own_digest ? nullptr : EVP_sha256(), nullptr,
                            native(key_)) == 1);
  const auto* octets = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  demand(EVP_DigestSign(context, nullptr, &size, octets, message.size()) == 1);
  std::string signature(size, '\0');
  demand(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, octets,
                        message.size()) == 1);
  signature.resize(size);
  EVP_MD_CTX_free(context);
  return signature;
}

}  // namespace lab
