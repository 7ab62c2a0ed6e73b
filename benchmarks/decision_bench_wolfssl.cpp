// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "decision_bench.hpp"

#include <wolfssl/openssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace decision_bench {

namespace {

/// A leaf as wolfSSL's hook has it: the octets of the message; and the X509 that is made for
/// programs that want one.
struct live {
  explicit live(const bench_leaf::leaf& from) : leaf(&from) {
    x509 = wolfSSL_X509_d2i(nullptr, from.der.data(), static_cast<int>(from.der.size()));
    if (x509 == nullptr) throw std::runtime_error("not parsed");
    chain.buffer = const_cast<unsigned char*>(from.der.data());  // NOLINT(*-const-cast): its type
    chain.length = static_cast<unsigned>(from.der.size());
  }
  const bench_leaf::leaf* leaf;
  WOLFSSL_X509* x509;
  WOLFSSL_BUFFER_INFO chain{};
};

void own_sha256(benchmark::State& state, const live& held) {
  std::array<wc_Sha256, batch> contexts;
  bool good = true;
  measure(
      state, [&](std::size_t i) { good = wc_InitSha256(&contexts[i]) == 0 && good; },
      [&](std::size_t i) {
        cotter::sha256_digest digest;
        good = wc_Sha256Update(&contexts[i], held.leaf->der.data(),
                               static_cast<word32>(held.leaf->der.size())) == 0 &&
               wc_Sha256Final(&contexts[i], digest.octets.data()) == 0 && good;
        benchmark::DoNotOptimize(digest);
      });
  if (!good) state.SkipWithError("no digest");
}

void x509_digest(benchmark::State& state, const live& held) {
  bool good = true;
  measure(state, [&] {
    std::array<std::uint8_t, 32> digest;
    unsigned size = 0;
    good = wolfSSL_X509_digest(held.x509, wolfSSL_EVP_sha256(), digest.data(), &size) ==
               WOLFSSL_SUCCESS &&
           std::memcmp(digest.data(), held.leaf->fingerprint.octets.data(), 32) == 0 && good;
  });
  if (!good) state.SkipWithError("not accepted");
}

void usual_snippet(benchmark::State& state, const live& held) {
  bool good = true;
  measure(state, [&] {
    std::array<std::uint8_t, 32> digest;
    int size = 0;
    const unsigned char* der = wolfSSL_X509_get_der(held.x509, &size);
    good = wc_Sha256Hash(der, static_cast<word32>(size), digest.data()) == 0 && good;
    char text[65];
    write_hex(digest, text);
    good = std::strcmp(text, held.leaf->fingerprint_hex.c_str()) == 0 && good;
  });
  if (!good) state.SkipWithError("not accepted");
}

void d2i(benchmark::State& state, const live& held) {
  bool good = true;
  measure(state, [&] {
    WOLFSSL_X509* parsed =
        wolfSSL_X509_d2i(nullptr, held.leaf->der.data(), static_cast<int>(held.leaf->der.size()));
    good = parsed != nullptr && good;
    wolfSSL_X509_free(parsed);
  });
  if (!good) state.SkipWithError("not parsed");
}

void parse_cert(benchmark::State& state, const live& held) {
  bool good = true;
  measure(state, [&] {
    DecodedCert parsed;
    wc_InitDecodedCert(&parsed, held.leaf->der.data(), static_cast<word32>(held.leaf->der.size()),
                       nullptr);
    good = wc_ParseCert(&parsed, CERT_TYPE, NO_VERIFY, nullptr) == 0 && good;
    wc_FreeDecodedCert(&parsed);
  });
  if (!good) state.SkipWithError("not parsed");
}

}  // namespace

void add_wolfssl(const bench_leaf::leaf& leaf) {
  static std::vector<std::unique_ptr<live>> all;
  const live* held = all.emplace_back(std::make_unique<live>(leaf)).get();
  const std::string suffix = "/wolfssl/" + leaf.name;

  add("sha256" + suffix, [held](benchmark::State& state) { own_sha256(state, *held); });
  add_decisions<cotter::backends::wolfssl>(leaf, [held](auto give) {
    give(cotter::bytes_view(held->chain.buffer, held->chain.length));
  });
  add("x509_digest" + suffix, [held](benchmark::State& state) { x509_digest(state, *held); });
  add("snippet" + suffix, [held](benchmark::State& state) { usual_snippet(state, *held); });
  add("d2i" + suffix, [held](benchmark::State& state) { d2i(state, *held); });
  add("parse" + suffix, [held](benchmark::State& state) { parse_cert(state, *held); });
}

}  // namespace decision_bench
