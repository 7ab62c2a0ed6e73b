// SPDX-License-Identifier: BSL-1.0
// Input: the octets of a segment of a spool.
// Properties: reading ends, and says the same in large batches, one by one, and after an interruption
// at any event; every frame that is good is given, once, in order; what is missing is told; a segment
// that is done with is gone. The checks are made to fit, or nothing would be found behind them.
#include <cotter/posix/audit_spool.hpp>
#include <cotter/posix/audit_spool_reader.hpp>

#include "demand.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

namespace format = cotter::posix::audit_format;
namespace posix = cotter::posix;
using cotter::audit_event;
using octets = std::vector<std::uint8_t>;

/// The name in make_corpus.py.
const format::segment_name name = [] {
  format::segment_name is;
  for (std::size_t i = 0; i < is.origin.size(); ++i) is.origin[i] = static_cast<std::uint8_t>(i);
  is.number = 7;
  return is;
}();

class directory {
 public:
  directory() {
    std::string made =
        ::access("/dev/shm", W_OK) == 0
            ? "/dev/shm/cotter-fuzz-XXXXXX"
            : (std::filesystem::temp_directory_path() / "cotter-fuzz-XXXXXX").string();
    demand(::mkdtemp(made.data()) != nullptr, "no directory");
    path = made;
  }
  ~directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  directory(const directory&) = delete;
  directory& operator=(const directory&) = delete;

  std::string path;
};

/// What an event says, as octets.
struct heard {
  cotter::event_id id{};
  octets said{};

  friend bool operator==(const heard&, const heard&) = default;
};
heard hear(const audit_event& event) {
  static std::array<std::uint8_t, cotter::max_audit_record_bytes> written;
  const std::size_t used = cotter::encode(event.what, written);
  demand(used != 0, "an event that cannot be written");
  return {event.id, {written.begin(), written.begin() + static_cast<std::ptrdiff_t>(used)}};
}

/// Everything that a reader has to say, which settles `at_once` at a time, and now and then begins
/// anew from what it saved.
std::vector<heard> read_all(const std::string& spool, std::size_t at_once, std::size_t anew_after) {
  std::vector<heard> all;
  for (bool whole = false; !whole;) {
    posix::audit_spool_reader reader(spool, "fuzz");
    demand(static_cast<bool>(reader.open()), "cannot be opened");
    demand(!reader.restarted(), "a cursor that it wrote itself");
    for (std::size_t turns = 0;; ++turns) {
      const auto batch = reader.next(at_once, std::size_t{1} << 20);
      demand(static_cast<bool>(batch), "cannot be read");
      demand(batch->size() <= at_once, "more than was asked for");
      whole = batch->empty();
      // What is not settled comes again.
      if (turns == anew_after && !whole) break;
      for (const audit_event& event : *batch) all.push_back(hear(event));
      reader.settle(batch->size());
      demand(static_cast<bool>(reader.save()), "cannot be saved");
      demand(all.size() < 100'000, "goes on and on");
      if (whole) break;
    }
    if (whole) demand(reader.left_bytes() == 0, "something is left");
  }
  return all;
}

std::vector<heard> read_file(const octets& file, std::size_t at_once, std::size_t anew_after) {
  const directory here;
  const std::string spool = here.path + "/spool";
  demand(static_cast<bool>(posix::audit_spool::create(spool)), "no spool");
  demand(static_cast<bool>(posix::audit_spool_reader::enroll(spool, "fuzz")), "no output");
  const std::string path = spool + "/" + format::spell(name, format::finished_suffix).data();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  ::chmod(path.c_str(), 0600);
  std::vector<heard> all = read_all(spool, at_once, anew_after);
  demand(!std::filesystem::exists(path), "a segment that stays for ever");
  return all;
}

/// Good frames, in order, by nothing but the format.
std::vector<heard> good_frames(const octets& file) {
  std::vector<heard> all;
  const std::uint32_t seed = format::seed_of(name);
  for (std::size_t at = format::header_bytes; at < file.size();) {
    const auto here = cotter::bytes_view(file).subspan(at);
    const auto head = format::frame_header::read(here, seed);
    if (!head) {
      ++at;
      continue;
    }
    cotter::decoded_audit_record read;
    if (head->fits(here, seed) && cotter::decode(head->payload(here), read)) {
      const cotter::bytes_view payload = head->payload(here);
      // A loss may tell of more than it was written for.
      if (head->kind != format::frame_kind::loss) {
        all.push_back({{name.origin, head->number}, {payload.begin(), payload.end()}});
      }
    }
    // One that does not fit is passed by its own word, and ends the file if that leads beyond it.
    at += head->frame_bytes();
  }
  return all;
}

/// Gives every part the check that it needs.
void mend(octets& file) {
  const std::uint32_t seed = format::seed_of(name);
  const std::span<std::uint8_t> all(file);
  const auto check = [&](std::size_t at, std::size_t fields) {
    if (file.size() < at + fields + 4) return;
    format::put(all.subspan(at + fields, 4), format::crc32c(all.subspan(at, fields), seed));
  };
  check(format::segment_identity::at, format::segment_identity::fields);
  check(format::drop_counters::at, format::drop_counters::fields);
  check(format::segment_end::at, format::segment_end::fields);
  for (std::size_t i = 0; i < format::repeat_slot::count_of_slots; ++i) {
    check(format::repeat_slot::place(i), format::repeat_slot::fields);
  }
  using frame = format::frame_header;
  for (std::size_t at = format::header_bytes; at + frame::size_bytes <= file.size();) {
    if (!std::equal(frame::marker.begin(), frame::marker.end(),
                    all.begin() + static_cast<std::ptrdiff_t>(at))) {
      ++at;
      continue;
    }
    const std::size_t payload =
        static_cast<std::size_t>(format::get(all.subspan(at + frame::marker.size(), 4)));
    if (payload <= file.size() - at - frame::size_bytes) {
      format::put(all.subspan(at + frame::size_bytes - 8, 4),
                  format::crc32c(all.subspan(at + frame::size_bytes, payload), seed));
    }
    check(at, frame::size_bytes - 4);
    at += frame::size_bytes + (payload <= file.size() - at - frame::size_bytes ? payload : 0);
  }
}

void check(const octets& file) {
  const std::vector<heard> at_once = read_file(file, 1000, 1000);
  demand(at_once == read_file(file, 1, 1000), "one by one, another thing");
  demand(at_once == read_file(file, 3, 1), "after an interruption, another thing");

  // The reader's own events bear another origin.
  std::vector<heard> given;
  for (const heard& one : at_once) {
    cotter::decoded_audit_record read;
    demand(static_cast<bool>(cotter::decode(one.said, read)), "an event that says nothing");
    const bool own = one.id.origin != name.origin;
    demand(!own || read.what.suppressed_count != 0, "an event of its own about nothing");
    if (!own && read.what.subject != cotter::audit_subject::loss) given.push_back(one);
  }
  std::vector<heard> there = good_frames(file);
  std::erase_if(there, [](const heard& one) {
    cotter::decoded_audit_record read;
    return !cotter::decode(one.said, read) || read.what.subject == cotter::audit_subject::loss;
  });
  demand(given == there, "not the good frames, and nothing else");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  octets file(data, data + size);
  check(file);
  mend(file);
  check(file);
  return 0;
}
