// SPDX-License-Identifier: BSL-1.0
#include <cotter/der/writer.hpp>

#include <support/catch.hpp>
#include "octets.hpp"

#include <cotter/der/reader.hpp>

#include <cstddef>
#include <string_view>

namespace {

using cotter::bytes_view;
using cotter_test::hex;
using cotter_test::octets;
using cotter_test::same;
namespace der = cotter::der;
namespace tags = cotter::der::tags;

struct written_header {
  der::tag tag;
  std::size_t content_bytes;
  std::string_view octets;
};

constexpr written_header written[] = {
    {tags::null, 0, "05 00"},
    {tags::sequence, 1, "30 01"},
    {tags::sequence, 127, "30 7f"},
    {tags::sequence, 128, "30 81 80"},
    {tags::sequence, 255, "30 81 ff"},
    {tags::sequence, 256, "30 82 01 00"},
    {tags::sequence, 65'535, "30 82 ff ff"},
    {tags::sequence, 65'536, "30 83 01 00 00"},
    {tags::sequence, 0x0100'0000, "30 84 01 00 00 00"},
    {der::context_tag(0, true), 5, "a0 05"},
    {der::context_tag(30, false), 5, "9e 05"},
    {der::context_tag(31, false), 5, "9f 1f 05"},
    {der::context_tag(127, false), 5, "9f 7f 05"},
    {der::context_tag(128, true), 5, "bf 81 00 05"},
    {der::context_tag(16'384, true), 5, "bf 81 80 00 05"},
    {{der::tag_class::private_use, true, der::max_tag_number}, 5, "ff ff ff ff 7f 05"},
};

constexpr bool is_written(const written_header& expected) {
  const der::encoded_header header = der::encode_header(expected.tag, expected.content_bytes);
  return same(header.octets(), hex(expected.octets)) &&
         header.size_bytes() == header.octets().size() &&
         der::header_size_bytes(expected.tag, expected.content_bytes) == header.size_bytes();
}

constexpr bool all_written() {
  for (const written_header& each : written) {
    if (!is_written(each)) return false;
  }
  return true;
}
static_assert(all_written());

TEST_CASE("headers take the fewest octets") {
  for (const written_header& each : written) {
    INFO(each.octets);
    CHECK(is_written(each));
  }
}

constexpr bool fits_the_largest() {
  const der::encoded_header header = der::encode_header(
      {der::tag_class::private_use, true, der::max_tag_number}, static_cast<std::size_t>(-1));
  return header.size_bytes() == der::encoded_header::max_bytes;
}
static_assert(fits_the_largest());

TEST_CASE("the largest tag and length fit") { CHECK(fits_the_largest()); }

constexpr bool elements_are_header_and_content() {
  octets out;
  std::size_t calls = 0;
  const auto sink = [&](bytes_view piece) {
    out.append(piece);
    ++calls;
  };
  der::write_element(tags::octet_string, hex("61 62"), sink);
  der::write_element(tags::null, {}, sink);
  return same(out, hex("04 02 61 62 05 00")) && calls == 3;
}
static_assert(elements_are_header_and_content());

TEST_CASE("an element is its header and its content, and no piece is empty") {
  CHECK(elements_are_header_and_content());
}

TEST_CASE("the reader finds every written header minimal") {
  for (const std::size_t size : {0u, 1u, 127u, 128u, 255u, 256u, 900u}) {
    for (const std::uint32_t number : {1u, 30u, 31u, 127u, 128u, 16'383u, 16'384u, 2'097'152u}) {
      octets out;
      const der::encoded_header header = der::encode_header(der::context_tag(number, true), size);
      out.append(header.octets());
      for (std::size_t i = 0; i < size; ++i) out.push(i);
      const auto read = der::reader(out).peek();
      REQUIRE(read);
      CHECK(read->tag() == der::context_tag(number, true));
      CHECK(read->content().size() == size);
      CHECK(read->has_minimal_header());
    }
  }
}

}  // namespace
