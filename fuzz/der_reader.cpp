// SPDX-License-Identifier: BSL-1.0
// Property: an element that the reader finds minimal, and of definite length, is octet by octet
// what the writer makes of its tag and content; any other is longer than that. The reader never
// leaves its input and does not move on an error.
#include <cotter/der/reader.hpp>
#include <cotter/der/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using cotter::bytes_view;
namespace der = cotter::der;

void demand(bool holds) {
  if (!holds) std::abort();
}

bool is_inside(bytes_view part, bytes_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void check(const der::element& e, bytes_view input) {
  demand(is_inside(e.whole(), input) && is_inside(e.content(), e.whole()));
  demand(e.whole().data() == input.data() + e.offset_bytes());
  demand(e.content().data() == input.data() + e.content_offset_bytes());
  const der::encoded_header header = der::encode_header(e.tag(), e.content().size());
  demand(header.size_bytes() == der::header_size_bytes(e.tag(), e.content().size()));
  if (!e.has_minimal_header()) {
    demand(e.whole().size() > header.size_bytes() + e.content().size() || e.indefinite());
    return;
  }
  demand(!e.indefinite());
  std::size_t at = 0;
  der::write_element(e.tag(), e.content(), [&](bytes_view piece) {
    for (const std::uint8_t octet : piece) {
      demand(at < e.whole().size() && e.whole()[at] == octet);
      ++at;
    }
  });
  demand(at == e.whole().size());
}

void walk(der::reader reader, bytes_view input, int depth) {
  while (!reader.at_end()) {
    const bytes_view before = reader.rest();
    const auto peeked = reader.peek();
    demand(reader.rest().size() == before.size());
    const auto found = reader.next();
    demand(static_cast<bool>(peeked) == static_cast<bool>(found));
    if (!found) {
      demand(reader.rest().data() == before.data() && reader.rest().size() == before.size());
      demand(found.error().offset_bytes <= input.size());
      return;
    }
    check(*found, input);
    demand(reader.rest().size() == before.size() - found->whole().size());
    der::reader again(before, found->offset_bytes());
    demand(again.at(found->tag()));
    demand(static_cast<bool>(again.expect(found->tag())));
    if (found->tag().constructed() && depth < 32) walk(der::reader(*found), input, depth + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes_view input(data, size);
  walk(der::reader(input), input, 0);
  return 0;
}
