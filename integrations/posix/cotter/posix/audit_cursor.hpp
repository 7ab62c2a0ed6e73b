// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/posix/audit_segment.hpp>

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
namespace posix {

/// The longest name of an output.
inline constexpr std::size_t max_audit_output_bytes = 32;

/// Whether text can name an output of a spool: 1 to 32 of `a-z`, `0-9` and the hyphen.
[[nodiscard]] constexpr bool is_audit_output(std::string_view name) noexcept {
  if (name.empty() || name.size() > max_audit_output_bytes) return false;
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  }
  return true;
}

/// When an output may be offered events again. In civil time, so that it outlives the process: a wait
/// of which more would be left than it was long was measured by a clock that has been set back since,
/// and is over.
struct audit_retry {
  std::uint32_t failures = 0;  ///< in a row
  instant not_before{};
  std::chrono::seconds wait{};

  [[nodiscard]] constexpr std::chrono::seconds left(instant now) const noexcept {
    if (now >= not_before) return {};
    // As unsigned numbers: the two may lie further apart than `seconds` can say.
    const auto apart = static_cast<std::uint64_t>(not_before.time_since_epoch().count()) -
                       static_cast<std::uint64_t>(now.time_since_epoch().count());
    const auto most = static_cast<std::uint64_t>(wait.count());
    return std::chrono::seconds{apart <= most ? static_cast<std::int64_t>(apart) : 0};
  }
};

/// How far an output has come: for each origin that there are segments of, and nothing else.
struct audit_cursor {
  /// Where the next event of an origin is to be looked for.
  struct place {
    audit_format::origin_id origin{};
    std::uint64_t segment = 0;  ///< all before it are done with
    std::uint64_t offset = 0;   ///< into that one; 0: at its beginning
    std::uint64_t frames = 0;   ///< the ordinal of the last frame seen
    std::uint64_t drops = 0;    ///< of the origin, that a loss has told of
    std::uint32_t stage = 0;    ///< of what an origin that has ended leaves behind
    bool fresh = true;          ///< nothing of the origin was seen yet
    bool done = false;          ///< there will be nothing more of it

    [[nodiscard]] bool passed(std::uint64_t number) const noexcept {
      return segment > number || (segment == number && done);
    }
  };

  std::vector<place> places{};
  audit_retry retry{};

  [[nodiscard]] const place* find(const audit_format::origin_id& origin) const noexcept {
    for (const place& one : places) {
      if (one.origin == origin) return &one;
    }
    return nullptr;
  }
  [[nodiscard]] place& at(const audit_format::origin_id& origin) {
    for (place& one : places) {
      if (one.origin == origin) return one;
    }
    places.emplace_back().origin = origin;
    return places.back();
  }

  static constexpr std::array<std::uint8_t, 8> magic{'C', 'T', 'R', 'C', 'U', 'R', 'S', 'E'};
  static constexpr std::size_t head_bytes = 8 + 4 + max_audit_output_bytes + 4 + 8 + 8 + 4;
  static constexpr std::size_t place_bytes = 16 + 8 + 8 + 8 + 8 + 4 + 1 + 1;
  static constexpr std::size_t max_places = 65'536;

  /// The octets of the file of `output`.
  [[nodiscard]] std::vector<std::uint8_t> write(std::string_view output) const {
    using namespace audit_format;
    std::vector<std::uint8_t> octets(head_bytes + places.size() * place_bytes + 4);
    field_writer to{octets};
    to.octets(magic);
    to.number(1, 4);
    std::copy(output.begin(), output.end(), octets.begin() + static_cast<std::ptrdiff_t>(to.at));
    to.at += max_audit_output_bytes;
    to.number(retry.failures, 4);
    to.number(number_of(retry.not_before), 8);
    to.number(static_cast<std::uint64_t>(retry.wait.count()), 8);
    to.number(places.size(), 4);
    for (const place& one : places) {
      to.octets(one.origin);
      to.number(one.segment, 8);
      to.number(one.offset, 8);
      to.number(one.frames, 8);
      to.number(one.drops, 8);
      to.number(one.stage, 4);
      to.number(one.fresh ? 1 : 0, 1);
      to.number(one.done ? 1 : 0, 1);
    }
    to.number(crc32c(bytes_view(octets).first(to.at)), 4);
    return octets;
  }
  /// Nothing, if they are not what `write` made for `output`.
  [[nodiscard]] static std::optional<audit_cursor> read(bytes_view octets,
                                                        std::string_view output) {
    using namespace audit_format;
    if (octets.size() < head_bytes + 4) return {};
    const bytes_view checked = octets.first(octets.size() - 4);
    if (get(octets.last(4)) != crc32c(checked) ||
        !std::equal(magic.begin(), magic.end(), checked.begin())) {
      return {};
    }
    field_reader from{checked, magic.size()};
    if (from.number(4) != 1) return {};
    std::array<std::uint8_t, max_audit_output_bytes> name{};
    from.octets(name);
    if (!std::equal(output.begin(), output.end(), name.begin())) return {};
    audit_cursor is;
    is.retry.failures = static_cast<std::uint32_t>(from.number(4));
    is.retry.not_before = time_of(from.number(8));
    is.retry.wait = std::chrono::seconds{static_cast<std::int64_t>(from.number(8))};
    const std::uint64_t count = from.number(4);
    if (count > max_places || checked.size() != head_bytes + count * place_bytes) return {};
    is.places.resize(static_cast<std::size_t>(count));
    for (place& one : is.places) {
      from.octets(one.origin);
      one.segment = from.number(8);
      one.offset = from.number(8);
      one.frames = from.number(8);
      one.drops = from.number(8);
      one.stage = static_cast<std::uint32_t>(from.number(4));
      one.fresh = from.number(1) != 0;
      one.done = from.number(1) != 0;
    }
    return is;
  }
};

}  // namespace posix
}  // namespace v0
}  // namespace cotter
