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
constexpr result<shell_element> measure_shell_element(const der::element& e,
                                                      std::size_t depth) noexcept {
  if (depth > der::max_nesting_depth) return {errc::too_deep, e.offset_bytes()};
  if (!der::has_der_form(e.tag())) return {errc::unexpected_tag, e.offset_bytes()};
  result<shell_element> measured{
      shell_element{e.whole().size(), e.content().size(), e.has_minimal_header()}};
  if (e.tag().constructed() && !is_plain_der(e.content(), depth + 1)) {
    measured->content_bytes = 0;
    der::reader inside(e);
    while (!inside.at_end()) {
      const auto child = inside.next();
      if (!child) return child.error();
      const auto below = measure_shell_element(*child, depth + 1);
      if (!below) return below.error();
      measured->content_bytes += below->bytes;
      measured->minimal = measured->minimal && below->minimal;
    }
  }
  if (!measured->minimal) {
    measured->bytes =
        der::header_size_bytes(e.tag(), measured->content_bytes) + measured->content_bytes;
  }
  return measured;
}

constexpr error take_apart(bytes_view input, certificate_form& form) noexcept {
  der::reader document(input);
  const auto outer = document.expect(der::tags::sequence);
  if (!outer) return outer.error();

  der::reader parts(*outer);
  const auto tbs = parts.expect(der::tags::sequence);
  if (!tbs) return tbs.error();
  const auto algorithm = parts.expect(der::tags::sequence);
  if (!algorithm) return algorithm.error();
  const auto measured = measure_shell_element(*algorithm, 1);
  if (!measured) return measured.error();

  const auto at = [&parts](errc what) noexcept {
    return error{what, static_cast<std::uint32_t>(parts.offset_bytes())};
  };
  constexpr der::tag in_pieces{der::tag_class::universal, true, der::tags::bit_string.number()};
  if (parts.at(in_pieces)) return at(errc::constructed_bit_string);
  const error signature_at = at(errc::empty_signature);
  const auto bits = parts.expect(der::tags::bit_string);
  if (!bits) return bits.error();
  const bytes_view octets = bits->content();
  if (octets.empty()) return signature_at;
  if (octets[0] != 0) {
    return {errc::unused_bits, static_cast<std::uint32_t>(bits->content_offset_bytes())};
  }
  if (octets.size() == 1) return signature_at;
  if (!parts.at_end()) return at(errc::extra_element);

  form.input = input;
  form.outer = outer->whole();
  form.tbs = tbs->whole();
  form.signature_algorithm = *algorithm;
  form.signature_algorithm_bytes = measured->bytes;
  form.signature = octets.subspan(1);
  form.minimal_shell =
      outer->has_minimal_header() && measured->minimal && bits->has_minimal_header();
  form.canonical = form.minimal_shell && document.at_end();
  return {};
}

template <typename Sink>
constexpr void write_shell_element(const der::element& e, std::size_t depth, Sink& sink) noexcept {
  const auto measured = measure_shell_element(e, depth);
  if (measured->minimal) {
    sink(e.whole());
    return;
  }
  const der::encoded_header header = der::encode_header(e.tag(), measured->content_bytes);
  sink(header.octets());
  if (!e.tag().constructed()) {
    if (!e.content().empty()) sink(e.content());
    return;
  }
  der::reader inside(e);
  while (!inside.at_end()) {
    const auto child = inside.next();
    if (!child) return;
    write_shell_element(*child, depth + 1, sink);
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
  if (input.empty()) return errc::empty_input;
  if (input.size() > max_certificate_bytes) return {errc::too_large, max_certificate_bytes};
  result<certificate_form> form{certificate_form{}};
  if (const error problem = detail::take_apart(input, *form); problem.what != errc::ok) {
    form = problem;
  }
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
