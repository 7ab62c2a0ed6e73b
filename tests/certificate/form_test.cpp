// SPDX-License-Identifier: BSL-1.0
#include <cotter/certificate/form.hpp>

#include <support/catch.hpp>
#include "certificates.hpp"
#include "real_certificates.hpp"

#include <cotter/der/limits.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using cotter::bytes_view;
using cotter::errc;
using cotter::error;
using namespace cotter_test;

constexpr octets form_of(bytes_view input) {
  octets out;
  const auto form = cotter::read_form(input);
  cotter::write_form(*form, [&out](bytes_view piece) { out.append(piece); });
  return out;
}

constexpr error refusal_of(bytes_view input) { return cotter::read_form(input).error(); }

constexpr error at(errc what, std::size_t offset) {
  return {what, static_cast<std::uint32_t>(offset), 0};
}

// --- what is kept ---

constexpr bool a_real_certificate_is_its_own_form() {
  const bytes_view input = ecdsa_certificate;
  const auto form = cotter::read_form(input);
  if (!form || !form->canonical || !form->minimal_shell) return false;
  // As `openssl asn1parse` has it.
  if (form->tbs_offset_bytes() != 4 || form->tbs.size() != 430) return false;
  if (form->signature_algorithm.offset_bytes() != 434) return false;
  if (form->signature_algorithm.whole().size() != 12) return false;
  if (form->signature.data() != input.data() + 449 || form->signature.size() != 70) return false;
  if (cotter::form_size_bytes(*form) != input.size()) return false;
  std::size_t calls = 0;
  bool same_octets = false;
  cotter::write_form(*form, [&](bytes_view piece) {
    ++calls;
    same_octets = piece.data() == input.data() && piece.size() == input.size();
  });
  return calls == 1 && same_octets;
}
static_assert(a_real_certificate_is_its_own_form());

TEST_CASE("a certificate in DER is its own form C and is not copied") {
  CHECK(a_real_certificate_is_its_own_form());
}

constexpr bool a_nested_algorithm_is_minimal() {
  const auto form = cotter::read_form(pss_certificate);
  return form && form->canonical && form->tbs.size() == 416 &&
         form->signature_algorithm.whole().size() == 67 && form->signature_algorithm_bytes == 67;
}
static_assert(a_nested_algorithm_is_minimal());

TEST_CASE("RSASSA-PSS parameters are read to the bottom") {
  CHECK(a_nested_algorithm_is_minimal());
}

constexpr bool nothing_has_no_form() {
  const cotter::certificate_form none;
  bool called = false;
  cotter::write_form(none, [&called](bytes_view) { called = true; });
  return !called && cotter::form_size_bytes(none) == 0 && !none.canonical && !none.minimal_shell;
}
static_assert(nothing_has_no_form());

TEST_CASE("a form that was never read has no octets") { CHECK(nothing_has_no_form()); }

// --- what is dropped ---

constexpr bool trailing_octets_are_dropped() {
  const octets clean = certificate_parts{}.element();
  for (const octets& more :
       {hex("00"), hex("30 03 02 01 05"), certificate_parts{}.element(), hex("ff ff ff")}) {
    const octets input = join(clean, more);
    const auto form = cotter::read_form(input);
    if (!form || form->canonical || !form->minimal_shell) return false;
    if (form->outer.size() != clean.size || form->input.size() != input.size) return false;
    if (!same(form_of(input), clean)) return false;
  }
  return true;
}
static_assert(trailing_octets_are_dropped());

TEST_CASE("octets after the certificate are dropped and make it not canonical") {
  CHECK(trailing_octets_are_dropped());
}

// --- what is repaired ---

constexpr bool becomes_clean(bytes_view input, bytes_view clean) {
  const auto form = cotter::read_form(input);
  return form && !form->canonical && !form->minimal_shell && same(form_of(input), clean) &&
         cotter::form_size_bytes(*form) == clean.size() && same(form_of(form_of(input)), clean);
}

constexpr bool outer_headers_are_repaired() {
  const certificate_parts parts;
  const octets clean = parts.element();
  const octets content = parts.content();
  for (const std::size_t length_octets : {3u, 4u, 5u, 8u, 9u, 20u, 126u}) {
    if (!becomes_clean(tlv_long(0x30, length_octets, content), clean)) return false;
  }
  // 3f 10: tag 16 in the form for tags above 30
  const octets high_tag = join(hex("3f 10"), bytes_view(clean).subspan(1));
  const octets padded_high_tag = join(hex("3f 80 10"), bytes_view(clean).subspan(1));
  return becomes_clean(tlv_indefinite(0x30, content), clean) && becomes_clean(high_tag, clean) &&
         becomes_clean(padded_high_tag, clean);
}
static_assert(outer_headers_are_repaired());

TEST_CASE("the outer header is rewritten whatever its spelling") {
  CHECK(outer_headers_are_repaired());
}

constexpr bool algorithms_are_repaired() {
  certificate_parts parts;
  parts.algorithm = rsa_algorithm();
  const octets clean = parts.element();
  const octets oid = hex("2a864886f70d01010b");
  const octets null = hex("05 00");
  const octets spellings[] = {
      tlv_long(0x30, 1, tlv(0x06, oid), null),
      tlv_long(0x30, 4, tlv(0x06, oid), null),
      tlv_indefinite(0x30, tlv(0x06, oid), null),
      tlv(0x30, tlv_long(0x06, 1, oid), null),
      tlv(0x30, tlv_long(0x06, 3, oid), null),
      tlv(0x30, tlv(0x06, oid), hex("05 81 00")),
      tlv(0x30, join(hex("1f 06 09"), oid), null),
      join(hex("3f 10"), bytes_view(tlv(0x30, tlv(0x06, oid), null)).subspan(1)),
      tlv_indefinite(0x30, tlv_long(0x06, 2, oid), hex("1f 05 82 00 00")),
  };
  for (const octets& spelling : spellings) {
    parts.algorithm = spelling;
    if (!becomes_clean(parts.element(), clean)) return false;
  }
  return true;
}
static_assert(algorithms_are_repaired());

TEST_CASE("signatureAlgorithm is rewritten with the shortest tags and lengths") {
  CHECK(algorithms_are_repaired());
}

constexpr bool deep_parameters_are_repaired() {
  certificate_parts parts;
  // [0] { SEQUENCE { OID, NULL } }, [9999] "ab", SET { INTEGER }
  parts.algorithm = tlv(0x30, hex("06 01 2a"),
                        tlv(0x30, tlv(0xa0, tlv(0x30, hex("06 01 2b"), hex("05 00"))),
                            hex("9f ce 0f 02 61 62"), tlv(0x31, hex("02 01 20"))));
  const octets clean = parts.element();
  if (!cotter::read_form(clean)->canonical) return false;
  parts.algorithm = tlv_indefinite(
      0x30, hex("06 01 2a"),
      tlv_long(0x30, 2,
               tlv_indefinite(0xa0, tlv_indefinite(0x30, hex("06 81 01 2b"), hex("05 00"))),
               hex("9f 80 ce 0f 81 02 61 62"), tlv_long(0x31, 1, hex("02 81 01 20"))));
  return becomes_clean(parts.element(), clean);
}
static_assert(deep_parameters_are_repaired());

TEST_CASE("parameters are rewritten at every depth") { CHECK(deep_parameters_are_repaired()); }

constexpr bool lengths_that_shrink_carry_upwards() {
  // The content of the parameters is 131 octets as it came and 127 in DER: their own length field
  // shrinks from two octets to one, and so does the outer one's value.
  certificate_parts parts;
  octets filler;
  for (int i = 0; i < 122; ++i) filler.push(0x61);
  parts.algorithm = tlv(0x30, tlv(0x30, tlv(0x80, filler), hex("80 01 62")));
  const octets clean = parts.element();
  parts.algorithm = tlv(0x30, tlv(0x30, tlv_long(0x80, 5, filler), hex("80 01 62")));
  return becomes_clean(parts.element(), clean);
}
static_assert(lengths_that_shrink_carry_upwards());

TEST_CASE("a length that shrinks shrinks the lengths around it") {
  CHECK(lengths_that_shrink_carry_upwards());
}

constexpr bool signature_headers_are_repaired() {
  certificate_parts parts;
  const octets clean = parts.element();
  const octets bits = hex("00 30 06 02 01 11 02 01 22");
  for (const std::size_t length_octets : {1u, 2u, 4u, 9u}) {
    parts.signature = tlv_long(0x03, length_octets, bits);
    if (!becomes_clean(parts.element(), clean)) return false;
  }
  parts.signature = join(hex("1f 03 09"), bits);
  return becomes_clean(parts.element(), clean);
}
static_assert(signature_headers_are_repaired());

TEST_CASE("the header of signatureValue is rewritten, the octets are not") {
  CHECK(signature_headers_are_repaired());
}

constexpr bool all_at_once() {
  certificate_parts parts;
  parts.algorithm = rsa_algorithm();
  const octets clean = parts.element();
  const octets input =
      join(tlv_indefinite(0x30, parts.tbs,
                          tlv_indefinite(0x30, hex("06 81 09 2a864886f70d01010b"), hex("05 00")),
                          tlv_long(0x03, 3, hex("00 30 06 02 01 11 02 01 22"))),
           hex("de ad"));
  return becomes_clean(input, clean);
}
static_assert(all_at_once());

TEST_CASE("repairs go together") { CHECK(all_at_once()); }

// --- what is not touched ---

constexpr bool tbs_is_verbatim() {
  const octets content = tbs_parts{}.content();
  const octets spellings[] = {
      tlv_long(0x30, 3, content),
      tlv_long(0x30, 8, content),
      tlv_indefinite(0x30, content),
      join(hex("3f 10"), bytes_view(tlv(0x30, content)).subspan(1)),
      tlv(0x30, content, hex("01 01 01")),  // TRUE that is not ff
      tlv(0x30, hex("04 05 ff")),           // not even BER inside
  };
  for (const octets& spelling : spellings) {
    certificate_parts parts;
    parts.tbs = spelling;
    const octets input = parts.element();
    const auto form = cotter::read_form(input);
    if (!form || !form->canonical || !same(form->tbs, spelling)) return false;
    const octets longer = tlv_long(0x30, 4, parts.content());
    if (!same(form_of(longer), input)) return false;
  }
  return true;
}
static_assert(tbs_is_verbatim());

TEST_CASE("TBSCertificate keeps every octet, its own header included") { CHECK(tbs_is_verbatim()); }

constexpr bool other_bytes_are_another_form() {
  certificate_parts parts;
  const octets one = form_of(parts.element());
  parts.signature = tlv(0x03, hex("00 30 06 02 01 11 02 01 23"));  // s -> n - s is another s
  if (same(form_of(parts.element()), one)) return false;
  parts = {};
  parts.tbs = tlv_long(0x30, 3, tbs_parts{}.content());
  return !same(form_of(parts.element()), one);
}
static_assert(other_bytes_are_another_form());

TEST_CASE("another signature or another TBSCertificate is another form") {
  CHECK(other_bytes_are_another_form());
}

constexpr bool meaning_is_not_repaired() {
  certificate_parts parts;
  parts.algorithm = tlv(0x30, hex("06 01 2a"), hex("01 01 01"));  // BOOLEAN 01 as parameters
  return same(form_of(parts.element()), parts.element());
}
static_assert(meaning_is_not_repaired());

TEST_CASE("content octets in signatureAlgorithm stay as they came") {
  CHECK(meaning_is_not_repaired());
}

// --- what is refused ---

constexpr bool inputs_without_certificate_are_refused() {
  return refusal_of({}) == at(errc::empty_input, 0) &&
         refusal_of(hex("30")) == at(errc::truncated, 0) &&
         refusal_of(hex("30 00")) == at(errc::missing_element, 2) &&
         refusal_of(hex("30 80 00 00")) == at(errc::missing_element, 2) &&
         refusal_of(hex("00")) == at(errc::invalid_tag, 0) &&
         refusal_of(text("-----BEGIN CERTIFICATE-----")) == at(errc::unexpected_tag, 0) &&
         refusal_of(text("hello")) == at(errc::unexpected_tag, 0);
}
static_assert(inputs_without_certificate_are_refused());

TEST_CASE("what is no certificate is refused") { CHECK(inputs_without_certificate_are_refused()); }

constexpr bool other_outer_tags_are_refused() {
  octets input = certificate_parts{}.element();
  for (const unsigned identifier : {0x10u, 0x31u, 0x70u, 0xb0u, 0xf0u, 0x24u}) {
    input.data[0] = static_cast<std::uint8_t>(identifier);
    if (refusal_of(input) != at(errc::unexpected_tag, 0)) return false;
  }
  return true;
}
static_assert(other_outer_tags_are_refused());

TEST_CASE("the outer element is a constructed SEQUENCE or refused") {
  CHECK(other_outer_tags_are_refused());
}

constexpr bool other_counts_are_refused() {
  const certificate_parts p;
  const auto size = [](const auto&... parts) { return join(parts...).size; };
  // 2 or more octets of outer header, then the parts
  const octets one = tlv(0x30, p.tbs);
  const octets two = tlv(0x30, p.tbs, p.algorithm);
  const octets four = tlv(0x30, p.tbs, p.algorithm, p.signature, hex("05 00"));
  const octets four_open = tlv_indefinite(0x30, p.tbs, p.algorithm, p.signature, hex("05 00"));
  return refusal_of(one) == at(errc::missing_element, one.size) &&
         refusal_of(two) == at(errc::missing_element, two.size) &&
         refusal_of(four) == at(errc::extra_element, four.size - 2) &&
         refusal_of(four_open) ==
             at(errc::extra_element, 2 + size(p.tbs, p.algorithm, p.signature)) &&
         refusal_of(tlv_indefinite(0x30, p.tbs, p.algorithm)) ==
             at(errc::missing_element, 2 + size(p.tbs, p.algorithm));
}
static_assert(other_counts_are_refused());

TEST_CASE("a certificate has exactly three elements") { CHECK(other_counts_are_refused()); }

constexpr bool other_inner_tags_are_refused() {
  const certificate_parts p;
  const octets set = tlv(0x31, hex("05 00"));
  const octets primitive = tlv(0x10, hex("05 00"));
  const octets octet_string = tlv(0x04, hex("00 11"));
  for (const octets& wrong : {set, primitive, octet_string}) {
    const octets tbs = tlv(0x30, wrong, p.algorithm, p.signature);
    if (refusal_of(tbs) != at(errc::unexpected_tag, 2)) return false;
    if (refusal_of(tlv(0x30, p.tbs, wrong, p.signature)).what != errc::unexpected_tag) return false;
    if (refusal_of(tlv(0x30, p.tbs, p.algorithm, wrong)).what != errc::unexpected_tag) return false;
  }
  return true;
}
static_assert(other_inner_tags_are_refused());

TEST_CASE("TBSCertificate and signatureAlgorithm are SEQUENCEs, signatureValue is a BIT STRING") {
  CHECK(other_inner_tags_are_refused());
}

constexpr bool bad_signatures_are_refused() {
  certificate_parts p;
  const auto refused_as = [&p](const octets& signature, errc what, std::size_t offset) {
    p.signature = signature;
    const octets input = p.element();
    return refusal_of(input) == at(what, input.size - signature.size + offset);
  };
  return refused_as(hex("03 03 01 11 22"), errc::unused_bits, 2) &&
         refused_as(hex("03 03 07 11 80"), errc::unused_bits, 2) &&
         refused_as(hex("03 03 08 11 00"), errc::unused_bits, 2) &&
         refused_as(hex("03 81 03 01 11 22"), errc::unused_bits, 3) &&
         refused_as(hex("03 01 01"), errc::unused_bits, 2) &&
         refused_as(hex("03 01 00"), errc::empty_signature, 0) &&
         refused_as(hex("03 00"), errc::empty_signature, 0) &&
         refused_as(hex("23 04 03 02 00 11"), errc::constructed_bit_string, 0) &&
         refused_as(hex("23 80 03 02 00 11 00 00"), errc::constructed_bit_string, 0) &&
         refused_as(hex("3f 03 04 03 02 00 11"), errc::constructed_bit_string, 0) &&
         refused_as(hex("83 02 00 11"), errc::unexpected_tag, 0);
}
static_assert(bad_signatures_are_refused());

TEST_CASE("signatureValue is a primitive BIT STRING of whole octets, and not of none") {
  CHECK(bad_signatures_are_refused());
}

constexpr bool missing_ends_are_refused() {
  const certificate_parts p;
  octets open = tlv_indefinite(0x30, p.content());
  open.size -= 2;
  if (refusal_of(open) != at(errc::missing_end_of_contents, open.size)) return false;
  octets half_open = open;
  half_open.push(0);
  if (refusal_of(half_open) != at(errc::missing_end_of_contents, open.size)) return false;

  octets algorithm = tlv_indefinite(0x30, hex("06 01 2a"));
  algorithm.size -= 2;
  // What follows is taken for its content, until the certificate ends.
  if (refusal_of(tlv(0x30, p.tbs, algorithm, p.signature)).what != errc::missing_end_of_contents) {
    return false;
  }
  octets tbs = tlv_indefinite(0x30, tbs_parts{}.content());
  tbs.size -= 2;
  return refusal_of(tlv(0x30, tbs, p.algorithm, p.signature)).what == errc::missing_end_of_contents;
}
static_assert(missing_ends_are_refused());

TEST_CASE("an indefinite length without its end is refused") { CHECK(missing_ends_are_refused()); }

constexpr bool ambiguous_algorithms_are_refused() {
  certificate_parts p;
  const octets before = tlv(0x30, hex("06 01 2a"));
  const auto refused_as = [&](const octets& parameters, errc what) {
    p.algorithm = tlv(0x30, hex("06 01 2a"), parameters);
    const octets input = p.element();
    const std::size_t algorithm_at = input.size - p.signature.size - p.algorithm.size;
    return refusal_of(input) == at(what, algorithm_at + before.size);
  };
  return refused_as(hex("24 04 04 02 61 62"), errc::unexpected_tag) &&     // OCTET STRING
         refused_as(hex("24 80 04 01 61 00 00"), errc::unexpected_tag) &&  // in pieces
         refused_as(hex("23 04 03 02 00 61"), errc::unexpected_tag) &&     // BIT STRING
         refused_as(hex("2c 03 0c 01 61"), errc::unexpected_tag) &&        // UTF8String
         refused_as(hex("22 03 02 01 05"), errc::unexpected_tag) &&        // INTEGER
         refused_as(hex("25 00"), errc::unexpected_tag) &&                 // NULL
         refused_as(hex("10 02 05 00"), errc::unexpected_tag) &&           // SEQUENCE
         refused_as(hex("11 02 05 00"), errc::unexpected_tag) &&           // SET
         refused_as(hex("00 00"), errc::invalid_tag) &&
         refused_as(hex("02 05 01"), errc::truncated) &&
         refused_as(hex("02 80 01"), errc::invalid_length) &&
         refused_as(hex("02 ff 01"), errc::invalid_length) &&
         refused_as(hex("02 83 01 00 00"), errc::too_large);
}
static_assert(ambiguous_algorithms_are_refused());

TEST_CASE("signatureAlgorithm with more than one reading is refused") {
  CHECK(ambiguous_algorithms_are_refused());
}

constexpr octets nested_algorithm(std::size_t levels, bool definite) {
  octets nested = hex("06 01 2a");
  for (std::size_t i = 0; i < levels; ++i) {
    nested = definite ? tlv(0x30, nested) : tlv_indefinite(0x30, nested);
  }
  return nested;
}

constexpr bool depth_is_bounded() {
  certificate_parts p;
  // The primitive at the bottom counts: it is looked at, too.
  const std::size_t most = cotter::der::max_nesting_depth - 1;
  p.algorithm = nested_algorithm(most, true);
  const octets clean = p.element();
  if (!cotter::read_form(clean)) return false;
  p.algorithm = nested_algorithm(most, false);
  if (!same(form_of(p.element()), clean)) return false;
  p.algorithm = nested_algorithm(most + 1, true);
  return refusal_of(p.element()).what == errc::too_deep;
}
static_assert(depth_is_bounded());

TEST_CASE("signatureAlgorithm nests so deep and no deeper") { CHECK(depth_is_bounded()); }

constexpr bool truncation_is_refused() {
  const bytes_view whole = ecdsa_certificate;
  for (std::size_t size = 1; size < whole.size(); size += 37) {
    const error refusal = refusal_of(whole.first(size));
    if (refusal != at(errc::truncated, 0)) return false;
  }
  // The signature claims more than the certificate has.
  certificate_parts p;
  p.signature = hex("03 05 00 11 22 33");
  const octets input = p.element();
  return refusal_of(input) == at(errc::truncated, input.size - p.signature.size);
}
static_assert(truncation_is_refused());

TEST_CASE("a certificate that ends too early is refused") { CHECK(truncation_is_refused()); }

// --- bounds ---

std::vector<std::uint8_t> certificate_of(std::size_t size) {
  // 30 82 LL LL  30 82 LL LL <tbs>  30 03 06 01 2a  03 02 00 11
  const std::size_t tail = 9;
  const std::size_t outer = size - 4;
  const std::size_t tbs = outer - 4 - tail;
  std::vector<std::uint8_t> out{0x30, 0x82, static_cast<std::uint8_t>(outer >> 8),
                                static_cast<std::uint8_t>(outer)};
  out.insert(out.end(),
             {0x30, 0x82, static_cast<std::uint8_t>(tbs >> 8), static_cast<std::uint8_t>(tbs)});
  out.insert(out.end(), tbs, 0x61);
  out.insert(out.end(), {0x30, 0x03, 0x06, 0x01, 0x2a, 0x03, 0x02, 0x00, 0x11});
  return out;
}

TEST_CASE("a certificate of 65535 octets is read and one octet more is too large") {
  std::vector<std::uint8_t> input = certificate_of(cotter::max_certificate_bytes);
  REQUIRE(input.size() == 65'535);
  CHECK(cotter::read_form(input)->canonical);
  input.push_back(0);
  CHECK(refusal_of(input) == at(errc::too_large, 65'535));
}

TEST_CASE("what is dropped still counts towards the bound") {
  std::vector<std::uint8_t> input = certificate_of(1'000);
  input.resize(65'535);
  CHECK(cotter::read_form(input)->outer.size() == 1'000);
  input.resize(65'536);
  CHECK(refusal_of(input).what == errc::too_large);
}

TEST_CASE("a length of 64 KiB is too large, not truncated") {
  CHECK(refusal_of(hex("30 83 01 00 00")) == at(errc::too_large, 0));
  CHECK(refusal_of(hex("30 88 00 00 00 01 00 00 00 00")) == at(errc::too_large, 0));
  CHECK(refusal_of(hex("30 82 ff ff")) == at(errc::truncated, 0));
}

}  // namespace
