// SPDX-License-Identifier: BSL-1.0
#include <cotter/der/reader.hpp>

#include <support/catch.hpp>
#include "octets.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace {

using cotter::bytes_view;
using cotter::code;
using cotter::errc;
using cotter_test::hex;
using cotter_test::is_inside;
using cotter_test::octets;
using cotter_test::same;
using cotter_test::tlv;
using cotter_test::tlv_indefinite;
using cotter_test::tlv_long;
namespace der = cotter::der;
namespace tags = cotter::der::tags;

struct accepted_element {
  std::string_view octets;
  der::tag tag;
  std::size_t header_bytes;
  std::size_t content_bytes;
  bool minimal;
  bool indefinite;
};

constexpr der::tag high(std::uint32_t number) { return {der::tag_class::context, false, number}; }

constexpr accepted_element accepted[] = {
    // identifier, length, content
    {"05 00", tags::null, 2, 0, true, false},
    {"02 01 7f", tags::integer, 2, 1, true, false},
    {"30 03 02 01 00", tags::sequence, 2, 3, true, false},
    // length in more octets than it needs
    {"02 81 01 7f", tags::integer, 3, 1, false, false},
    {"02 82 00 01 7f", tags::integer, 4, 1, false, false},
    {"02 84 00 00 00 01 7f", tags::integer, 6, 1, false, false},
    {"02 88 00 00 00 00 00 00 00 01 7f", tags::integer, 10, 1, false, false},
    {"02 89 00 00 00 00 00 00 00 00 01 7f", tags::integer, 11, 1, false, false},
    // indefinite length
    {"30 80 00 00", tags::sequence, 2, 0, false, true},
    {"30 80 02 01 00 00 00", tags::sequence, 2, 3, false, true},
    {"30 80 30 80 00 00 00 00", tags::sequence, 2, 4, false, true},
    {"30 80 04 02 00 00 00 00", tags::sequence, 2, 4, false, true},  // zeros inside a string
    {"24 80 04 01 61 00 00", {der::tag_class::universal, true, 4}, 2, 3, false, true},
    // low tags in the form for high ones
    {"3f 10 00", tags::sequence, 3, 0, false, false},
    {"1f 02 01 7f", tags::integer, 3, 1, false, false},
    {"3f 80 10 00", tags::sequence, 4, 0, false, false},
    {"3f 80 80 80 80 80 80 10 00", tags::sequence, 9, 0, false, false},
    // high tags
    {"9e 00", high(30), 2, 0, true, false},
    {"9f 1e 00", high(30), 3, 0, false, false},
    {"9f 1f 00", high(31), 3, 0, true, false},
    {"9f 80 1f 00", high(31), 4, 0, false, false},
    {"9f 81 00 00", high(128), 4, 0, true, false},
    {"9f ff ff ff 7f 00", high(der::max_tag_number), 6, 0, true, false},
    {"80 00", high(0), 2, 0, true, false},
};

constexpr bool reads_as(const accepted_element& expected) {
  const octets input = hex(expected.octets);
  der::reader reader(input, 100);
  const auto peeked = reader.peek();
  if (!peeked || reader.offset_bytes() != 100) return false;
  const auto e = reader.next();
  return e && e->tag() == expected.tag && same(e->whole(), input) &&
         is_inside(e->content(), input) && e->content().size() == expected.content_bytes &&
         e->content().data() == input.data + expected.header_bytes && e->offset_bytes() == 100 &&
         e->content_offset_bytes() == 100 + expected.header_bytes &&
         e->has_minimal_header() == expected.minimal && e->indefinite() == expected.indefinite &&
         same(peeked->whole(), e->whole()) && reader.at_end() && reader.rest().empty() &&
         reader.offset_bytes() == 100 + input.size && reader.expect_end();
}

constexpr bool all_read() {
  for (const accepted_element& each : accepted) {
    if (!reads_as(each)) return false;
  }
  return true;
}
static_assert(all_read());

TEST_CASE("the reader takes BER in all its spellings and knows DER from it") {
  for (const accepted_element& each : accepted) {
    INFO(each.octets);
    CHECK(reads_as(each));
  }
}

struct refused_element {
  std::string_view octets;
  errc what;
  std::size_t offset;
};

constexpr refused_element refused[] = {
    {"", errc::missing_element, 0},
    {"30", errc::truncated, 0},
    {"30 01", errc::truncated, 0},
    {"30 81", errc::truncated, 0},
    {"30 82 01", errc::truncated, 0},
    {"30 82 00 01", errc::truncated, 0},
    {"30 82 ff ff 00", errc::truncated, 0},
    {"1f", errc::truncated, 0},
    {"1f 81", errc::truncated, 0},
    {"1f 1f", errc::truncated, 0},
    {"30 83 01 00 00", errc::too_large, 0},
    {"30 84 00 01 00 00", errc::too_large, 0},
    {"30 84 ff ff ff ff", errc::too_large, 0},
    {"30 88 ff ff ff ff ff ff ff ff", errc::too_large, 0},
    {"30 89 01 00 00 00 00 00 00 00 00", errc::too_large, 0},
    {"30 ff 00", errc::invalid_length, 0},
    {"02 80 00 00", errc::invalid_length, 0},  // indefinite needs constructed
    {"00 00", errc::invalid_tag, 0},
    {"00 01 00", errc::invalid_tag, 0},
    {"20 00", errc::invalid_tag, 0},
    {"1f 00 00", errc::invalid_tag, 0},
    {"1f 80 00 00", errc::invalid_tag, 0},
    {"9f 81 80 80 80 00 00", errc::invalid_tag, 0},  // 2^28
    {"30 80", errc::missing_end_of_contents, 2},
    {"30 80 00", errc::missing_end_of_contents, 2},
    {"30 80 02 01 00", errc::missing_end_of_contents, 5},
    {"30 80 02 01 00 00", errc::missing_end_of_contents, 5},
    {"30 80 30 80 00 00", errc::missing_end_of_contents, 6},
    {"30 80 02 02 00", errc::truncated, 2},
    {"30 80 02 01 00 00 01", errc::invalid_tag, 5},
    {"30 80 00 81 00", errc::invalid_tag, 2},  // end-of-contents has one spelling
    {"30 80 30 ff", errc::invalid_length, 2},
};

constexpr bool is_refused(const refused_element& expected) {
  const octets input = hex(expected.octets);
  der::reader reader(input, 7);
  const cotter::error error{expected.what, static_cast<std::uint32_t>(7 + expected.offset), 0};
  return !reader.peek() && reader.peek().error() == error && reader.next().error() == error &&
         reader.skip().error() == error && reader.offset_bytes() == 7 &&
         reader.rest().size() == input.size;
}

constexpr bool all_refused() {
  for (const refused_element& each : refused) {
    if (!is_refused(each)) return false;
  }
  return true;
}
static_assert(all_refused());

TEST_CASE("the reader names what is wrong and where, and stays where it is") {
  for (const refused_element& each : refused) {
    INFO(each.octets);
    CHECK(is_refused(each));
  }
}

constexpr bool expects_the_tag_first() {
  const octets input = hex("31 82 ff ff");  // a SET, and not whole
  der::reader reader(input);
  return reader.expect(tags::sequence).error().what == errc::unexpected_tag &&
         reader.expect(tags::set).error().what == errc::truncated && reader.rest().size() == 4;
}
static_assert(expects_the_tag_first());

TEST_CASE("expect judges the tag before the length") { CHECK(expects_the_tag_first()); }

// A leading 3f announces a longer tag; its low bits are no tag number 31.
constexpr bool announcements_are_no_tags() {
  const octets input = hex("3f 10 00 00");
  der::reader reader(input);
  return !reader.at({der::tag_class::universal, true, 31}) && reader.at(tags::sequence) &&
         reader.expect({der::tag_class::universal, true, 31}).error().what ==
             errc::unexpected_tag &&
         reader.expect(tags::sequence);
}
static_assert(announcements_are_no_tags());

TEST_CASE("the octet that announces a high tag is not taken for tag 31") {
  CHECK(announcements_are_no_tags());
}

constexpr bool walks_a_sequence() {
  //                        SEQUENCE  INTEGER 5  NULL   OCTET STRING
  const octets input = hex("30 08     02 01 05   05 00  04 01 ff");
  der::reader document(input);
  const auto outer = document.expect(tags::sequence);
  if (!outer || !document.at_end()) return false;
  der::reader parts(*outer);
  if (!parts.at(tags::integer) || parts.at(tags::null)) return false;
  const auto integer = parts.expect(tags::integer);
  if (!integer || integer->content()[0] != 5 || integer->offset_bytes() != 2) return false;
  if (!parts.skip() || parts.offset_bytes() != 7) return false;
  if (parts.expect_end().error() != cotter::error{errc::extra_element, 7}) return false;
  if (!parts.expect(tags::octet_string)) return false;
  return parts.expect_end() && !parts.at(tags::null) &&
         parts.expect(tags::null).error() == cotter::error{errc::missing_element, 10};
}
static_assert(walks_a_sequence());

TEST_CASE("next, peek, expect and skip walk a SEQUENCE and count from the start of the input") {
  CHECK(walks_a_sequence());
}

constexpr bool long_lengths_are_minimal_or_not() {
  octets content;
  for (int i = 0; i < 128; ++i) content.push(0x61);
  const auto minimal = [](const octets& input) {
    const auto e = der::reader(input).peek();
    return e && e->has_minimal_header();
  };
  if (!minimal(tlv_long(0x04, 1, content)) || minimal(tlv_long(0x04, 2, content))) return false;
  for (int i = 0; i < 128; ++i) content.push(0x61);
  return minimal(tlv_long(0x04, 2, content)) && !minimal(tlv_long(0x04, 3, content));
}
static_assert(long_lengths_are_minimal_or_not());

TEST_CASE("128 octets need one length octet more and 256 need two, and more is not DER") {
  CHECK(long_lengths_are_minimal_or_not());
}

constexpr bool bounds_depth() {
  octets nested = hex("05 00");
  for (std::size_t i = 0; i < der::max_nesting_depth; ++i) nested = tlv_indefinite(0x30, nested);
  if (!der::reader(nested).peek()) return false;
  const octets deeper = tlv_indefinite(0x30, nested);
  const auto refused_one = der::reader(deeper).peek();
  return refused_one.error() ==
         cotter::error{errc::too_deep, static_cast<std::uint32_t>(2 * der::max_nesting_depth)};
}
static_assert(bounds_depth());

TEST_CASE("indefinite lengths nest so deep and no deeper") { CHECK(bounds_depth()); }

TEST_CASE("definite lengths nest as deep as they like, for nobody looks inside") {
  octets nested = hex("05 00");
  for (int i = 0; i < 100; ++i) nested = tlv(0x30, nested);
  CHECK(der::reader(nested).peek());
}

TEST_CASE("content is at most 65535 octets, whatever the spelling of the length") {
  std::vector<std::uint8_t> input(70'000, 0x05);
  const auto begin = [&input](std::initializer_list<std::uint8_t> header) {
    std::size_t i = 0;
    for (const std::uint8_t octet : header) input[i++] = octet;
    return bytes_view(input);
  };
  CHECK(der::reader(begin({0x04, 0x82, 0xff, 0xff})).peek()->content().size() == 65'535);
  CHECK(der::reader(begin({0x04, 0x83, 0x01, 0x00, 0x00})).peek().error().what == errc::too_large);

  // 21 elements of 3,334 octets: each small, together above the bound.
  std::vector<std::uint8_t> pieces{0x24, 0x80};
  for (int i = 0; i < 21; ++i) {
    pieces.insert(pieces.end(), {0x04, 0x82, 0x0d, 0x02});
    pieces.insert(pieces.end(), 0x0d02, 0x61);
  }
  pieces.insert(pieces.end(), {0x00, 0x00});
  CHECK(der::reader(pieces).peek().error() == cotter::error{errc::too_large, 0});
}

// Every input of up to four octets over these: whatever begins an identifier, a length, an
// end-of-contents, or ends one.
constexpr std::uint8_t alphabet[] = {0x00, 0x01, 0x02, 0x03, 0x05, 0x10, 0x1f, 0x20, 0x30,
                                     0x3f, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x9f, 0xa0, 0xff};

std::string_view fault_in(bytes_view input) {
  der::reader reader(input);
  while (!reader.at_end()) {
    const std::size_t before = reader.rest().size();
    const std::size_t offset = reader.offset_bytes();
    const auto peeked = reader.peek();
    const auto found = reader.next();
    if (static_cast<bool>(peeked) != static_cast<bool>(found)) return "peek and next disagree";
    if (!found) {
      if (reader.rest().size() != before) return "moved on an error";
      if (found.error().offset_bytes > input.size()) return "an offset outside";
      if (!found->whole().empty()) return "octets beside an error";
      der::reader again = reader;
      return again.skip() ? "skip accepts what next refuses" : "";
    }
    if (!is_inside(found->whole(), input) || !is_inside(found->content(), found->whole())) {
      return "octets outside";
    }
    if (found->whole().data() != input.data() + offset) return "a wrong offset";
    if (reader.rest().size() != before - found->whole().size()) return "moved too far or short";
    der::reader again(found->whole());
    if (!again.expect(found->tag()) || !again.at_end()) return "an element is not one by itself";
  }
  return "";
}

TEST_CASE("every short input is read within its bounds") {
  std::uint8_t input[4];
  std::size_t count = 0;
  for (std::size_t length = 0; length <= 4; ++length) {
    std::size_t combinations = 1;
    for (std::size_t i = 0; i < length; ++i) combinations *= sizeof(alphabet);
    for (std::size_t n = 0; n < combinations; ++n) {
      for (std::size_t i = 0, rest = n; i < length; ++i, rest /= sizeof(alphabet)) {
        input[i] = alphabet[rest % sizeof(alphabet)];
      }
      const std::string_view fault = fault_in(bytes_view(input, length));
      if (!fault.empty()) FAIL(fault);
      ++count;
    }
  }
  CHECK(count == 1 + 18 + 324 + 5'832 + 104'976);
}

}  // namespace
