// SPDX-License-Identifier: BSL-1.0
#include <cotter/values/runtime.hpp>

#include <support/catch.hpp>

#include <string_view>

using namespace cotter;

namespace {

std::size_t fault_in(std::string_view text) {
  INFO(text);
  const auto parsed = parse_library_version(text);
  CHECK_FALSE(parsed);
  CHECK(parsed.error().what == errc::invalid_version);
  return parsed.error().offset_bytes;
}

static_assert(*parse_library_version("3.0.17") == library_version{3, 0, 17});
static_assert(!runtime_range{}.allows("openssl", {3, 0, 17}));

}  // namespace

TEST_CASE("a version is read with one, two or three numbers, and what is left out is zero") {
  CHECK(*parse_library_version("3") == library_version{3, 0, 0});
  CHECK(*parse_library_version("3.1") == library_version{3, 1, 0});
  CHECK(*parse_library_version("2.28.3") == library_version{2, 28, 3});
  CHECK(*parse_library_version("0.0.0") == library_version{});
  CHECK(*parse_library_version("65535.65535.65535") == library_version{65535, 65535, 65535});
}

TEST_CASE("versions are ordered as numbers, the first one first") {
  CHECK(*parse_library_version("3.0.9") < *parse_library_version("3.0.10"));
  CHECK(*parse_library_version("3.0.17") < *parse_library_version("3.1"));
  CHECK(*parse_library_version("3.9.9") < *parse_library_version("10"));
}

TEST_CASE("what is no version is refused, with the offset of the first character at fault") {
  CHECK(fault_in("") == 0);
  CHECK(fault_in("v3") == 0);
  CHECK(fault_in(".1") == 0);
  CHECK(fault_in("-1") == 0);
  CHECK(fault_in("3.") == 2);
  CHECK(fault_in("3..1") == 2);
  CHECK(fault_in("3.0.x") == 4);
  CHECK(fault_in("3.0.17-dev") == 6);
  CHECK(fault_in("1.1.1w") == 5);
  CHECK(fault_in("3.0.17.1") == 6);
  CHECK(fault_in("3 ") == 1);
  CHECK(fault_in("03") == 0);
  CHECK(fault_in("3.00") == 2);
  CHECK(fault_in("3.65536") == 6);
  CHECK(fault_in("4294967299") == 5);
}

TEST_CASE("a range allows its own library from its first version up to, not including, its end") {
  const runtime_range range{"openssl", {3, 0, 17}, {3, 1, 0}};
  CHECK(range.allows("openssl", {3, 0, 17}));
  CHECK(range.allows("openssl", {3, 0, 65535}));
  CHECK_FALSE(range.allows("openssl", {3, 0, 16}));
  CHECK_FALSE(range.allows("openssl", {3, 1, 0}));
  CHECK_FALSE(range.allows("openssl", {4, 0, 0}));
  CHECK_FALSE(range.allows("wolfssl", {3, 0, 17}));
  CHECK_FALSE(range.allows("OpenSSL", {3, 0, 17}));
  CHECK_FALSE(range.allows("", {3, 0, 17}));
}

TEST_CASE("a range without bounds allows every version of its library") {
  const runtime_range any{"mbedtls"};
  CHECK(any.allows("mbedtls", {0, 0, 0}));
  CHECK(any.allows("mbedtls", {2, 28, 3}));
  CHECK_FALSE(any.allows("openssl", {2, 28, 3}));
}

TEST_CASE("a range whose end is not after its beginning allows nothing") {
  const runtime_range empty{"openssl", {3, 0, 0}, {3, 0, 0}};
  CHECK_FALSE(empty.allows("openssl", {3, 0, 0}));
}
