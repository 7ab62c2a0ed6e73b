// SPDX-License-Identifier: BSL-1.0
#include <cotter/json/base64.hpp>

#include <cotter/json/timestamp.hpp>

#include <support/catch.hpp>

#include <string>
#include <string_view>

using namespace std::literals;
using cotter::errc;
using cotter::json::decode_base64;
using cotter::json::encode_base64;
using cotter::json::parse_timestamp;

TEST_CASE("base64 of RFC 4648 10 reads and writes") {
  for (const auto& [octets, text] : {std::pair{""sv, ""sv},
                                     {"f"sv, "Zg=="sv},
                                     {"fo"sv, "Zm8="sv},
                                     {"foo"sv, "Zm9v"sv},
                                     {"foob"sv, "Zm9vYg=="sv},
                                     {"fooba"sv, "Zm9vYmE="sv},
                                     {"foobar"sv, "Zm9vYmFy"sv},
                                     {"\xff\xfe\x00"sv, "//4A"sv}}) {
    CHECK(encode_base64(octets) == text);
    const auto decoded = decode_base64(text);
    REQUIRE(decoded);
    CHECK(*decoded == octets);
  }
}

TEST_CASE("octets have one spelling in base64") {
  for (const auto text :
       {"Zg="sv, "Zg"sv, "Z"sv, "Zg==="sv, "===="sv, "="sv, "Zh=="sv, "Zm9="sv, "Zm9v\n"sv,
        "Zm 9"sv, " Zg="sv, "Z-_="sv, "Zg==Zg=="sv, "Z=g="sv, "Zg=\0"sv}) {
    CAPTURE(text);
    CHECK(decode_base64(text).error().what == errc::invalid_base64);
  }
  CHECK(decode_base64("Zm9vYm*y").error().offset_bytes == 6);
}

TEST_CASE("every short sequence of octets survives base64") {
  std::string octets;
  for (unsigned i = 0; i < 700; ++i) {
    CHECK(*decode_base64(encode_base64(octets)) == octets);
    octets += static_cast<char>((i * 167 + 13) & 0xff);
  }
}

TEST_CASE("a timestamp has one spelling") {
  const auto leap = parse_timestamp("2028-02-29T23:59:59Z");
  REQUIRE(leap);
  CHECK(*cotter::json::format_timestamp(*leap) == "2028-02-29T23:59:59Z");
  CHECK(leap->time_since_epoch().count() == 1'835'481'599);
  CHECK(*parse_timestamp("2000-01-01T00:00:00Z") == cotter::json::first_timestamp);
  CHECK(*parse_timestamp("9999-12-31T23:59:59Z") == cotter::json::last_timestamp);
  for (const auto& [text, offset] : {std::pair{"2027-02-29T00:00:00Z"sv, 8u},
                                     {"2027-13-01T00:00:00Z"sv, 5u},
                                     {"2027-00-01T00:00:00Z"sv, 5u},
                                     {"2027-01-00T00:00:00Z"sv, 8u},
                                     {"1999-12-31T23:59:59Z"sv, 0u},
                                     {"2027-01-01T24:00:00Z"sv, 11u},
                                     {"2027-01-01T00:60:00Z"sv, 14u},
                                     {"2027-01-01T00:00:60Z"sv, 17u},
                                     {"2027-01-01T00:00:00"sv, 19u},
                                     {"2027-01-01T00:00:00z"sv, 19u},
                                     {"2027-01-01 00:00:00Z"sv, 10u},
                                     {"2027-01-01T00:00:00.0Z"sv, 19u},
                                     {"2027-01-01T00:00:00+00:00"sv, 19u},
                                     {"2027-01-01T00:00:00Z "sv, 20u},
                                     {""sv, 0u},
                                     {"+027-01-01T00:00:00Z"sv, 0u}}) {
    CAPTURE(text);
    CHECK(parse_timestamp(text).error() == cotter::error{errc::invalid_timestamp, offset, 0});
  }
  CHECK(cotter::json::format_timestamp(cotter::no_expiry).error().what == errc::invalid_timestamp);
  CHECK(cotter::json::format_timestamp(cotter::instant{}).error().what == errc::invalid_timestamp);
}
