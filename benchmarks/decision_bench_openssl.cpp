// SPDX-License-Identifier: BSL-1.0
#define OPENSSL_SUPPRESS_DEPRECATED  // S is measured on the plain context that programs still use

#include <cotter/backends/openssl.hpp>

#include "decision_bench.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace decision_bench {

namespace {

template <auto Free>
struct freed_by {
  template <typename T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};
template <typename T, auto Free>
using owned = std::unique_ptr<T, freed_by<Free>>;
using owned_x509 = owned<X509, X509_free>;
struct freed_stack {
  void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_free(stack); }
};

owned_x509 parse(const std::vector<std::uint8_t>& der) {
  const unsigned char* at = der.data();
  owned_x509 found(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!found) throw std::runtime_error("not parsed");
  return found;
}

/// A leaf as OpenSSL's hooks have it, with what is needed to verify it. Lives as long as the process.
struct live {
  explicit live(const bench_leaf::leaf& from)
      : leaf(&from),
        certificate(parse(from.der)),
        issuer(parse(from.issuer_der)),
        above(sk_X509_new_null()),
        store(X509_STORE_new()) {
    const owned_x509 anchor = parse(from.anchor_der);
    if (X509_STORE_add_cert(store.get(), anchor.get()) != 1) throw std::runtime_error("no store");
    if (sk_X509_push(above.get(), issuer.get()) != 1) throw std::runtime_error("no chain");
    X509_check_purpose(certificate.get(), -1, 0);  // what a handshake has cached by then
  }
  const bench_leaf::leaf* leaf;
  owned_x509 certificate;
  owned_x509 issuer;
  std::unique_ptr<STACK_OF(X509), freed_stack> above;  // borrows
  owned<X509_STORE, X509_STORE_free> store;
};

void plain_sha256(benchmark::State& state, const live& held) {
  std::array<SHA256_CTX, batch> contexts;
  int done = 1;
  measure(
      state, [&](std::size_t i) { done &= SHA256_Init(&contexts[i]); },
      [&](std::size_t i) {
        cotter::sha256_digest digest;
        done &= SHA256_Update(&contexts[i], held.leaf->der.data(), held.leaf->der.size());
        done &= SHA256_Final(digest.octets.data(), &contexts[i]);
        benchmark::DoNotOptimize(digest);
      });
  if (done != 1) state.SkipWithError("no digest");
}

void x509_digest(benchmark::State& state, const live& held) {
  bool good = true;
  measure(state, [&] {
    std::array<std::uint8_t, 32> digest;
    good = X509_digest(held.certificate.get(), EVP_sha256(), digest.data(), nullptr) == 1 &&
           CRYPTO_memcmp(digest.data(), held.leaf->fingerprint.octets.data(), 32) == 0 && good;
  });
  if (!good) state.SkipWithError("not accepted");
}

/// What is found in programs everywhere.
bool snippet(X509* certificate, const char* pinned_hex) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size < 0) return false;
  std::array<std::uint8_t, 32> digest;
  SHA256(der, static_cast<std::size_t>(size), digest.data());
  OPENSSL_free(der);
  char text[65];
  write_hex(digest, text);
  return std::strcmp(text, pinned_hex) == 0;
}

void usual_snippet(benchmark::State& state, const live& held) {
  bool good = true;
  measure(state, [&] {
    good = snippet(held.certificate.get(), held.leaf->fingerprint_hex.c_str()) && good;
  });
  if (!good) state.SkipWithError("not accepted");
}

/// As curl does with sha256//: SubjectPublicKeyInfo, digest, base64, text compared.
bool spki(X509* certificate, const char* pinned_base64) {
  X509_PUBKEY* key = X509_get_X509_PUBKEY(certificate);
  const int size = i2d_X509_PUBKEY(key, nullptr);
  if (size < 1) return false;
  auto* der = static_cast<unsigned char*>(OPENSSL_malloc(static_cast<std::size_t>(size)));
  unsigned char* at = der;
  bool same = i2d_X509_PUBKEY(key, &at) == size;
  std::array<std::uint8_t, 32> digest;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  same = same && EVP_DigestInit(context, EVP_sha256()) == 1 &&
         EVP_DigestUpdate(context, der, static_cast<std::size_t>(size)) == 1 &&
         EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1;
  EVP_MD_CTX_free(context);
  OPENSSL_free(der);
  unsigned char text[45];
  EVP_EncodeBlock(text, digest.data(), static_cast<int>(digest.size()));
  return same && std::strcmp(reinterpret_cast<const char*>(text), pinned_base64) == 0;
}

void spki_like_curl(benchmark::State& state, const live& held) {
  bool good = true;
  measure(state,
          [&] { good = spki(held.certificate.get(), held.leaf->key_base64.c_str()) && good; });
  if (!good) state.SkipWithError("not accepted");
}

/// The whole of X509_verify_cert under a TLSA record; usage 0 for none.
void verify(benchmark::State& state, const live& held, std::uint8_t usage, std::uint8_t selector) {
  const owned<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_dane_enable(context.get());
  const owned<SSL, SSL_free> ssl(SSL_new(context.get()));
  std::array<std::uint8_t, 32> wanted{};
  if (selector == 0) {
    wanted = held.leaf->fingerprint.octets;
  } else {
    unsigned char* der = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(held.certificate.get()), &der);
    EVP_Digest(der, static_cast<std::size_t>(size), wanted.data(), nullptr, EVP_sha256(), nullptr);
    OPENSSL_free(der);
  }
  bool good = SSL_dane_enable(ssl.get(), bench_leaf::host) > 0;
  if (usage != 0) {
    good = SSL_dane_tlsa_add(ssl.get(), usage, selector, 1, wanted.data(), wanted.size()) == 1;
  }
  measure(state, [&] {
    X509_STORE_CTX* store = X509_STORE_CTX_new();
    good = X509_STORE_CTX_init(store, held.store.get(), held.certificate.get(), held.above.get()) ==
               1 &&
           good;
    X509_STORE_CTX_set_default(store, "ssl_server");
    if (usage != 0) X509_STORE_CTX_set0_dane(store, SSL_get0_dane(ssl.get()));
    good = X509_verify_cert(store) == 1 && good;
    X509_STORE_CTX_free(store);
  });
  if (!good) state.SkipWithError("not accepted");
}

void d2i(benchmark::State& state, const live& held) {
  bool good = true;
  measure(state, [&] {
    const unsigned char* at = held.leaf->der.data();
    X509* parsed = d2i_X509(nullptr, &at, static_cast<long>(held.leaf->der.size()));
    good = parsed != nullptr && good;
    X509_free(parsed);
  });
  if (!good) state.SkipWithError("not parsed");
}

}  // namespace

void add_openssl(const bench_leaf::leaf& leaf) {
  static std::vector<std::unique_ptr<live>> all;
  const live* held = all.emplace_back(std::make_unique<live>(leaf)).get();
  const std::string suffix = "/openssl/" + leaf.name;

  for (const char* name : {"S/", "S_again/"}) {
    add(name + leaf.name, [held](benchmark::State& state) { plain_sha256(state, *held); });
  }
  add("form/" + leaf.name, [held](benchmark::State& state) {
    measure(state, [&] {
      const auto form = cotter::read_form(held->leaf->der);
      std::size_t bytes = 0;
      cotter::write_form(*form, [&bytes](cotter::bytes_view piece) noexcept {
        benchmark::DoNotOptimize(piece.data());
        bytes += piece.size();
      });
      benchmark::DoNotOptimize(bytes);
    });
  });
  // The hook has the Certificate message itself.
  add_decisions<cotter::backends::openssl>(leaf, [held](auto give) { give(held->leaf->der); });
  // Where there is an X509 only.
  add("decision_i2d" + suffix, [held](benchmark::State& state) {
    const cotter::pin pin = pin_of(*held->leaf);
    cotter::owned_pin_set pins;
    static_cast<void>(pins.add(whom, {&pin, 1}));
    cotter::guard guard(std::move(pins), patient_breaker(), cotter::embedded_manifest{},
                        cotter::null_audit_sink{});
    decide<decltype(guard), cotter::backends::openssl>(state, guard, [held](auto give) {
      std::array<std::uint8_t, 4096> room;
      unsigned char* at = room.data();
      const int size = i2d_X509(held->certificate.get(), &at);
      if (size > 0) give(cotter::bytes_view(room.data(), static_cast<std::size_t>(size)));
    });
  });
  add("x509_digest/" + leaf.name, [held](benchmark::State& state) { x509_digest(state, *held); });
  add("snippet/" + leaf.name, [held](benchmark::State& state) { usual_snippet(state, *held); });
  add("spki/" + leaf.name, [held](benchmark::State& state) { spki_like_curl(state, *held); });
  add("verify/" + leaf.name, [held](benchmark::State& state) { verify(state, *held, 0, 0); });
  add("dane_1_0_1/" + leaf.name, [held](benchmark::State& state) { verify(state, *held, 1, 0); });
  add("dane_3_0_1/" + leaf.name, [held](benchmark::State& state) { verify(state, *held, 3, 0); });
  add("dane_3_1_1/" + leaf.name, [held](benchmark::State& state) { verify(state, *held, 3, 1); });
  add("parse" + suffix, [held](benchmark::State& state) { d2i(state, *held); });
}

}  // namespace decision_bench
