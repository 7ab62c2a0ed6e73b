// SPDX-License-Identifier: BSL-1.0
#include <cotter/certificate/view.hpp>

#include <support/catch.hpp>
#include "certificates.hpp"
#include "real_certificates.hpp"

#include <chrono>
#include <cstddef>
#include <string_view>

namespace {

using cotter::bytes_view;
using cotter::certificate_view;
using cotter::errc;
using cotter::error;
using cotter::field;
using cotter::instant;
using namespace cotter_test;

constexpr instant moment(int year, unsigned month, unsigned day, int hour = 0, int minute = 0,
                         int second = 0) {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                            std::chrono::day{day}};
  return sys_days{date} + hours{hour} + minutes{minute} + seconds{second};
}

constexpr bool a_real_certificate_is_located() {
  const auto form = cotter::read_form(ecdsa_certificate);
  const certificate_view view = cotter::locate(*form);
  for (const field each : cotter::all_fields) {
    if (!view.located(each)) return false;
  }
  const bytes_view whole = ecdsa_certificate;
  return view.version == 3 && same(view.serial, hex("1122334455667788")) &&
         view.issuer.data() == whole.data() + 35 && view.issuer.size() == 51 &&
         view.not_before == moment(2026, 11, 21, 2, 2, 21) &&
         view.not_after == moment(2126, 10, 28, 2, 2, 21) &&
         view.subject.data() == whole.data() + 120 && view.subject.size() == 51 &&
         view.spki.data() == whole.data() + 171 && same(view.spki, ecdsa_certificate_spki) &&
         view.san.data() == whole.data() + 328 && view.san.size() == 75;
}
static_assert(a_real_certificate_is_located());

TEST_CASE("a real certificate is located as openssl reads it") {
  CHECK(a_real_certificate_is_located());
}

constexpr bool a_certificate_without_san_is_located() {
  const certificate_view view = cotter::locate(*cotter::read_form(pss_certificate));
  return view.located(field::san) && view.san.empty() && same(view.serial, hex("05"));
}
static_assert(a_certificate_without_san_is_located());

TEST_CASE("no subjectAltName is located, and empty") {
  CHECK(a_certificate_without_san_is_located());
}

constexpr bool nothing_is_located_unasked() {
  const certificate_view view;
  for (const field each : cotter::all_fields) {
    if (view.located(each)) return false;
  }
  return view.version == 0 && !cotter::is_valid_at(view, instant{}) &&
         !cotter::locate(cotter::certificate_form{}).located(field::serial);
}
static_assert(nothing_is_located_unasked());

TEST_CASE("a view that nobody filled has located nothing") { CHECK(nothing_is_located_unasked()); }

constexpr bool fields_have_names() {
  std::string_view expected[] = {"serial", "issuer", "validity", "subject", "spki", "san"};
  std::size_t n = 0;
  bool same_names = true;
  cotter::for_each_unlocated(certificate_view{}, [&](std::string_view name) {
    same_names = same_names && n < 6 && name == expected[n];
    ++n;
  });
  std::size_t none = 0;
  const octets tbs = tbs_parts{}.element();
  cotter::for_each_unlocated(cotter::locate(tbs), [&none](std::string_view) { ++none; });
  return same_names && n == 6 && none == 0;
}
static_assert(fields_have_names());

TEST_CASE("unlocated fields are named in the order of the certificate") {
  CHECK(fields_have_names());
}

// The first field from which on all are unlocated with this error; all before it are located.
constexpr bool hides_from(const tbs_parts& parts, field first, errc what) {
  const octets tbs = parts.element();
  const certificate_view view = cotter::locate(tbs);
  for (const field each : cotter::all_fields) {
    if (each < first ? !view.located(each) : view.problem(each).what != what) return false;
  }
  return true;
}

// Only this field is unlocated, with this error.
constexpr bool hides_only(const tbs_parts& parts, field only, errc what) {
  const octets tbs = parts.element();
  const certificate_view view = cotter::locate(tbs);
  for (const field each : cotter::all_fields) {
    if (view.problem(each).what != (each == only ? what : errc::ok)) return false;
  }
  return true;
}

constexpr bool hides_nothing(const tbs_parts& parts) {
  const octets tbs = parts.element();
  const certificate_view view = cotter::locate(tbs);
  for (const field each : cotter::all_fields) {
    if (!view.located(each)) return false;
  }
  return true;
}

template <typename Change>
constexpr tbs_parts with(Change change) {
  tbs_parts parts;
  change(parts);
  return parts;
}

constexpr bool a_fault_hides_what_follows() {
  const octets set = tlv(0x31, hex("05 00"));
  return hides_from(with([](auto& p) { p.serial = hex("04 01 05"); }), field::serial,
                    errc::unexpected_tag) &&
         hides_from(with([](auto& p) { p.serial = hex("02 00"); }), field::serial,
                    errc::invalid_length) &&
         hides_from(with([](auto& p) { p.serial = {}; }), field::serial, errc::unexpected_tag) &&
         hides_from(with([&](auto& p) { p.signature = set; }), field::issuer,
                    errc::unexpected_tag) &&
         hides_from(with([&](auto& p) { p.issuer = set; }), field::issuer, errc::unexpected_tag) &&
         hides_from(with([&](auto& p) { p.validity = set; }), field::validity,
                    errc::unexpected_tag) &&
         hides_from(with([&](auto& p) { p.subject = set; }), field::subject,
                    errc::unexpected_tag) &&
         hides_from(with([&](auto& p) { p.spki = set; }), field::spki, errc::unexpected_tag) &&
         hides_from(with([&](auto& p) { p.extensions = set; }), field::san, errc::unexpected_tag) &&
         hides_from(with([](auto& p) { p.spki = p.extensions = {}; }), field::spki,
                    errc::missing_element) &&
         hides_from(with([](auto& p) { p.trailer = hex("05 00"); }), field::san,
                    errc::extra_element) &&
         hides_from(with([](auto& p) { p.trailer = p.extensions; }), field::san,
                    errc::extra_element);
}
static_assert(a_fault_hides_what_follows());

TEST_CASE("an element out of place hides itself and what follows, never what came before") {
  CHECK(a_fault_hides_what_follows());
}

constexpr bool versions_are_read() {
  const auto version_of = [](std::string_view octets_in_hex) {
    tbs_parts parts;
    parts.version = hex(octets_in_hex);
    const octets tbs = parts.element();
    const certificate_view view = cotter::locate(tbs);
    return view.located(field::serial) && view.located(field::san) ? int{view.version} : -1;
  };
  return version_of("") == 1 && version_of("a0 03 02 01 00") == 1 &&
         version_of("a0 03 02 01 01") == 2 && version_of("a0 03 02 01 02") == 3 &&
         version_of("a0 03 02 01 03") == 0 && version_of("a0 03 02 01 ff") == 0 &&
         version_of("a0 00") == 0 && version_of("a0 04 02 02 00 02") == 0 &&
         version_of("a0 80 02 01 02 00 00") == 3;
}
static_assert(versions_are_read());

TEST_CASE("the version is read, and one that does not exist hides no field") {
  CHECK(versions_are_read());
}

constexpr bool odd_serials_are_located() {
  for (const std::string_view serial : {"02 01 00", "02 01 80", "02 02 00 01", "02 81 01 05"}) {
    if (!hides_nothing(with([&](auto& p) { p.serial = hex(serial); }))) return false;
  }
  return true;
}
static_assert(odd_serials_are_located());

TEST_CASE("zero, negative and padded serials are located as they came") {
  CHECK(odd_serials_are_located());
}

constexpr bool key_is_as_received() {
  const octets algorithm = hex("30 05 06 03 2b6570");
  const octets bits = tlv(0x03, hex("00 11223344"));
  for (const octets& spki : {tlv(0x30, algorithm, bits), tlv_long(0x30, 3, algorithm, bits),
                             tlv_indefinite(0x30, algorithm, bits),
                             tlv(0x30, algorithm, tlv_long(0x03, 2, hex("00 11223344")))}) {
    const octets tbs = with([&](auto& p) { p.spki = spki; }).element();
    const certificate_view view = cotter::locate(tbs);
    if (!view.located(field::spki) || !same(view.spki, spki)) return false;
  }
  return hides_from(with([&](auto& p) { p.spki = tlv(0x30, bits, algorithm); }), field::spki,
                    errc::unexpected_tag) &&
         hides_from(with([&](auto& p) { p.spki = tlv(0x30, algorithm); }), field::spki,
                    errc::missing_element) &&
         hides_from(with([&](auto& p) { p.spki = tlv(0x30, algorithm, bits, bits); }), field::spki,
                    errc::extra_element) &&
         hides_from(with([&](auto& p) { p.spki = tlv(0x30, algorithm, tlv(0x23, bits)); }),
                    field::spki, errc::unexpected_tag);
}
static_assert(key_is_as_received());

TEST_CASE("SubjectPublicKeyInfo is the element as it came, if it is one") {
  CHECK(key_is_as_received());
}

// --- time ---

struct read_moment {
  std::string_view text;
  bool utc;
  instant expected;
};

constexpr read_moment read_moments[] = {
    {"500101000000Z", true, moment(1950, 1, 1)},
    {"991231235959Z", true, moment(1999, 12, 31, 23, 59, 59)},
    {"000101000000Z", true, moment(2000, 1, 1)},
    {"000229120000Z", true, moment(2000, 2, 29, 12)},  // divisible by 400
    {"240229000000Z", true, moment(2024, 2, 29)},
    {"491231235959Z", true, moment(2049, 12, 31, 23, 59, 59)},
    {"700101000000Z", true, instant{}},
    {"20500101000000Z", false, moment(2050, 1, 1)},
    {"20260101000000Z", false, moment(2026, 1, 1)},
    {"99991231235959Z", false, moment(9999, 12, 31, 23, 59, 59)},
    {"20960229000000Z", false, moment(2096, 2, 29)},
};

constexpr std::string_view refused_utc[] = {
    "",
    "2601010000Z",
    "260101000000",
    "260101000000z",
    "260101000000+",
    "260101000000+00",
    "260101000000+0000",
    "260101000000-0100",
    "26010100000Z",
    "0260101000000Z",
    "260001000000Z",
    "261301000000Z",
    "260100000000Z",
    "260132000000Z",
    "260431000000Z",
    "260229000000Z",
    "260101240000Z",
    "260101006000Z",
    "260101000060Z",
    "26010100000aZ",
    " 60101000000Z",
    "2 0101000000Z",
    "-60101000000Z",
    "260101000000.0Z",
    "/60101000000Z",
    ":60101000000Z",
    "2601010000\0\0Z",
};

constexpr std::string_view refused_generalized[] = {
    "",
    "260101000000Z",
    "202601010000Z",
    "20260101000000",
    "20260101000000.5Z",
    "20260101000000+0000",
    "21000229000000Z",  // divisible by 100, not by 400
    "20260631000000Z",
    "20260101250000Z",
    "2026010100000 Z",
    "x0260101000000Z",
    "20x60101000000Z",
};

constexpr bool reads(const read_moment& each) {
  const octets element = each.utc ? utc(each.text) : generalized(each.text);
  const auto time = cotter::read_time(*cotter::der::reader(element).peek());
  return time && *time == each.expected;
}

constexpr bool refuses(std::string_view value, bool is_utc) {
  const octets element = is_utc ? utc(value) : generalized(value);
  const auto time = cotter::read_time(*cotter::der::reader(element, 9).peek());
  return time.error() == error{errc::invalid_time, 9, 0};
}

constexpr bool all_times() {
  for (const read_moment& each : read_moments) {
    if (!reads(each)) return false;
  }
  for (const std::string_view each : refused_utc) {
    if (!refuses(each, true)) return false;
  }
  for (const std::string_view each : refused_generalized) {
    if (!refuses(each, false)) return false;
  }
  return true;
}
static_assert(all_times());

TEST_CASE("times are read as RFC 5280 writes them and no other way") {
  for (const read_moment& each : read_moments) {
    INFO(each.text);
    CHECK(reads(each));
  }
  for (const std::string_view each : refused_utc) {
    INFO("UTCTime " << each);
    CHECK(refuses(each, true));
  }
  for (const std::string_view each : refused_generalized) {
    INFO("GeneralizedTime " << each);
    CHECK(refuses(each, false));
  }
}

constexpr bool bad_times_hide_only_the_validity() {
  const octets good = utc("260101000000Z");
  const auto validity = [](const auto&... times) {
    return with([&](auto& p) { p.validity = tlv(0x30, times...); });
  };
  return hides_only(validity(good, utc("2601010000Z")), field::validity, errc::invalid_time) &&
         hides_only(validity(utc("260101000000+0100"), good), field::validity,
                    errc::invalid_time) &&
         hides_only(validity(good), field::validity, errc::missing_element) &&
         hides_only(validity(good, good, good), field::validity, errc::extra_element) &&
         hides_only(validity(good, tlv(0x02, hex("05"))), field::validity, errc::unexpected_tag) &&
         hides_only(validity(good, tlv(0x37, good)), field::validity, errc::unexpected_tag) &&
         hides_nothing(validity(good, generalized("99991231235959Z"))) &&
         hides_nothing(validity(tlv_long(0x17, 2, text("260101000000Z")), good));
}
static_assert(bad_times_hide_only_the_validity());

TEST_CASE("a validity without times hides only itself") {
  CHECK(bad_times_hide_only_the_validity());
}

constexpr bool validity_includes_both_ends() {
  using std::chrono::seconds;
  const octets tbs = tbs_parts{}.element();
  const certificate_view view = cotter::locate(tbs);
  const instant first = moment(2026, 1, 1);
  const instant last = moment(2027, 12, 31, 23, 59, 59);
  if (!is_valid_at(view, first) || !is_valid_at(view, last)) return false;
  if (is_valid_at(view, first - seconds{1}) || is_valid_at(view, last + seconds{1})) return false;
  // The ends the wrong way round: never.
  const octets inverted = with([](auto& p) {
                            p.validity = tlv(0x30, utc("271231235959Z"), utc("260101000000Z"));
                          }).element();
  const certificate_view never = cotter::locate(inverted);
  return never.located(field::validity) && !is_valid_at(never, first) &&
         !is_valid_at(never, moment(2026, 12, 1));
}
static_assert(validity_includes_both_ends());

TEST_CASE("a certificate is valid from its first second to its last") {
  CHECK(validity_includes_both_ends());
}

// --- subjectAltName ---

constexpr tbs_parts with_extensions(const octets& list) {
  return with([&](auto& p) { p.extensions = tlv(0xa3, list); });
}

constexpr bool san_is_found() {
  const octets names = general_names(dns("a.example"));
  const octets san = extension(san_oid(), names);
  const octets other = extension(hex("551d13"), hex("30 00"));
  const octets critical = tlv(0x30, tlv(0x06, san_oid()), hex("01 01 ff"), tlv(0x04, names));
  const octets critical_01 = tlv(0x30, tlv(0x06, san_oid()), hex("01 01 01"), tlv(0x04, names));
  const octets critical_no = tlv(0x30, tlv(0x06, san_oid()), hex("01 01 00"), tlv(0x04, names));
  const octets open = tlv_indefinite(0x30, tlv(0x06, san_oid()), tlv_long(0x04, 2, names));
  for (const octets& each : {san, critical, critical_01, critical_no, open}) {
    for (const octets& list : {tlv(0x30, each), tlv(0x30, other, each), tlv(0x30, each, other),
                               tlv_indefinite(0x30, other, each)}) {
      const octets tbs = with_extensions(list).element();
      const certificate_view view = cotter::locate(tbs);
      if (!view.located(field::san) || !same(view.san, names)) return false;
    }
  }
  return true;
}
static_assert(san_is_found());

TEST_CASE("subjectAltName is found wherever it stands and however critical it is") {
  CHECK(san_is_found());
}

constexpr bool bad_extensions_hide_only_the_san() {
  const octets names = general_names(dns("a.example"));
  const octets san = extension(san_oid(), names);
  const octets other = extension(hex("551d13"), hex("30 00"));
  const octets oid = tlv(0x06, san_oid());
  const auto hidden = [](const octets& list, errc what) {
    return hides_only(with_extensions(list), field::san, what);
  };
  return hidden(tlv(0x30, san, san), errc::duplicate_extension) &&
         hidden(tlv(0x30, san, other, extension(san_oid(), general_names(dns("b.example")))),
                errc::duplicate_extension) &&
         hidden(tlv(0x31, san), errc::unexpected_tag) &&
         hidden(join(tlv(0x30, san), tlv(0x30, other)), errc::extra_element) &&
         hidden(tlv(0x30, san, hex("05 00")), errc::unexpected_tag) &&
         hidden(tlv(0x30, san, tlv(0x30, hex("04 00"))), errc::unexpected_tag) &&
         hidden(tlv(0x30, san, hex("30 00")), errc::missing_element) &&
         hidden(tlv(0x30, san, hex("30 05 06")), errc::truncated) &&
         hidden(tlv(0x30, tlv(0x30, oid)), errc::missing_element) &&
         hidden(tlv(0x30, tlv(0x30, oid, hex("01 00"), tlv(0x04, names))), errc::invalid_length) &&
         hidden(tlv(0x30, tlv(0x30, oid, hex("01 02 ff ff"), tlv(0x04, names))),
                errc::invalid_length) &&
         hidden(tlv(0x30, tlv(0x30, oid, tlv(0x24, tlv(0x04, names)))), errc::unexpected_tag) &&
         hidden(tlv(0x30, tlv(0x30, oid, tlv(0x04, names), hex("05 00"))), errc::extra_element) &&
         hidden(tlv(0x30, extension(san_oid(), {})), errc::missing_element) &&
         hidden(tlv(0x30, extension(san_oid(), dns("a.example"))), errc::unexpected_tag) &&
         hidden(tlv(0x30, extension(san_oid(), join(names, hex("05 00")))), errc::extra_element) &&
         hidden({}, errc::missing_element);
}
static_assert(bad_extensions_hide_only_the_san());

TEST_CASE("extensions that cannot be read hide the subjectAltName and nothing else") {
  CHECK(bad_extensions_hide_only_the_san());
}

constexpr bool a_common_prefix_is_no_san() {
  for (const std::string_view oid : {"551d12", "551d", "551d1100", "561d11", "551c11", ""}) {
    const octets list = tlv(0x30, extension(hex(oid), general_names(dns("a.example"))));
    const octets tbs = with_extensions(list).element();
    const certificate_view view = cotter::locate(tbs);
    if (!view.located(field::san) || !view.san.empty()) return false;
  }
  return true;
}
static_assert(a_common_prefix_is_no_san());

TEST_CASE("another extension is not taken for subjectAltName") {
  CHECK(a_common_prefix_is_no_san());
}

constexpr bool unique_ids_are_passed() {
  const octets issuer_id = hex("81 02 00 11");
  const octets subject_id = hex("82 02 00 22");
  const octets in_pieces = hex("a1 04 03 02 00 11");
  const auto id = [](const auto&... ids) {
    return with([&](auto& p) { p.unique_ids = join(ids...); });
  };
  return hides_nothing(id(issuer_id)) && hides_nothing(id(subject_id)) &&
         hides_nothing(id(issuer_id, subject_id)) && hides_nothing(id(in_pieces)) &&
         hides_only(id(subject_id, issuer_id), field::san, errc::unexpected_tag) &&
         hides_only(id(issuer_id, issuer_id), field::san, errc::unexpected_tag);
}
static_assert(unique_ids_are_passed());

TEST_CASE("unique identifiers are passed over in their places") { CHECK(unique_ids_are_passed()); }

// --- spellings of the TBSCertificate itself ---

constexpr bool any_header_of_tbs_is_read() {
  const octets content = tbs_parts{}.content();
  for (const octets& tbs :
       {tlv(0x30, content), tlv_long(0x30, 5, content), tlv_indefinite(0x30, content),
        join(hex("3f 10"), bytes_view(tlv(0x30, content)).subspan(1))}) {
    const certificate_view view = cotter::locate(tbs);
    if (!view.located(field::serial) || !view.located(field::san) || view.san.empty()) return false;
    if (view.tbs.size() != tbs.size) return false;
  }
  const certificate_view trailing = cotter::locate(join(tlv(0x30, content), hex("05 00")));
  return trailing.problem(field::serial).what == errc::extra_element &&
         cotter::locate(bytes_view{}).problem(field::san).what == errc::missing_element;
}
static_assert(any_header_of_tbs_is_read());

TEST_CASE("TBSCertificate is read whatever its header looks like, but not what follows it") {
  CHECK(any_header_of_tbs_is_read());
}

constexpr bool offsets_count_from_the_input() {
  certificate_parts parts;
  tbs_parts tbs;
  tbs.serial = hex("04 01 05");
  parts.tbs = tbs.element();
  const octets input = tlv_long(0x30, 5, parts.content());
  const certificate_view view = cotter::locate(*cotter::read_form(input));
  // 7 octets of outer header, 3 of TBSCertificate's (its content is 128 to 255), 5 of version
  return parts.tbs.data[1] == 0x81 &&
         view.problem(field::serial) == error{errc::unexpected_tag, 7 + 3 + 5, 0};
}
static_assert(offsets_count_from_the_input());

TEST_CASE("the offset of a problem counts from the start of the input") {
  CHECK(offsets_count_from_the_input());
}

}  // namespace
