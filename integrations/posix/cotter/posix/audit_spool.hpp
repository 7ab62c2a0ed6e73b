// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sink.hpp>
#include <cotter/policies/audit/heap_leaf.hpp>
#include <cotter/posix/audit_segment.hpp>
#include <cotter/posix/key_file_vault.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace posix {

/// How a program writes to a spool.
struct audit_spool_options {
  /// What the program calls this installation: `audit_event::client`. At most
  /// `max_audit_client_bytes`.
  std::string_view client{};
  /// How long a decision's repeats are counted instead of kept; 0: never. By the records' own time; a
  /// clock that is set back ends it.
  std::chrono::seconds coalesce_window{60};
};

/// Records on the disk, until readers have delivered them (`audit_spool_reader`).
///
/// A directory of this user's own, which only `create` makes. Each `audit_spool` writes files of its
/// own in it, under a lock that ends with the process and under a random origin: no writer waits for
/// another one or for a reader, and a write that was interrupted concerns none but its own tail.
///
/// What it keeps, and when:
///   - an acceptance is in the file when `record` returns: it survives the end of the process, not
///     the loss of power. One write, nothing from the heap.
///   - everything else is on the disk (fdatasync) when `record` returns.
///   - a decision that repeats an earlier one within the window is counted in place, and told by one
///     record with `suppressed_count` when the window ends, the slot is needed, or the spool is
///     closed; if the process ends before, by the reader. Equal are type, endpoint, reasons, the code
///     under the reason, pin, fingerprint, leaf, label, region and backend. Of a refusal the first
///     repeat is on the disk when `record` returns, and then the count at least once a second in which
///     there are any.
///   - whoever stands on the path can bring about refusals that no breaker counts, with as many leaves
///     as he likes. They share three quarters of the room with acceptances; the last quarter is for
///     pin mismatches and for what happens to breaker, manifest and clock.
///   - what has no room, or what the disk refuses, is dropped and counted in place. A record of the
///     subject `loss` tells how many, once acceptances have room again, or when the spool is closed,
///     or by the reader once the process has ended: `suppressed_count` of them since `since`, and in
///     `detail` what the last one failed of. What was kept is never removed for room.
///
/// A `loss` takes its `at` from the record that showed that there is room. Event numbers ascend from
/// 1, some are left out, none comes twice.
///
/// The child of a fork writes files of its own from its first record on; until then, or until it
/// ends, its parent's last file looks to readers as if the parent were there.
///
/// Linux 3.17 or newer.
template <typename Calls = audit_calls>
class basic_audit_spool {
  using name_type = audit_format::segment_name;

 public:
  /// @see audit_sink, A4
  using leaf_keeper = heap_leaf;

  explicit basic_audit_spool(std::string_view directory, const audit_spool_options& options = {})
      : path_(audit_detail::trimmed(directory)),
        window_(options.coalesce_window.count()),
        client_bytes_(options.client.size()) {
    std::copy_n(options.client.begin(), std::min(client_bytes_, client_.size()), client_.begin());
  }
  basic_audit_spool(const basic_audit_spool&) = delete;
  basic_audit_spool& operator=(const basic_audit_spool&) = delete;
  ~basic_audit_spool() { close(); }

  /// Makes a spool where nothing is, or in an empty directory of this user's own.
  /// @errors `state_exists`; `invalid_value` (bounds that leave no room); `state_foreign`;
  ///   `state_absent` (of the directory above); `state_unwritable`
  [[nodiscard]] static result<void> create(std::string_view directory,
                                           const audit_spool_bounds& bounds = {}) {
    if (bounds.segment_bytes < min_segment_bytes || bounds.segment_bytes > max_segment_bytes ||
        bounds.max_bytes / 4 < bounds.segment_bytes) {
      return errc::invalid_value;
    }
    const split_path where(audit_detail::trimmed(directory));
    const std::string path(audit_detail::trimmed(directory));
    const bool anew = Calls::make_directory(path.c_str()) == 0;
    if (!anew && errno != EEXIST) {
      return error{errno == ENOENT ? errc::state_absent : errc::state_unwritable, 0, errno};
    }
    const result<int> made = audit_detail::open_own_directory<Calls>(path.c_str());
    if (!made) return made.error();
    bool empty = true;
    result<void> done = for_each_name<Calls>(*made, [&empty](std::string_view name) {
      if (name != "." && name != "..") empty = false;
    });
    if (done && !empty) done = errc::state_exists;
    if (done) done = write_mark(*made, bounds);
    Calls::close(*made);
    if (done && anew) done = sync_directory(where.directory.c_str());
    return done;
  }

  /// Opens the spool and makes a first file in it. After an error other than `too_large`,
  /// `state_absent`, `state_foreign` and `state_damaged` the spool is open all the same: records are
  /// counted as dropped until a file can be made.
  /// @errors those, `state_exists` (it has been open), `spool_full`, `state_unwritable`,
  ///   `state_unreadable`
  [[nodiscard]] result<void> open() noexcept {
    if (directory_ >= 0 || has_origin_) return errc::state_exists;
    why_ = {};
    if (client_bytes_ > client_.size()) return fail({errc::too_large, 0, 0});
    const result<int> directory = audit_detail::open_spool<Calls>(path_.c_str(), bounds_);
    if (!directory) return fail(directory.error());
    directory_ = *directory;
    process_ = Calls::process();
    if (make_room(0, room::reserve)) return {};
    return why_;
  }

  /// @see audit_sink
  void record(const audit_record& what) noexcept {
    if (directory_ >= 0 && !own()) disown();
    settle(what.at);
    const audit_type type = type_of(what);
    repeat_key key;
    const bool repeatable = describe(what, type, key);
    if (repeatable && suppress(key, what.at)) {
      ++suppressed_;
      return;
    }
    const std::uint64_t number = next_number_++;
    kept_at at{};
    if (!keep(what, type, number, at)) {
      drop(type, what.at);
      return;
    }
    ++appended_;
    if (repeatable) watch(key, number, at, what.at);
  }

  /// Tells of the repeats whose window is over at `now`. `record` does so too: this is for a program
  /// that makes no more decisions for a long time.
  void settle(instant now) noexcept {
    if (directory_ >= 0 && !own()) disown();
    for (slot& one : slots_) {
      if (one.is.first != 0 && over(one.is, now)) end_slot(one);
    }
  }

  /// Tells of all repeats and drops, has everything on the disk, and ends the file. Nothing to do
  /// in the child of a fork.
  void close() noexcept {
    if (directory_ < 0) return;
    if (own() && file_ >= 0) {
      for (slot& one : slots_) {
        if (one.is.first != 0) end_slot(one);
      }
      tell_loss(drops_.last, room::reserve);
      if (frames_ == 0 && drops_.total == 0 && name_.number == 1) {
        Calls::unlink(directory_, spell(name_, audit_format::finished_suffix).data());
      } else {
        write_end();
        static_cast<void>(sync());
      }
    }
    if (file_ >= 0) Calls::close(file_);
    Calls::close(directory_);
    file_ = -1;
    directory_ = -1;
    for (slot& one : slots_) one.is = {};
  }

  /// Why the last thing that failed did; `ok` if nothing did since `open`.
  [[nodiscard]] const error& why() const noexcept { return why_; }
  /// How many records this object kept, counted as repeats, and dropped: together, all it was given.
  [[nodiscard]] std::uint64_t appended() const noexcept { return appended_; }
  [[nodiscard]] std::uint64_t suppressed() const noexcept { return suppressed_; }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
  /// Of those dropped, the ones of a type.
  [[nodiscard]] std::uint64_t dropped(audit_type type) const noexcept {
    return drops_.by_type[static_cast<std::size_t>(type)];
  }
  /// What tells this writer's events from all others; zero before the first file is made.
  [[nodiscard]] const std::array<std::uint8_t, 16>& origin() const noexcept { return name_.origin; }

 private:
  using frame = audit_format::frame_header;
  using kind = audit_format::frame_kind;
  using grant_cell = audit_format::segment_grant;
  /// Of whom the room is: of what comes in any number, or of what is rare.
  enum class room : std::uint8_t { acceptances, reserve };

  struct repeat_key {
    std::array<std::uint8_t, 512> octets{};
    std::size_t size = 0;
  };
  struct kept_at {
    std::uint64_t segment = 0;
    std::uint64_t offset = 0;
  };
  struct slot {
    audit_format::repeat_slot is{};
    repeat_key key{};
    bool torn = false;  ///< the disk may say one more

    [[nodiscard]] audit_type type() const noexcept {
      return static_cast<audit_type>(key.octets[0]);
    }
    [[nodiscard]] reason why() const noexcept { return static_cast<reason>(key.octets[1]); }
  };

  error fail(error why) noexcept {
    why_ = why;
    return why;
  }
  void note(errc what) noexcept { why_ = {what, 0, errno}; }

  [[nodiscard]] bool own() const noexcept { return process_ == Calls::process(); }
  /// In the child of a fork: what the parent has open stays the parent's.
  void disown() noexcept {
    if (file_ >= 0) Calls::close(file_);
    forget();
    process_ = Calls::process();
  }
  void forget() noexcept {
    file_ = -1;
    sealed_ = false;
    has_origin_ = false;
    name_ = {};
    frames_ = 0;
    end_ = 0;
    next_number_ = 1;
    drops_ = {};
    told_ = 0;
    dropped_ = 0;
    appended_ = 0;
    suppressed_ = 0;
    retry_at_ = {};
    for (slot& one : slots_) one.is = {};
  }

  static result<void> write_mark(int directory, const audit_spool_bounds& bounds) noexcept {
    using mark = audit_format::spool_mark;
    std::array<std::uint8_t, mark::file_bytes> octets{};
    mark::write(octets, bounds);
    const int file = Calls::create(directory, mark::name);
    if (file < 0) {
      return error{errno == EEXIST ? errc::state_exists : errc::state_unwritable, 0, errno};
    }
    const bool good = audit_detail::write_all<Calls>(file, octets, 0) && Calls::sync(file) == 0 &&
                      Calls::sync(directory) == 0;
    const int native = errno;
    Calls::close(file);
    if (good) return {};
    Calls::unlink(directory, mark::name);
    return error{errc::state_unwritable, 0, native};
  }
  static result<void> sync_directory(const char* path) noexcept {
    const int above = Calls::open_directory(path);
    const bool good = above >= 0 && Calls::sync(above) == 0;
    const int native = errno;
    if (above >= 0) Calls::close(above);
    return good ? result<void>() : error{errc::state_unwritable, 0, native};
  }

  // Room.

  [[nodiscard]] static constexpr bool is_acceptance(audit_type type) noexcept {
    return type == audit_type::accepted || type == audit_type::resumed;
  }
  [[nodiscard]] static constexpr room room_of(const audit_record& what) noexcept {
    if (what.subject != audit_subject::decision) return room::reserve;
    const bool counted = what.outcome.reason() == reason::pin_mismatch ||
                         what.outcome.would_refuse() != reason::none;
    return counted ? room::reserve : room::acceptances;
  }
  /// How much of the directory may be full after an event is kept.
  [[nodiscard]] std::uint64_t bound(room of) const noexcept {
    return of == room::acceptances ? bounds_.max_bytes / 4 * 3 : bounds_.max_bytes / 16 * 15;
  }
  [[nodiscard]] std::uint64_t& limit(room of) noexcept {
    return limits_[static_cast<std::size_t>(of)];
  }
  [[nodiscard]] long long& retry_at(room of) noexcept {
    return retry_at_[static_cast<std::size_t>(of)];
  }
  [[nodiscard]] bool usable() const noexcept { return file_ >= 0 && !sealed_; }

  /// Sees to it that `size` octets fit into the file at hand, or begins another one.
  bool make_room(std::size_t size, room of) noexcept {
    if (usable() && end_ + size <= limit(of)) return true;
    if (directory_ < 0) {
      why_ = {errc::state_absent, 0, 0};
      return false;
    }
    // To look through the directory for every record of a flood would be the flood's doing.
    const long long now = Calls::milliseconds();
    if (now < retry_at(of)) {
      why_ = {errc::spool_full, 0, 0};
      return false;
    }
    // Without a file nothing can be counted that survives.
    const bool found = (file_ >= 0 || begin_segment(0, of)) && find_room(size, of);
    if (!found && why_.what == errc::spool_full) retry_at(of) = now + 1000;
    return found;
  }
  bool find_room(std::size_t size, room of) noexcept {
    if (!usable() || end_ + size > bounds_.segment_bytes) return begin_segment(size, of);
    std::uint64_t others = 0;
    if (!used_by_others(name_, 0, others)) return false;
    grant(others);
    if (end_ + size <= limit(of)) return true;
    why_ = {errc::spool_full, 0, 0};
    return false;
  }
  /// Takes what is left of the directory for this file, and says so in it.
  void grant(std::uint64_t others) noexcept {
    for (const room of : {room::acceptances, room::reserve}) {
      const std::uint64_t left = bound(of) > others ? bound(of) - others : 0;
      limit(of) = std::min<std::uint64_t>(left, bounds_.segment_bytes);
      retry_at(of) = 0;
    }
    if (limit(room::reserve) == granted_) return;
    std::array<std::uint8_t, audit_format::twice<grant_cell::fields>> octets{};
    grant_cell{limit(room::reserve)}.write(octets, seed_);
    // More than others know of is not taken; less is taken whether they know or not.
    if (audit_detail::write_all<Calls>(file_, octets, grant_cell::at)) {
      granted_ = limit(room::reserve);
      return;
    }
    note(errc::state_unwritable);
    for (std::uint64_t& most : limits_) most = std::min(most, granted_);
  }

  /// How much of the directory everybody else has, or may come to have: a segment that is being
  /// written counts as full.
  bool used_by_others(const name_type& mine, std::uint64_t before, std::uint64_t& sum) noexcept {
    sum = before;
    const result<void> listed = for_each_name<Calls>(directory_, [&](const char* name) noexcept {
      const std::string_view text = name;
      auto segment = audit_format::parse_segment_name(text, audit_format::finished_suffix);
      if (!segment) {
        segment = audit_format::parse_segment_name(text, audit_format::unfinished_suffix);
      }
      if (text == "." || text == ".." || segment == mine) return;
      // The one before `mine` is in `before`.
      if (before != 0 && segment == name_) return;
      struct stat about {};
      if (Calls::stat_at(directory_, name, about) != 0) {
        // Gone meanwhile; or there is no telling, and it may be as large as any.
        if (errno != ENOENT) sum += bounds_.segment_bytes;
        return;
      }
      auto size = static_cast<std::uint64_t>(about.st_size);
      if (segment && size < bounds_.segment_bytes && S_ISREG(about.st_mode)) {
        const int file = Calls::open(directory_, name, O_RDONLY);
        if (file < 0) {
          size = errno == ENOENT ? 0 : bounds_.segment_bytes;
        } else {
          if (Calls::locked(file, 0) != 0) size = std::max(size, granted_to(file, *segment));
          Calls::close(file);
        }
      }
      sum += size;
    });
    if (!listed) why_ = listed.error();
    return static_cast<bool>(listed);
  }

  /// How large another writer's file may become.
  [[nodiscard]] std::uint64_t granted_to(int file, const name_type& name) const noexcept {
    std::array<std::uint8_t, audit_format::twice<grant_cell::fields>> octets{};
    static_cast<void>(audit_detail::read_all<Calls>(file, octets, grant_cell::at));
    const auto grant = grant_cell::read(octets, audit_format::seed_of(name));
    return grant ? std::min<std::uint64_t>(grant->bytes, bounds_.segment_bytes)
                 : bounds_.segment_bytes;
  }

  /// Begins a file for at least one frame of `size` octets. What repeats there are is told in the new
  /// file before anybody can see it: once a segment has a successor, its slots are void.
  bool begin_segment(std::size_t size, room of) noexcept {
    if (!has_origin_) {
      if (Calls::random(name_.origin.data(), name_.origin.size()) !=
          static_cast<ssize_t>(name_.origin.size())) {
        note(errc::state_unreadable);
        return false;
      }
      has_origin_ = true;
    }
    const name_type next{name_.origin, name_.number + 1};
    const auto unfinished = spell(next, audit_format::unfinished_suffix);
    int made = Calls::create(directory_, unfinished.data());
    if (made < 0 && errno == EEXIST && Calls::unlink(directory_, unfinished.data()) == 0) {
      made = Calls::create(directory_, unfinished.data());
    }
    if (made < 0) {
      note(errc::state_unwritable);
      return false;
    }
    std::uint64_t others = 0;
    std::uint64_t end = 0;
    std::uint64_t frames = frames_;
    const std::uint64_t most = size == 0 ? bounds_.max_bytes : bound(of);
    const auto fits = [&](std::uint64_t begin) {
      if (others + begin + size <= most) return true;
      why_ = {errc::spool_full, 0, 0};
      return false;
    };
    // The room is asked for when others can see that it is taken.
    bool good = Calls::lock(made, F_WRLCK, 0) == 0;
    if (!good) note(errc::state_unwritable);
    good = good && used_by_others(next, file_ >= 0 ? end_ : 0, others) &&
           fits(audit_format::header_bytes) && compose(made, next, end, frames) && fits(end);
    if (good && Calls::rename(directory_, unfinished.data(),
                              spell(next, audit_format::finished_suffix).data()) != 0) {
      note(errc::state_unwritable);
      good = false;
    }
    if (!good) {
      Calls::unlink(directory_, unfinished.data());
      Calls::close(made);
      return false;
    }
    if (file_ >= 0) {
      write_end();
      Calls::close(file_);
    }
    for (slot& one : slots_) one.is = {};
    file_ = made;
    name_ = next;
    seed_ = audit_format::seed_of(next);
    end_ = end;
    frames_ = frames;
    sealed_ = false;
    named_on_disk_ = false;
    counters_due_ = false;
    granted_ = bounds_.segment_bytes;
    grant(others);
    return true;
  }

  /// Header, counters and what is to be told of repeats.
  bool compose(int made, const name_type& next, std::uint64_t& end,
               std::uint64_t& frames) noexcept {
    using namespace audit_format;
    for (slot& one : slots_) {
      std::size_t payload = 0;
      if (one.is.count != 0 && !repeats_of(one.is, payload)) lose_slot(one);
    }
    const std::uint32_t seed = seed_of(next);
    std::array<std::uint8_t, header_bytes> header{};
    const std::span<std::uint8_t, header_bytes> all(header);
    segment_identity identity;
    identity.name = next;
    identity.frames_before = frames;
    identity.drops_before = told_;
    std::copy_n(client_.begin(), client_bytes_, identity.client.begin());
    identity.client_bytes = static_cast<std::uint8_t>(client_bytes_);
    identity.write(all.subspan<segment_identity::at, twice<segment_identity::fields>>());
    drops_.write(all.subspan<drop_counters::at, twice<drop_counters::fields>>(), seed);
    segment_end{}.write(all.subspan<segment_end::at, twice<segment_end::fields>>(), seed);
    segment_grant{bounds_.segment_bytes}.write(
        all.subspan<segment_grant::at, twice<segment_grant::fields>>(), seed);
    for (std::size_t i = 0; i < repeat_slot::count_of_slots; ++i) {
      repeat_slot{}.write(all.subspan(repeat_slot::place(i)).first<twice<repeat_slot::fields>>(),
                          seed);
    }
    if (!audit_detail::write_all<Calls>(made, header, 0)) {
      note(errc::state_unwritable);
      return false;
    }
    end = header_bytes;
    for (const slot& one : slots_) {
      if (one.is.first == 0 || one.is.count == 0) continue;
      std::size_t payload = 0;
      if (!repeats_of(one.is, payload)) return false;
      frame head{static_cast<std::uint32_t>(payload), next_number_++, ++frames, one.is.first,
                 kind::repeats};
      head.write(small_, seed);
      if (!audit_detail::write_all<Calls>(made, bytes_view(small_).first(head.frame_bytes()),
                                          end)) {
        note(errc::state_unwritable);
        return false;
      }
      end += head.frame_bytes();
    }
    return true;
  }

  // Frames.

  /// Keeps a record, as long as its type demands.
  bool keep(const audit_record& what, audit_type type, std::uint64_t number,
            kept_at& where) noexcept {
    const std::size_t size = encode(what, std::span<std::uint8_t>(out_).subspan(frame::size_bytes));
    const room of = room_of(what);
    const bool durable = !is_acceptance(type);
    bool kept = false;
    // A file that cannot be synced is not written again: the event goes into a new one, too.
    for (int attempt = 0; attempt < 2; ++attempt) {
      if (!make_room(frame::size_bytes + size, of)) break;
      const kept_at at{name_.number, end_};
      if (!append(out_, size, number, 0, kind::event)) break;
      kept = !durable;
      where = at;
      tell_loss(what.at, room::acceptances);
      if (durable) kept = sync();
      if (kept) break;
      sealed_ = true;
    }
    return kept;
  }

  /// One write at the end of the file, whose room is known to be there.
  bool append(std::span<std::uint8_t> octets, std::size_t payload, std::uint64_t number,
              std::uint64_t settles, kind of) noexcept {
    frame head{static_cast<std::uint32_t>(payload), number, frames_ + 1, settles, of};
    head.write(octets, seed_);
    if (!audit_detail::write_all<Calls>(file_, octets.first(head.frame_bytes()), end_)) {
      note(errc::state_unwritable);
      // A shorter frame over the rest of a longer one would leave octets that are neither.
      if (Calls::truncate(file_, static_cast<off_t>(end_)) != 0) sealed_ = true;
      return false;
    }
    end_ += head.frame_bytes();
    ++frames_;
    if (counters_due_) write_drops();
    return true;
  }

  bool sync() noexcept {
    if (Calls::sync_data(file_) != 0) {
      note(errc::state_unwritable);
      return false;
    }
    if (!named_on_disk_ && Calls::sync(directory_) != 0) {
      note(errc::state_unwritable);
      return false;
    }
    named_on_disk_ = true;
    return true;
  }

  void write_end() noexcept {
    using end_type = audit_format::segment_end;
    std::array<std::uint8_t, audit_format::twice<end_type::fields>> octets{};
    end_type{true, frames_}.write(octets, seed_);
    static_cast<void>(audit_detail::write_all<Calls>(file_, octets, end_type::at));
  }

  // Drops.

  void drop(audit_type type, instant at) noexcept {
    ++dropped_;
    if (drops_.total == told_) drops_.since = at;
    ++drops_.total;
    ++drops_.by_type[static_cast<std::size_t>(type)];
    drops_.last = at;
    drops_.why = why_;
    write_drops();
  }
  void write_drops() noexcept {
    using counters = audit_format::drop_counters;
    if (file_ < 0) return;
    std::array<std::uint8_t, audit_format::twice<counters::fields>> octets{};
    drops_.write(octets, seed_);
    counters_due_ = !audit_detail::write_all<Calls>(file_, octets, counters::at);
  }
  /// Tells of what was dropped, if there is room of that kind.
  void tell_loss(instant at, room of) noexcept {
    if (drops_.total == told_ || !usable()) return;
    audit_record what;
    what.subject = audit_subject::loss;
    what.at = at;
    what.suppressed_count = clipped(drops_.total - told_);
    what.since = drops_.since;
    what.detail = drops_.why;
    const std::size_t size = encode(what, payload_of(small_));
    if (end_ + frame::size_bytes + size > limit(of)) return;
    const std::uint64_t upto = told_ + what.suppressed_count;
    if (append(small_, size, next_number_++, upto, kind::loss)) told_ = upto;
  }
  [[nodiscard]] static std::uint32_t clipped(std::uint64_t value) noexcept {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::min(value, most));
  }
  static std::span<std::uint8_t> payload_of(std::span<std::uint8_t> whole) noexcept {
    return whole.subspan(frame::size_bytes);
  }

  // Repeats.

  [[nodiscard]] bool over(const audit_format::repeat_slot& one, instant now) const noexcept {
    if (now < one.since) return true;
    const auto passed = audit_format::number_of(now) - audit_format::number_of(one.since);
    return passed >= static_cast<std::uint64_t>(window_);
  }

  /// What makes two decisions equal; false if the record is none, or one of another kind.
  bool describe(const audit_record& what, audit_type type, repeat_key& key) const noexcept {
    if (window_ <= 0 || what.subject != audit_subject::decision || what.suppressed_count != 0) {
      return false;
    }
    const verdict& outcome = what.outcome;
    cotter::detail::audit_writer to{key.octets};
    to.number(static_cast<std::uint8_t>(type), 1);
    to.number(static_cast<std::uint8_t>(outcome.reason()), 1);
    to.number(static_cast<std::uint8_t>(outcome.matched()), 1);
    to.number(static_cast<std::uint8_t>(outcome.would_refuse()), 1);
    to.number(static_cast<std::uint8_t>(outcome.detail().what), 1);
    to.number(outcome.has_fingerprint() ? 1 : 0, 1);
    to.octets(outcome.fingerprint().octets);
    to.number(audit_format::crc32c(what.leaf), 4);
    to.whom(what.endpoint);
    for (const std::string_view text : {what.backend, outcome.pin_label(), what.region}) {
      if (text.size() > max_audit_text_bytes) return false;
      to.text(text);
    }
    key.size = to.at;
    return !to.full && what.endpoint.host.size() <= max_audit_text_bytes;
  }

  bool suppress(const repeat_key& key, instant at) noexcept {
    if (!usable()) return false;
    for (slot& one : slots_) {
      if (one.is.first == 0 || one.key.size != key.size ||
          !std::equal(key.octets.begin(),
                      key.octets.begin() + static_cast<std::ptrdiff_t>(key.size),
                      one.key.octets.begin())) {
        continue;
      }
      if (one.is.count == std::numeric_limits<std::uint32_t>::max()) return false;
      audit_format::repeat_slot more = one.is;
      ++more.count;
      more.last = at;
      if (!write_slot(one, more)) {
        one.torn = true;
        return false;
      }
      one.is = more;
      const long long now = Calls::milliseconds();
      if (!is_acceptance(one.type()) && (more.count == 1 || now - repeats_synced_at_ >= 1000)) {
        repeats_synced_at_ = now;
        static_cast<void>(sync());
      }
      return true;
    }
    return false;
  }
  bool write_slot(const slot& one, const audit_format::repeat_slot& is) noexcept {
    using cell = audit_format::repeat_slot;
    std::array<std::uint8_t, audit_format::twice<cell::fields>> octets{};
    is.write(octets, seed_);
    const auto index = static_cast<std::size_t>(&one - slots_.data());
    if (audit_detail::write_all<Calls>(file_, octets, cell::place(index))) return true;
    note(errc::state_unwritable);
    return false;
  }

  /// Begins to watch for repeats of an event that was kept. Nothing is written: a slot on the disk
  /// that a frame has settled means nothing.
  void watch(const repeat_key& key, std::uint64_t number, const kept_at& where,
             instant at) noexcept {
    if (!usable() || where.segment != name_.number) return;
    slot* to = nullptr;
    for (slot& one : slots_) {
      if (one.is.first == 0) {
        to = &one;
        break;
      }
      // Rather one without repeats, of which nothing need be told, and the oldest of those.
      const auto rank = [](const slot& s) { return std::pair(s.is.count != 0, s.is.first); };
      if (to == nullptr || rank(one) < rank(*to)) to = &one;
    }
    if (to->is.first != 0 && !end_slot(*to)) return;
    to->is = {number, static_cast<std::uint32_t>(where.offset), 0, at, at};
    to->key = key;
    to->torn = false;
  }
  /// Tells of the repeats in a slot, and frees it; false if that cannot be done: then it counts on.
  bool end_slot(slot& one) noexcept {
    if (one.is.count != 0) {
      const room of = one.why() == reason::pin_mismatch ? room::reserve : room::acceptances;
      if (!usable() || end_ + audit_format::max_small_frame_bytes > limit(of)) return false;
      std::size_t payload = 0;
      if (!repeats_of(one.is, payload)) {
        if (why_.what == errc::spool_damaged) lose_slot(one);
        return one.is.first == 0;
      }
      if (!append(small_, payload, next_number_++, one.is.first, kind::repeats)) return false;
    } else if (one.torn && (!usable() || !write_slot(one, {}))) {
      return false;
    }
    one.is = {};
    return true;
  }
  /// Repeats whose event cannot be read again are dropped ones.
  void lose_slot(slot& one) noexcept {
    if (drops_.total == told_) drops_.since = one.is.since;
    drops_.total += one.is.count;
    drops_.by_type[static_cast<std::size_t>(one.type())] += one.is.count;
    drops_.last = one.is.last;
    drops_.why = why_;
    dropped_ += one.is.count;
    suppressed_ -= one.is.count;
    write_drops();
    // Rather told twice than never.
    if (!counters_due_) static_cast<void>(write_slot(one, {}));
    one.is = {};
  }

  /// The record that tells of the repeats of an event, from the event's own frame, into `small_`.
  bool repeats_of(const audit_format::repeat_slot& one, std::size_t& payload) noexcept {
    const ssize_t size = audit_detail::read_all<Calls>(file_, first_, one.offset);
    if (size < 0) {
      note(errc::state_unreadable);
      return false;
    }
    const bytes_view in = bytes_view(first_).first(static_cast<std::size_t>(size));
    const auto head = frame::read(in, seed_);
    if (!head || head->number != one.first || !head->fits(in, seed_) ||
        !decode(head->payload(in), decoded_)) {
      why_ = {errc::spool_damaged, 0, 0};
      return false;
    }
    audit_record& what = decoded_.what;
    what.at = one.last;
    what.since = one.since;
    what.suppressed_count = one.count;
    what.leaf = {};
    what.pins = {};
    payload = encode(what, payload_of(small_));
    return payload != 0;
  }

  std::string path_;
  std::int64_t window_;
  std::size_t client_bytes_;
  std::array<char, max_audit_client_bytes> client_{};
  audit_spool_bounds bounds_{};
  int directory_ = -1;
  pid_t process_ = -1;  // that opened it

  // The file at hand.
  int file_ = -1;
  bool has_origin_ = false;
  bool sealed_ = false;         // nothing more is written to it
  bool named_on_disk_ = false;  // its name survives the loss of power
  bool counters_due_ = false;   // what it says of drops is old
  name_type name_{};
  std::uint32_t seed_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t granted_ = 0;  // what the file says that it may become
  std::array<std::uint64_t, 2> limits_{};
  std::array<long long, 2> retry_at_{};
  long long repeats_synced_at_ = 0;

  // Of the origin.
  std::uint64_t frames_ = 0;
  std::uint64_t next_number_ = 1;
  audit_format::drop_counters drops_{};
  std::uint64_t told_ = 0;  // of `drops_.total`
  std::array<slot, audit_format::repeat_slot::count_of_slots> slots_{};

  error why_{};
  std::uint64_t appended_ = 0;
  std::uint64_t suppressed_ = 0;
  std::uint64_t dropped_ = 0;

  std::array<std::uint8_t, audit_format::max_frame_bytes> out_{};
  std::array<std::uint8_t, audit_format::max_frame_bytes> first_{};
  std::array<std::uint8_t, audit_format::max_small_frame_bytes> small_{};
  decoded_audit_record decoded_{};
};

using audit_spool = basic_audit_spool<>;

static_assert(leaf_wanting_sink<audit_spool>);

}  // namespace posix
}  // namespace v0
}  // namespace cotter
