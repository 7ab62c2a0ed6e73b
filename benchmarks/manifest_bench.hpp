// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/json/signed_manifest.hpp>
#include <cotter/json/trusted_keys.hpp>
#include <cotter/json/verify.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// What the arms of manifest_bench.cpp share; one translation unit for each TLS library.
namespace manifest_bench {

namespace json = cotter::json;

inline constexpr std::size_t sizes[] = {1, 100, 10'000};

/// A signed manifest of so many targets, each with a primary and a fallback pin.
struct document {
  std::string payload{};
  std::string envelope{};
  std::string key{};      ///< SubjectPublicKeyInfo
  std::string message{};  ///< what is signed
  std::string signature{};
};
const document& signed_document(cotter::signature_scheme scheme, std::size_t targets);
std::string host_of(std::size_t index);
cotter::instant today();

template <typename V>
json::trusted_keys keys_of(const document& one, cotter::signature_scheme scheme) {
  std::vector<json::public_key> keys{{"release", scheme, one.key}};
  return *json::trusted_keys::from_public_keys<V>(std::move(keys));
}

/// The TLS library's part of `verify`: the key's octets read, the message hashed, the signature.
template <typename V>
void signature(benchmark::State& state, cotter::signature_scheme scheme, std::size_t targets) {
  const document& one = signed_document(scheme, targets);
  const auto octets = [](const std::string& text) {
    return cotter::bytes_view(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  };
  for (auto _ : state) {
    if (!V::verify(scheme, octets(one.key), octets(one.message), octets(one.signature))) {
      state.SkipWithError("not verified");
    }
  }
}

/// Envelope, signature and digest: what is done before the payload is looked at.
template <typename V>
void verify(benchmark::State& state, cotter::signature_scheme scheme, std::size_t targets) {
  const document& one = signed_document(scheme, targets);
  const json::trusted_keys keys = keys_of<V>(one, scheme);
  for (auto _ : state) {
    const auto verified = json::verify<V>(one.envelope, json::role::manifest, keys, today());
    if (!verified || verified->octets() != one.payload) state.SkipWithError("not verified");
  }
}

/// Everything from the file's octets to pins in force.
template <typename V>
void reload(benchmark::State& state, cotter::signature_scheme scheme, std::size_t targets) {
  const document& one = signed_document(scheme, targets);
  json::signed_manifest<V> held(keys_of<V>(one, scheme));
  for (auto _ : state) {
    if (!held.reload(one.envelope, today())) state.SkipWithError("not taken");
  }
  if (held.document() == nullptr || held.document()->targets.size() != targets ||
      !held.find({host_of(targets - 1), 443}, {})) {
    state.SkipWithError("not in force");
  }
  std::string forged = one.envelope;
  forged[forged.find("\"payload\"") + 40] ^= 1;
  if (held.reload(forged, today())) state.SkipWithError("a forged manifest was taken");
}

template <typename V>
void add(const std::string& library) {
  using scheme = cotter::signature_scheme;
  for (const std::size_t targets : sizes) {
    const std::string many = "/" + std::to_string(targets);
    benchmark::RegisterBenchmark((library + "/signature" + many).c_str(), signature<V>,
                                 scheme::ecdsa_p256_sha256, targets);
    benchmark::RegisterBenchmark((library + "/verify" + many).c_str(), verify<V>,
                                 scheme::ecdsa_p256_sha256, targets);
    benchmark::RegisterBenchmark((library + "/reload" + many).c_str(), reload<V>,
                                 scheme::ecdsa_p256_sha256, targets);
    if (!V::supports(scheme::ed25519)) continue;
    benchmark::RegisterBenchmark((library + "/signature, Ed25519" + many).c_str(), signature<V>,
                                 scheme::ed25519, targets);
    benchmark::RegisterBenchmark((library + "/verify, Ed25519" + many).c_str(), verify<V>,
                                 scheme::ed25519, targets);
  }
}

void add_openssl();
void add_wolfssl();
void add_mbedtls();

}  // namespace manifest_bench
