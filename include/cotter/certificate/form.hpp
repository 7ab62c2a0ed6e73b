// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/der/limits.hpp>
#include <cotter/der/reader.hpp>
#include <cotter/der/tag.hpp>
#include <cotter/der/writer.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace cotter {
inline namespace v0 {

/// A certificate taken apart into its shell and its TBSCertificate, ready to be written in form C.
///
/// TLS libraries accept shells that are BER but not DER, and hand them over repaired or unrepaired,
/// each as it likes. Form C is the one octet string that all of those spellings have in common:
/// everything around TBSCertificate in DER (RFC 5280 4.1), TBSCertificate octet by octet as it
/// came, its own header included, because that is what was signed. Nothing follows the outer
/// element.
///
/// All views are borrowed from the input of `read_form`. Default-constructed it has no octets.
struct certificate_form {
  bytes_view input{};                  ///< as it was given, with whatever follows the certificate
  bytes_view outer{};                  ///< the certificate as it was spelled: a prefix of `input`
  bytes_view tbs{};                    ///< the TBSCertificate element, verbatim
  der::element signature_algorithm{};  ///< as it was spelled
  std::size_t signature_algorithm_bytes = 0;  ///< its size in form C
  bytes_view signature{};      ///< signatureValue without the octet that counts unused bits
  bool minimal_shell = false;  ///< `outer` is form C as it stands: nothing has to be copied
  bool canonical = false;      ///< `input` is form C as it stands: and nothing follows it

  /// Where `tbs` begins in `input`.
  [[nodiscard]] constexpr std::size_t tbs_offset_bytes() const noexcept {
    return static_cast<std::size_t>(tbs.data() - input.data());
  }
};

namespace detail {

struct shell_element {
  std::size_t bytes = 0;          ///< in DER, header included
  std::size_t content_bytes = 0;  ///< in DER
  bool minimal = false;           ///< spelled so already
};

/// True if `content` is a row of elements that are DER all the way down, with headers of two
/// octets; that is nearly every signatureAlgorithm there is. False says nothing.
constexpr bool is_plain_der(bytes_view content, std::size_t depth) noexcept {
  if (depth > der::max_nesting_depth) return false;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t left = content.size() - at;
    if (left < 2 || content[at + 1] > 0x7f || content[at + 1] > left - 2) return false;
    if ((content[at] & 0x1f) == 0x1f) return false;
    const der::tag tag = der::tag::from_octet(content[at]);
    const bytes_view inside = content.subspan(at + 2, content[at + 1]);
    if (!der::has_der_form(tag)) return false;
    if (tag.constructed() && !is_plain_der(inside, depth + 1)) return false;
    at += 2 + inside.size();
  }
  return true;
}

/// Measures an element of the shell, and refuses what has more than one reading: a universal type
/// in a form that DER does not have for it. A string in pieces, say, could be joined or be kept.
constexpr bool measure_shell_element(const der::element& e, std::size_t depth,
                                     shell_element& measured, error& why) noexcept {
  why.offset_bytes = static_cast<std::uint32_t>(e.offset_bytes());
  why.what = depth > der::max_nesting_depth ? errc::too_deep
             : der::has_der_form(e.tag())   ? errc::ok
                                            : errc::unexpected_tag;
  if (why.what != errc::ok) return false;
  measured = {e.whole().size(), e.content().size(), e.has_minimal_header()};
  // Looked at once, from the top: at every level it would cost as many times as there are levels.
  if (e.tag().constructed() && (depth > 1 || !is_plain_der(e.content(), depth + 1))) {
    measured.content_bytes = 0;
    der::reader inside(e);
    while (!inside.at_end()) {
      der::element child;
      shell_element below;
      if (!inside.take({}, child, why) || !measure_shell_element(child, depth + 1, below, why)) {
        return false;
      }
      measured.content_bytes += below.bytes;
      measured.minimal = measured.minimal && below.minimal;
    }
  }
  if (!measured.minimal) {
    measured.bytes =
        der::header_size_bytes(e.tag(), measured.content_bytes) + measured.content_bytes;
  }
  return true;
}

/// Fills `form`, or says why not and leaves it unspecified.
constexpr bool take_apart(bytes_view input, certificate_form& form, error& why) noexcept {
  if (input.empty() || input.size() > max_certificate_bytes) {
    why = input.empty() ? error{errc::empty_input, 0, 0}
                        : error{errc::too_large, max_certificate_bytes, 0};
    return false;
  }
  der::reader document(input);
  der::element outer;
  der::element part;
  if (!document.take(der::tags::sequence, outer, why)) return false;
  der::reader parts(outer);
  if (!parts.take(der::tags::sequence, part, why)) return false;
  form.tbs = part.whole();
  shell_element measured;
  if (!parts.take(der::tags::sequence, form.signature_algorithm, why) ||
      !measure_shell_element(form.signature_algorithm, 1, measured, why)) {
    return false;
  }
  form.signature_algorithm_bytes = measured.bytes;

  constexpr der::tag in_pieces{der::tag_class::universal, true, der::tags::bit_string.number()};
  why = {errc::constructed_bit_string, static_cast<std::uint32_t>(parts.offset_bytes()), 0};
  if (parts.at(in_pieces) || !parts.take(der::tags::bit_string, part, why)) return false;
  const bytes_view octets = part.content();
  why.what = errc::empty_signature;
  if (octets.empty()) return false;
  if (octets[0] != 0) {
    why = {errc::unused_bits, static_cast<std::uint32_t>(part.content_offset_bytes()), 0};
    return false;
  }
  if (octets.size() == 1) return false;
  if (!parts.at_end()) {
    why = {errc::extra_element, static_cast<std::uint32_t>(parts.offset_bytes()), 0};
    return false;
  }

  form.input = input;
  form.outer = outer.whole();
  form.signature = octets.subspan(1);
  form.minimal_shell = outer.has_minimal_header() && measured.minimal && part.has_minimal_header();
  form.canonical = form.minimal_shell && document.at_end();
  return true;
}

template <typename Sink>
constexpr void write_shell_element(const der::element& e, std::size_t depth, Sink& sink) noexcept {
  shell_element measured;
  error ignored;
  if (!measure_shell_element(e, depth, measured, ignored)) return;
  if (measured.minimal) {
    sink(e.whole());
    return;
  }
  const der::encoded_header header = der::encode_header(e.tag(), measured.content_bytes);
  sink(header.octets());
  if (!e.tag().constructed()) {
    if (!e.content().empty()) sink(e.content());
    return;
  }
  der::reader inside(e);
  while (!inside.at_end()) {
    der::element child;
    if (!inside.take({}, child, ignored)) return;
    write_shell_element(child, depth + 1, sink);
  }
}

constexpr std::size_t form_content_bytes(const certificate_form& form) noexcept {
  const std::size_t bits = form.signature.size() + 1;
  return form.tbs.size() + form.signature_algorithm_bytes +
         der::header_size_bytes(der::tags::bit_string, bits) + bits;
}

}  // namespace detail

/// Finds the three parts of a certificate and refuses what cannot be brought into form C.
///
/// Refused, never repaired: an outer element that is not a SEQUENCE of exactly three elements;
/// TBSCertificate or signatureAlgorithm not a SEQUENCE; a signatureValue that is not a primitive
/// BIT STRING of whole octets, at least one; a missing end-of-contents; truncation; a length above
/// der/limits.hpp; inside signatureAlgorithm, a universal type in a form that DER does not have for
/// it. Dropped: octets after the outer element. They count towards `max_certificate_bytes`.
///
/// Does not look into TBSCertificate, save to find the end of an indefinite length. Time is linear
/// in signatureAlgorithm, otherwise constant; recursion is bounded by `der::max_nesting_depth`;
/// allocates nothing.
///
/// @errors `empty_input`, `too_large`, `too_deep`, `truncated`, `unexpected_tag`, `invalid_tag`,
///   `invalid_length`, `missing_end_of_contents`, `missing_element`, `extra_element`,
///   `constructed_bit_string`, `unused_bits`, `empty_signature`, each with the offset into `input`.
/// @source RFC 5280 4.1; X.690 8.1, 8.6, 10.1, 10.2
[[nodiscard]] constexpr result<certificate_form> read_form(bytes_view input) noexcept {
  result<certificate_form> form{certificate_form{}};
  if (error why; !detail::take_apart(input, *form, why)) form = why;
  return form;
}

/// How many octets `write_form` gives. Never more than `form.outer` has; 0 if default-constructed.
[[nodiscard]] constexpr std::size_t form_size_bytes(const certificate_form& form) noexcept {
  if (form.minimal_shell) return form.outer.size();
  if (form.outer.empty()) return 0;
  const std::size_t content = detail::form_content_bytes(form);
  return der::header_size_bytes(der::tags::sequence, content) + content;
}

/// Gives form C to `sink`, piece by piece and in order; `form` comes from `read_form` and its input
/// is still there.
///
/// `sink` takes a `bytes_view` that lives for the call only, and does not throw. A minimal shell is
/// one call, with `form.outer`; otherwise no piece is empty, and their number is linear in
/// signatureAlgorithm. Copies headers only; allocates nothing.
template <typename Sink>
constexpr void write_form(const certificate_form& form, Sink&& sink) noexcept {
  if (form.outer.empty()) return;
  if (form.minimal_shell) {
    sink(form.outer);
    return;
  }
  const der::encoded_header outer =
      der::encode_header(der::tags::sequence, detail::form_content_bytes(form));
  sink(outer.octets());
  sink(form.tbs);
  detail::write_shell_element(form.signature_algorithm, 1, sink);
  der::encoded_header bits = der::encode_header(der::tags::bit_string, form.signature.size() + 1);
  sink(bits.octets());
  constexpr std::array<std::uint8_t, 1> no_unused_bits{0};
  sink(bytes_view(no_unused_bits));
  sink(form.signature);
}

}  // namespace v0
}  // namespace cotter
