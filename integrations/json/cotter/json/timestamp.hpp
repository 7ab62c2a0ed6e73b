// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/result.hpp>
#include <cotter/values/time.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace json {

/// What a document can say: `2000-01-01T00:00:00Z` to `9999-12-31T23:59:59Z`.
inline constexpr instant first_timestamp{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}};
inline constexpr instant last_timestamp{std::chrono::sys_days{std::chrono::year{9999} / 12 / 31} +
                                        std::chrono::seconds{86'399}};

/// Reads `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339): UTC, whole seconds, no leap second, from 2000 on.
///
/// @errors `invalid_timestamp`, with the offset of the first character at fault, or of the field
///   that is out of range
[[nodiscard]] constexpr result<instant> parse_timestamp(std::string_view text) noexcept {
  constexpr std::string_view shape = "dddd-dd-ddTdd:dd:ddZ";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool digit = i < text.size() && text[i] >= '0' && text[i] <= '9';
    if (i >= text.size() || (shape[i] == 'd' ? !digit : text[i] != shape[i])) {
      return {errc::invalid_timestamp, i};
    }
  }
  if (text.size() != shape.size()) return {errc::invalid_timestamp, shape.size()};
  const auto number = [&](std::size_t at, std::size_t digits) {
    int out = 0;
    for (std::size_t i = at; i < at + digits; ++i) out = out * 10 + (text[i] - '0');
    return out;
  };
  const std::chrono::year_month_day day{std::chrono::year{number(0, 4)},
                                        std::chrono::month{static_cast<unsigned>(number(5, 2))},
                                        std::chrono::day{static_cast<unsigned>(number(8, 2))}};
  if (number(0, 4) < 2000) return {errc::invalid_timestamp, 0};
  if (!day.month().ok()) return {errc::invalid_timestamp, 5};
  if (!day.ok()) return {errc::invalid_timestamp, 8};
  if (number(11, 2) > 23) return {errc::invalid_timestamp, 11};
  if (number(14, 2) > 59) return {errc::invalid_timestamp, 14};
  if (number(17, 2) > 59) return {errc::invalid_timestamp, 17};
  return instant{std::chrono::sys_days{day}} + std::chrono::hours{number(11, 2)} +
         std::chrono::minutes{number(14, 2)} + std::chrono::seconds{number(17, 2)};
}

/// Writes what `parse_timestamp` reads.
///
/// @errors `invalid_timestamp`: before `first_timestamp` or after `last_timestamp`
/// @throws std::bad_alloc
[[nodiscard]] inline result<std::string> format_timestamp(instant when) {
  if (when < first_timestamp || when > last_timestamp) return errc::invalid_timestamp;
  const auto days = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day day{days};
  const std::chrono::hh_mm_ss time{when - days};
  std::string out;
  const auto number = [&out](long long part, std::size_t digits) {
    const std::string text = std::to_string(part);
    out.append(digits - text.size(), '0');
    out += text;
  };
  number(static_cast<int>(day.year()), 4);
  out += '-';
  number(static_cast<unsigned>(day.month()), 2);
  out += '-';
  number(static_cast<unsigned>(day.day()), 2);
  out += 'T';
  number(time.hours().count(), 2);
  out += ':';
  number(time.minutes().count(), 2);
  out += ':';
  number(time.seconds().count(), 2);
  out += 'Z';
  return out;
}

}  // namespace json
}  // namespace v0
}  // namespace cotter
