// SPDX-License-Identifier: BSL-1.0
#include <cotter/json/key_set.hpp>

#include <cotter/backends/openssl.hpp>
#include <cotter/json/trusted_keys.hpp>

#include <json/support/documents.hpp>
#include <support/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace json = cotter::json;
using cotter::errc;
using lab::refused;
using library = cotter::backends::openssl;
using algorithm = lab::signer::algorithm;

namespace {

const lab::named_signer a{"a", lab::signer{}};
const lab::named_signer b{"b", lab::signer{}};
const lab::named_signer c{"c", lab::signer{algorithm::ed25519}};
const lab::named_signer d{"d", lab::signer{}};
const lab::named_signer e{"e", lab::signer{}};

lab::key_set_plan first_plan() {
  lab::key_set_plan plan;
  plan.keys = {&a, &b, &c};
  plan.key_set_role = {0, 1};
  plan.key_set_threshold = 2;
  plan.manifest_role = {1, 2};
  return plan;
}

std::string envelope_of(const lab::key_set_plan& plan,
                        const std::vector<const lab::named_signer*>& by) {
  return lab::signed_text(json::role::key_set, lab::key_set_text(plan), by);
}

json::trusted_keys first_keys() {
  return *json::trusted_keys::from_key_set<library>(envelope_of(first_plan(), {&a, &b}));
}

}  // namespace

TEST_CASE("a key set that was written reads as it was") {
  const auto read = json::read_key_set(lab::key_set_text(first_plan()));
  REQUIRE(read);
  CHECK(read->version == 1);
  CHECK(read->expires_at == lab::at("2030-01-01T00:00:00Z"));
  REQUIRE(read->keys.size() == 3);
  CHECK(read->keys[0].spki == a.key.spki());
  CHECK(read->keys[2].scheme == cotter::signature_scheme::ed25519);
  CHECK(read->of(json::role::key_set).threshold == 2);
  CHECK(read->of(json::role::manifest).keys == std::vector<std::size_t>{1, 2});
}

TEST_CASE("what is no key set says where it is none") {
  const std::string good = lab::key_set_text(first_plan());
  const auto read = [&](std::string_view before, std::string_view after) {
    return json::read_key_set(lab::with(good, before, after));
  };
  CHECK(refused(read("\"key-set\"", "\"manifest\""), errc::wrong_payload_type, "/_type"));
  CHECK(refused(read("\"version\": 1", "\"version\": 0"), errc::invalid_value, "/version"));
  CHECK(refused(read("\"version\": 1", "\"version\": 8388608"), errc::invalid_value, "/version"));
  CHECK(refused(read("\"version\": 1", "\"version\": 1.0"), errc::wrong_type, "/version"));
  CHECK(refused(read("2030-01-01T00:00:00Z", "2030-01-01"), errc::invalid_timestamp, "/expires"));
  CHECK(refused(read("2030-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), errc::invalid_value,
                "/expires"));
  CHECK(refused(read("\"issuedAt\"", "\"issued\""), errc::missing_key, "/issuedAt"));
  CHECK(refused(read("\"ed25519\"", "\"ed448\""), errc::unsupported_key, "/keys/c/scheme"));
  CHECK(read("\"ed25519\"", "\"ed448\"").error().suggestion == "ed25519");
  CHECK(refused(read(json::encode_base64(b.key.spki()), json::encode_base64(a.key.spki())),
                errc::duplicate_key, "/keys/b/public"));
  const lab::signer rsa{algorithm::rsa};
  const lab::signer compressed{algorithm::p256_compressed};
  for (const std::string& other : {rsa.spki(), compressed.spki(), a.key.spki() + '\0',
                                   a.key.spki().substr(0, 90), std::string()}) {
    CHECK(refused(read(json::encode_base64(b.key.spki()), json::encode_base64(other)),
                  errc::unsupported_key, "/keys/b/public"));
  }
  CHECK(refused(read(json::encode_base64(b.key.spki()), "AA="), errc::invalid_base64,
                "/keys/b/public"));
  const std::string threshold = R"("keyids": [
        "a",
        "b"
      ],
      "threshold": 2)";
  CHECK(refused(read(threshold, R"("keyids": ["a","b"], "threshold": 3)"), errc::invalid_value,
                "/roles/keySet/threshold"));
  CHECK(refused(read(threshold, R"("keyids": ["a","b"], "threshold": 0)"), errc::invalid_value,
                "/roles/keySet/threshold"));
  CHECK(refused(read(threshold, R"("keyids": ["a","a"], "threshold": 2)"), errc::duplicate_key,
                "/roles/keySet/keyids/1"));
  CHECK(refused(read(threshold, R"("keyids": ["a","z"], "threshold": 2)"), errc::invalid_value,
                "/roles/keySet/keyids/1"));
  CHECK(refused(read(threshold, R"("keyids": [], "threshold": 1)"), errc::invalid_value,
                "/roles/keySet/keyids"));
  CHECK(refused(read("\"breakerReset\"", "\"reset\""), errc::missing_key, "/roles/breakerReset"));
  std::string many = lab::with(good, "\"keys\": {", "\"keys\": {");
  for (int i = 0; i < 33; ++i) {
    many = lab::with(many, "\"keys\": {", "\"keys\": {\"k" + std::to_string(i) + "\":1,");
  }
  CHECK(refused(json::read_key_set(many), errc::invalid_value, "/keys"));
}

TEST_CASE("keys given by hand come in PEM or DER, each once") {
  const auto pem = json::read_public_keys(a.key.pem() + "text between\r\n" + c.key.pem());
  REQUIRE(pem);
  REQUIRE(pem->size() == 2);
  CHECK((*pem)[0].spki == a.key.spki());
  CHECK((*pem)[1].scheme == cotter::signature_scheme::ed25519);
  CHECK(json::read_public_keys(a.key.spki())->front().spki == a.key.spki());
  CHECK(refused(json::read_public_keys(a.key.pem() + a.key.pem()), errc::duplicate_key, ""));
  CHECK(refused(json::read_public_keys(lab::signer{algorithm::rsa}.pem()), errc::unsupported_key,
                ""));
  CHECK(refused(json::read_public_keys(""), errc::unsupported_key, ""));
  CHECK(refused(json::read_public_keys("-----BEGIN PUBLIC KEY-----\nAAAA"), errc::invalid_base64,
                ""));
  CHECK(refused(json::read_public_keys(std::string(70'000, 'x')), errc::too_large, ""));

  const auto made = json::trusted_keys::from_public_keys<library>(*pem, 2);
  REQUIRE(made);
  CHECK(made->version() == 0);
  CHECK(made->keys().keys[0].id == *json::key_id_of<library>(a.key.spki()));
  CHECK(made->keys().of(json::role::breaker_reset).threshold == 2);
  CHECK(refused(json::trusted_keys::from_public_keys<library>(*pem, 3), errc::invalid_value, ""));
  CHECK(refused(json::trusted_keys::from_public_keys<library>(*pem, 0), errc::invalid_value, ""));
  CHECK(refused(json::trusted_keys::from_public_keys<library>({}, 1), errc::invalid_value, ""));
}

TEST_CASE("a key set is signed by its own threshold") {
  const auto read = [](const std::vector<const lab::named_signer*>& by) {
    return json::trusted_keys::from_key_set<library>(envelope_of(first_plan(), by));
  };
  CHECK(read({&a, &b}));
  CHECK(read({&a, &b, &d}));
  CHECK(refused(read({&a}), errc::threshold_not_met, "/signatures"));
  CHECK(refused(read({&a, &c}), errc::threshold_not_met, "/signatures"));
  CHECK(refused(read({&c, &d}), errc::unknown_signer, "/signatures"));
}

TEST_CASE("a key set follows the one before, signed by both") {
  lab::key_set_plan second = first_plan();
  second.version = 2;
  second.keys = {&b, &c, &d};
  second.key_set_role = {0, 2};
  second.manifest_role = {0, 1};

  SECTION("by both thresholds") {
    json::trusted_keys keys = first_keys();
    const std::string text = envelope_of(second, {&a, &b, &d});
    CHECK(keys.update<library>(text, lab::today));
    CHECK(keys.version() == 2);
    CHECK(keys.epoch() == 0);
    CHECK(keys.update<library>(text, lab::today));
    CHECK(keys.version() == 2);
    CHECK(refused(keys.update<library>(envelope_of(first_plan(), {&a, &b, &d}), lab::today),
                  errc::key_set_rollback, "/version"));
  }
  SECTION("not by the old one's") {
    json::trusted_keys keys = first_keys();
    CHECK(refused(keys.update<library>(envelope_of(second, {&b, &d}), lab::today),
                  errc::key_set_untrusted, "/signatures"));
    CHECK(refused(keys.update<library>(envelope_of(second, {&d}), lab::today),
                  errc::key_set_untrusted, "/signatures"));
    CHECK(keys.version() == 1);
  }
  SECTION("not by its own") {
    json::trusted_keys keys = first_keys();
    CHECK(refused(keys.update<library>(envelope_of(second, {&a, &b}), lab::today),
                  errc::threshold_not_met, "/signatures"));
    CHECK(keys.version() == 1);
    CHECK(keys.keys().keys[0].id == "a");
  }
  SECTION("none left out") {
    json::trusted_keys keys = first_keys();
    lab::key_set_plan third = second;
    third.version = 3;
    CHECK(refused(keys.update<library>(envelope_of(third, {&a, &b, &d}), lab::today),
                  errc::key_set_gap, "/version"));
    lab::key_set_plan again = second;
    again.version = 1;
    CHECK(refused(keys.update<library>(envelope_of(again, {&a, &b, &d}), lab::today),
                  errc::key_set_rollback, "/version"));
  }
  SECTION("the last one in force, those between perhaps no more") {
    json::trusted_keys keys = first_keys();
    second.expires = lab::at("2027-02-01T00:00:00Z");
    const std::string expired = envelope_of(second, {&a, &b, &d});
    CHECK(refused(keys.update<library>(expired, lab::today), errc::document_expired, "/expires"));
    CHECK(keys.version() == 1);
    lab::key_set_plan third = second;
    third.version = 3;
    third.expires = lab::at("2031-01-01T00:00:00Z");
    const std::string last = envelope_of(third, {&b, &d});
    const std::string_view chain[] = {expired, last};
    CHECK(keys.update<library>(chain, lab::today));
    CHECK(keys.version() == 3);
  }
  SECTION("of the right kind") {
    json::trusted_keys keys = first_keys();
    CHECK(refused(keys.update<library>(lab::signed_text(json::role::manifest,
                                                        lab::key_set_text(second), {&a, &b, &d}),
                                       lab::today),
                  errc::wrong_payload_type, "/payloadType"));
  }
}

TEST_CASE("an epoch begins when too few of those who signed manifests remain") {
  lab::key_set_plan second = first_plan();
  second.version = 2;
  second.keys = {&a, &b, &d, &e};
  second.key_set_role = {0, 1};

  SECTION("two of two taken away") { second.manifest_role = {2, 3}; }
  SECTION("one of the two left, but two needed") {
    second.manifest_role = {1, 2};
    second.manifest_threshold = 2;
  }
  json::trusted_keys keys = first_keys();
  REQUIRE(keys.update<library>(envelope_of(second, {&a, &b}), lab::today));
  CHECK(keys.epoch() == 2);

  // The same key under another id is the same key.
  const lab::named_signer renamed{
      "again", keys.keys().of(json::role::manifest).keys[0] == 2 ? d.key : b.key};
  lab::key_set_plan third = second;
  third.version = 3;
  third.keys[second.manifest_role[0]] = &renamed;
  third.key_set_role = {0};
  third.key_set_threshold = 1;
  third.manifest_threshold = 1;
  REQUIRE(keys.update<library>(envelope_of(third, {&a, &b}), lab::today));
  CHECK(keys.epoch() == 2);
}

TEST_CASE("a device that remembers an epoch takes it up again") {
  json::trusted_keys keys = first_keys();
  cotter::manifest_memory remembered;
  remembered.epoch = 1;
  remembered.key_set_version = 1;
  keys.resume(remembered);
  CHECK(keys.epoch() == 1);
}

TEST_CASE("keys given by hand can hand over to a key set") {
  json::trusted_keys keys =
      *json::trusted_keys::from_public_keys<library>(*json::read_public_keys(a.key.pem()));
  CHECK(keys.update<library>(envelope_of(first_plan(), {&a, &b}), lab::today));
  CHECK(keys.version() == 1);
  CHECK(keys.epoch() == 1);
}
