// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/verifier.hpp>

#include <support/catch.hpp>
#include <support/laws.hpp>

#include "verifier_cases.hpp"
#include "verifier_vectors.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace cotter;

namespace {

/// The published signatures, verified by comparison with them, with something wrong beside.
enum class fault {
  none,
  believes_everything,
  ignores_the_message,
  ignores_the_key,
  forgives_what_follows,
  forgives_a_short_key,
  forgives_spelling,
  says_bad_signature_only,
  lacks_p256,
  claims_every_scheme,
  lacks_what_it_claims,
};

bool same(bytes_view a, bytes_view b) {
  return std::vector<std::uint8_t>(a.begin(), a.end()) ==
         std::vector<std::uint8_t>(b.begin(), b.end());
}

template <fault Fault>
struct rehearsed_verifier {
  static bool supports(signature_scheme scheme) noexcept {
    if (Fault == fault::lacks_p256) return scheme == signature_scheme::ed25519;
    if (Fault == fault::claims_every_scheme) return true;
    return scheme == signature_scheme::ecdsa_p256_sha256 || scheme == signature_scheme::ed25519;
  }
  static result<void> verify(signature_scheme scheme, bytes_view key, bytes_view message,
                             bytes_view signature) noexcept {
    if (Fault == fault::believes_everything) return {};
    if (!supports(scheme)) return errc::unsupported_key;
    const bool p256 = scheme == signature_scheme::ecdsa_p256_sha256;
    const auto& known = testing::detail::law_signatures[p256 ? 0 : 1];
    if (Fault == fault::lacks_what_it_claims && !p256) return errc::unsupported_key;
    if (Fault == fault::forgives_what_follows && signature.size() > known.signature.size()) {
      signature = signature.first(known.signature.size());
    }
    if (Fault == fault::forgives_a_short_key && key.size() + 1 == known.key.size()) {
      key = known.key;
    }
    if (Fault == fault::forgives_spelling && p256 && signature.size() > known.signature.size() &&
        signature[1] == 0x81) {
      signature = known.signature;
    }
    const result<void> encoded = check_signature_encoding(scheme, key, signature);
    if (!encoded) return Fault == fault::says_bad_signature_only ? errc::bad_signature : encoded;
    const bool good = (Fault == fault::ignores_the_key || same(key, known.key)) &&
                      (Fault == fault::ignores_the_message || same(message, known.message)) &&
                      same(signature, known.signature);
    return good ? result<void>() : errc::bad_signature;
  }
};

template <fault Fault>
testing::law_report report() {
  return testing::check_verifier_laws<rehearsed_verifier<Fault>>();
}

}  // namespace

TEST_CASE("the verifier suite finds a verifier that breaks any one law") {
  require_laws(report<fault::none>());
  CHECK(report<fault::believes_everything>().broken("V1"));
  CHECK(report<fault::believes_everything>().broken("V2"));
  require_broken(report<fault::ignores_the_message>(), "V1");
  require_broken(report<fault::ignores_the_key>(), "V1");
  require_broken(report<fault::forgives_what_follows>(), "V2");
  require_broken(report<fault::forgives_a_short_key>(), "V2");
  require_broken(report<fault::forgives_spelling>(), "V2");
  require_broken(report<fault::says_bad_signature_only>(), "V2");
  CHECK(report<fault::lacks_p256>().broken("V3"));
  require_broken(report<fault::claims_every_scheme>(), "V3");
  CHECK(report<fault::lacks_what_it_claims>().broken("V3"));
}

TEST_CASE("every library answers every signature alike, where it supports the scheme") {
  REQUIRE_FALSE(all_verifiers().empty());
  std::set<std::string_view> names;
  for (const auto& vector : verifier_vectors::all) {
    INFO(vector.name);
    CHECK(names.insert(vector.name).second);
    const auto key = from_hex(vector.key);
    const auto message = from_hex(vector.message);
    const auto signature = from_hex(vector.signature);
    for (const verifier_face& each : all_verifiers()) {
      INFO(each.name);
      const errc owed = each.supports(vector.scheme) ? vector.answer : errc::unsupported_key;
      CHECK(code(each.verify(vector.scheme, key, message, signature)) == code(owed));
      CHECK(code(each.verify_strictly(vector.scheme, key, message, signature)) == code(owed));
    }
  }
  CHECK(names.size() > 120);
}

TEST_CASE("a megabyte is verified to its last octet") {
  std::vector<std::uint8_t> message(1u << 20, 0x5a);
  const auto p256_key = from_hex(verifier_vectors::long_p256_key);
  const auto p256_signature = from_hex(verifier_vectors::long_p256_signature);
  const auto ed25519_key = from_hex(verifier_vectors::long_ed25519_key);
  const auto ed25519_signature = from_hex(verifier_vectors::long_ed25519_signature);
  for (const verifier_face& each : all_verifiers()) {
    INFO(each.name);
    const bool has_ed25519 = each.supports(signature_scheme::ed25519);
    for (const errc good : {errc::ok, errc::bad_signature}) {
      CHECK(each.verify(signature_scheme::ecdsa_p256_sha256, p256_key, message, p256_signature) ==
            good);
      CHECK(each.verify(signature_scheme::ed25519, ed25519_key, message, ed25519_signature) ==
            (has_ed25519 ? good : errc::unsupported_key));
      message.back() ^= 1;
    }
  }
}

TEST_CASE("signatures are verified on several threads at once") {
  for (const verifier_face& each : all_verifiers()) {
    INFO(each.name);
    constexpr std::size_t threads = 4;
    std::vector<std::size_t> wrong(threads);
    std::vector<std::thread> running;
    for (std::size_t i = 0; i < threads; ++i) {
      running.emplace_back([&each, &mine = wrong[i]] {
        for (const auto& vector : verifier_vectors::all) {
          const errc owed = each.supports(vector.scheme) ? vector.answer : errc::unsupported_key;
          if (each.verify(vector.scheme, from_hex(vector.key), from_hex(vector.message),
                          from_hex(vector.signature)) != owed) {
            ++mine;
          }
        }
      });
    }
    for (std::thread& one : running) one.join();
    for (const std::size_t count : wrong) CHECK(count == 0);
  }
}
