// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/certificate/form.hpp>
#include <cotter/der/reader.hpp>
#include <cotter/der/tag.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/time.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// A part of TBSCertificate that cotter looks for, in the order of RFC 5280 4.1.
enum class field : std::uint8_t { serial, issuer, validity, subject, spki, san };

inline constexpr std::array<field, 6> all_fields{field::serial,  field::issuer, field::validity,
                                                 field::subject, field::spki,   field::san};

/// The stable spelling of `f`. Static storage; never empty.
[[nodiscard]] constexpr std::string_view to_string(field f) noexcept {
  switch (f) {
    case field::serial:
      return "serial";
    case field::issuer:
      return "issuer";
    case field::validity:
      return "validity";
    case field::subject:
      return "subject";
    case field::spki:
      return "spki";
    case field::san:
      return "san";
  }
  return "unknown";
}

/// What cotter needs of a certificate, found by offset inside TBSCertificate, never re-encoded.
///
/// The views are borrowed from the octets given to `locate`. A field that could not be located has
/// no octets, or for `validity` a range in which nothing is valid.
struct certificate_view {
  bytes_view tbs{};          ///< the TBSCertificate element
  std::uint8_t version = 0;  ///< 1, 2 or 3; 0 if it could not be read
  bytes_view serial{};       ///< the INTEGER's content, as it came
  bytes_view issuer{};       ///< the Name element
  instant not_before = instant::max();
  instant not_after = instant::min();
  bytes_view subject{};  ///< the Name element
  bytes_view spki{};     ///< the SubjectPublicKeyInfo element, header included, as it came
  bytes_view san{};      ///< the GeneralNames element; empty if there is none

  /// Why each field could not be located, by `field`; `errc::ok` if it was. Nothing is located
  /// until somebody has looked.
  std::array<error, all_fields.size()> problems{
      error{errc::missing_element}, error{errc::missing_element}, error{errc::missing_element},
      error{errc::missing_element}, error{errc::missing_element}, error{errc::missing_element}};

  [[nodiscard]] constexpr const error& problem(field f) const noexcept {
    return problems[static_cast<std::size_t>(f)];
  }
  /// True if it is known where the field is. A certificate without subjectAltName has its `san`
  /// located, and empty.
  [[nodiscard]] constexpr bool located(field f) const noexcept {
    return problem(f).what == errc::ok;
  }
};

/// Calls `f` with the name of each field that could not be located, in the order of the
/// certificate.
template <typename F>
constexpr void for_each_unlocated(const certificate_view& view, F&& f) {
  for (const field each : all_fields) {
    if (!view.located(each)) f(to_string(each));
  }
}

/// True from notBefore to notAfter, both included (RFC 5280 4.1.2.5). Never true if the validity
/// could not be located.
[[nodiscard]] constexpr bool is_valid_at(const certificate_view& view, instant now) noexcept {
  return view.located(field::validity) && view.not_before <= now && now <= view.not_after;
}

namespace detail {

/// Two decimal digits, or a number above 99.
constexpr unsigned two_digits(bytes_view text, std::size_t at) noexcept {
  const unsigned tens = text[at] - unsigned{'0'};
  const unsigned units = text[at + 1] - unsigned{'0'};
  return tens > 9 || units > 9 ? 100 : tens * 10 + units;
}

/// `MMDDHHMMSSZ`, 11 octets from `at`.
constexpr result<instant> read_rest_of_time(int year, bytes_view text, std::size_t at,
                                            std::size_t offset) noexcept {
  using namespace std::chrono;
  const unsigned hour = two_digits(text, at + 4);
  const unsigned minute = two_digits(text, at + 6);
  const unsigned second = two_digits(text, at + 8);
  const year_month_day date{std::chrono::year{year}, month{two_digits(text, at)},
                            day{two_digits(text, at + 2)}};
  if (text[at + 10] != 'Z' || !date.ok() || hour > 23 || minute > 59 || second > 59) {
    return {errc::invalid_time, offset};
  }
  return instant{sys_days{date} + hours{hour} + minutes{minute} + seconds{second}};
}

/// Exactly one element and nothing behind it.
constexpr result<der::element> expect_only(der::reader in, der::tag wanted) noexcept {
  auto found = in.expect(wanted);
  if (found && !in.at_end()) found = in.expect_end().error();
  return found;
}

}  // namespace detail

/// Reads a `Time` of RFC 5280 4.1.2.5: UTCTime `YYMMDDHHMMSSZ`, years 1950 to 2049, or
/// GeneralizedTime `YYYYMMDDHHMMSSZ`. Nothing else: no missing seconds, offsets or fractions, and
/// only days that the calendar has. A GeneralizedTime before 2050 is read, as libraries do.
///
/// @errors `invalid_time`, `unexpected_tag`, with the element's offset.
[[nodiscard]] constexpr result<instant> read_time(const der::element& e) noexcept {
  const bytes_view text = e.content();
  if (e.tag() == der::tags::utc_time) {
    if (text.size() != 13) return {errc::invalid_time, e.offset_bytes()};
    const unsigned yy = detail::two_digits(text, 0);
    if (yy > 99) return {errc::invalid_time, e.offset_bytes()};
    return detail::read_rest_of_time(static_cast<int>(yy) + (yy >= 50 ? 1900 : 2000), text, 2,
                                     e.offset_bytes());
  }
  if (e.tag() == der::tags::generalized_time) {
    if (text.size() != 15) return {errc::invalid_time, e.offset_bytes()};
    const unsigned century = detail::two_digits(text, 0);
    const unsigned yy = detail::two_digits(text, 2);
    if (century > 99 || yy > 99) return {errc::invalid_time, e.offset_bytes()};
    return detail::read_rest_of_time(static_cast<int>(century * 100 + yy), text, 4,
                                     e.offset_bytes());
  }
  return {errc::unexpected_tag, e.offset_bytes()};
}

namespace detail {

struct validity_range {
  instant not_before{};
  instant not_after{};
};

constexpr result<validity_range> read_validity(const der::element& e) noexcept {
  der::reader times(e);
  instant ends[2]{};
  for (instant& each : ends) {
    const auto found = times.next();
    if (!found) return found.error();
    const auto read = read_time(*found);
    if (!read) return read.error();
    each = *read;
  }
  if (const auto end = times.expect_end(); !end) return end.error();
  return validity_range{ends[0], ends[1]};
}

/// SEQUENCE { AlgorithmIdentifier, BIT STRING } and nothing more.
constexpr result<void> check_spki(const der::element& e) noexcept {
  der::reader parts(e);
  if (const auto algorithm = parts.expect(der::tags::sequence); !algorithm) {
    return algorithm.error();
  }
  if (const auto key = parts.expect(der::tags::bit_string); !key) return key.error();
  return parts.expect_end();
}

constexpr bool is_subject_alt_name(bytes_view oid) noexcept {
  return oid.size() == 3 && oid[0] == 0x55 && oid[1] == 0x1d && oid[2] == 0x11;  // 2.5.29.17
}

/// The GeneralNames element of the one subjectAltName; empty if there is none.
constexpr result<bytes_view> find_san(const der::element& explicit_extensions) noexcept {
  const auto list = expect_only(der::reader(explicit_extensions), der::tags::sequence);
  if (!list) return list.error();
  bytes_view san;
  der::reader extensions(*list);
  while (!extensions.at_end()) {
    const auto extension = extensions.expect(der::tags::sequence);
    if (!extension) return extension.error();
    der::reader parts(*extension);
    const auto oid = parts.expect(der::tags::object_identifier);
    if (!oid) return oid.error();
    if (!is_subject_alt_name(oid->content())) continue;
    if (!san.empty()) return {errc::duplicate_extension, extension->offset_bytes()};
    if (parts.at(der::tags::boolean)) {
      const auto critical = parts.next();
      if (!critical) return critical.error();
      if (critical->content().size() != 1) return {errc::invalid_length, critical->offset_bytes()};
    }
    const auto value = expect_only(parts, der::tags::octet_string);
    if (!value) return value.error();
    const auto names = expect_only(der::reader(*value), der::tags::sequence);
    if (!names) return names.error();
    san = names->whole();
  }
  return san;
}

constexpr result<bytes_view> find_san_after_spki(der::reader rest) noexcept {
  for (const std::uint32_t unique_id : {1u, 2u}) {
    if (rest.at(der::context_tag(unique_id, false)) || rest.at(der::context_tag(unique_id, true))) {
      if (const auto skipped = rest.skip(); !skipped) return skipped.error();
    }
  }
  if (rest.at_end()) return bytes_view{};
  const auto extensions = rest.expect(der::context_tag(3, true));
  if (!extensions) return extensions.error();
  if (const auto end = rest.expect_end(); !end) return end.error();
  return find_san(*extensions);
}

/// `INTEGER { v1(0), v2(1), v3(2) }` under [0]; 0 if it is none of them.
constexpr std::uint8_t read_version(const der::element& e) noexcept {
  const auto number = expect_only(der::reader(e), der::tags::integer);
  if (!number || number->content().size() != 1 || number->content()[0] > 2) return 0;
  return static_cast<std::uint8_t>(number->content()[0] + 1);
}

}  // namespace detail

/// Locates the fields of a TBSCertificate.
///
/// Reads BER, as the libraries do, but only where it has one meaning. Once an element is not what
/// RFC 5280 puts in its place, that field and all after it are unlocated, those before it are not;
/// a validity that holds no times hides only itself. `offset_bytes` is added to the offsets of
/// `problems`. Time is linear; allocates nothing.
///
/// `problems` hold any error of `der::reader::expect`, `extra_element`, `invalid_time`,
/// `invalid_length` (no octets in the serial, a BOOLEAN not of one), `duplicate_extension`
/// (subjectAltName twice).
/// @source RFC 5280 4.1, 4.2.1.6
[[nodiscard]] constexpr certificate_view locate(bytes_view tbs,
                                                std::size_t offset_bytes = 0) noexcept {
  certificate_view view;
  const auto set = [&view](field f, const error& e) {
    view.problems[static_cast<std::size_t>(f)] = e;
  };
  const auto hide_from = [&view](field f, const error& e) {
    for (std::size_t i = static_cast<std::size_t>(f); i < view.problems.size(); ++i) {
      view.problems[i] = e;
    }
  };

  const auto body = detail::expect_only(der::reader(tbs, offset_bytes), der::tags::sequence);
  if (!body) {
    hide_from(field::serial, body.error());
    return view;
  }
  view.tbs = tbs;
  der::reader parts(*body);

  view.version = 1;
  if (parts.at(der::context_tag(0, true))) {
    const auto version = parts.next();
    view.version = version ? detail::read_version(*version) : std::uint8_t{0};
  }

  const auto serial = parts.expect(der::tags::integer);
  if (!serial || serial->content().empty()) {
    hide_from(field::serial, serial ? error{errc::invalid_length,
                                            static_cast<std::uint32_t>(serial->offset_bytes())}
                                    : serial.error());
    return view;
  }
  view.serial = serial->content();
  set(field::serial, {});

  const auto signature = parts.expect(der::tags::sequence);
  if (!signature) {
    hide_from(field::issuer, signature.error());
    return view;
  }
  const auto issuer = parts.expect(der::tags::sequence);
  if (!issuer) {
    hide_from(field::issuer, issuer.error());
    return view;
  }
  view.issuer = issuer->whole();
  set(field::issuer, {});

  const auto validity = parts.expect(der::tags::sequence);
  if (!validity) {
    hide_from(field::validity, validity.error());
    return view;
  }
  const auto range = detail::read_validity(*validity);
  if (range) {
    view.not_before = range->not_before;
    view.not_after = range->not_after;
  }
  set(field::validity, range.error());

  const auto subject = parts.expect(der::tags::sequence);
  if (!subject) {
    hide_from(field::subject, subject.error());
    return view;
  }
  view.subject = subject->whole();
  set(field::subject, {});

  const auto spki = parts.expect(der::tags::sequence);
  const auto sound = spki ? detail::check_spki(*spki) : result<void>(spki.error());
  if (!sound) {
    hide_from(field::spki, sound.error());
    return view;
  }
  view.spki = spki->whole();
  set(field::spki, {});

  const auto san = detail::find_san_after_spki(parts);
  if (san) view.san = *san;
  set(field::san, san.error());
  return view;
}

/// Locates the fields of a certificate; offsets count from the start of `form.input`.
[[nodiscard]] constexpr certificate_view locate(const certificate_form& form) noexcept {
  return locate(form.tbs, form.tbs_offset_bytes());
}

}  // namespace v0
}  // namespace cotter
