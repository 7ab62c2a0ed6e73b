// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/posix/audit_cursor.hpp>
#include <cotter/posix/audit_segment.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace posix {

/// Reads a spool for one output, a place that all events are to reach. Each output has a cursor in the
/// spool's directory, made by `enroll`; a segment is removed when its writer writes to it no more and
/// every output has passed it. Of one output there is one reader at a time.
///
/// Events come in order for each origin, those of processes that still write too. Each comes again,
/// with the same id, until it was settled and `save` has returned without an error. A damaged cursor
/// begins anew: everything that is still there comes again.
///
/// What a reader has to say itself bears an origin that is the writer's with every bit inverted, and
/// a number that follows from what it says, so that it, too, is the same each time:
///   - 4 n: frames are missing or damaged, the n-th frame of the origin first; a `loss` of them, with
///     `detail` `spool_damaged`
///   - 4 n + 1: the writer ended before it told of the repeats of its event n
///   - 4 n + 2: it ended before it told of drops, n in all; a `loss` of those not told of
///   - 4 n + 3: counters cannot be read; a `loss` of one, since nobody knows of how many, with
///     `spool_damaged`
/// What is damaged is skipped up to the next frame whose checksums fit, and ends nothing.
///
/// Uses the heap, and may throw `std::bad_alloc`; then nothing is settled. Not thread-safe.
template <typename Calls = audit_calls>
class basic_audit_spool_reader {
  using place = audit_cursor::place;
  using segment_name = audit_format::segment_name;

 public:
  basic_audit_spool_reader(std::string_view directory, std::string_view output)
      : path_(audit_detail::trimmed(directory)), output_(output) {}
  basic_audit_spool_reader(const basic_audit_spool_reader&) = delete;
  basic_audit_spool_reader& operator=(const basic_audit_spool_reader&) = delete;
  ~basic_audit_spool_reader() { close(); }

  /// Makes an output: from now on, nothing is removed that it has not passed.
  /// @errors `invalid_value` (no name of an output, see `is_audit_output`); `state_exists`;
  ///   `state_busy`; `state_unwritable`; and those of opening a spool: `state_absent`,
  ///   `state_foreign`, `state_damaged`, `state_unreadable`
  [[nodiscard]] static result<void> enroll(std::string_view directory, std::string_view output) {
    basic_audit_spool_reader made(directory, output);
    if (const result<void> held = made.hold(true); !held) return held;
    struct stat about {};
    if (Calls::stat_at(made.directory_, made.cursor_name().c_str(), about) == 0) {
      return errc::state_exists;
    }
    return made.write_cursor();
  }
  /// Ends an output: nothing waits for it any more.
  /// @errors as `enroll`, and `state_absent` (there is none of that name)
  [[nodiscard]] static result<void> withdraw(std::string_view directory, std::string_view output) {
    basic_audit_spool_reader ended(directory, output);
    if (const result<void> held = ended.hold(false); !held) return held;
    if (Calls::unlink(ended.directory_, ended.cursor_name().c_str()) != 0) {
      return error{errno == ENOENT ? errc::state_absent : errc::state_unwritable, 0, errno};
    }
    if (Calls::sync(ended.directory_) != 0) return error{errc::state_unwritable, 0, errno};
    return {};
  }

  /// @errors `state_busy` (another reader of this output); `state_absent` (no spool, or no such
  ///   output); and as `enroll`
  [[nodiscard]] result<void> open() {
    if (directory_ >= 0) return errc::state_exists;
    result<void> done = hold(false);
    if (done) done = read_cursor();
    if (!done) close();
    return done;
  }
  /// Opens the spool to look at it, from where the output stands or, without a name, from the
  /// beginning of what is there. Nothing is written and nothing waits for the one who looks: `save`
  /// does nothing, and a segment that is removed meanwhile is not seen.
  /// @errors as `open`, but for `state_busy`
  [[nodiscard]] result<void> look() {
    if (directory_ >= 0) return errc::state_exists;
    audit_spool_bounds bounds;
    const result<int> directory = audit_detail::open_spool<Calls>(path_.c_str(), bounds);
    if (!directory) return directory.error();
    directory_ = *directory;
    looks_ = true;
    if (output_.empty()) return {};
    result<void> done =
        is_audit_output(output_) ? read_cursor() : result<void>(errc::invalid_value);
    if (!done) close();
    return done;
  }
  void close() noexcept {
    if (lock_ >= 0) Calls::close(lock_);
    if (directory_ >= 0) Calls::close(directory_);
    lock_ = -1;
    directory_ = -1;
    looks_ = false;
  }

  /// The next events: at most `max_events`, and no more than `max_bytes` of encoded records unless the
  /// first alone is longer. Empty if there are none now. What was not settled of the last ones comes
  /// again. Borrowed until the next call.
  /// @errors `state_unreadable`, if the directory cannot be read. A single file that cannot be read
  ///   holds back its own origin, see `why`.
  [[nodiscard]] result<std::span<const audit_event>> next(std::size_t max_events,
                                                          std::size_t max_bytes) {
    why_ = {};
    events_.clear();
    loaded_.clear();
    steps_.clear();
    bytes_ = 0;
    most_events_ = max_events;
    most_bytes_ = max_bytes;
    if (directory_ < 0) return errc::state_absent;
    std::vector<segment_name> names;
    if (const result<void> listed = list(names); !listed) return listed.error();
    for (std::size_t i = 0; i < names.size();) {
      std::size_t end = i + 1;
      while (end < names.size() && names[end].origin == names[i].origin) ++end;
      const place* known = cursor_.find(names[i].origin);
      place from = known == nullptr ? place{} : *known;
      from.origin = names[i].origin;
      if (!walk(std::span(names).subspan(i, end - i), from)) break;
      i = end;
    }
    for (loaded& one : loaded_) events_.push_back({one.id, one.client, one.record.what});
    settle(0);
    return std::span<const audit_event>(events_);
  }

  /// The first `count` of the events that `next` gave need not come again.
  void settle(std::size_t count) {
    for (; !steps_.empty() && steps_.front().first <= count; steps_.pop_front()) {
      cursor_.at(steps_.front().second.origin) = steps_.front().second;
    }
  }

  /// Has the cursor on the disk, then removes the segments that all outputs have passed.
  /// @errors `state_unwritable`: what was settled may come again
  [[nodiscard]] result<void> save() {
    if (directory_ < 0) return errc::state_absent;
    if (looks_) return {};
    if (result<void> kept = forget_origins(); !kept) return kept;
    if (result<void> written = write_cursor(); !written) return written;
    sweep();
    return {};
  }

  /// When the receiver may be asked again; kept by `save`.
  [[nodiscard]] audit_retry& retry() noexcept { return cursor_.retry; }
  /// What held back an origin in the last `next`; `ok` if nothing did.
  [[nodiscard]] const error& why() const noexcept { return why_; }
  /// True if the cursor that `open` found was damaged, so that everything comes again.
  [[nodiscard]] bool restarted() const noexcept { return restarted_; }
  [[nodiscard]] const std::string& output() const noexcept { return output_; }

  /// How many octets of segments are before this reader: a measure of what is left, not a count.
  [[nodiscard]] std::uint64_t left_bytes() {
    std::vector<segment_name> names;
    if (directory_ < 0 || !list(names)) return 0;
    std::uint64_t sum = 0;
    for (const segment_name& name : names) {
      const place* known = cursor_.find(name.origin);
      if (known != nullptr && known->passed(name.number)) continue;
      struct stat about {};
      const auto spelled = spell(name, audit_format::finished_suffix);
      if (Calls::stat_at(directory_, spelled.data(), about) != 0) continue;
      const std::uint64_t begin =
          known != nullptr && known->segment == name.number
              ? std::max<std::uint64_t>(known->offset, audit_format::header_bytes)
              : audit_format::header_bytes;
      const auto size = static_cast<std::uint64_t>(about.st_size);
      if (size > begin) sum += size - begin;
    }
    return sum;
  }

 private:
  struct segment {
    segment_name name{};
    std::uint32_t seed = 0;
    bool live = true;         ///< somebody may write to it yet
    bool superseded = false;  ///< its writer went on to another one
    std::vector<std::uint8_t> octets{};
    std::optional<audit_format::segment_identity> identity{};
  };
  struct loaded {
    event_id id{};
    std::string client{};
    std::vector<std::uint8_t> octets{};
    decoded_audit_record record{};
  };
  /// What came of an attempt to load a segment.
  enum class load_result : std::uint8_t { good, gone, failed };

  [[nodiscard]] std::string cursor_name() const { return "cursor." + output_; }

  // The output.

  /// Opens the spool, and takes the lock of the output.
  result<void> hold(bool make) {
    if (!is_audit_output(output_)) return errc::invalid_value;
    audit_spool_bounds bounds;
    const result<int> directory = audit_detail::open_spool<Calls>(path_.c_str(), bounds);
    if (!directory) return directory.error();
    directory_ = *directory;
    const std::string name = "lock." + output_;
    struct stat about {};
    // An output is its cursor: without it, no lock is made for a name that was mistyped.
    if (!make && Calls::stat_at(directory_, cursor_name().c_str(), about) != 0) {
      return absent_or_foreign(errno);
    }
    lock_ = Calls::open(directory_, name.c_str(), O_RDWR);
    if (lock_ < 0 && errno == ENOENT) {
      lock_ = Calls::create(directory_, name.c_str());
      if (lock_ < 0 && errno == EEXIST) lock_ = Calls::open(directory_, name.c_str(), O_RDWR);
      if (lock_ < 0) return error{errc::state_unwritable, 0, errno};
    }
    if (lock_ < 0) return absent_or_foreign(errno);
    if (const result<void> fit = check_private<Calls>(lock_, about); !fit) return fit;
    if (Calls::lock(lock_, F_WRLCK, 0) != 0) {
      const bool busy = errno == EAGAIN || errno == EACCES;
      return error{busy ? errc::state_busy : errc::state_unreadable, 0, errno};
    }
    return {};
  }

  /// The octets of a cursor's file; empty if it is damaged in such a way that there are none.
  result<void> read_file(const char* name, std::vector<std::uint8_t>& octets) {
    octets.clear();
    const int file = Calls::open(directory_, name, O_RDONLY);
    if (file < 0) return absent_or_foreign(errno);
    struct stat about {};
    result<void> done = check_private<Calls>(file, about);
    constexpr std::size_t most =
        audit_cursor::head_bytes + audit_cursor::max_places * audit_cursor::place_bytes + 4;
    if (done && static_cast<std::uint64_t>(about.st_size) <= most) {
      octets.resize(static_cast<std::size_t>(about.st_size));
      const ssize_t size = audit_detail::read_all<Calls>(file, octets, 0);
      if (size < 0) {
        done = error{errc::state_unreadable, 0, errno};
      } else {
        octets.resize(static_cast<std::size_t>(size));
      }
    }
    Calls::close(file);
    return done;
  }
  result<void> read_cursor() {
    std::vector<std::uint8_t> octets;
    if (const result<void> read = read_file(cursor_name().c_str(), octets); !read) return read;
    auto found = audit_cursor::read(octets, output_);
    restarted_ = !found;
    cursor_ = found ? std::move(*found) : audit_cursor{};
    return {};
  }
  result<void> write_cursor() {
    const std::vector<std::uint8_t> octets = cursor_.write(output_);
    const std::string unfinished = cursor_name() + ".new";
    int file = Calls::create(directory_, unfinished.c_str());
    if (file < 0 && errno == EEXIST && Calls::unlink(directory_, unfinished.c_str()) == 0) {
      file = Calls::create(directory_, unfinished.c_str());
    }
    bool written =
        file >= 0 && audit_detail::write_all<Calls>(file, octets, 0) && Calls::sync(file) == 0;
    int native = errno;
    if (file >= 0) Calls::close(file);
    if (written) {
      written = Calls::rename(directory_, unfinished.c_str(), cursor_name().c_str()) == 0;
      if (!written) native = errno;
    }
    if (!written && file >= 0) Calls::unlink(directory_, unfinished.c_str());
    if (!written && (native == ENOSPC || native == EDQUOT)) written = overwrite_cursor(octets);
    if (!written) return error{errc::state_unwritable, 0, native};
    // Before anything is removed that an older cursor would miss.
    if (Calls::sync(directory_) == 0) return {};
    return error{errc::state_unwritable, 0, errno};
  }
  /// For a disk that has no room for a second file, and would never have any if nothing of the spool
  /// could be removed. What is interrupted here leaves a damaged cursor, which begins anew.
  [[nodiscard]] bool overwrite_cursor(bytes_view octets) noexcept {
    const int file = Calls::open(directory_, cursor_name().c_str(), O_RDWR);
    if (file < 0) return false;
    struct stat about {};
    const bool good = check_private<Calls>(file, about) &&
                      (static_cast<std::uint64_t>(about.st_size) >= octets.size() ||
                       Calls::allocate(file, static_cast<off_t>(octets.size())) == 0) &&
                      audit_detail::write_all<Calls>(file, octets, 0) &&
                      Calls::truncate(file, static_cast<off_t>(octets.size())) == 0 &&
                      Calls::sync(file) == 0;
    Calls::close(file);
    return good;
  }

  // The segments.

  result<void> list(std::vector<segment_name>& names) {
    const result<void> listed = for_each_name<Calls>(directory_, [&names](const char* name) {
      if (const auto found =
              audit_format::parse_segment_name(name, audit_format::finished_suffix)) {
        names.push_back(*found);
      }
    });
    std::sort(names.begin(), names.end());
    return listed;
  }

  load_result load(const segment_name& name) {
    if (file_.name == name && !file_.live) return load_result::good;
    file_ = {};
    const auto spelled = spell(name, audit_format::finished_suffix);
    const int opened = Calls::open(directory_, spelled.data(), O_RDONLY);
    if (opened < 0) {
      if (errno == ENOENT) return load_result::gone;
      why_ = absent_or_foreign(errno);
      return load_result::failed;
    }
    const result<void> read = read_segment(opened, name);
    Calls::close(opened);
    if (read) return load_result::good;
    why_ = read.error();
    file_ = {};
    return load_result::failed;
  }
  result<void> read_segment(int opened, const segment_name& name) {
    struct stat about {};
    // Whether it can change is asked first: what is read after a no is final.
    const int locked = Calls::locked(opened, 0);
    if (locked < 0) return error{errc::state_unreadable, 0, errno};
    if (const result<void> fit = check_private<Calls>(opened, about); !fit) return fit;
    bool superseded = false;
    if (locked == 0) {
      struct stat other {};
      const segment_name successor{name.origin, name.number + 1};
      const auto spelled = spell(successor, audit_format::finished_suffix);
      superseded = Calls::stat_at(directory_, spelled.data(), other) == 0;
      if (!superseded && errno != ENOENT) return error{errc::state_unreadable, 0, errno};
    }
    file_.octets.resize(static_cast<std::size_t>(
        std::min<std::uint64_t>(static_cast<std::uint64_t>(about.st_size), max_segment_bytes)));
    const ssize_t size = audit_detail::read_all<Calls>(opened, file_.octets, 0);
    if (size < 0) return error{errc::state_unreadable, 0, errno};
    file_.octets.resize(static_cast<std::size_t>(size));
    file_.name = name;
    file_.seed = audit_format::seed_of(name);
    file_.live = locked != 0;
    file_.superseded = superseded;
    file_.identity = audit_format::segment_identity::read(file_.octets, name);
    return {};
  }

  /// Takes up what there is of an origin from a place on; false if the batch is full.
  bool walk(std::span<const segment_name> names, place& at) {
    for (const segment_name& name : names) {
      if (at.passed(name.number)) continue;
      const load_result is = load(name);
      if (is == load_result::gone) continue;
      if (is == load_result::failed) return true;
      if (name.number > at.segment) {
        at.segment = name.number;
        at.offset = 0;
        at.stage = 0;
        at.done = false;
      }
      if (at.fresh && file_.identity) {
        at.frames = file_.identity->frames_before;
        at.drops = file_.identity->drops_before;
        at.fresh = false;
      }
      at.offset = std::max<std::uint64_t>(at.offset, audit_format::header_bytes);
      if (!take_frames(at)) return false;
      if (file_.live) return true;
      // Somebody may have removed the next one, and not the one after it.
      if (!file_.superseded && name == names.back()) return take_rest(at);
      ++at.segment;
      at.offset = 0;
      step(at);
    }
    return true;
  }

  [[nodiscard]] bool room_for(std::size_t bytes) const noexcept {
    return loaded_.size() < most_events_ && (loaded_.empty() || bytes_ + bytes <= most_bytes_);
  }
  /// What the cursor becomes when everything taken so far is settled.
  void step(const place& after) { steps_.emplace_back(loaded_.size(), after); }

  [[nodiscard]] std::string client() const {
    if (!file_.identity) return {};
    const auto& is = *file_.identity;
    return {is.client.begin(), is.client.begin() + is.client_bytes};
  }
  /// An event of the reader's own.
  loaded& own_event(unsigned subject, std::uint64_t number) {
    loaded& made = loaded_.emplace_back();
    for (std::size_t i = 0; i < made.id.origin.size(); ++i) {
      made.id.origin[i] = static_cast<std::uint8_t>(~file_.name.origin[i]);
    }
    made.id.number = number * 4 + subject;
    made.client = client();
    return made;
  }
  void take_loss(unsigned subject, std::uint64_t number, std::uint64_t count, instant at,
                 instant since, const error& why) {
    audit_record& what = own_event(subject, number).record.what;
    what.subject = audit_subject::loss;
    what.at = at;
    what.since = since;
    what.suppressed_count = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(count, std::numeric_limits<std::uint32_t>::max()));
    what.detail = why;
    bytes_ += loss_bytes;
  }
  static constexpr std::size_t loss_bytes = 256;
  static constexpr error damage{errc::spool_damaged, 0, 0};

  bool take_frames(place& at) {
    for (;;) {
      const auto found = audit_format::find_frame(file_.octets, at.offset, file_.seed);
      if (found.is != audit_format::frame_found::what::frame) return true;
      const auto& head = found.header;
      if (at.fresh) {
        at.frames = head.ordinal - 1;
        at.fresh = false;
      }
      const bytes_view payload = head.payload(bytes_view(file_.octets).subspan(found.at));
      if (head.ordinal > at.frames + 1) {
        if (!room_for(loss_bytes)) return false;
        take_loss(0, at.frames + 1, head.ordinal - at.frames - 1, time_in(payload), {}, damage);
        at.offset = found.at;
        at.frames = head.ordinal - 1;
        step(at);
      }
      if (!room_for(payload.size())) return false;
      at.offset = found.at + head.frame_bytes();
      at.frames = std::max(at.frames, head.ordinal);
      take(head, payload, at);
      step(at);
    }
  }
  void take(const audit_format::frame_header& head, bytes_view payload, place& at) {
    loaded& made = loaded_.emplace_back();
    made.octets.assign(payload.begin(), payload.end());
    if (!decode(made.octets, made.record)) {
      loaded_.pop_back();
      take_loss(0, head.ordinal, 1, {}, {}, damage);
      return;
    }
    made.id = {file_.name.origin, head.number};
    made.client = client();
    bytes_ += payload.size();
    if (head.kind == audit_format::frame_kind::loss && head.settles > at.drops) {
      // Also of what an earlier one told that was damaged.
      made.record.what.suppressed_count = static_cast<std::uint32_t>(std::min<std::uint64_t>(
          head.settles - at.drops, std::numeric_limits<std::uint32_t>::max()));
      at.drops = head.settles;
    }
  }
  static instant time_in(bytes_view payload) {
    decoded_audit_record read;
    return decode(payload, read) ? read.what.at : instant{};
  }

  /// What a writer that has ended left in its last segment; false if the batch is full.
  bool take_rest(place& at) {
    constexpr std::uint32_t slots = audit_format::repeat_slot::count_of_slots;
    const rest_of_file rest = look_over();
    for (; at.stage < slots + 2; ++at.stage) {
      if (!room_for(loss_bytes)) return false;
      const std::size_t before = loaded_.size();
      if (at.stage == 0) {
        take_tail(rest, at);
      } else if (at.stage <= slots) {
        take_slot(rest, at.stage - 1);
      } else {
        take_drops(rest, at);
      }
      if (loaded_.size() == before) continue;
      place after = at;
      ++after.stage;
      step(after);
    }
    at.done = true;
    step(at);
    return true;
  }

  struct rest_of_file {
    std::vector<std::uint64_t> settled{};  ///< events whose repeats were told
    instant last{};                        ///< the time of the last good frame
  };
  rest_of_file look_over() const {
    rest_of_file rest;
    std::size_t at = audit_format::header_bytes;
    for (;;) {
      const auto found = audit_format::find_frame(file_.octets, at, file_.seed);
      if (found.is != audit_format::frame_found::what::frame) return rest;
      const auto& head = found.header;
      if (head.kind == audit_format::frame_kind::repeats) rest.settled.push_back(head.settles);
      rest.last = time_in(head.payload(bytes_view(file_.octets).subspan(found.at)));
      at = found.at + head.frame_bytes();
    }
  }
  void take_tail(const rest_of_file& rest, const place& at) {
    std::uint64_t frames = at.frames;
    if (file_.identity) frames = std::max(frames, file_.identity->frames_before);
    const auto end = audit_format::segment_end::read(file_.octets, file_.seed);
    const bool counted = end && end->closed;
    if (counted) frames = std::max(frames, end->frames);
    const auto found = audit_format::find_frame(file_.octets, at.offset, file_.seed);
    std::uint64_t missing = frames - at.frames;
    // Of one frame or several, nobody has said how many.
    const bool damaged = !counted && found.is == audit_format::frame_found::what::damaged;
    const bool cut = file_.octets.size() < audit_format::header_bytes;
    if (missing == 0 && (damaged || cut)) missing = 1;
    if (missing != 0) take_loss(0, at.frames + 1, missing, rest.last, {}, damage);
  }
  void take_slot(const rest_of_file& rest, std::uint32_t index) {
    using audit_format::repeat_slot;
    if (file_.octets.size() < audit_format::header_bytes) return;
    const auto slot = repeat_slot::read(file_.octets, index, file_.seed);
    if (!slot) {
      take_loss(3, file_.name.number * 32 + 1 + index, 1, rest.last, {}, damage);
      return;
    }
    if (slot->first == 0 || slot->count == 0 ||
        std::find(rest.settled.begin(), rest.settled.end(), slot->first) != rest.settled.end()) {
      return;
    }
    if (slot->offset < file_.octets.size()) {
      const bytes_view in = bytes_view(file_.octets).subspan(slot->offset);
      const auto head = audit_format::frame_header::read(in, file_.seed);
      if (head && head->number == slot->first && head->fits(in, file_.seed)) {
        loaded& made = own_event(1, slot->first);
        const bytes_view payload = head->payload(in);
        made.octets.assign(payload.begin(), payload.end());
        if (decode(made.octets, made.record)) {
          audit_record& what = made.record.what;
          what.at = slot->last;
          what.since = slot->since;
          what.suppressed_count = slot->count;
          what.leaf = {};
          what.pins = {};
          bytes_ += payload.size();
          return;
        }
        loaded_.pop_back();
      }
    }
    take_loss(1, slot->first, slot->count, slot->last, slot->since, damage);
  }
  void take_drops(const rest_of_file& rest, const place& at) {
    // Of a file without its header, the tail was told already.
    if (file_.octets.size() < audit_format::header_bytes) return;
    const auto drops = audit_format::drop_counters::read(file_.octets, file_.seed);
    if (!drops) {
      take_loss(3, file_.name.number * 32, 1, rest.last, {}, damage);
    } else if (drops->total > at.drops) {
      take_loss(2, drops->total, drops->total - at.drops, drops->last, drops->since, drops->why);
    }
  }

  // What is done with.

  /// Drops the places of origins that there are no segments of any more.
  result<void> forget_origins() {
    std::vector<segment_name> names;
    if (const result<void> listed = list(names); !listed) return listed;
    std::erase_if(cursor_.places, [&names](const place& one) {
      return std::none_of(names.begin(), names.end(),
                          [&one](const segment_name& name) { return name.origin == one.origin; });
    });
    return {};
  }

  /// Removes what every output has passed. What cannot be removed now is removed another time.
  void sweep() {
    std::vector<segment_name> names;
    std::vector<std::string> others;
    std::vector<std::string> unfinished;
    const result<void> listed = for_each_name<Calls>(directory_, [&](const char* name) {
      const std::string_view text = name;
      if (const auto found =
              audit_format::parse_segment_name(text, audit_format::finished_suffix)) {
        names.push_back(*found);
      } else if (audit_format::parse_segment_name(text, audit_format::unfinished_suffix)) {
        unfinished.emplace_back(text);
      } else if (text.starts_with("cursor.") && is_audit_output(text.substr(7)) &&
                 text.substr(7) != output_) {
        others.emplace_back(text);
      }
    });
    if (!listed) return;
    for (const std::string& name : unfinished) remove_unfinished(name.c_str());
    std::vector<segment_name> passed;
    for (const segment_name& name : names) {
      const place* at = cursor_.find(name.origin);
      if (at != nullptr && at->passed(name.number)) passed.push_back(name);
    }
    std::vector<std::uint8_t> octets;
    for (const std::string& other : others) {
      if (passed.empty()) return;
      if (!read_file(other.c_str(), octets)) return;
      const auto cursor = audit_cursor::read(octets, std::string_view(other).substr(7));
      if (!cursor) return;
      std::erase_if(passed, [&cursor](const segment_name& name) {
        const place* at = cursor->find(name.origin);
        return at == nullptr || !at->passed(name.number);
      });
    }
    for (const segment_name& name : passed) {
      const auto spelled = spell(name, audit_format::finished_suffix);
      if (free(spelled.data())) Calls::unlink(directory_, spelled.data());
    }
  }
  [[nodiscard]] bool free(const char* name) const noexcept {
    const int file = Calls::open(directory_, name, O_RDONLY);
    if (file < 0) return false;
    const bool is = Calls::locked(file, 0) == 0;
    Calls::close(file);
    return is;
  }
  /// What a process left that ended while it made a segment. A young one may not be locked yet.
  void remove_unfinished(const char* name) const noexcept {
    struct stat about {};
    constexpr long long an_hour = 3600;
    if (Calls::stat_at(directory_, name, about) == 0 &&
        Calls::seconds() - static_cast<long long>(about.st_mtim.tv_sec) > an_hour && free(name)) {
      Calls::unlink(directory_, name);
    }
  }

  std::string path_;
  std::string output_;
  int directory_ = -1;
  int lock_ = -1;
  bool looks_ = false;
  bool restarted_ = false;
  error why_{};
  audit_cursor cursor_{};
  segment file_{};

  // The batch at hand.
  std::size_t most_events_ = 0;
  std::size_t most_bytes_ = 0;
  std::size_t bytes_ = 0;
  std::deque<loaded> loaded_{};
  std::vector<audit_event> events_{};
  std::deque<std::pair<std::size_t, place>> steps_{};
};

using audit_spool_reader = basic_audit_spool_reader<>;

}  // namespace posix
}  // namespace v0
}  // namespace cotter
