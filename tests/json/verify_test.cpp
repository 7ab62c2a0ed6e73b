// SPDX-License-Identifier: BSL-1.0
#include <cotter/json/verify.hpp>

#include <cotter/backends/openssl.hpp>

#include <json/support/documents.hpp>
#include <support/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace json = cotter::json;
using cotter::errc;
using json::role;
using lab::refused;
using library = cotter::backends::openssl;

namespace {

const lab::named_signer a{"a", lab::signer{}};
const lab::named_signer b{"b", lab::signer{}};
const lab::named_signer c{"c", lab::signer{lab::signer::algorithm::ed25519}};
const lab::named_signer stranger{"x", lab::signer{}};
const std::string payload = "{\"octets\":\"that nobody has to read\"}";

/// Manifests: two of a, b, c. Key sets: a.
const json::trusted_keys& keys() {
  static const json::trusted_keys made = [] {
    lab::key_set_plan plan;
    plan.version = 4;
    plan.keys = {&a, &b, &c};
    plan.key_set_role = {0};
    plan.manifest_role = {0, 1, 2};
    plan.manifest_threshold = 2;
    return *json::trusted_keys::from_key_set<library>(
        lab::signed_text(role::key_set, lab::key_set_text(plan), {&a}));
  }();
  return made;
}

auto verified(const json::envelope& one, const json::trusted_keys& by = keys()) {
  return json::verify<library>(lab::text_of(one), role::manifest, by, lab::today);
}

json::envelope manifest_by(const std::vector<const lab::named_signer*>& by) {
  return lab::signed_by(json::payload_type_of(role::manifest), payload, by);
}

/// A verifier that lacks Ed25519, as some libraries do.
struct without_ed25519 : library {
  static bool supports(cotter::signature_scheme scheme) noexcept {
    return scheme == cotter::signature_scheme::ecdsa_p256_sha256;
  }
};

}  // namespace

TEST_CASE("enough different keys hand out the octets they signed") {
  const auto out = verified(manifest_by({&a, &c}));
  REQUIRE(out);
  CHECK(out->octets() == payload);
  CHECK(out->key_set_version() == 4);
  CHECK(out->epoch() == 0);
  CHECK(out->kind_of_document() == role::manifest);
  CHECK(json::detail::hex_of(out->digest()) == *json::key_id_of<library>(payload));
  CHECK(verified(manifest_by({&a, &b, &c})));
  CHECK(verified(manifest_by({&stranger, &a, &b})));
}

TEST_CASE("a key id is a hint") {
  json::envelope one = manifest_by({&a, &b});
  SECTION("that may be missing") {
    one.signatures[0].key_id.clear();
    one.signatures[1].key_id.clear();
  }
  SECTION("that may name another key of the role") {
    std::swap(one.signatures[0].key_id, one.signatures[1].key_id);
  }
  SECTION("that may name nobody") { one.signatures[0].key_id = "nobody"; }
  CHECK(verified(one));
}

TEST_CASE("one short is short") {
  CHECK(refused(verified(manifest_by({&a})), errc::threshold_not_met, "/signatures"));
  CHECK(refused(verified(manifest_by({&a, &stranger})), errc::threshold_not_met, "/signatures"));
  CHECK(refused(verified(manifest_by({&stranger})), errc::unknown_signer, "/signatures"));
  CHECK(refused(verified(manifest_by({&a, &b}), json::trusted_keys{}), errc::unknown_signer,
                "/signatures"));
}

TEST_CASE("a key counts once") {
  json::envelope one = manifest_by({&a, &a});
  CHECK(refused(verified(one), errc::duplicate_signature, "/signatures/1/keyid"));
  one.signatures[1].key_id = "other";
  CHECK(refused(verified(one), errc::duplicate_signature, "/signatures/1"));
  one.signatures[1].key_id.clear();
  CHECK(refused(verified(one), errc::duplicate_signature, "/signatures/1"));
  one = manifest_by({&stranger, &a, &stranger, &b});
  CHECK(refused(verified(one), errc::duplicate_signature, "/signatures/2/keyid"));
}

TEST_CASE("a key of the role whose signature is not its own spoils the envelope") {
  json::envelope one = manifest_by({&a, &b, &stranger});
  one.signatures[2].key_id = "c";
  CHECK(refused(verified(one), errc::bad_signature, "/signatures/2/sig"));
  one = manifest_by({&a, &b});
  one.payload += ' ';
  CHECK(refused(verified(one), errc::bad_signature, "/signatures/0/sig"));
  one = manifest_by({&a, &b});
  one.signatures[1].octets += '\0';
  CHECK(refused(verified(one), errc::bad_signature, "/signatures/1/sig"));
  one.signatures[1].octets.clear();
  CHECK(refused(verified(one), errc::bad_signature, "/signatures/1/sig"));
}

TEST_CASE("a genuine document of another kind is not this one") {
  for (const role kind : {role::key_set, role::breaker_reset}) {
    CHECK(refused(json::verify<library>(lab::signed_text(kind, payload, {&a, &b}), role::manifest,
                                        keys(), lab::today),
                  errc::wrong_payload_type, "/payloadType"));
  }
  // The type changed afterwards is not what was signed.
  json::envelope one = lab::signed_by(json::payload_type_of(role::key_set), payload, {&a, &b});
  one.payload_type = json::payload_type_of(role::manifest);
  CHECK(refused(verified(one), errc::bad_signature, "/signatures/0/sig"));
  one = manifest_by({&a, &b});
  one.payload_type = "application/vnd.cotter.pin-manifest+JSON";
  CHECK(refused(verified(one), errc::wrong_payload_type, "/payloadType"));
}

TEST_CASE("an expired key set vouches for nothing") {
  const std::string text = lab::text_of(manifest_by({&a, &b}));
  CHECK(json::verify<library>(text, role::manifest, keys(), lab::at("2030-01-01T00:00:00Z")));
  CHECK(
      refused(json::verify<library>(text, role::manifest, keys(), lab::at("2030-01-01T00:00:01Z")),
              errc::document_expired, ""));
}

TEST_CASE("a scheme that the library lacks is said to be lacking, unless others suffice") {
  const auto with_c = lab::text_of(manifest_by({&a, &c}));
  CHECK(refused(json::verify<without_ed25519>(with_c, role::manifest, keys(), lab::today),
                errc::unsupported_key, "/signatures"));
  CHECK(json::verify<without_ed25519>(lab::text_of(manifest_by({&a, &c, &b})), role::manifest,
                                      keys(), lab::today));
}

TEST_CASE("an envelope cut anywhere never verifies") {
  const std::string whole = lab::text_of(manifest_by({&a, &b}));
  REQUIRE(whole.ends_with("}\n"));
  std::size_t tried = 0;
  for (std::size_t length = 0; length + 1 < whole.size(); ++length) {
    const auto out =
        json::verify<library>(whole.substr(0, length), role::manifest, keys(), lab::today);
    if (out || !out->octets().empty()) FAIL("cut at " << length);
    ++tried;
  }
  CHECK(tried > 400);
}

TEST_CASE("a payload with one octet changed never verifies") {
  const json::envelope good = manifest_by({&a, &b});
  std::size_t tried = 0;
  for (std::size_t at = 0; at < good.payload.size(); ++at) {
    for (const unsigned change : {0x01u, 0x20u, 0x80u, 0xffu}) {
      json::envelope one = good;
      one.payload[at] = static_cast<char>(static_cast<unsigned char>(one.payload[at]) ^ change);
      const auto out = verified(one);
      if (out || out.error().what != errc::bad_signature) FAIL("changed at " << at);
      ++tried;
    }
  }
  CHECK(tried == payload.size() * 4);
}

TEST_CASE("an envelope with one octet changed hands out the signed payload or nothing") {
  const std::string whole = lab::text_of(manifest_by({&a, &b}));
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned change : {0x01u, 0x20u}) {
      std::string text = whole;
      text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ change);
      const auto out = json::verify<library>(text, role::manifest, keys(), lab::today);
      if (out && out->octets() != payload) FAIL("changed at " << at);
      if (out) ++accepted;
    }
  }
  // White space and key ids carry no meaning.
  CHECK(accepted < 40);
}
