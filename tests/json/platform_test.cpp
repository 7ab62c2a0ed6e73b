// SPDX-License-Identifier: BSL-1.0
#include <cotter/json/platform.hpp>

#include <json/support/documents.hpp>
#include <support/catch.hpp>

#include <fstream>
#include <sstream>
#include <string>

namespace json = cotter::json;
using cotter::errc;
using lab::refused;
using lab::with;

namespace {

std::string guide() {
  std::ifstream file(std::string(COTTER_GUIDE) + "/platform-certificates.json", std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

auto changed(std::string_view before, std::string_view after) {
  return json::read_platform_document(with(guide(), before, after));
}

const std::string leaf = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4a5b6c7d8e9f0a1b2";
const std::string pointer = "/certificates/leafCertificate";

}  // namespace

TEST_CASE("the guide's platform document is read as it stands") {
  const auto read = json::read_platform_document(guide());
  REQUIRE(read);
  REQUIRE(read->leaf.fingerprint);
  CHECK(json::detail::hex_of(*read->leaf.fingerprint) == leaf);
  CHECK(read->leaf.subject.starts_with("CN=*.mypurecloud.com"));
  CHECK(read->leaf.issuer.starts_with("CN=DigiCert"));
  CHECK(read->leaf.valid_from == lab::at("2024-01-15T00:00:00Z"));
  CHECK(read->leaf.valid_to == lab::at("2025-01-15T23:59:59Z"));
  CHECK(read->leaf.octets.empty());
  REQUIRE(read->intermediates.size() == 1);
  CHECK(json::detail::hex_of(*read->intermediates[0].fingerprint) ==
        "f0e1d2c3b4a5968778695a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d");
  CHECK_FALSE(read->intermediates[0].valid_to);
}

TEST_CASE("where the octets are given they are handed over") {
  const auto inside = changed("\"validFrom\"", R"("certificate":"PEM 1","validFrom")");
  REQUIRE(inside);
  CHECK(inside->leaf.octets == "PEM 1");
  const auto chain =
      changed("\"leafCertificate\"", R"("certificateChain":["PEM 2","x"],"leafCertificate")");
  REQUIRE(chain);
  CHECK(chain->leaf.octets == "PEM 2");
  const auto outside = changed("\"status\"", R"("pem":"PEM 3","status")");
  REQUIRE(outside);
  CHECK(outside->leaf.octets == "PEM 3");
  const auto alone =
      changed("\"derEncodedFingerprintSha256\": \"" + leaf + "\"", "\"pem\":\"PEM 4\"");
  REQUIRE(alone);
  CHECK_FALSE(alone->leaf.fingerprint);
  CHECK(alone->leaf.octets == "PEM 4");
}

TEST_CASE("a fingerprint may be in either case and with colons") {
  std::string spelled;
  for (std::size_t i = 0; i < leaf.size(); i += 2) {
    if (i > 0) spelled += ':';
    for (const char c : leaf.substr(i, 2)) {
      spelled += c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  const auto read = changed(leaf, spelled);
  REQUIRE(read);
  CHECK(json::detail::hex_of(*read->leaf.fingerprint) == leaf);
}

TEST_CASE("what is no platform document says where it is none") {
  CHECK(refused(json::read_platform_document("{}"), errc::missing_key, "/certificates"));
  CHECK(refused(json::read_platform_document("[]"), errc::wrong_type, ""));
  CHECK(refused(changed("\"leafCertificate\"", "\"leaf\""), errc::missing_key, pointer));
  CHECK(refused(changed("\"" + leaf + "\"", "1"), errc::wrong_type,
                pointer + "/derEncodedFingerprintSha256"));
  CHECK(refused(changed(leaf, leaf.substr(1)), errc::invalid_pin,
                pointer + "/derEncodedFingerprintSha256"));
  CHECK(refused(changed("\"derEncodedFingerprintSha256\": \"" + leaf + "\"", "\"x\":1"),
                errc::missing_key, pointer + "/derEncodedFingerprintSha256"));
  CHECK(refused(changed("2025-01-15T23:59:59.000Z", "2025"), errc::invalid_timestamp,
                pointer + "/validTo"));
  CHECK(refused(changed("2025-01-15T23:59:59.000Z", "2025-01-15T23:59:59.000+01:00"),
                errc::invalid_timestamp, pointer + "/validTo"));
  CHECK(changed("2025-01-15T23:59:59.000Z", "2025-01-15T23:59:59Z"));
  CHECK(refused(json::read_platform_document(guide().substr(0, 300)), errc::invalid_json,
                pointer + "/issuer"));
}
