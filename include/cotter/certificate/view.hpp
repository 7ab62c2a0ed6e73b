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
    case field::serial: return "serial";
    case field::issuer: return "issuer";
    case field::validity: return "validity";
    case field::subject: return "subject";
    case field::spki: return "spki";
    case field::san: return "san";
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
constexpr bool read_rest_of_time(unsigned year, bytes_view text, std::size_t at,
                                 instant& out) noexcept {
  using namespace std::chrono;
  const unsigned hour = two_digits(text, at + 4);
  const unsigned minute = two_digits(text, at + 6);
  const unsigned second = two_digits(text, at + 8);
  const year_month_day date{std::chrono::year{static_cast<int>(year)}, month{two_digits(text, at)},
                            day{two_digits(text, at + 2)}};
  if (text[at + 10] != 'Z' || !date.ok() || hour > 23 || minute > 59 || second > 59) return false;
  const auto second_of_day = static_cast<std::int32_t>((hour * 60 + minute) * 60 + second);
  out = instant{sys_days{date}} + seconds{second_of_day};
  return true;
}

constexpr errc read_time_into(const der::element& e, instant& out) noexcept {
  const bytes_view text = e.content();
  bool read = false;
  if (e.tag() == der::tags::utc_time) {
    const unsigned yy = text.size() == 13 ? two_digits(text, 0) : 100;
    read = yy < 100 && read_rest_of_time(yy + (yy >= 50 ? 1900 : 2000), text, 2, out);
  } else if (e.tag() == der::tags::generalized_time) {
    const unsigned century = text.size() == 15 ? two_digits(text, 0) : 100;
    const unsigned yy = century < 100 ? two_digits(text, 2) : 100;
    read = yy < 100 && read_rest_of_time(century * 100 + yy, text, 4, out);
  } else {
    return errc::unexpected_tag;
  }
  return read ? errc::ok : errc::invalid_time;
}

/// True if nothing is left.
constexpr bool ends(const der::reader& in, error& why) noexcept {
  if (in.at_end()) return true;
  why = {errc::extra_element, static_cast<std::uint32_t>(in.offset_bytes()), 0};
  return false;
}

/// Exactly one element and nothing behind it.
constexpr bool take_only(der::reader in, der::tag wanted, der::element& e, error& why) noexcept {
  return in.take(wanted, e, why) && ends(in, why);
}

}  // namespace detail

/// Reads a `Time` of RFC 5280 4.1.2.5: UTCTime `YYMMDDHHMMSSZ`, years 1950 to 2049, or
/// GeneralizedTime `YYYYMMDDHHMMSSZ`. Nothing else: no missing seconds, offsets or fractions, and
/// only days that the calendar has. A GeneralizedTime before 2050 is read, as libraries do.
///
/// @errors `invalid_time`, `unexpected_tag`, with the element's offset.
[[nodiscard]] constexpr result<instant> read_time(const der::element& e) noexcept {
  instant time;
  const errc problem = detail::read_time_into(e, time);
  if (problem != errc::ok) return {problem, e.offset_bytes()};
  return time;
}

namespace detail {

constexpr bool read_validity(const der::element& e, certificate_view& view, error& why) noexcept {
  der::reader times(e);
  instant read[2]{};
  for (instant& each : read) {
    der::element time;
    if (!times.take({}, time, why)) return false;
    const errc problem = read_time_into(time, each);
    if (problem != errc::ok) {
      why = {problem, static_cast<std::uint32_t>(time.offset_bytes()), 0};
      return false;
    }
  }
  if (!ends(times, why)) return false;
  view.not_before = read[0];
  view.not_after = read[1];
  return true;
}

constexpr bool is_subject_alt_name(bytes_view oid) noexcept {
  return oid.size() == 3 && oid[0] == 0x55 && oid[1] == 0x1d && oid[2] == 0x11;  // 2.5.29.17
}

/// The GeneralNames element of the one subjectAltName; empty if there is none.
constexpr bool find_san(const der::element& explicit_extensions, bytes_view& san,
                        error& why) noexcept {
  der::element e;
  if (!take_only(der::reader(explicit_extensions), der::tags::sequence, e, why)) return false;
  der::reader extensions(e);
  bytes_view found;
  while (!extensions.at_end()) {
    der::element extension;
    if (!extensions.take(der::tags::sequence, extension, why)) return false;
    der::reader parts(extension);
    if (!parts.take(der::tags::object_identifier, e, why)) return false;
    if (!is_subject_alt_name(e.content())) continue;
    if (!found.empty()) {
      why = {errc::duplicate_extension, static_cast<std::uint32_t>(extension.offset_bytes()), 0};
      return false;
    }
    if (parts.at(der::tags::boolean)) {
      if (!parts.take({}, e, why)) return false;
      if (e.content().size() != 1) {
        why = {errc::invalid_length, static_cast<std::uint32_t>(e.offset_bytes()), 0};
        return false;
      }
    }
    if (!take_only(parts, der::tags::octet_string, e, why) ||
        !take_only(der::reader(e), der::tags::sequence, e, why)) {
      return false;
    }
    found = e.whole();
  }
  san = found;
  return true;
}

constexpr bool find_san_after_spki(der::reader rest, bytes_view& san, error& why) noexcept {
  der::element e;
  for (const std::uint32_t unique_id : {1u, 2u}) {
    if ((rest.at(der::context_tag(unique_id, false)) ||
         rest.at(der::context_tag(unique_id, true))) &&
        !rest.take({}, e, why)) {
      return false;
    }
  }
  if (rest.at_end()) return true;
  return rest.take(der::context_tag(3, true), e, why) && ends(rest, why) && find_san(e, san, why);
}

/// `INTEGER { v1(0), v2(1), v3(2) }` under [0]; 0 if it is none of them.
constexpr std::uint8_t read_version(const der::element& explicit_version) noexcept {
  der::element number;
  error ignored;
  if (!take_only(der::reader(explicit_version), der::tags::integer, number, ignored) ||
      number.content().size() != 1 || number.content()[0] > 2) {
    return 0;
  }
  return static_cast<std::uint8_t>(number.content()[0] + 1);
}

/// Locates what it can, in the order of the certificate; `located` counts the fields found, and `why`
/// says what is wrong with the next.
constexpr void locate_in_order(bytes_view tbs, std::size_t offset_bytes, certificate_view& view,
                               std::size_t& located, error& why, error& times) noexcept {
  der::element e;
  if (!take_only(der::reader(tbs, offset_bytes), der::tags::sequence, e, why)) return;
  view.tbs = tbs;
  der::reader parts(e);

  view.version = 1;
  if (parts.at(der::context_tag(0, true))) {
    view.version = parts.take({}, e, why) ? read_version(e) : std::uint8_t{0};
  }
  if (!parts.take(der::tags::integer, e, why)) return;
  view.serial = e.content();
  if (view.serial.empty()) {
    why = {errc::invalid_length, static_cast<std::uint32_t>(e.offset_bytes()), 0};
    return;
  }
  ++located;

  if (!parts.take(der::tags::sequence, e, why)) return;  // signature
  if (!parts.take(der::tags::sequence, e, why)) return;
  view.issuer = e.whole();
  ++located;

  if (!parts.take(der::tags::sequence, e, why)) return;
  if (read_validity(e, view, times)) times = {};
  ++located;

  if (!parts.take(der::tags::sequence, e, why)) return;
  view.subject = e.whole();
  ++located;

  if (!parts.take(der::tags::sequence, e, why)) return;
  const bytes_view spki = e.whole();
  der::reader key(e);  // SEQUENCE { AlgorithmIdentifier, BIT STRING } and nothing more
  if (!key.take(der::tags::sequence, e, why) || !key.take(der::tags::bit_string, e, why) ||
      !ends(key, why)) {
    return;
  }
  view.spki = spki;
  ++located;

  if (find_san_after_spki(parts, view.san, why)) ++located;
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
  std::size_t located = 0;
  error why;
  error times;
  detail::locate_in_order(tbs, offset_bytes, view, located, why, times);
  for (std::size_t i = 0; i < view.problems.size(); ++i) {
    view.problems[i] = i < located ? error{} : why;
  }
  constexpr auto validity = static_cast<std::size_t>(field::validity);
  if (located > validity) view.problems[validity] = times;
  return view;
}

/// Locates the fields of a certificate; offsets count from the start of `form.input`.
[[nodiscard]] constexpr certificate_view locate(const certificate_form& form) noexcept {
  return locate(form.tbs, form.tbs_offset_bytes());
}

}  // namespace v0
}  // namespace cotter
