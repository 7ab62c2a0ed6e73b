// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/hasher.hpp>

#include <cotter/testing/not_sha256.hpp>

#include <support/laws.hpp>

#include <utility>

namespace {

using namespace cotter;
using testing::not_sha256;

constexpr auto no_allocations = [] { return 0; };

/// not_sha256 with something wrong beside.
enum class fault { none, drops_a_piece, drops_the_end, stays_prepared, finishes_unprepared, keeps };

template <fault Fault>
struct faulty_hasher {
  not_sha256 good;
  bool first = true;
  bool ready = false;

  bool prepare() noexcept {
    first = true;
    const bool was = std::exchange(ready, true);
    return Fault == fault::keeps && was ? true : good.prepare();
  }
  void update(bytes_view octets) noexcept {
    const bool skip = Fault == fault::drops_a_piece && !std::exchange(first, false);
    if (Fault == fault::drops_the_end && octets.size() == 1) octets = {};
    if (!skip) good.update(octets);
  }
  bool finish(sha256_digest& out) noexcept {
    if (Fault == fault::finishes_unprepared && !ready) return static_cast<void>(good.prepare()), good.finish(out);
    if (Fault == fault::stays_prepared) {
      not_sha256 copy = good;
      return copy.finish(out);
    }
    ready = false;
    return good.finish(out);
  }
};

template <fault Fault>
bool breaks(std::string_view law) {
  return testing::check_hasher_laws<faulty_hasher<Fault>>(no_allocations).broken(law);
}

}  // namespace

TEST_CASE("not_sha256 keeps every law of hasher but H3, because it is not SHA-256") {
  const auto report = testing::check_hasher_laws<not_sha256>(no_allocations);
  require_broken(report, "H3");
  CHECK(not_sha256::of({}) != sha256_digest{});
}

TEST_CASE("the hasher suite finds a hasher that breaks any one law") {
  CHECK_FALSE(breaks<fault::none>("H5"));
  CHECK(breaks<fault::drops_a_piece>("H5"));
  CHECK(breaks<fault::drops_the_end>("H5"));
  CHECK(breaks<fault::stays_prepared>("H3"));
  CHECK(breaks<fault::finishes_unprepared>("H4"));
  CHECK(breaks<fault::keeps>("H1"));
}

TEST_CASE("the hasher suite finds a hasher that allocates late") {
  int allocations = 0;
  CHECK(testing::check_hasher_laws<not_sha256>([&] { return allocations++; }).broken("H2"));
}

struct not_sha256_again : not_sha256 {
  using reusable = not_sha256_again;
};

TEST_CASE("the hasher suite finds a hasher that says it is reusable, and allocates") {
  int allocations = 0;
  CHECK_FALSE(testing::check_hasher_laws<not_sha256_again>(no_allocations).broken("H6"));
  CHECK(testing::check_hasher_laws<not_sha256_again>([&] { return allocations++; }).broken("H6"));
}
