// SPDX-License-Identifier: BSL-1.0
#include <cotter/json/document.hpp>

#include <json/support/documents.hpp>
#include <support/catch.hpp>

#include <string>
#include <string_view>

using namespace std::literals;
using cotter::errc;
using cotter::json::read_document;
using lab::refused;

TEST_CASE("a document keeps kinds, names, values and places") {
  const auto read =
      read_document(R"( {"a" : [1, -2, 1.5, true, null, "x\u00e9\ud83d\ude00"], "b/~":{}} )");
  REQUIRE(read);
  const auto root = read->root();
  CHECK(root.kind() == cotter::json::kind::object);
  CHECK(root.size() == 2);
  const auto list = root.find("a");
  REQUIRE(list.size() == 6);
  CHECK(list.first().integer() == 1u);
  CHECK(list.first().next().kind() == cotter::json::kind::integer);
  CHECK_FALSE(list.first().next().integer());
  CHECK(list.first().next().next().kind() == cotter::json::kind::number);
  CHECK(list.first().next().next().next().truth());
  const auto last = list.first().next().next().next().next().next();
  CHECK(last.text() == "x\xc3\xa9\xf0\x9f\x98\x80");
  CHECK(last.pointer() == "/a/5");
  CHECK(last.offset_bytes() == 33);
  CHECK_FALSE(last.next());
  CHECK(root.find("b/~").pointer() == "/b~1~0");
  CHECK_FALSE(root.find("c"));
  CHECK(read_document("18446744073709551615")->root().integer() == 18446744073709551615u);
}

TEST_CASE("what is no JSON is refused where it stops being JSON") {
  CHECK(refused(read_document(""), errc::empty_input, ""));
  CHECK(refused(read_document("  "), errc::invalid_json, ""));
  CHECK(refused(read_document("[1,2"), errc::invalid_json, "/2"));
  CHECK(refused(read_document("{\"a\":{\"b\":tru}}"), errc::invalid_json, "/a/b"));
  CHECK(refused(read_document("{\"a\":1,}"), errc::invalid_json, ""));
  CHECK(refused(read_document("{'a':1}"), errc::invalid_json, ""));
  CHECK(refused(read_document("[01]"), errc::invalid_json, "/1"));
  CHECK(refused(read_document("[NaN]"), errc::invalid_json, "/0"));
  CHECK(refused(read_document("[\"a\tb\"]"), errc::invalid_json, "/0"));
  CHECK(refused(read_document("{} {}"), errc::invalid_json, ""));
  CHECK(refused(read_document("{} // a comment"), errc::invalid_json, ""));
  CHECK(refused(read_document("/* */ {}"), errc::invalid_json, ""));
  CHECK(refused(read_document("\xef\xbb\xbf{}"), errc::invalid_json, ""));
  CHECK(read_document("{\"a\":tru}").error().offset_bytes == 8);
}

TEST_CASE("a NUL neither ends a document nor hides what follows it") {
  CHECK(refused(read_document("{}\0{}"sv), errc::invalid_json, ""));
  CHECK(read_document("{}\0{}"sv).error().offset_bytes == 2);
  CHECK(refused(read_document("{}\0"sv), errc::invalid_json, ""));
  CHECK(refused(read_document("[\"a\\u0000b\"]"), errc::invalid_value, "/0"));
  CHECK(refused(read_document("{\"x\":{\"a\\u0000\":1}}"), errc::invalid_value, "/x"));
}

TEST_CASE("octets that are not UTF-8 are refused, escaped surrogates alone as well") {
  for (const auto bad : {"\xff"sv, "\xc3"sv, "\xc0\x80"sv, "\xe0\x80\x80"sv, "\xed\xa0\x80"sv,
                         "\xf4\x90\x80\x80"sv, "\xf8\x88\x80\x80\x80"sv, "\x80"sv, "\xe2\x82"sv}) {
    const auto read = read_document("[\"" + std::string(bad) + "\"]");
    CHECK(refused(read, errc::invalid_utf8, ""));
    CHECK(read.error().offset_bytes == 2);
  }
  CHECK(refused(read_document(R"(["\ud800"])"), errc::invalid_utf8, "/0"));
  CHECK(refused(read_document(R"(["x\\\udc00"])"), errc::invalid_utf8, "/0"));
  CHECK(refused(read_document(R"({"k":"\ud83d\u0041"})"), errc::invalid_utf8, "/k"));
  CHECK(read_document(R"(["\ud800"])").error().offset_bytes == 2);
  CHECK(refused(read_document(R"(["\u12"])"), errc::invalid_json, "/0"));
}

TEST_CASE("a name twice is refused at every level, however it is spelled") {
  CHECK(refused(read_document(R"({"a":1,"b":2,"a":3})"), errc::duplicate_key, "/a"));
  CHECK(refused(read_document(R"([{"x":{"k":1,"\u006b":1}}])"), errc::duplicate_key, "/0/x/k"));
  CHECK(refused(read_document(R"({"":1,"":1})"), errc::duplicate_key, "/"));
  CHECK(read_document(R"({"a":{"a":{"a":1}},"b":{"a":1}})"));
}

TEST_CASE("depth, size, count and length are bounded") {
  const std::string deep(16, '[');
  CHECK(read_document(deep + "1" + std::string(16, ']')));
  std::string too_deep;
  for (int i = 0; i < 16; ++i) too_deep += "/0";
  CHECK(refused(read_document(deep + "[1" + std::string(17, ']')), errc::too_deep, too_deep));
  CHECK(refused(read_document(std::string(8u << 20, '[')), errc::too_deep, too_deep));

  const std::string longest(cotter::json::max_string_bytes, 'x');
  CHECK(read_document("[\"" + longest + "\"]"));
  CHECK(refused(read_document("{\"k\":\"" + longest + "x\"}"), errc::too_large, "/k"));
  CHECK(refused(read_document("{\"" + longest + "x\":1}"), errc::too_large, ""));

  CHECK(refused(read_document(std::string(cotter::json::max_document_bytes + 1, ' ')),
                errc::too_large, ""));
  std::string many = "[0";
  for (int i = 2; i < 1'000'000; ++i) many += ",0";
  CHECK(read_document(many + "]"));
  CHECK(refused(read_document(many + ",0]"), errc::too_large, "/999999"));
}

TEST_CASE("numbers beyond every bound are values, not syntax") {
  CHECK(refused(read_document("[1e400]"), errc::invalid_value, "/0"));
  CHECK(read_document("[18446744073709551616]")->root().first().kind() ==
        cotter::json::kind::number);
  CHECK(read_document("[1.0]")->root().first().kind() == cotter::json::kind::number);
  CHECK(read_document("[1e2]")->root().first().kind() == cotter::json::kind::number);
}

TEST_CASE("an error quotes little, and nothing that moves a terminal") {
  const std::string name = "\\u001b[2J\\u202e" + std::string(200, 'n');
  const auto read = read_document("{\"" + name + "\":1,\"" + name + "\":2}");
  REQUIRE(read.error().what == errc::duplicate_key);
  CHECK(read.error().pointer.starts_with("/\\u001b[2J\\u202en"));
  CHECK(read.error().pointer.size() < 100);
  CHECK(read.error().seen.size() < 100);
  CHECK(refused(read_document("[\"\x1b[2J\"]"), errc::invalid_json, "/0"));
}
