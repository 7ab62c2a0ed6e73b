// SPDX-License-Identifier: BSL-1.0
// Input: a seed for the cuts, then what a collector answers.
// Properties: the same outcome whatever the cuts; what settles is a final answer 2xx, and its status
// line is there; no more is read than the bounds say; no wish is longer than the longest.
#include <cotter/net/http_report.hpp>

#include "demand.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

constexpr cotter::instant now{std::chrono::seconds{784'111'777}};

struct outcome {
  cotter::errc why = cotter::errc::ok;  ///< of what was read
  bool early = false;                   ///< complete before the end of the octets
  bool whole = false;
  unsigned status = 0;
  bool keeps_alive = false;
  std::chrono::seconds wish{};
};

/// Reads all of `octets`, in pieces that `next_size` chooses, then the end.
template <typename NextSize>
outcome read(cotter::bytes_view octets, NextSize&& next_size) {
  cotter::report_answer answer;
  outcome came;
  std::size_t read_bytes = 0;
  while (!octets.empty() && !answer.complete()) {
    const std::size_t size = std::min<std::size_t>(next_size(), octets.size());
    const cotter::result<void> done = answer.read(octets.first(size));
    octets = octets.subspan(size);
    read_bytes += size;
    if (!done) {
      came.why = done.error().what;
      demand(!answer.complete(), "a failure that is complete");
      return came;
    }
    demand(answer.complete() ||
               read_bytes <= cotter::max_report_header_bytes + cotter::max_report_content_bytes,
           "reads on and on");
  }
  came.early = answer.complete();
  came.whole = static_cast<bool>(answer.end());
  demand(came.whole == answer.complete(), "an end that is none");
  came.status = answer.status();
  // What stands behind the answer may be in the last piece, or not yet have come.
  came.keeps_alive = octets.empty() && came.early && answer.keeps_alive();
  came.wish = answer.retry_after(now);
  return came;
}

/// Whether the version and the code of a status line 2xx stand somewhere. What is around them the
/// parser takes loosely, unless it was built to be strict.
bool has_agreement(std::string_view text) {
  for (std::size_t at = text.find("1."); at != text.npos; at = text.find("1.", at + 1)) {
    std::size_t code = text.find(' ', at);
    while (code < text.size() && (text[code] == ' ' || text[code] == '0')) ++code;
    if (code < text.size() && text[code] == '2') return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::uint32_t random = static_cast<std::uint32_t>(data[0]) << 8 | data[1];
  const cotter::bytes_view octets(data + 2, size - 2);
  const std::string_view text(reinterpret_cast<const char*>(octets.data()), octets.size());

  outcome at_once = read(octets, [&] { return octets.size(); });
  outcome singly = read(octets, [] { return std::size_t{1}; });
  outcome cut = read(octets, [&random] {
    random = random * 1'664'525u + 1'013'904'223u;
    return std::size_t{1} + (random >> 24) % ((random >> 16) % 64 + 1);
  });
  demand(singly.whole == cut.whole && at_once.whole == cut.whole, "the cuts decide what is whole");
  demand(singly.why == cut.why && at_once.why == cut.why, "the cuts decide what fails");
  demand(singly.status == cut.status && at_once.status == cut.status, "another status");
  demand(singly.wish == cut.wish && at_once.wish == cut.wish, "another wish");

  for (const outcome& one : {at_once, singly, cut}) {
    demand(one.wish.count() >= 0 && one.wish <= cotter::max_retry_after, "a wish out of bounds");
    demand(!one.keeps_alive || one.whole, "a connection that goes on in the middle");
    if (!one.whole) continue;
    demand(one.status >= 200, "an interim answer that is the last one");
    demand(one.status >= 300 || has_agreement(text), "an agreement that nobody has sent");
  }
  return 0;
}
