// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/posix/audit_calls.hpp>
#include <cotter/posix/lock_file.hpp>
#include <cotter/values/audit_encoding.hpp>
#include <cotter/values/audit_event.hpp>
#include <cotter/values/bytes_view.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace posix {

/// How large a spool may become. Fixed when it is made, so that all its processes agree.
struct audit_spool_bounds {
  /// Of everything in the directory. Acceptances fill three quarters of it, all events together
  /// fifteen sixteenths: the rest is for the counters of processes that find it full. At least four
  /// segments.
  std::uint64_t max_bytes = 16u << 20;
  /// Of one file, 128 KiB to 16 MiB. Each process that has the spool open takes the room of one.
  std::uint32_t segment_bytes = 256u << 10;
};

inline constexpr std::uint32_t min_segment_bytes = 128u << 10;
inline constexpr std::uint32_t max_segment_bytes = 16u << 20;
/// What a program calls its installation is not longer.
inline constexpr std::size_t max_audit_client_bytes = 64;

/// The octets of a spool's files. All numbers are little endian; every part has a CRC-32C of its own.
namespace audit_format {

using origin_id = std::array<std::uint8_t, 16>;

namespace detail {

constexpr std::array<std::uint32_t, 256> crc32c_table() noexcept {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78u : 0);
    table[i] = value;
  }
  return table;
}
inline constexpr std::array<std::uint32_t, 256> table = crc32c_table();

}  // namespace detail

/// CRC-32C (RFC 3720 B.4), going on from `seed`.
[[nodiscard]] constexpr std::uint32_t crc32c(bytes_view octets, std::uint32_t seed = 0) noexcept {
  std::uint32_t value = ~seed;
  for (const std::uint8_t octet : octets) {
    value = (value >> 8) ^ detail::table[(value ^ octet) & 0xff];
  }
  return ~value;
}

inline void put(std::span<std::uint8_t> out, std::uint64_t value) noexcept {
  for (std::uint8_t& octet : out) {
    octet = static_cast<std::uint8_t>(value);
    value >>= 8;
  }
}
[[nodiscard]] inline std::uint64_t get(bytes_view in) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = in.size(); i-- > 0;) value = value << 8 | in[i];
  return value;
}

/// Octets written and read one field after the other.
struct field_writer {
  std::span<std::uint8_t> out;
  std::size_t at = 0;

  void number(std::uint64_t value, std::size_t size) noexcept {
    put(out.subspan(at, size), value);
    at += size;
  }
  void octets(bytes_view some) noexcept {
    std::copy(some.begin(), some.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
    at += some.size();
  }
};
struct field_reader {
  bytes_view in;
  std::size_t at = 0;

  std::uint64_t number(std::size_t size) noexcept {
    at += size;
    return get(in.subspan(at - size, size));
  }
  template <std::size_t Size>
  void octets(std::array<std::uint8_t, Size>& out) noexcept {
    std::copy_n(in.begin() + static_cast<std::ptrdiff_t>(at), Size, out.begin());
    at += Size;
  }
};

[[nodiscard]] inline std::uint64_t number_of(instant t) noexcept {
  return static_cast<std::uint64_t>(t.time_since_epoch().count());
}
[[nodiscard]] inline instant time_of(std::uint64_t value) noexcept {
  return instant{std::chrono::seconds{static_cast<std::int64_t>(value)}};
}

// The name of a segment: its origin and its number.

/// `<32 hex>-<16 hex>.events`, or `.new` while it is being made.
struct segment_name {
  origin_id origin{};
  std::uint64_t number = 0;

  friend constexpr auto operator<=>(const segment_name&, const segment_name&) = default;
};
inline constexpr std::size_t segment_stem = 32 + 1 + 16;
using name_buffer = std::array<char, segment_stem + 8>;

inline name_buffer spell(const segment_name& name, std::string_view suffix) noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  name_buffer out{};
  std::size_t at = 0;
  for (const std::uint8_t octet : name.origin) {
    out[at++] = digits[octet >> 4];
    out[at++] = digits[octet & 15];
  }
  out[at++] = '-';
  for (int shift = 60; shift >= 0; shift -= 4) out[at++] = digits[(name.number >> shift) & 15];
  std::copy(suffix.begin(), suffix.end(), out.begin() + segment_stem);
  return out;
}
inline constexpr std::string_view finished_suffix = ".events";
inline constexpr std::string_view unfinished_suffix = ".new";

[[nodiscard]] inline std::optional<segment_name> parse_segment_name(
    std::string_view text, std::string_view suffix) noexcept {
  if (text.size() != segment_stem + suffix.size() || !text.ends_with(suffix)) return {};
  const auto digit = [text](std::size_t i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  segment_name name;
  for (std::size_t i = 0; i < 32; ++i) {
    if (digit(i) < 0) return {};
    std::uint8_t& octet = name.origin[i / 2];
    octet = static_cast<std::uint8_t>(octet << 4 | digit(i));
  }
  if (text[32] != '-') return {};
  for (std::size_t i = 33; i < segment_stem; ++i) {
    if (digit(i) < 0) return {};
    name.number = name.number << 4 | static_cast<std::uint64_t>(digit(i));
  }
  return name;
}

// The header of a segment: what never changes, then what is written in place. Each part is there
// twice, written at once, and the first whose check fits counts.

inline constexpr std::size_t header_bytes = 4096;

/// `Fields` octets and their check, twice.
template <std::size_t Fields>
inline constexpr std::size_t twice = 2 * (Fields + 4);

/// Writes both copies of a part whose fields are the first octets of `out`.
template <std::size_t Fields>
void seal_part(std::span<std::uint8_t, twice<Fields>> out, std::uint32_t seed) noexcept {
  put(out.subspan(Fields, 4), crc32c(out.first(Fields), seed));
  std::copy_n(out.begin(), Fields + 4, out.begin() + Fields + 4);
}
/// The fields of the first good copy at `at`; empty if there is none.
template <std::size_t Fields>
[[nodiscard]] bytes_view open_part(bytes_view file, std::size_t at, std::uint32_t seed) noexcept {
  if (file.size() < at + twice<Fields>) return {};
  for (const std::size_t begin : {at, at + Fields + 4}) {
    const bytes_view fields = file.subspan(begin, Fields);
    if (get(file.subspan(begin + Fields, 4)) == crc32c(fields, seed)) return fields;
  }
  return {};
}

/// What the checks of a segment go on from: a frame of another segment, or one that somebody put
/// into a certificate without knowing the origin, is none of this one.
[[nodiscard]] inline std::uint32_t seed_of(const segment_name& name) noexcept {
  std::array<std::uint8_t, 8> number;
  put(number, name.number);
  return crc32c(number, crc32c(name.origin));
}

struct segment_identity {
  static constexpr std::array<std::uint8_t, 8> magic{'C', 'T', 'R', 'A', 'U', 'D', 'I', 'T'};
  static constexpr std::uint64_t version = 1;
  static constexpr std::size_t fields = 8 + 4 + 16 + 8 + 8 + 8 + 1 + max_audit_client_bytes;
  static constexpr std::size_t at = 0;

  segment_name name{};
  std::uint64_t frames_before = 0;  ///< of this origin, in all segments before this one
  std::uint64_t drops_before = 0;   ///< of this origin, that a loss in those has told of
  std::array<std::uint8_t, max_audit_client_bytes> client{};
  std::uint8_t client_bytes = 0;

  void write(std::span<std::uint8_t, twice<fields>> out) const noexcept {
    field_writer to{out};
    to.octets(magic);
    to.number(version, 4);
    to.octets(name.origin);
    to.number(name.number, 8);
    to.number(frames_before, 8);
    to.number(drops_before, 8);
    to.number(client_bytes, 1);
    to.octets(client);
    seal_part<fields>(out, seed_of(name));
  }
  static std::optional<segment_identity> read(bytes_view file, const segment_name& name) noexcept {
    const bytes_view part = open_part<fields>(file, at, seed_of(name));
    if (part.empty() || !std::equal(magic.begin(), magic.end(), part.begin())) return {};
    field_reader from{part, magic.size()};
    segment_identity is;
    if (from.number(4) != version) return {};
    from.octets(is.name.origin);
    is.name.number = from.number(8);
    is.frames_before = from.number(8);
    is.drops_before = from.number(8);
    is.client_bytes = static_cast<std::uint8_t>(from.number(1));
    from.octets(is.client);
    if (is.name != name || is.client_bytes > is.client.size()) return {};
    return is;
  }
};

/// What the writer had no room for: totals of the origin, never set back.
struct drop_counters {
  static constexpr std::size_t types = static_cast<std::size_t>(audit_type::loss) + 1;
  static constexpr std::size_t fields = 8 + 8 * types + 8 + 8 + 1 + 4;
  static constexpr std::size_t at = 512;

  std::uint64_t total = 0;
  std::array<std::uint64_t, types> by_type{};
  instant since{};  ///< the first of those that no loss event tells of yet
  instant last{};
  error why{};  ///< what the last one failed of; its code and `native`

  void write(std::span<std::uint8_t, twice<fields>> out, std::uint32_t seed) const noexcept {
    field_writer to{out};
    to.number(total, 8);
    for (const std::uint64_t one : by_type) to.number(one, 8);
    to.number(number_of(since), 8);
    to.number(number_of(last), 8);
    to.number(static_cast<std::uint8_t>(why.what), 1);
    to.number(static_cast<std::uint32_t>(why.native), 4);
    seal_part<fields>(out, seed);
  }
  static std::optional<drop_counters> read(bytes_view file, std::uint32_t seed) noexcept {
    const bytes_view part = open_part<fields>(file, at, seed);
    if (part.empty()) return {};
    field_reader from{part};
    drop_counters is;
    is.total = from.number(8);
    for (std::uint64_t& one : is.by_type) one = from.number(8);
    is.since = time_of(from.number(8));
    is.last = time_of(from.number(8));
    const std::uint64_t what = from.number(1);
    is.why.what =
        what <= static_cast<std::uint64_t>(last_errc) ? static_cast<errc>(what) : errc::spool_full;
    is.why.native = static_cast<std::int32_t>(static_cast<std::uint32_t>(from.number(4)));
    return is;
  }
};

/// How many frames there are, once there will be no more.
struct segment_end {
  static constexpr std::size_t fields = 1 + 8;
  static constexpr std::size_t at = 1024;

  bool closed = false;
  std::uint64_t frames = 0;  ///< of this origin, up to the end of this segment

  void write(std::span<std::uint8_t, twice<fields>> out, std::uint32_t seed) const noexcept {
    field_writer to{out};
    to.number(closed ? 1 : 0, 1);
    to.number(frames, 8);
    seal_part<fields>(out, seed);
  }
  static std::optional<segment_end> read(bytes_view file, std::uint32_t seed) noexcept {
    const bytes_view part = open_part<fields>(file, at, seed);
    if (part.empty()) return {};
    field_reader from{part};
    segment_end is;
    is.closed = from.number(1) == 1;
    is.frames = from.number(8);
    return is;
  }
};

/// How large its writer may make the file: others leave that much room.
struct segment_grant {
  static constexpr std::size_t fields = 8;
  static constexpr std::size_t at = 1536;

  std::uint64_t bytes = 0;

  void write(std::span<std::uint8_t, twice<fields>> out, std::uint32_t seed) const noexcept {
    put(out.first<fields>(), bytes);
    seal_part<fields>(out, seed);
  }
  /// From what stands at `at`.
  static std::optional<segment_grant> read(bytes_view part, std::uint32_t seed) noexcept {
    const bytes_view octets = open_part<fields>(part, 0, seed);
    if (octets.empty()) return {};
    return segment_grant{get(octets)};
  }
};

/// Repeats of one event that are counted instead of kept. Settled by the frame that names `first`;
/// until then the count is all there is of them.
struct repeat_slot {
  static constexpr std::size_t fields = 8 + 4 + 4 + 8 + 8;
  static constexpr std::size_t count_of_slots = 16;
  static constexpr std::size_t at = 2048;

  std::uint64_t first = 0;   ///< the number of the event that is repeated; 0: free
  std::uint32_t offset = 0;  ///< of its frame in this segment
  std::uint32_t count = 0;
  instant since{};  ///< of the first
  instant last{};   ///< of the last repeat

  [[nodiscard]] static constexpr std::size_t place(std::size_t index) noexcept {
    return at + index * twice<fields>;
  }
  void write(std::span<std::uint8_t, twice<fields>> out, std::uint32_t seed) const noexcept {
    field_writer to{out};
    to.number(first, 8);
    to.number(offset, 4);
    to.number(count, 4);
    to.number(number_of(since), 8);
    to.number(number_of(last), 8);
    seal_part<fields>(out, seed);
  }
  static std::optional<repeat_slot> read(bytes_view file, std::size_t index,
                                         std::uint32_t seed) noexcept {
    const bytes_view part = open_part<fields>(file, place(index), seed);
    if (part.empty()) return {};
    field_reader from{part};
    repeat_slot is;
    is.first = from.number(8);
    is.offset = static_cast<std::uint32_t>(from.number(4));
    is.count = static_cast<std::uint32_t>(from.number(4));
    is.since = time_of(from.number(8));
    is.last = time_of(from.number(8));
    return is;
  }
};
static_assert(segment_identity::at + twice<segment_identity::fields> <= drop_counters::at);
static_assert(drop_counters::at + twice<drop_counters::fields> <= segment_end::at);
static_assert(segment_end::at + twice<segment_end::fields> <= segment_grant::at);
static_assert(segment_grant::at + twice<segment_grant::fields> <= repeat_slot::at);
static_assert(repeat_slot::place(repeat_slot::count_of_slots) <= header_bytes);

// Frames.

enum class frame_kind : std::uint8_t {
  event,
  repeats,  ///< tells of the repeats of event `settles`
  loss,     ///< tells of drops, up to the total `settles`
};

/// What stands before an encoded record.
struct frame_header {
  static constexpr std::array<std::uint8_t, 4> marker{0xc7, 'C', 'T', 'R'};
  static constexpr std::size_t size_bytes = 4 + 4 + 8 + 8 + 8 + 1 + 4 + 4;

  std::uint32_t payload_bytes = 0;
  std::uint64_t number = 0;   ///< of the event
  std::uint64_t ordinal = 0;  ///< of the frame: no number is left out, so what is missing shows
  std::uint64_t settles = 0;
  frame_kind kind = frame_kind::event;

  /// Writes what goes before the payload, which stands behind it in `frame` already.
  void write(std::span<std::uint8_t> frame, std::uint32_t seed) const noexcept {
    field_writer to{frame};
    to.octets(marker);
    to.number(payload_bytes, 4);
    to.number(number, 8);
    to.number(ordinal, 8);
    to.number(settles, 8);
    to.number(static_cast<std::uint8_t>(kind), 1);
    to.number(crc32c(frame.subspan(size_bytes, payload_bytes), seed), 4);
    to.number(crc32c(frame.first(size_bytes - 4), seed), 4);
  }
  /// The header at the beginning of `in`, if it is one.
  static std::optional<frame_header> read(bytes_view in, std::uint32_t seed) noexcept {
    if (in.size() < size_bytes || !std::equal(marker.begin(), marker.end(), in.begin()) ||
        get(in.subspan(size_bytes - 4, 4)) != crc32c(in.first(size_bytes - 4), seed)) {
      return {};
    }
    field_reader from{in, marker.size()};
    frame_header is;
    is.payload_bytes = static_cast<std::uint32_t>(from.number(4));
    is.number = from.number(8);
    is.ordinal = from.number(8);
    is.settles = from.number(8);
    const std::uint64_t kind = from.number(1);
    if (kind > 2 || is.payload_bytes > max_audit_record_bytes) return {};
    is.kind = static_cast<frame_kind>(kind);
    return is;
  }
  /// Whether the payload behind a good header is whole, and is what was written.
  [[nodiscard]] bool fits(bytes_view in, std::uint32_t seed) const noexcept {
    return in.size() >= size_bytes + payload_bytes &&
           get(in.subspan(size_bytes - 8, 4)) == crc32c(payload(in), seed);
  }
  [[nodiscard]] bytes_view payload(bytes_view in) const noexcept {
    return in.subspan(size_bytes, payload_bytes);
  }
  [[nodiscard]] std::size_t frame_bytes() const noexcept { return size_bytes + payload_bytes; }
};
inline constexpr std::size_t max_frame_bytes = frame_header::size_bytes + max_audit_record_bytes;
/// A frame without leaf and pins.
inline constexpr std::size_t max_small_frame_bytes = frame_header::size_bytes + 2560;
static_assert(6 * (max_audit_text_bytes + 2) + 400 < 2560);
static_assert(header_bytes + repeat_slot::count_of_slots * max_small_frame_bytes +
                  max_frame_bytes <=
              min_segment_bytes);

/// What a look at a place in a segment finds.
struct frame_found {
  enum class what : std::uint8_t {
    frame,    ///< a good one, at `at`: further on if octets in between are no frame
    end,      ///< nothing more
    torn,     ///< the beginning of a frame and no more: a write that never came to its end
    damaged,  ///< octets that are no frame
  };
  what is = what::end;
  std::size_t at = 0;
  frame_header header{};
};

/// The next good frame at or after `from`. Linear in what is left.
[[nodiscard]] inline frame_found find_frame(bytes_view file, std::size_t from,
                                            std::uint32_t seed) noexcept {
  using what = frame_found::what;
  if (from >= file.size()) return {what::end, file.size(), {}};
  what rest = what::damaged;
  std::size_t at = from;
  while (at < file.size()) {
    const bytes_view here = file.subspan(at);
    if (const auto header = frame_header::read(here, seed)) {
      if (header->fits(here, seed)) return {what::frame, at, *header};
      if (here.size() < header->frame_bytes()) {
        if (at == from) rest = what::torn;
        break;
      }
      at += header->frame_bytes();
      continue;
    }
    if (at == from && here.size() < frame_header::size_bytes) {
      rest = what::torn;
      break;
    }
    const auto next = std::search(here.begin() + 1, here.end(), frame_header::marker.begin(),
                                  frame_header::marker.end());
    at += static_cast<std::size_t>(next - here.begin());
  }
  return {rest, from, {}};
}

// The mark of a spool.

struct spool_mark {
  static constexpr std::array<std::uint8_t, 8> magic{'C', 'T', 'R', 'S', 'P', 'O', 'O', 'L'};
  static constexpr std::size_t fields = 8 + 4 + 8 + 4;
  static constexpr std::size_t file_bytes = twice<fields>;
  static constexpr const char* name = "spool";

  static void write(std::span<std::uint8_t, file_bytes> out,
                    const audit_spool_bounds& bounds) noexcept {
    field_writer to{out};
    to.octets(magic);
    to.number(1, 4);
    to.number(bounds.max_bytes, 8);
    to.number(bounds.segment_bytes, 4);
    seal_part<fields>(out, 0);
  }
  static std::optional<audit_spool_bounds> read(bytes_view file) noexcept {
    const bytes_view part = open_part<fields>(file, 0, 0);
    if (part.empty() || !std::equal(magic.begin(), magic.end(), part.begin())) return {};
    field_reader from{part, magic.size()};
    if (from.number(4) != 1) return {};
    audit_spool_bounds bounds;
    bounds.max_bytes = from.number(8);
    bounds.segment_bytes = static_cast<std::uint32_t>(from.number(4));
    return bounds;
  }
};

}  // namespace audit_format

namespace audit_detail {

/// Writes all of it at `at`, or fails with `errno`.
template <typename Calls>
[[nodiscard]] bool write_all(int file, bytes_view octets, std::uint64_t at) noexcept {
  std::size_t done = 0;
  while (done < octets.size()) {
    const ssize_t size = Calls::write(file, octets.data() + done, octets.size() - done,
                                      static_cast<off_t>(at + done));
    if (size < 0 && errno == EINTR) continue;
    if (size == 0) errno = EIO;
    if (size <= 0) return false;
    done += static_cast<std::size_t>(size);
  }
  return true;
}

/// Reads until `into` is full or the file ends; -1 for a failure.
template <typename Calls>
[[nodiscard]] ssize_t read_all(int file, std::span<std::uint8_t> into, std::uint64_t at) noexcept {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t size =
        Calls::read(file, into.data() + done, into.size() - done, static_cast<off_t>(at + done));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return -1;
    if (size == 0) break;
    done += static_cast<std::size_t>(size);
  }
  return static_cast<ssize_t>(done);
}

/// Opens a directory that is this user's own and nobody else's, by no symbolic link.
/// @errors `state_absent`, `state_foreign`, `state_unreadable`
template <typename Calls>
[[nodiscard]] result<int> open_own_directory(const char* path) noexcept {
  const int directory = Calls::open_spool(path);
  if (directory < 0) {
    const int native = errno;
    struct stat about {};
    // A link to a directory is none, says the system.
    if (native == ENOTDIR && Calls::stat_at(AT_FDCWD, path, about) == 0) {
      return error{errc::state_foreign, 0, native};
    }
    return absent_or_foreign(native);
  }
  struct stat about {};
  result<int> is = directory;
  if (Calls::stat(directory, about) != 0) {
    is = error{errc::state_unreadable, 0, errno};
  } else if (about.st_uid != Calls::user() || (about.st_mode & 077) != 0) {
    is = errc::state_foreign;
  }
  if (!is) Calls::close(directory);
  return is;
}

/// Opens a spool, and reads its bounds.
/// @errors `state_absent`; `state_foreign` (a directory that is no spool, or not this user's alone);
///   `state_damaged`; `state_unreadable`
template <typename Calls>
[[nodiscard]] result<int> open_spool(const char* path, audit_spool_bounds& bounds) noexcept {
  using mark = audit_format::spool_mark;
  const result<int> directory = open_own_directory<Calls>(path);
  if (!directory) return directory;
  result<int> is = directory;
  const int file = Calls::open(*directory, mark::name, O_RDONLY);
  if (file < 0) {
    is = errno == ENOENT ? error{errc::state_foreign, 0, errno} : absent_or_foreign(errno);
  } else {
    struct stat about {};
    std::array<std::uint8_t, mark::file_bytes> octets{};
    if (const result<void> fit = check_private<Calls>(file, about); !fit) {
      is = fit.error();
    } else if (const ssize_t size = read_all<Calls>(file, octets, 0); size < 0) {
      is = error{errc::state_unreadable, 0, errno};
    } else if (const auto read = mark::read(octets)) {
      bounds = *read;
    } else {
      is = errc::state_damaged;
    }
    Calls::close(file);
  }
  if (!is) Calls::close(*directory);
  return is;
}

/// The path without the slashes at its end, which would follow a link.
[[nodiscard]] inline std::string_view trimmed(std::string_view path) noexcept {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace audit_detail

}  // namespace posix
}  // namespace v0
}  // namespace cotter
