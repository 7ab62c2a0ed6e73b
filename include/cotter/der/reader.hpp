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
struct element {
  der::tag tag{};
  bytes_view whole{};            ///< identifier, length, content, and end-of-contents if indefinite
  bytes_view content{};          ///< without end-of-contents
  std::size_t offset_bytes = 0;  ///< of `whole`, counted as the reader counts
  bool indefinite = false;       ///< X.690 8.1.3.6
  bool minimal_header = false;   ///< tag and length are spelled as DER spells them (X.690 10.1)

  /// Where `content` begins, counted as the reader counts.
  [[nodiscard]] constexpr std::size_t content_offset_bytes() const noexcept {
    return offset_bytes + static_cast<std::size_t>(content.data() - whole.data());
  }
};

namespace detail {

struct identifier {
  der::tag tag{};
  std::size_t size_bytes = 0;
  bool minimal = false;
};

struct header {
  der::tag tag{};
  std::size_t size_bytes = 0;
  std::size_t content_bytes = 0;  ///< 0 if indefinite
  bool indefinite = false;
  bool minimal = false;
};

constexpr result<identifier> read_identifier(bytes_view in, std::size_t offset) noexcept {
  if (in.empty()) return {errc::truncated, offset};
  identifier id;
  id.tag.of = static_cast<tag_class>(in[0] >> 6);
  id.tag.constructed = (in[0] & 0x20) != 0;
  id.tag.number = in[0] & 0x1f;
  id.size_bytes = 1;
  id.minimal = true;
  if (id.tag.number == 0x1f) {
    std::uint32_t number = 0;
    bool more = true;
    while (more) {
      if (id.size_bytes == in.size()) return {errc::truncated, offset};
      const std::uint8_t octet = in[id.size_bytes++];
      if (number > (max_tag_number >> 7)) return {errc::invalid_tag, offset};
      if (number == 0 && octet == 0x80) id.minimal = false;
      number = number << 7 | (octet & 0x7fu);
      more = (octet & 0x80) != 0;
    }
    id.minimal = id.minimal && number > 30;
    id.tag.number = number;
  }
  // Universal 0 is end-of-contents, which whoever expects it has looked for before.
  if (id.tag.of == tag_class::universal && id.tag.number == 0) return {errc::invalid_tag, offset};
  return id;
}

constexpr result<header> read_length(bytes_view in, const identifier& id,
                                     std::size_t offset) noexcept {
  std::size_t at = id.size_bytes;
  if (at == in.size()) return {errc::truncated, offset};
  header h;
  h.tag = id.tag;
  h.minimal = id.minimal;
  const std::uint8_t first = in[at++];
  if (first < 0x80) {
    h.content_bytes = first;
  } else if (first == 0x80) {
    if (!id.tag.constructed) return {errc::invalid_length, offset};
    h.indefinite = true;
    h.minimal = false;
  } else {
    if (first == 0xff) return {errc::invalid_length, offset};
    const std::size_t count = first & 0x7fu;
    if (in.size() - at < count) return {errc::truncated, offset};
    std::size_t length = 0;
    for (std::size_t i = 0; i < count; ++i) {
      length = length << 8 | in[at++];
      if (length > max_content_bytes) return {errc::too_large, offset};
    }
    h.content_bytes = length;
    h.minimal = h.minimal && length > 0x7f && count == (length > 0xff ? 2u : 1u);
  }
  h.size_bytes = at;
  if (h.content_bytes > in.size() - at) return {errc::truncated, offset};
  return h;
}

/// How many octets stand before the end-of-contents that closes `in`, which begins with the content
/// of an element of indefinite length. Looks only into elements of indefinite length: one pass.
constexpr result<std::size_t> find_end_of_contents(bytes_view in, std::size_t offset) noexcept {
  std::size_t depth = 1;
  std::size_t at = 0;
  for (;;) {
    const bytes_view rest = in.subspan(at);
    if (rest.empty() || (rest.size() == 1 && rest[0] == 0)) {
      return {errc::missing_end_of_contents, offset + at};
    }
    if (rest[0] == 0 && rest[1] == 0) {
      if (--depth == 0) return at;
      at += 2;
      continue;
    }
    const auto id = read_identifier(rest, offset + at);
    if (!id) return id.error();
    const auto h = read_length(rest, *id, offset + at);
    if (!h) return h.error();
    if (h->indefinite && ++depth > max_nesting_depth) return {errc::too_deep, offset + at};
    at += h->size_bytes + h->content_bytes;
  }
}

}  // namespace detail

/// A cursor over a row of BER elements.
///
/// Reads more than DER: lengths in more octets than needed, indefinite lengths, tags below 31 in the
/// form for high tags. Every such spelling has one meaning; `element::minimal_header` tells it from
/// DER. It never looks into an element of definite length. Allocates nothing; on an error it does
/// not move. Every error carries the offset of the element at fault.
///
/// @source X.690 (02/2021) 8.1.2, 8.1.3, 8.1.5
class reader {
 public:
  constexpr reader() noexcept = default;

  /// Reads `input`, which is borrowed. `offset_bytes` is added to every offset that is reported.
  constexpr explicit reader(bytes_view input, std::size_t offset_bytes = 0) noexcept
      : rest_(input), offset_bytes_(offset_bytes) {}

  /// Reads the content of `outer`.
  constexpr explicit reader(const element& outer) noexcept
      : reader(outer.content, outer.content_offset_bytes()) {}

  [[nodiscard]] constexpr bool at_end() const noexcept { return rest_.empty(); }
  /// What has not been read yet.
  [[nodiscard]] constexpr bytes_view rest() const noexcept { return rest_; }
  /// Where the next element begins.
  [[nodiscard]] constexpr std::size_t offset_bytes() const noexcept { return offset_bytes_; }

  /// True if an element of this tag comes next. Says nothing about its length.
  [[nodiscard]] constexpr bool at(const tag& wanted) const noexcept {
    if (rest_.empty()) return false;
    const auto id = detail::read_identifier(rest_, offset_bytes_);
    return id && id->tag == wanted;
  }

  /// The next element, without moving. Time is constant, or linear in an indefinite length.
  ///
  /// @errors `missing_element` at the end; `truncated`, `too_large`, `too_deep`, `invalid_tag`,
  ///   `invalid_length`, `missing_end_of_contents`.
  [[nodiscard]] constexpr result<element> peek() const noexcept {
    if (rest_.empty()) return {errc::missing_element, offset_bytes_};
    const auto id = detail::read_identifier(rest_, offset_bytes_);
    if (!id) return id.error();
    return peek_content(*id);
  }

  /// Takes the next element and moves past it.
  ///
  /// @errors those of `peek`.
  [[nodiscard]] constexpr result<element> next() noexcept {
    const auto found = peek();
    if (found) move_past(*found);
    return found;
  }

  /// Takes the next element, which must have this tag, and moves past it. The tag is judged before
  /// the length.
  ///
  /// @errors those of `peek`, and `unexpected_tag`.
  [[nodiscard]] constexpr result<element> expect(const tag& wanted) noexcept {
    if (rest_.empty()) return {errc::missing_element, offset_bytes_};
    const auto id = detail::read_identifier(rest_, offset_bytes_);
    if (!id) return id.error();
    if (id->tag != wanted) return {errc::unexpected_tag, offset_bytes_};
    const auto found = peek_content(*id);
    if (found) move_past(*found);
    return found;
  }

  /// Moves past the next element, whatever it is.
  ///
  /// @errors those of `peek`.
  constexpr result<void> skip() noexcept {
    const auto found = next();
    return found ? result<void>() : result<void>(found.error());
  }

  /// Demands that nothing is left.
  ///
  /// @errors `extra_element`.
  [[nodiscard]] constexpr result<void> expect_end() const noexcept {
    return rest_.empty() ? result<void>() : result<void>(errc::extra_element, offset_bytes_);
  }

 private:
  constexpr result<element> peek_content(const detail::identifier& id) const noexcept {
    const auto h = detail::read_length(rest_, id, offset_bytes_);
    if (!h) return h.error();
    element e;
    e.tag = h->tag;
    e.offset_bytes = offset_bytes_;
    e.indefinite = h->indefinite;
    e.minimal_header = h->minimal;
    std::size_t content_bytes = h->content_bytes;
    std::size_t whole_bytes = h->size_bytes + content_bytes;
    if (h->indefinite) {
      const auto end = detail::find_end_of_contents(rest_.subspan(h->size_bytes),
                                                    offset_bytes_ + h->size_bytes);
      if (!end) return end.error();
      if (*end > max_content_bytes) return {errc::too_large, offset_bytes_};
      content_bytes = *end;
      whole_bytes = h->size_bytes + content_bytes + 2;
    }
    e.whole = rest_.first(whole_bytes);
    e.content = rest_.subspan(h->size_bytes, content_bytes);
    return e;
  }

  constexpr void move_past(const element& e) noexcept {
    rest_ = rest_.subspan(e.whole.size());
    offset_bytes_ += e.whole.size();
  }

  bytes_view rest_{};
  std::size_t offset_bytes_ = 0;
};

}  // namespace der
}  // namespace v0
}  // namespace cotter
