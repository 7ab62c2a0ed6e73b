// SPDX-License-Identifier: BSL-1.0
#include <cotter/json/spelling.hpp>

#include <support/catch.hpp>

#include <array>
#include <string>
#include <string_view>

namespace json = cotter::json;

TEST_CASE("a suggestion is always something that reads") {
  const std::string hex(64, 'C');
  for (const std::string& text :
       {hex, "0x" + hex, "CERT-SHA256:" + hex, "SPKI-SHA256:" + hex, "1 1 1 " + hex + " ",
        std::string("sha256//zMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMw")}) {
    CAPTURE(text);
    CHECK_FALSE(json::parse_manifest_pin(text));
    const std::string suggestion = json::suggest_pin(text);
    const auto read = json::parse_manifest_pin(suggestion);
    REQUIRE(read);
    CHECK(json::spell_pin(*read) == suggestion);
    const bool key = text.starts_with("SPKI") || text.starts_with("1 1") || text.starts_with("sha");
    CHECK((read->form == cotter::pin_form::spki) == key);
  }
  for (const std::string_view text : {"", ":", "0x", "sha256//", "cert-sha256:", "1 0 1 "}) {
    CHECK(json::suggest_pin(text).empty());
  }
}

TEST_CASE("addresses, blocks and versions have one spelling") {
  for (const std::string_view text :
       {"192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "::/0", "2001:db8::1/128"}) {
    CHECK(json::spell_prefix(*cotter::parse_prefix(text)) == text);
  }
  CHECK(json::spell_version({3, 0, 17}) == "3.0.17");
  CHECK(json::suggest_prefix("") == "");
  CHECK(json::suggest_prefix("10.0.0.1/8") == "10.0.0.0/8");
  CHECK(json::suggest_prefix("10.0.0.1/0") == "0.0.0.0/0");
}

TEST_CASE("the nearest name is at most two edits away") {
  constexpr std::array<std::string_view, 3> names{"primary", "fallback", "pin"};
  CHECK(json::nearest_name("primry", names) == "primary");
  CHECK(json::nearest_name("Fallback", names) == "fallback");
  CHECK(json::nearest_name("pins", names) == "pin");
  CHECK(json::nearest_name("secondary", names).empty());
  CHECK(json::nearest_name(std::string(5000, 'p'), names).empty());
}
