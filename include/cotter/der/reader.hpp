// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/der/limits.hpp>
#include <cotter/der/tag.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/result.hpp>

#include <cstddef>
#include <cstdint>

namespace cotter {
inline namespace v0 {
namespace der {

/// One element of BER (X.690 8.1.1). The views live as long as the reader's input.
class element {
 public:
  /// No octets.
  constexpr element() noexcept = default;

  [[nodiscard]] constexpr der::tag tag() const noexcept { return tag_; }
  /// Identifier, length, content, and end-of-contents if the length is indefinite.
  [[nodiscard]] constexpr bytes_view whole() const noexcept { return {begin_, whole_bytes_}; }
  /// The content alone, without end-of-contents.
  [[nodiscard]] constexpr bytes_view content() const noexcept {
    return whole().subspan(header_bytes_, content_bytes_);
  }
  /// Where the element begins, counted as the reader counts.
  [[nodiscard]] constexpr std::size_t offset_bytes() const noexcept { return offset_bytes_; }
  /// Where the content begins, counted as the reader counts.
  [[nodiscard]] constexpr std::size_t content_offset_bytes() const noexcept {
    return std::size_t{offset_bytes_} + header_bytes_;
  }
  /// True if the length is indefinite (X.690 8.1.3.6).
  [[nodiscard]] constexpr bool indefinite() const noexcept {
    return whole_bytes_ != header_bytes_ + content_bytes_;
  }
  /// True if tag and length are spelled as DER spells them (X.690 8.1.2.2, 10.1).
  [[nodiscard]] constexpr bool has_minimal_header() const noexcept { return minimal_; }

 private:
  friend class reader;

  const std::uint8_t* begin_ = nullptr;
  std::uint32_t header_bytes_ = 0;
  std::uint32_t content_bytes_ = 0;
  std::uint32_t whole_bytes_ = 0;
  std::uint32_t offset_bytes_ = 0;
  der::tag tag_{};
  bool minimal_ = false;
};

namespace detail {

/// Two zero octets (X.690 8.1.5).
inline constexpr std::size_t end_of_contents_bytes = 2;

struct header {
  der::tag tag{};
  std::uint32_t identifier_bytes = 0;
  std::uint32_t size_bytes = 0;     ///< identifier and length
  std::uint32_t content_bytes = 0;  ///< 0 if indefinite
  bool indefinite = false;
  bool minimal = false;
};

/// Tags above 30, and those that are spelled as if they were.
constexpr errc read_high_identifier(bytes_view in, header& h) noexcept {
  std::uint32_t number = 0;
  std::size_t at = 1;
  h.minimal = true;
  for (bool more = true; more;) {
    if (at == in.size()) return errc::truncated;
    const std::uint8_t octet = in[at++];
    if (number > (max_tag_number >> 7)) return errc::invalid_tag;
    if (number == 0 && octet == 0x80) h.minimal = false;
    number = number << 7 | (octet & 0x7fu);
    more = (octet & 0x80) != 0;
  }
  const auto of = static_cast<tag_class>(in[0] >> 6);
  h.tag = {of, (in[0] & 0x20) != 0, number};
  h.identifier_bytes = static_cast<std::uint32_t>(at);
  h.minimal = h.minimal && number > 30;
  return number == 0 && of == tag_class::universal ? errc::invalid_tag : errc::ok;
}

/// Reads the identifier octets. `in` is not empty.
constexpr errc read_identifier(bytes_view in, header& h) noexcept {
  const std::uint8_t first = in[0];
  if ((first & 0x1f) == 0x1f) return read_high_identifier(in, h);
  h.tag = tag::from_octet(first);
  h.identifier_bytes = 1;
  h.minimal = true;
  // Universal 0 is end-of-contents, which whoever expects it has looked for before.
  return (first & 0xdf) == 0 ? errc::invalid_tag : errc::ok;
}

/// Reads the length octets after `read_identifier`.
constexpr errc read_length(bytes_view in, header& h) noexcept {
  std::size_t at = h.identifier_bytes;
  if (at == in.size()) return errc::truncated;
  const std::uint8_t first = in[at++];
  std::size_t length = first;
  if (first >= 0x80) {
    if (first == 0xff) return errc::invalid_length;
    const std::size_t count = first & 0x7fu;
    if (in.size() - at < count) return errc::truncated;
    length = 0;
    for (std::size_t i = 0; i < count; ++i) {
      length = length << 8 | in[at++];
      if (length > max_content_bytes) return errc::too_large;
    }
    h.indefinite = count == 0;
    if (h.indefinite && !h.tag.constructed()) return errc::invalid_length;
    h.minimal = h.minimal && length > 0x7f && count == (length > 0xff ? 2u : 1u);
  }
  if (length > in.size() - at) return errc::truncated;
  h.size_bytes = static_cast<std::uint32_t>(at);
  h.content_bytes = static_cast<std::uint32_t>(length);
  return errc::ok;
}

/// Counts the octets before the end-of-contents that closes `in`, which begins with the content of
/// an element of indefinite length. Looks only into elements of indefinite length: one pass. `at`
/// is the count, or where the fault is.
constexpr errc find_end_of_contents(bytes_view in, std::size_t& at) noexcept {
  std::size_t depth = 1;
  for (at = 0;;) {
    const bytes_view rest = in.subspan(at);
    if (rest.empty() || (rest.size() == 1 && rest[0] == 0)) return errc::missing_end_of_contents;
    if (rest[0] == 0 && rest[1] == 0) {
      if (--depth == 0) return errc::ok;
      at += end_of_contents_bytes;
      continue;
    }
    header h;
    errc problem = read_identifier(rest, h);
    if (problem == errc::ok) problem = read_length(rest, h);
    if (problem != errc::ok) return problem;
    if (h.indefinite && ++depth > max_nesting_depth) return errc::too_deep;
    at += h.size_bytes + h.content_bytes;
  }
}

}  // namespace detail

/// A cursor over a row of BER elements.
///
/// Reads more than DER: lengths in more octets than needed, indefinite lengths, tags below 31 in
/// the form for high tags. Every such spelling has one meaning; `element::has_minimal_header` tells
/// it from DER. It never looks into an element of definite length. Allocates nothing; on an error
/// it does not move. Every error carries the offset of the element at fault.
///
/// @source X.690 (02/2021) 8.1.2, 8.1.3, 8.1.5
class reader {
 public:
  constexpr reader() noexcept = default;

  /// Reads `input`, which is borrowed and below 4 GiB. `offset_bytes` is added to every offset that
  /// is reported.
  constexpr explicit reader(bytes_view input, std::size_t offset_bytes = 0) noexcept
      : next_(input.data()),
        left_(static_cast<std::uint32_t>(input.size())),
        offset_bytes_(static_cast<std::uint32_t>(offset_bytes)) {}

  /// Reads the content of `outer`.
  constexpr explicit reader(const element& outer) noexcept
      : reader(outer.content(), outer.content_offset_bytes()) {}

  [[nodiscard]] constexpr bool at_end() const noexcept { return left_ == 0; }
  /// What has not been read yet.
  [[nodiscard]] constexpr bytes_view rest() const noexcept { return {next_, left_}; }
  /// Where the next element begins.
  [[nodiscard]] constexpr std::size_t offset_bytes() const noexcept { return offset_bytes_; }

  /// True if an element of this tag comes next. Says nothing about its length.
  [[nodiscard]] constexpr bool at(tag wanted) const noexcept {
    if (at_end()) return false;
    detail::header h;
    return detail::read_identifier(rest(), h) == errc::ok && h.tag == wanted;
  }

  /// The next element, without moving. Time is constant, or linear in an indefinite length.
  ///
  /// @errors `missing_element` at the end; `truncated`, `too_large`, `too_deep`, `invalid_tag`,
  ///   `invalid_length`, `missing_end_of_contents`.
  [[nodiscard]] constexpr result<element> peek() const noexcept {
    reader ahead = *this;
    return ahead.next();
  }

  /// Takes the next element and moves past it.
  ///
  /// @errors those of `peek`.
  [[nodiscard]] constexpr result<element> next() noexcept { return expect({}); }

  /// Takes the next element, which must have this tag, and moves past it; any element for `tag{}`,
  /// which none has. The tag is judged before the length.
  ///
  /// @errors those of `peek`, and `unexpected_tag`.
  [[nodiscard]] constexpr result<element> expect(tag wanted) noexcept {
    result<element> found{element{}};
    if (error why; !take(wanted, *found, why)) found = why;
    return found;
  }

  /// `expect`, for many in a row: true if `e` is the next element, else false, `e` is unspecified and
  /// `why` says why.
  [[nodiscard]] constexpr bool take(tag wanted, element& e, error& why) noexcept {
    // Nearly every header of a certificate is two octets.
    if (left_ >= 2 && next_[1] < 0x80 && next_[1] <= left_ - 2 && begins(wanted, next_[0])) {
      e.tag_ = tag::from_octet(next_[0]);
      e.header_bytes_ = 2;
      e.content_bytes_ = next_[1];
      e.whole_bytes_ = 2u + next_[1];
      e.minimal_ = true;
      move_past(e);
      return true;
    }
    return take_long(wanted, e, why);
  }

  /// Moves past the next element, whatever it is.
  ///
  /// @errors those of `peek`.
  constexpr result<void> skip() noexcept {
    element e;
    error why;
    return take({}, e, why) ? result<void>() : result<void>(why);
  }

  /// Demands that nothing is left.
  ///
  /// @errors `extra_element`.
  [[nodiscard]] constexpr result<void> expect_end() const noexcept {
    return at_end() ? result<void>() : result<void>(errc::extra_element, offset_bytes_);
  }

 private:
  /// True if an element of this tag begins with this octet alone.
  static constexpr bool begins(tag wanted, std::uint8_t identifier) noexcept {
    if (wanted == tag{}) return (identifier & 0x1f) != 0x1f && (identifier & 0xdf) != 0;
    const bool exists = wanted.number() != 0 || wanted.of() != tag_class::universal;
    return exists && wanted.number() < 31 && tag::from_octet(identifier) == wanted;
  }

  constexpr void move_past(element& e) noexcept {
    e.begin_ = next_;
    e.offset_bytes_ = offset_bytes_;
    next_ += e.whole_bytes_;
    left_ -= e.whole_bytes_;
    offset_bytes_ += e.whole_bytes_;
  }

  [[gnu::noinline]] constexpr bool take_long(tag wanted, element& e, error& why) noexcept {
    // What is larger than 255 octets, as DER spells it.
    if (left_ >= 4 && next_[1] == 0x82 && next_[2] != 0 && begins(wanted, next_[0])) {
      e.content_bytes_ = std::uint32_t{next_[2]} << 8 | next_[3];
      if (e.content_bytes_ <= left_ - 4) {
        e.tag_ = tag::from_octet(next_[0]);
        e.header_bytes_ = 4;
        e.whole_bytes_ = 4 + e.content_bytes_;
        e.minimal_ = true;
        move_past(e);
        return true;
      }
    }
    std::size_t fault = offset_bytes_;
    const errc problem = read(wanted, e, fault);
    if (problem == errc::ok) {
      move_past(e);
      return true;
    }
    why = {problem, static_cast<std::uint32_t>(fault), 0};
    return false;
  }

  constexpr errc read(tag wanted, element& e, std::size_t& fault) const noexcept {
    if (at_end()) return errc::missing_element;
    const bytes_view in = rest();
    detail::header h;
    errc problem = detail::read_identifier(in, h);
    if (problem != errc::ok) return problem;
    if (wanted != tag{} && h.tag != wanted) return errc::unexpected_tag;
    problem = detail::read_length(in, h);
    if (problem != errc::ok) return problem;
    e.header_bytes_ = h.size_bytes;
    e.content_bytes_ = h.content_bytes;
    e.whole_bytes_ = h.size_bytes + h.content_bytes;
    e.tag_ = h.tag;
    e.minimal_ = h.minimal;
    return h.indefinite ? read_to_end_of_contents(e, fault) : errc::ok;
  }

  constexpr errc read_to_end_of_contents(element& e, std::size_t& fault) const noexcept {
    std::size_t content_bytes = 0;
    const errc problem =
        detail::find_end_of_contents(rest().subspan(e.header_bytes_), content_bytes);
    if (problem != errc::ok) {
      fault += e.header_bytes_ + content_bytes;
      return problem;
    }
    if (content_bytes > max_content_bytes) return errc::too_large;
    e.content_bytes_ = static_cast<std::uint32_t>(content_bytes);
    e.whole_bytes_ =
        static_cast<std::uint32_t>(e.header_bytes_ + content_bytes + detail::end_of_contents_bytes);
    return errc::ok;
  }

  const std::uint8_t* next_ = nullptr;
  std::uint32_t left_ = 0;
  std::uint32_t offset_bytes_ = 0;
};

}  // namespace der
}  // namespace v0
}  // namespace cotter
