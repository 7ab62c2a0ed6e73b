// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace json {

/// Bounds against documents made to exhaust their reader.
inline constexpr std::size_t max_document_bytes = std::size_t{8} << 20;
inline constexpr std::size_t max_string_bytes = std::size_t{64} << 10;
inline constexpr std::size_t max_depth = 16;
inline constexpr std::size_t max_values = 1'000'000;
/// What an error quotes of its input, at most.
inline constexpr std::size_t max_quoted_bytes = 64;

/// Why a document was refused, where, and what to write instead. All text is printable ASCII. The
/// place is in the text that was being read: of what an envelope carries, in its payload.
struct document_error {
  errc what = errc::ok;
  std::string pointer{};           ///< RFC 6901; empty: the document as a whole
  std::string seen{};              ///< at most `max_quoted_bytes` of the input, escaped
  std::string expected{};          ///< a phrase for people
  std::string suggestion{};        ///< the value to write instead; empty where there is no telling
  std::uint32_t offset_bytes = 0;  ///< into the text that was read; 0 where it is not text
};

/// A value, or why there is none. Dereferencing one that holds an error yields a `T{}`.
template <typename T>
class [[nodiscard]] read_outcome {
  static_assert(std::is_default_constructible_v<T> && std::is_nothrow_move_constructible_v<T>);

 public:
  read_outcome(T value) noexcept : value_(std::move(value)) {}       // NOLINT(*-explicit-*)
  read_outcome(document_error e) noexcept : error_(std::move(e)) {}  // NOLINT(*-explicit-*)

  [[nodiscard]] explicit operator bool() const noexcept { return error_.what == errc::ok; }
  [[nodiscard]] const T& operator*() const& noexcept { return value_; }
  [[nodiscard]] T& operator*() & noexcept { return value_; }
  [[nodiscard]] T&& operator*() && noexcept { return std::move(value_); }
  [[nodiscard]] const T* operator->() const noexcept { return &value_; }
  [[nodiscard]] T* operator->() noexcept { return &value_; }
  /// `errc::ok` when there is a value.
  [[nodiscard]] const document_error& error() const noexcept { return error_; }

 private:
  T value_{};
  document_error error_{};
};

/// Success, or why not.
template <>
class [[nodiscard]] read_outcome<void> {
 public:
  read_outcome() noexcept = default;
  read_outcome(document_error e) noexcept : error_(std::move(e)) {}  // NOLINT(*-explicit-*)

  [[nodiscard]] explicit operator bool() const noexcept { return error_.what == errc::ok; }
  [[nodiscard]] const document_error& error() const noexcept { return error_; }

 private:
  document_error error_{};
};

/// The types of RFC 8259 3; an `integer` is a number without fraction and exponent that fits in 64
/// bits, with or without sign.
enum class kind : std::uint8_t { null, boolean, integer, number, string, array, object };

/// A phrase for people. Static storage.
[[nodiscard]] constexpr std::string_view to_string(kind k) noexcept {
  switch (k) {
    case kind::null: return "null";
    case kind::boolean: return "a boolean";
    case kind::integer: return "an integer";
    case kind::number: return "a number";
    case kind::string: return "a string";
    case kind::array: return "an array";
    case kind::object: return "an object";
  }
  return "unknown";
}

class value;

namespace detail {

/// Carries an error to the boundary of the API, and no further: see `shielded`.
struct fault {
  document_error error{};
};

/// What `body` returns, or the error it threw. Nothing leaves but by the return value.
template <typename Body>
auto shielded(Body&& body) noexcept -> std::invoke_result_t<Body> {
  try {
    return body();
  } catch (fault& refused) {
    return std::move(refused.error);
  } catch (...) {
    document_error exhausted;
    exhausted.what = errc::out_of_memory;
    return exhausted;
  }
}

/// The code point at `at` of well-formed UTF-8, and its length.
inline std::pair<std::uint32_t, std::size_t> code_point(std::string_view text, std::size_t at) {
  const auto octet = [&](std::size_t i) {
    return std::uint32_t{static_cast<unsigned char>(text[i])};
  };
  const std::uint32_t first = octet(at);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  std::uint32_t point = first & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) point = point << 6 | (octet(at + i) & 0x3f);
  return {point, length};
}

/// The beginning of `text`, which is UTF-8, in printable ASCII: at most `most` octets of it.
inline std::string printable(std::string_view text, std::size_t most = max_quoted_bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto [point, length] = code_point(text, at);
    if (at + length > most) {
      out += "...";
      break;
    }
    if (point >= 0x20 && point < 0x7f) {
      out += static_cast<char>(point);
    } else {
      out += point > 0xffff ? "\\U" : "\\u";
      for (int shift = point > 0xffff ? 28 : 12; shift >= 0; shift -= 4) {
        out += digits[(point >> shift) & 0xf];
      }
    }
    at += length;
  }
  return out;
}

/// A name as part of a pointer (RFC 6901 3).
inline std::string pointer_token(std::string_view name, std::size_t most) {
  std::string out;
  for (const char c : printable(name, most)) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

/// Where `text` stops being UTF-8 (RFC 3629 4): no overlong forms, surrogates, or beyond U+10FFFF.
inline std::optional<std::size_t> first_not_utf8(std::string_view text) noexcept {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t at = 0; at < text.size();) {
    const unsigned first = octet(at);
    if (first < 0x80) {
      ++at;
      continue;
    }
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() - at < length) return at;
    const unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (octet(at + 1) < low || octet(at + 1) > high) return at;
    for (std::size_t i = 2; i < length; ++i) {
      if ((octet(at + i) & 0xc0) != 0x80) return at;
    }
    at += length;
  }
  return std::nullopt;
}

struct node {
  kind is = kind::null;
  bool truth = false;  ///< of a boolean; of an integer: it is below zero
  std::uint32_t offset = 0;
  std::uint32_t parent = 0;
  std::uint32_t index = 0;  ///< among its siblings
  std::uint32_t next = 0;   ///< sibling; 0: none
  std::uint32_t first = 0;  ///< child; 0: none
  std::uint32_t count = 0;  ///< of children
  std::uint32_t name_at = 0;
  std::uint32_t name_bytes = 0;
  std::uint32_t text_at = 0;
  std::uint32_t text_bytes = 0;
  std::uint64_t magnitude = 0;  ///< of an integer
};

}  // namespace detail

/// A document that was read, whole. The values of it borrow from it.
class document {
 public:
  document() = default;

  /// The outermost value.
  [[nodiscard]] value root() const noexcept;

 private:
  friend class value;
  friend class document_builder;
  std::vector<detail::node> nodes_{};
  std::string text_{};
};

/// A value inside a document: a position, cheap to copy, good as long as the document stays where
/// it is. A default one is no value.
class value {
 public:
  value() noexcept = default;

  [[nodiscard]] explicit operator bool() const noexcept { return owner_ != nullptr; }
  [[nodiscard]] json::kind kind() const noexcept { return self().is; }
  [[nodiscard]] std::uint32_t offset_bytes() const noexcept { return self().offset; }
  /// The name of a member; empty otherwise.
  [[nodiscard]] std::string_view name() const noexcept {
    return std::string_view(owner_->text_).substr(self().name_at, self().name_bytes);
  }
  /// A string's text, without NUL; empty otherwise.
  [[nodiscard]] std::string_view text() const noexcept {
    return std::string_view(owner_->text_).substr(self().text_at, self().text_bytes);
  }
  /// A boolean's value; false otherwise.
  [[nodiscard]] bool truth() const noexcept { return kind() == kind::boolean && self().truth; }
  /// An integer's value if it is not below zero.
  [[nodiscard]] std::optional<std::uint64_t> integer() const noexcept {
    if (kind() != kind::integer || self().truth) return std::nullopt;
    return self().magnitude;
  }
  /// How many members or elements.
  [[nodiscard]] std::size_t size() const noexcept { return self().count; }
  /// The first member or element, then each after it; no value at the end.
  [[nodiscard]] value first() const noexcept { return at(self().first); }
  [[nodiscard]] value next() const noexcept { return at(self().next); }
  /// The member of this name; no value if there is none.
  [[nodiscard]] value find(std::string_view wanted) const noexcept {
    if (kind() != kind::object) return {};
    for (value one = first(); one; one = one.next()) {
      if (one.name() == wanted) return one;
    }
    return {};
  }
  /// RFC 6901. Names in it are escaped as in JSON and cut where they exceed `max_quoted_bytes`.
  /// @throws std::bad_alloc
  [[nodiscard]] std::string pointer() const {
    std::vector<const detail::node*> path;
    for (std::uint32_t i = index_; i != 0; i = owner_->nodes_[i].parent) {
      path.push_back(&owner_->nodes_[i]);
    }
    std::string out;
    std::size_t left = max_quoted_bytes;
    for (auto step = path.rbegin(); step != path.rend(); ++step) {
      const bool member = owner_->nodes_[(*step)->parent].is == kind::object;
      out += '/';
      if (!member) {
        out += std::to_string((*step)->index);
        continue;
      }
      const std::string_view whole =
          std::string_view(owner_->text_).substr((*step)->name_at, (*step)->name_bytes);
      out += detail::pointer_token(whole, left);
      left -= std::min(left, whole.size());
    }
    return out;
  }

 private:
  friend class document;
  friend class document_builder;
  value(const document* owner, std::uint32_t index) noexcept : owner_(owner), index_(index) {}
  [[nodiscard]] const detail::node& self() const noexcept { return owner_->nodes_[index_]; }
  [[nodiscard]] value at(std::uint32_t index) const noexcept {
    return index == 0 ? value{} : value{owner_, index};
  }

  const document* owner_ = nullptr;
  std::uint32_t index_ = 0;
};

inline value document::root() const noexcept { return nodes_.empty() ? value{} : value{this, 0}; }

/// Fills a document from the events of nlohmann's parser, which says that a text is JSON; that
/// names are unique, and all bounds, are found here. Positions too: the parser does not tell them,
/// so each token is looked for from the end of the one before.
class document_builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  document_builder(document& out, std::string_view text, std::size_t longest_string) noexcept
      : out_(out), input_(text), longest_string_(longest_string) {}

  [[nodiscard]] const document_error& error() const noexcept { return error_; }

  bool null() override {
    const std::size_t begin = locate();
    cursor_ += 4;
    return add(kind::null, begin) != nullptr;
  }
  bool boolean(bool truth) override {
    const std::size_t begin = locate();
    cursor_ += truth ? 4 : 5;
    detail::node* made = add(kind::boolean, begin);
    if (made != nullptr) made->truth = truth;
    return made != nullptr;
  }
  bool number_integer(number_integer_t number) override {
    return add_integer(std::uint64_t{0} - static_cast<std::uint64_t>(number), true);
  }
  bool number_unsigned(number_unsigned_t number) override { return add_integer(number, false); }
  bool number_float(number_float_t, const string_t&) override {
    return add(kind::number, skip_number()) != nullptr;
  }
  bool string(string_t& text) override {
    const std::size_t begin = skip_string();
    std::uint32_t at = 0;
    std::uint32_t bytes = 0;
    if (!store(text, begin, at, bytes)) return false;
    detail::node* made = add(kind::string, begin);
    if (made == nullptr) return false;
    made->text_at = at;
    made->text_bytes = bytes;
    return true;
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(kind::object); }
  bool start_array(std::size_t) override { return open(kind::array); }
  bool key(string_t& text) override {
    pending_name_ = store(text, skip_string(), name_at_, name_bytes_);
    return pending_name_;
  }
  bool end_array() override { return close(); }
  bool end_object() override { return names_are_unique() && close(); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& why) override {
    const std::size_t begin = locate();
    constexpr int number_overflow = 406;
    if (why.id == number_overflow) return refuse(errc::invalid_value, begin, "a smaller number");
    if (begin < input_.size() && input_[begin] == '"') {
      if (const auto lone = lone_surrogate(begin)) {
        return refuse(errc::invalid_utf8, *lone, "surrogates in pairs");
      }
    }
    const std::size_t at = std::min(position == 0 ? 0 : position - 1, input_.size());
    refuse(errc::invalid_json, at, "JSON as in RFC 8259");
    if (at < input_.size()) {
      // A code point that the cut would split is not quoted at all.
      error_.seen = detail::printable(input_.substr(at, whole_code_points(at, 16)));
    } else {
      error_.seen = "the end";
    }
    return false;
  }

  bool refuse(errc what, std::size_t offset, std::string_view expected) {
    error_.what = what;
    error_.offset_bytes = static_cast<std::uint32_t>(offset);
    error_.expected = expected;
    error_.pointer = pointer();
    return false;
  }

 private:
  [[nodiscard]] std::size_t whole_code_points(std::size_t at, std::size_t most) const noexcept {
    // Back to the first octet of the code point, should the parser have stopped inside of one.
    if ((static_cast<unsigned char>(input_[at]) & 0xc0) == 0x80) return 0;
    std::size_t end = at;
    while (end < input_.size() && end - at < most) end += detail::code_point(input_, end).second;
    return end - at;
  }

  /// The token that the parser has just read.
  std::size_t locate() noexcept {
    constexpr std::string_view between = " \t\r\n,:";
    while (cursor_ < input_.size() && between.find(input_[cursor_]) != std::string_view::npos) {
      ++cursor_;
    }
    return cursor_;
  }
  std::size_t skip_string() noexcept {
    const std::size_t begin = locate();
    for (++cursor_; cursor_ < input_.size() && input_[cursor_] != '"'; ++cursor_) {
      if (input_[cursor_] == '\\') ++cursor_;
    }
    ++cursor_;
    return begin;
  }
  std::size_t skip_number() noexcept {
    const std::size_t begin = locate();
    constexpr std::string_view characters = "+-.0123456789eE";
    while (cursor_ < input_.size() && characters.find(input_[cursor_]) != std::string_view::npos) {
      ++cursor_;
    }
    return begin;
  }

  /// The first `\uD800` to `\uDFFF` without its other half in the string that begins at `at`.
  [[nodiscard]] std::optional<std::size_t> lone_surrogate(std::size_t at) const noexcept {
    const auto unit = [&](std::size_t i) -> int {
      if (input_.size() - i < 6 || input_[i] != '\\' || input_[i + 1] != 'u') return -1;
      int number = 0;
      for (std::size_t digit = i + 2; digit < i + 6; ++digit) {
        const char c = input_[digit];
        const int part = c >= '0' && c <= '9'   ? c - '0'
                         : c >= 'a' && c <= 'f' ? c - 'a' + 10
                         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                : -1;
        if (part < 0) return -1;
        number = number * 16 + part;
      }
      return number;
    };
    for (std::size_t i = at + 1; i < input_.size() && input_[i] != '"';) {
      if (input_[i] != '\\') {
        ++i;
        continue;
      }
      const int first = unit(i);
      if (first >= 0xdc00 && first <= 0xdfff) return i;
      if (first >= 0xd800 && first <= 0xdbff) {
        const int second = i + 6 <= input_.size() ? unit(i + 6) : -1;
        if (second < 0xdc00 || second > 0xdfff) return i;
        i += 12;
        continue;
      }
      i += first >= 0 ? 6 : 2;
    }
    return std::nullopt;
  }

  bool add_integer(std::uint64_t magnitude, bool below_zero) {
    detail::node* made = add(kind::integer, skip_number());
    if (made == nullptr) return false;
    made->truth = below_zero;
    made->magnitude = magnitude;
    return true;
  }

  /// Null if there are too many.
  detail::node* add(kind is, std::size_t begin) {
    if (out_.nodes_.size() == max_values) {
      refuse(errc::too_large, begin, "at most 1000000 values");
      return nullptr;
    }
    const auto index = static_cast<std::uint32_t>(out_.nodes_.size());
    detail::node made;
    made.is = is;
    made.offset = static_cast<std::uint32_t>(begin);
    made.name_at = name_at_;
    made.name_bytes = name_bytes_;
    if (!open_.empty()) {
      made.parent = open_.back();
      detail::node& parent = out_.nodes_[made.parent];
      made.index = parent.count++;
      if (made.index == 0) {
        parent.first = index;
      } else {
        out_.nodes_[last_.back()].next = index;
      }
      last_.back() = index;
    }
    name_at_ = 0;
    name_bytes_ = 0;
    pending_name_ = false;
    out_.nodes_.push_back(made);
    return &out_.nodes_.back();
  }

  bool open(kind is) {
    const std::size_t begin = locate();
    ++cursor_;
    if (open_.size() == max_depth) return refuse(errc::too_deep, begin, "at most 16 levels");
    if (add(is, begin) == nullptr) return false;
    open_.push_back(static_cast<std::uint32_t>(out_.nodes_.size() - 1));
    last_.push_back(0);
    return true;
  }
  bool close() {
    locate();
    ++cursor_;
    open_.pop_back();
    last_.pop_back();
    return true;
  }

  bool store(const std::string& text, std::size_t begin, std::uint32_t& at, std::uint32_t& bytes) {
    if (text.size() > longest_string_) {
      return refuse(errc::too_large, begin,
                    "at most " + std::to_string(longest_string_) + " octets of text");
    }
    if (text.find('\0') != std::string::npos) {
      return refuse(errc::invalid_value, begin, "text without NUL");
    }
    at = static_cast<std::uint32_t>(out_.text_.size());
    bytes = static_cast<std::uint32_t>(text.size());
    out_.text_ += text;
    return true;
  }

  bool names_are_unique() {
    const value object{&out_, open_.back()};
    scratch_.clear();
    for (value one = object.first(); one; one = one.next()) scratch_.push_back(one);
    std::sort(scratch_.begin(), scratch_.end(), [](const value& a, const value& b) {
      const int order = a.name().compare(b.name());
      return order < 0 || (order == 0 && a.index_ < b.index_);
    });
    const auto twice =
        std::adjacent_find(scratch_.begin(), scratch_.end(),
                           [](const value& a, const value& b) { return a.name() == b.name(); });
    if (twice == scratch_.end()) return true;
    const value second = *(twice + 1);
    refuse(errc::duplicate_key, second.offset_bytes(), "each name once");
    error_.pointer = second.pointer();
    error_.seen = detail::printable(second.name());
    return false;
  }

  /// Of the value that is being read.
  [[nodiscard]] std::string pointer() const {
    if (open_.empty()) return {};
    const value parent{&out_, open_.back()};
    std::string out = parent.pointer();
    if (pending_name_) {
      out += '/';
      out += detail::pointer_token(std::string_view(out_.text_).substr(name_at_, name_bytes_),
                                   max_quoted_bytes);
    } else if (parent.kind() == kind::array) {
      out += '/';
      out += std::to_string(parent.size());
    }
    return out;
  }

  document& out_;
  std::string_view input_;
  std::size_t longest_string_;
  std::size_t cursor_ = 0;
  std::uint32_t name_at_ = 0;
  std::uint32_t name_bytes_ = 0;
  bool pending_name_ = false;
  std::vector<std::uint32_t> open_{};
  std::vector<std::uint32_t> last_{};  ///< the last child of each that is open
  std::vector<value> scratch_{};
  document_error error_{};
};

/// Reads one JSON text (RFC 8259), strictly: UTF-8 without byte order mark, one value and nothing
/// after it, no name twice in an object, no NUL in a string.
///
/// @errors `empty_input`, `too_large` (octets, values, or a string above `longest_string` octets),
///   `too_deep`, `invalid_utf8`, `invalid_json`, `duplicate_key`, `invalid_value` (NUL, or a number
///   beyond every bound), `out_of_memory`
[[nodiscard]] inline read_outcome<document> read_document(
    std::string_view text, std::size_t longest_string = max_string_bytes) noexcept {
  return detail::shielded([&]() -> read_outcome<document> {
    document_error refused;
    const auto refuse = [&](errc what, std::size_t offset, std::string_view expected) {
      refused.what = what;
      refused.offset_bytes = static_cast<std::uint32_t>(offset);
      refused.expected = expected;
      return std::move(refused);
    };
    if (text.empty()) return refuse(errc::empty_input, 0, "a JSON text");
    if (text.size() > max_document_bytes) {
      return refuse(errc::too_large, max_document_bytes, "at most 8 MiB");
    }
    if (const auto at = detail::first_not_utf8(text)) {
      return refuse(errc::invalid_utf8, *at, "UTF-8");
    }
    if (text.starts_with("\xef\xbb\xbf")) {
      return refuse(errc::invalid_json, 0, "no byte order mark");
    }
    // nlohmann's lexer takes a NUL for the end of its input.
    if (const std::size_t at = text.find('\0'); at != std::string_view::npos) {
      return refuse(errc::invalid_json, at, "no NUL");
    }
    document made;
    document_builder builder(made, text, longest_string);
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return builder.error();
    return made;
  });
}

namespace detail {

/// What an error says it saw.
inline std::string seen_of(const value& at) {
  switch (at.kind()) {
    case kind::string: return "\"" + printable(at.text()) + "\"";
    case kind::boolean: return at.truth() ? "true" : "false";
    case kind::integer:
      if (const auto number = at.integer()) return std::to_string(*number);
      return "a number below zero";
    default: return std::string(to_string(at.kind()));
  }
}

inline document_error error_at(const value& at, errc what, std::string expected,
                               std::string suggestion = {}) {
  document_error made;
  made.what = what;
  made.pointer = at.pointer();
  made.seen = seen_of(at);
  made.expected = std::move(expected);
  made.suggestion = std::move(suggestion);
  made.offset_bytes = at.offset_bytes();
  return made;
}

[[noreturn]] inline void refuse(const value& at, errc what, std::string expected,
                                std::string suggestion = {}) {
  throw fault{error_at(at, what, std::move(expected), std::move(suggestion))};
}

[[noreturn]] inline void refuse(errc what, std::string pointer, std::string expected) {
  fault made;
  made.error.what = what;
  made.error.pointer = std::move(pointer);
  made.error.expected = std::move(expected);
  throw made;
}

inline const value& need(const value& at, kind wanted) {
  if (at.kind() != wanted) {
    refuse(at, errc::wrong_type, std::string(to_string(wanted)));
  }
  return at;
}

inline value member(const value& object, std::string_view name) {
  const value found = object.find(name);
  if (!found) {
    document_error missing;
    missing.what = errc::missing_key;
    missing.pointer = object.pointer() + "/" + std::string(name);
    missing.expected = "the key \"" + std::string(name) + "\"";
    missing.offset_bytes = object.offset_bytes();
    throw fault{std::move(missing)};
  }
  return found;
}

inline value member(const value& object, std::string_view name, kind wanted) {
  return need(member(object, name), wanted);
}

/// The member if it is there, which then is of this kind.
inline value optional_member(const value& object, std::string_view name, kind wanted) {
  const value found = object.find(name);
  if (found) need(found, wanted);
  return found;
}

inline std::uint64_t integer_between(const value& at, std::uint64_t lowest, std::uint64_t highest) {
  need(at, kind::integer);
  const auto number = at.integer();
  if (!number || *number < lowest || *number > highest) {
    refuse(at, errc::invalid_value, std::to_string(lowest) + " to " + std::to_string(highest));
  }
  return *number;
}

/// Text that stays on its line in a log.
inline std::string plain_text(const value& at, std::size_t longest) {
  const std::string_view text = need(at, kind::string).text();
  const bool controls = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (text.empty() || text.size() > longest || controls) {
    refuse(at, errc::invalid_value,
           "1 to " + std::to_string(longest) + " octets of text without control characters");
  }
  return std::string(text);
}

}  // namespace detail

}  // namespace json
}  // namespace v0
}  // namespace cotter
