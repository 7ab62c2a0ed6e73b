// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/net/upgrade.hpp>
#include <cotter/net/url.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/time.hpp>

#include <http_parser.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cotter {
inline namespace v0 {

/// The longest wish of a collector that is taken as it is; a longer one is cut to this.
inline constexpr std::chrono::seconds max_retry_after{86'400};
/// The header sections of an answer, interim ones (RFC 9110 15.2) included.
inline constexpr std::size_t max_report_header_bytes = 16'384;
/// How much of an answer's content is read before it is left where it is.
inline constexpr std::size_t max_report_content_bytes = 65'536;

namespace detail {

/// Takes an HTTP-date apart from the left.
struct date_scanner {
  std::string_view rest;
  bool bad = false;

  constexpr void literal(std::string_view text) noexcept {
    if (!rest.starts_with(text)) {
      bad = true;
      return;
    }
    rest.remove_prefix(text.size());
  }
  /// `size` digits; the first of two may be a blank if `padded` (asctime).
  constexpr int number(std::size_t size, bool padded = false) noexcept {
    int value = 0;
    if (rest.size() < size) bad = true;
    for (std::size_t i = 0; !bad && i < size; ++i) {
      const bool blank = padded && i == 0 && rest[i] == ' ';
      if (!is_digit(rest[i]) && !blank) bad = true;
      value = value * 10 + (blank || bad ? 0 : rest[i] - '0');
    }
    if (!bad) rest.remove_prefix(size);
    return value;
  }
  /// Which of the names stands here, from 1.
  template <std::size_t N>
  constexpr int one_of(const std::string_view (&names)[N]) noexcept {
    for (std::size_t i = 0; i < N; ++i) {
      if (!rest.starts_with(names[i])) continue;
      rest.remove_prefix(names[i].size());
      return static_cast<int>(i) + 1;
    }
    bad = true;
    return 0;
  }
};

inline constexpr std::string_view long_days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                 "Friday", "Saturday", "Sunday"};
inline constexpr std::string_view short_days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
inline constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace detail

/// Reads an HTTP-date in any of its three forms (RFC 9110 5.6.7); nothing if it is none. The name
/// of the day is not held against the date. `now` tells the century of a year of two digits.
[[nodiscard]] constexpr std::optional<instant> parse_http_date(std::string_view text,
                                                               instant now) noexcept {
  using namespace std::chrono;
  detail::date_scanner in{text};
  int year_number = 0;
  int month_number = 0;
  int day_number = 0;
  const auto time_of_day = [&in]() noexcept {
    const int h = in.number(2);
    in.literal(":");
    const int m = in.number(2);
    in.literal(":");
    const int s = in.number(2);
    if (h > 23 || m > 59 || s > 60) in.bad = true;
    return hours(h) + minutes(m) + seconds(s);
  };
  seconds time{};
  if (text.size() > 3 && text[3] == ' ') {  // asctime: Sun Nov  6 08:49:37 1994
    static_cast<void>(in.one_of(detail::short_days));
    in.literal(" ");
    month_number = in.one_of(detail::months);
    in.literal(" ");
    day_number = in.number(2, true);
    in.literal(" ");
    time = time_of_day();
    in.literal(" ");
    year_number = in.number(4);
  } else {
    const bool fixed = text.size() > 3 && text[3] == ',';
    static_cast<void>(fixed ? in.one_of(detail::short_days) : in.one_of(detail::long_days));
    in.literal(", ");
    day_number = in.number(2);
    in.literal(fixed ? " " : "-");
    month_number = in.one_of(detail::months);
    in.literal(fixed ? " " : "-");
    year_number = in.number(fixed ? 4 : 2);
    if (!fixed && !in.bad) {
      const int this_year = static_cast<int>(year_month_day(floor<days>(now)).year());
      year_number += this_year - this_year % 100;
      if (year_number > this_year + 50) year_number -= 100;
    }
    in.literal(" ");
    time = time_of_day();
    in.literal(" GMT");
  }
  if (in.bad || !in.rest.empty()) return {};
  const year_month_day date{year(year_number), month(static_cast<unsigned>(month_number)),
                            day(static_cast<unsigned>(day_number))};
  if (!date.ok()) return {};
  return instant(sys_days(date).time_since_epoch() + time);
}

/// Reads Retry-After (RFC 9110 10.2.3), in seconds or as a date, which is counted from `now`. 0 if it
/// is neither or past; at most `max_retry_after`.
[[nodiscard]] constexpr std::chrono::seconds parse_retry_after(std::string_view text,
                                                               instant now) noexcept {
  std::chrono::seconds delay{};
  if (!text.empty() && detail::is_digit(text[0])) {
    for (const char c : text) {
      if (!detail::is_digit(c)) return {};
      delay = delay * 10 + std::chrono::seconds(c - '0');
      if (delay > max_retry_after) delay = max_retry_after;
    }
    return delay;
  }
  const std::optional<instant> when = parse_http_date(text, now);
  if (!when || *when <= now) return {};
  delay = *when - now;
  return delay < max_retry_after ? delay : max_retry_after;
}

/// The head of a POST to a collector, but for what differs from one report to the next.
struct report_head {
  report_head() {}  // NOLINT(*-equals-default): see http_field

  std::string host;  ///< canonical, see `classify_host`; without brackets
  std::uint16_t port = 443;
  std::string path = "/";       ///< path and query
  std::string authorization{};  ///< the value of that field; none if empty
  std::vector<http_field> fields{};
};

/// Writes the head of a request: all up to its content, of `size_bytes` octets.
///
/// @errors `invalid_host`, `invalid_port`, `invalid_url` (the path), `invalid_header` (a value would
///   break out of its line, or a field is the request's own). They say nothing of the values.
[[nodiscard]] inline result<std::string> write_report_head(const report_head& ask,
                                                           std::string_view content_type,
                                                           std::size_t size_bytes) {
  const result<host_kind> kind = classify_host(ask.host);
  if (!kind) return kind.error();
  if (ask.port == 0) return errc::invalid_port;
  if (!ask.path.starts_with('/') || detail::path_fault(ask.path) != ask.path.size()) {
    return errc::invalid_url;
  }
  if (content_type.empty() || !detail::is_field_value(content_type) ||
      !detail::is_field_value(ask.authorization)) {
    return errc::invalid_header;
  }

  std::string text = "POST " + ask.path + " HTTP/1.1\r\nHost: ";
  text += *kind == host_kind::ipv6 ? "[" + ask.host + "]" : ask.host;
  if (ask.port != 443) text += ":" + std::to_string(ask.port);
  text += "\r\nUser-Agent: cotter\r\nContent-Type: ";
  text += content_type;
  text += "\r\nContent-Length: " + std::to_string(size_bytes) + "\r\n";
  if (!ask.authorization.empty()) text += "Authorization: " + ask.authorization + "\r\n";
  for (const http_field& field : ask.fields) {
    if (!detail::is_token(field.name) || detail::is_reserved_field(field.name) ||
        detail::equals_ignoring_case(field.name, "content-type") ||
        detail::equals_ignoring_case(field.name, "content-encoding") ||
        !detail::is_field_value(field.value)) {
      return errc::invalid_header;
    }
    text += field.name + ": " + field.value + "\r\n";
  }
  text += "\r\n";
  if (text.size() > max_report_header_bytes) return errc::invalid_header;
  return text;
}

/// Reads the answer to one POST, interim answers before it included, and keeps nothing of its
/// content. Immovable.
class report_answer {
 public:
  report_answer() noexcept {
    http_parser_init(&parser_, HTTP_RESPONSE);
    parser_.data = this;
  }
  report_answer(const report_answer&) = delete;
  report_answer& operator=(const report_answer&) = delete;

  /// Reads on. Octets behind a complete answer are none of it: the connection is not used again.
  ///
  /// @errors `protocol_error` (not RFC 9112, or a switch of protocols), `message_too_big` (header
  ///   sections above `max_report_header_bytes`)
  [[nodiscard]] result<void> read(bytes_view in) noexcept {
    while (!in.empty() && !complete_) {
      // Singly up to the content, whose bound would else depend on how the octets came.
      const std::size_t room = has_header_ ? max_report_content_bytes - content_bytes_ : 1;
      const bytes_view some = in.first(in.size() < room ? in.size() : room);
      const bool had_header = has_header_;
      const std::size_t used = execute(some);
      if (complete_) {
        clean_ = used == in.size();
        break;
      }
      if (parser_.http_errno != HPE_OK || used != some.size()) return errc::protocol_error;
      in = in.subspan(used);
      if (!had_header) header_bytes_ += used;
      if (had_header) content_bytes_ += used;
      if (!has_header_ && header_room_bytes() == 0) return errc::message_too_big;
      if (has_header_ && content_bytes_ == max_report_content_bytes) complete_ = true;
    }
    return {};
  }
  /// No more octets will come, in good order.
  /// @errors `report_truncated`
  [[nodiscard]] result<void> end() noexcept {
    if (!complete_) static_cast<void>(execute({}));
    if (!complete_) return errc::report_truncated;
    return {};
  }

  /// True once the final answer has been read to its end, or to `max_report_content_bytes`.
  [[nodiscard]] bool complete() const noexcept { return complete_; }
  /// Of the final answer; 0 until its header section has been read.
  [[nodiscard]] unsigned status() const noexcept { return status_; }
  /// True if another request may follow on the connection.
  [[nodiscard]] bool keeps_alive() const noexcept { return complete_ && clean_ && keep_alive_; }
  /// What the answer asks for; counted from its own Date if it has one, else from `now`.
  [[nodiscard]] std::chrono::seconds retry_after(instant now) const noexcept {
    const std::optional<instant> date = parse_http_date(date_.view(), now);
    return parse_retry_after(retry_after_.view(), date.value_or(now));
  }

 private:
  /// A name or a value, if it is short enough to mean anything; else empty.
  struct short_text {
    std::array<char, 64> octets{};
    std::size_t size = 0;
    bool too_long = false;

    void clear() noexcept {
      size = 0;
      too_long = false;
    }
    void append(const char* more, std::size_t count) noexcept {
      too_long = too_long || count > octets.size() - size;
      if (too_long) return;
      for (std::size_t i = 0; i < count; ++i) octets[size++] = more[i];
    }
    [[nodiscard]] std::string_view view() const noexcept {
      std::string_view text(octets.data(), too_long ? 0 : size);
      while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
      return text;
    }
  };

  static report_answer& self(http_parser* parser) noexcept {
    return *static_cast<report_answer*>(parser->data);
  }
  static int on_begin(http_parser* parser) noexcept {
    report_answer& me = self(parser);
    for (short_text* text : {&me.name_, &me.date_, &me.retry_after_}) text->clear();
    me.wanted_ = nullptr;
    return 0;
  }
  static int on_name(http_parser* parser, const char* text, std::size_t size) noexcept {
    report_answer& me = self(parser);
    if (me.in_value_) me.name_.clear();
    me.in_value_ = false;
    me.name_.append(text, size);
    return 0;
  }
  static int on_value(http_parser* parser, const char* text, std::size_t size) noexcept {
    report_answer& me = self(parser);
    if (!me.in_value_) {
      me.in_value_ = true;
      me.wanted_ = nullptr;
      const std::string_view name = me.name_.view();
      if (detail::equals_ignoring_case(name, "retry-after")) me.wanted_ = &me.retry_after_;
      if (detail::equals_ignoring_case(name, "date")) me.wanted_ = &me.date_;
      if (me.has_header_) me.wanted_ = nullptr;  // a trailer
      if (me.wanted_ != nullptr) me.wanted_->clear();
    }
    if (me.wanted_ != nullptr) me.wanted_->append(text, size);
    return 0;
  }
  static int on_header(http_parser* parser) noexcept {
    report_answer& me = self(parser);
    const unsigned status = parser->status_code;
    if (parser->http_major != 1 || status < 100 || status == 101) return -1;
    if (status < 200) return 1;
    me.has_header_ = true;
    me.status_ = status;
    // Neither has content, whatever its fields say (RFC 9112 6.3).
    return status == 204 || status == 304 ? 1 : 0;
  }
  static int on_end(http_parser* parser) noexcept {
    report_answer& me = self(parser);
    if (!me.has_header_) return 0;
    me.keep_alive_ = http_should_keep_alive(parser) != 0;
    me.complete_ = true;
    http_parser_pause(parser, 1);
    return 0;
  }

  std::size_t execute(bytes_view in) noexcept {
    http_parser_settings settings;
    http_parser_settings_init(&settings);
    settings.on_message_begin = &on_begin;
    settings.on_header_field = &on_name;
    settings.on_header_value = &on_value;
    settings.on_headers_complete = &on_header;
    settings.on_message_complete = &on_end;
    return http_parser_execute(&parser_, &settings, reinterpret_cast<const char*>(in.data()),
                               in.size());
  }
  [[nodiscard]] std::size_t header_room_bytes() const noexcept {
    return max_report_header_bytes - header_bytes_;
  }

  http_parser parser_{};
  short_text name_{};
  short_text date_{};
  short_text retry_after_{};
  short_text* wanted_ = nullptr;
  std::size_t header_bytes_ = 0;
  std::size_t content_bytes_ = 0;
  unsigned status_ = 0;
  bool in_value_ = false;
  bool has_header_ = false;
  bool complete_ = false;
  bool clean_ = true;
  bool keep_alive_ = false;
};

}  // namespace v0
}  // namespace cotter
