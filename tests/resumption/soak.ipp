// Included by one translation unit per backend, which says before: `backend` and `versions`.

#include <malloc.h>

#include <cstdio>

namespace {

/// What the process has of the heap, in octets, whoever asked for it.
std::size_t heap_in_use() {
  const auto now = ::mallinfo2();
  return now.uordblks + now.hblkhd;
}
std::size_t resident_bytes() {
  std::size_t pages = 0;
  std::size_t ignored = 0;
  std::FILE* in = std::fopen("/proc/self/statm", "r");
  if (in == nullptr) return 0;
  if (std::fscanf(in, "%zu %zu", &ignored, &pages) != 2) pages = 0;
  std::fclose(in);
  return pages * 4096;
}

}  // namespace

TEST_CASE("10,000 connections, all but the first resumed, in flat memory") {
  const int version = GENERATE(from_range(std::begin(versions), std::end(versions)));
  INFO("version " << version);
  peer::server server(lab::serve("good", version));
  lab::open_store store;
  lab::phone<backend> one(store);
  const auto call = [&] {
    const auto seen = one.call(server);
    one.sink = cotter::testing::recording_sink();
    return seen.verdict && seen.server_resumed;
  };
  CHECK_FALSE(call());
  int resumed = 0;
  for (int i = 0; i < 1000; ++i) resumed += call() ? 1 : 0;
  const std::size_t heap = heap_in_use();
  const std::size_t resident = resident_bytes();
  for (int i = 0; i < 9000; ++i) resumed += call() ? 1 : 0;
  CHECK(resumed == 10'000);
  INFO("heap " << heap << " to " << heap_in_use() << ", resident " << resident << " to "
               << resident_bytes());
  CHECK(heap_in_use() < heap + 32'768);
  CHECK(resident_bytes() < resident + 1'048'576);
  CHECK(store.size() <= 8);
}
