// SPDX-License-Identifier: BSL-1.0
#include <cotter/json/envelope.hpp>

#include <json/support/documents.hpp>
#include <support/catch.hpp>

#include <string>

namespace json = cotter::json;
using cotter::errc;
using lab::refused;

TEST_CASE("the octets to sign are DSSE's pre-authentication encoding") {
  CHECK(json::pae("http://example.com/HelloWorld", "hello world") ==
        "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  CHECK(json::pae("", "") == "DSSEv1 0  0 ");
}

TEST_CASE("an envelope that was written reads as it was") {
  json::envelope one;
  one.payload_type = "application/vnd.cotter.pin-manifest+json";
  one.payload = std::string("{\"a\":\0\xff}", 8);
  one.signatures = {{"k\"1", std::string("\0\1", 2)}, {"", "x"}};
  const auto text = json::write_envelope(one);
  REQUIRE(text);
  CHECK(text->back() == '\n');
  const auto read = json::read_envelope(*text);
  REQUIRE(read);
  CHECK(read->payload_type == one.payload_type);
  CHECK(read->payload == one.payload);
  REQUIRE(read->signatures.size() == 2);
  CHECK(read->signatures[0].key_id == "k\"1");
  CHECK(read->signatures[0].octets == one.signatures[0].octets);
  CHECK(read->signatures[1].octets == "x");
  one.payload_type = "\xff";
  CHECK(json::write_envelope(one).error().what == errc::invalid_utf8);
}

TEST_CASE("what is no envelope says where it is none") {
  const std::string good =
      R"({"payloadType":"t","payload":"e30=","signatures":[{"keyid":"k","sig":"AA=="}]})";
  REQUIRE(json::read_envelope(good));
  REQUIRE(json::read_envelope(lab::with(good, R"("keyid":"k",)", "")));
  const auto read = [&](std::string_view before, std::string_view after) {
    return json::read_envelope(lab::with(good, before, after));
  };
  CHECK(refused(json::read_envelope("[]"), errc::invalid_envelope, ""));
  CHECK(refused(json::read_envelope("{}"), errc::invalid_envelope, ""));
  CHECK(refused(json::read_envelope(""), errc::empty_input, ""));
  CHECK(refused(json::read_envelope("{"), errc::invalid_json, ""));
  CHECK(refused(json::read_envelope(std::string(10'000'000, ' ')), errc::too_large, ""));
  CHECK(refused(read(R"("payloadType":"t",)", ""), errc::invalid_envelope, ""));
  CHECK(refused(read(R"("t")", "1"), errc::invalid_envelope, "/payloadType"));
  CHECK(refused(read(R"("e30=")", "{}"), errc::invalid_envelope, "/payload"));
  CHECK(refused(read("e30=", "e30"), errc::invalid_base64, "/payload"));
  CHECK(refused(read("e30=", "e31="), errc::invalid_base64, "/payload"));
  CHECK(refused(read("e30=", "e30=\\n"), errc::invalid_base64, "/payload"));
  CHECK(refused(read("AA==", "AB=="), errc::invalid_base64, "/signatures/0/sig"));
  CHECK(refused(read(R"("payloadType")", R"("x":1,"payloadType")"), errc::invalid_envelope, "/x"));
  CHECK(refused(read(R"("keyid")", R"("cert":"","keyid")"), errc::invalid_envelope,
                "/signatures/0/cert"));
  CHECK(refused(read(R"(,"sig":"AA==")", ""), errc::invalid_envelope, "/signatures/0"));
  CHECK(refused(read(R"("k")", "1"), errc::invalid_envelope, "/signatures/0/keyid"));
  CHECK(refused(read(R"("k")", R"("k\n")"), errc::invalid_envelope, "/signatures/0/keyid"));
  CHECK(refused(read(R"([{"keyid":"k","sig":"AA=="}])", "[]"), errc::invalid_envelope,
                "/signatures"));
  CHECK(refused(read(R"([{"keyid":"k","sig":"AA=="}])", "[1]"), errc::invalid_envelope,
                "/signatures/0"));
  CHECK(refused(read(R"("payload":)", R"("payload":"e30=","payload":)"), errc::duplicate_key,
                "/payload"));
  std::string many = R"([{"sig":"AA=="})";
  for (int i = 1; i < 64; ++i) many += R"(,{"sig":"AA=="})";
  CHECK(read(R"([{"keyid":"k","sig":"AA=="}])", many + "]"));
  CHECK(refused(read(R"([{"keyid":"k","sig":"AA=="}])", many + R"(,{"sig":"AA=="}])"),
                errc::invalid_envelope, "/signatures"));
}
