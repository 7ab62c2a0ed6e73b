// SPDX-License-Identifier: BSL-1.0
#include "trial.hpp"

#include <support/catch.hpp>
#include <vectors/vectors_file.hpp>

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

using agreement::answer;
using nlohmann::json;

const vectors_file::file& file() {
  static const vectors_file::file read = vectors_file::read(COTTER_TEST_VECTORS "/vectors.json");
  return read;
}

const std::vector<agreement::backend>& backends() {
  static const std::vector<agreement::backend> all = [] {
    std::vector<agreement::backend> made;
#ifdef COTTER_TEST_OPENSSL
    made.push_back(agreement::openssl());
#endif
#ifdef COTTER_TEST_WOLFSSL
    made.push_back(agreement::wolfssl());
#endif
#ifdef COTTER_TEST_MBEDTLS
    made.push_back(agreement::mbedtls());
#endif
    return made;
  }();
  return all;
}

std::string to_string(int version) { return version == 0x0303 ? "1.2" : "1.3"; }

std::string as_pem(const vectors_file::octets& der) {
  std::vector<unsigned char> text(der.size() * 4 / 3 + 8);
  EVP_EncodeBlock(text.data(), der.data(), static_cast<int>(der.size()));
  const std::string base64(reinterpret_cast<const char*>(text.data()));
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < base64.size(); at += 64) pem += base64.substr(at, 64) + "\n";
  return pem + "-----END CERTIFICATE-----\n";
}

const vectors_file::vector& sound(const std::string& key) {
  static const std::map<std::string, const vectors_file::vector*> all = [] {
    std::map<std::string, const vectors_file::vector*> found;
    for (const auto& each : file().vectors) {
      if (each.name == each.key + "/sound") found[each.key] = &each;
    }
    return found;
  }();
  return *all.at(key);
}

/// What is pinned: form C of the vector; or, where it has none, what a careless client could take
/// for it: the octets as they are, and the sound leaf that they were made from.
std::vector<std::string> pins(const vectors_file::vector& vector) {
  if (vector.refused.empty()) return {"cert-sha256:" + vector.form_c_sha256};
  return {"cert-sha256:" + vectors_file::sha256_hex(vector.der),
          "cert-sha256:" + sound(vector.key).form_c_sha256};
}

struct trial {
  const vectors_file::vector* vector;
  const agreement::backend* backend;
  int version;
  answer given;
};

agreement::question question_about(const vectors_file::vector& vector) {
  agreement::question asked;
  asked.host = file().host;
  asked.anchors_pem = as_pem(file().anchors.at(vector.key));
  asked.pins = pins(vector);
  asked.leaf = vector.der;
  asked.sound_leaf = sound(vector.key).der;
  asked.key_pkcs8 = file().keys_pkcs8.at(vector.key);
  for (std::size_t depth = vector.intermediates; depth > 0; --depth) {
    asked.intermediates.push_back(file().intermediates.at(depth - 1));
  }
  return asked;
}

/// Every vector with every backend and version: some thousands of handshakes, once per process.
const std::vector<trial>& trials() {
  static const std::vector<trial> all = [] {
    std::vector<trial> made;
    for (const auto& vector : file().vectors) {
      agreement::question asked = question_about(vector);
      for (const auto& backend : backends()) {
        for (const int version : backend.versions) {
          asked.version = version;
          made.push_back({&vector, &backend, version, backend.ask(asked)});
        }
      }
    }
    return made;
  }();
  return all;
}

std::string describe(const trial& one) {
  return one.vector->name + " " + one.backend->name + " TLS " + to_string(one.version) + ": " +
         one.given.reason + " " + one.given.detail + " " + std::to_string(one.given.native);
}

std::string slug(const vectors_file::vector& vector) {
  return vector.name.substr(vector.name.find('/') + 1);
}

/// `*/slug` stands for every kind of key, `key/*` for every vector of it.
bool matches(const std::string& pattern, const vectors_file::vector& vector) {
  if (pattern.starts_with("*/")) return slug(vector) == pattern.substr(2);
  if (pattern.ends_with("/*")) return vector.key + "/*" == pattern;
  return vector.name == pattern;
}

}  // namespace

// The page of divergences and the message of a failure are made from this.
TEST_CASE("Every handshake is written down") {
  std::ofstream out(COTTER_TEST_RESULTS);
  for (const auto& backend : backends()) {
    out << json{{"backend", backend.name},
                {"build", backend.build},
                {"versions",
                 [&] {
                   json versions = json::array();
                   for (const int each : backend.versions) versions.push_back(to_string(each));
                   return versions;
                 }()}}
        << "\n";
  }
  for (const auto& vector : file().vectors) {
    json exported = json::object();
    for (const auto& backend : backends()) exported[backend.name] = backend.exported(vector.der);
    out << json{{"vector", vector.name},
                {"form_c_sha256", vector.form_c_sha256},
                {"refused", vector.refused},
                {"raw_sha256", vectors_file::sha256_hex(vector.der)},
                {"exported", exported}}
        << "\n";
  }
  for (const trial& one : trials()) {
    out << json{{"vector", one.vector->name},        {"backend", one.backend->name},
                {"version", to_string(one.version)}, {"accepted", one.given.accepted},
                {"reason", one.given.reason},        {"detail", one.given.detail},
                {"native", one.given.native},        {"fingerprint", one.given.fingerprint}}
        << "\n";
  }
  CHECK(out.flush());
  CHECK(trials().size() >= file().vectors.size() * backends().size());
}

TEST_CASE("Whichever backend sees a leaf, its fingerprint is form C's") {
  std::size_t seen = 0;
  for (const trial& one : trials()) {
    if (one.given.fingerprint.empty()) continue;
    INFO(describe(one));
    CHECK(one.given.fingerprint == one.vector->form_c_sha256);
    ++seen;
  }
  CHECK(seen > 1000);
}

TEST_CASE("No backend accepts what form C refuses") {
  std::size_t seen = 0;
  for (const trial& one : trials()) {
    if (one.vector->refused.empty()) continue;
    INFO(describe(one));
    CHECK_FALSE(one.given.accepted);
    CHECK_FALSE(one.given.server_finished);
    ++seen;
  }
  CHECK(seen > 500);
}

// mbedTLS reads BER where RFC 3279 2.2.3 wants DER: the same two numbers, which do hold.
TEST_CASE("No backend accepts a signature that does not hold") {
  static const std::set<std::string> spelled_in_ber{"ecdsa-r-padded", "ecdsa-r-length-long",
                                                    "ecdsa-value-length-long"};
  for (const trial& one : trials()) {
    if (one.vector->signature_valid ||
        (one.backend->name == "mbedtls" && spelled_in_ber.contains(slug(*one.vector)))) {
      continue;
    }
    INFO(describe(one));
    CHECK_FALSE(one.given.accepted);
  }
}

TEST_CASE("The server gets Finished if and only if the client accepts") {
  for (const trial& one : trials()) {
    INFO(describe(one));
    CHECK(one.given.accepted == one.given.server_finished);
  }
}

TEST_CASE("A leaf that is pinned by form C is never called a mismatch") {
  for (const trial& one : trials()) {
    INFO(describe(one));
    CHECK(one.given.reason != "pin_mismatch");
    CHECK(one.given.accepted == (one.given.reason == "none"));
  }
}

TEST_CASE("Every backend accepts the sound leaf of every key that it knows") {
  for (const trial& one : trials()) {
    if (!one.vector->name.ends_with("/sound")) continue;
    if (one.backend->name == "mbedtls" && one.vector->key == "ed25519") continue;  // has none
    INFO(describe(one));
    CHECK(one.given.accepted);
  }
}

TEST_CASE("Where one backend accepts and another refuses, it is known why, and until when") {
  const json known = vectors_file::parse(COTTER_TEST_AGREEMENT "/divergences.json");
  for (const auto& [name, build] : known.at("judged").items()) {
    bool runs = false;
    for (const auto& backend : backends()) {
      runs = runs || (backend.name == name && backend.build.starts_with(build.get<std::string>()));
    }
    if (!runs) {
      WARN("the known divergences are those of " << build << ", which does not run here");
      return;
    }
  }

  std::set<const vectors_file::vector*> accepted_somewhere;
  for (const trial& one : trials()) {
    if (one.given.accepted) accepted_somewhere.insert(one.vector);
  }
  struct claim {
    std::string backend;
    std::string pattern;
    std::set<std::string> versions;
    std::size_t divergences = 0;
  };
  std::vector<claim> claims;
  for (const auto& entry : known.at("divergences")) {
    CHECK_FALSE(entry.at("because").get<std::string>().empty());
    CHECK_FALSE(entry.at("until").get<std::string>().empty());
    for (const auto& pattern : entry.at("vectors")) {
      claims.push_back({entry.at("backend").get<std::string>(), pattern.get<std::string>(),
                        entry.value("versions", std::set<std::string>{"1.2", "1.3"})});
    }
  }
  for (const trial& one : trials()) {
    bool claimed = false;
    for (claim& each : claims) {
      if (each.backend != one.backend->name || !each.versions.contains(to_string(one.version)) ||
          !matches(each.pattern, *one.vector)) {
        continue;
      }
      claimed = true;
      if (one.given.accepted) FAIL_CHECK("a known divergence is gone: " << describe(one));
      if (accepted_somewhere.contains(one.vector)) ++each.divergences;
    }
    if (!one.given.accepted && !claimed && accepted_somewhere.contains(one.vector)) {
      FAIL_CHECK("not known: " << describe(one));
    }
  }
  for (const claim& each : claims) {
    if (each.divergences == 0) {
      FAIL_CHECK("a known divergence is gone: " << each.backend << " " << each.pattern);
    }
  }
}

#ifdef COTTER_TEST_OPENSSL
TEST_CASE("OpenSSL without the octets as sent accepts nothing, not even what is pinned") {
  // i2d_X509 would give the pin of form C, and also mend what form C refuses: a signature in pieces.
  const agreement::backend backend = agreement::openssl_without_raw_octets();
  std::size_t asked_about = 0;
  for (const auto& vector : file().vectors) {
    agreement::question asked = question_about(vector);
    for (const int version : backend.versions) {
      asked.version = version;
      const answer given = backend.ask(asked);
      INFO(vector.name << " TLS " << to_string(version) << ": " << given.reason);
      CHECK_FALSE(given.accepted);
      CHECK_FALSE(given.server_finished);
      ++asked_about;
    }
  }
  CHECK(asked_about > 500);
}
#endif
