// SPDX-License-Identifier: BSL-1.0
#include <cotter/policies/audit/ring_audit_sink.hpp>

#include <support/catch.hpp>

#include <chrono>

using namespace cotter;
using namespace std::chrono_literals;

namespace {

constexpr audit_record record_at(std::int64_t second) {
  audit_record what;
  what.at = instant{std::chrono::seconds{second}};
  what.endpoint = {"sip.example.com", 5061};
  what.outcome = verdict::refuse(reason::pin_mismatch);
  return what;
}

constexpr std::int64_t oldest_of_three_after(int records) {
  ring_audit_sink<3> ring;
  for (int i = 1; i <= records; ++i) ring.record(record_at(i));
  return ring.at(0).at_seconds;
}
static_assert(oldest_of_three_after(3) == 1);
static_assert(oldest_of_three_after(5) == 3);

}  // namespace

TEST_CASE("a ring keeps the last decisions, oldest first, and counts the rest") {
  ring_audit_sink<3> ring;
  CHECK(ring.size() == 0);
  for (int i = 1; i <= 7; ++i) ring.record(record_at(i));
  CHECK(ring.size() == 3);
  CHECK(ring.recorded() == 7);
  CHECK(ring.overwritten() == 4);
  CHECK(ring.at(0).at_seconds == 5);
  CHECK(ring.at(1).at_seconds == 6);
  CHECK(ring.at(2).at_seconds == 7);
}

TEST_CASE("an entry says what was decided, about whom, when and over what") {
  sha256_digest digest;
  digest.octets[5] = 5;
  audit_record what = record_at(77);
  what.outcome = verdict::accept(matched::fallback).with_fingerprint(digest);
  ring_audit_sink<1> ring;
  ring.record(what);
  const ring_entry entry = ring.at(0);
  CHECK(entry.why == reason::none);
  CHECK(entry.by == matched::fallback);
  CHECK(entry.fingerprint == digest);
  CHECK(entry.port == 5061);
  CHECK(entry.at_seconds == 77);
  CHECK(entry.host_tag == ring_host_tag("sip.example.com"));
}

TEST_CASE("an index outside of the ring gives an entry that accepts nothing") {
  ring_audit_sink<2> ring;
  ring.record(record_at(1));
  CHECK(ring.at(1).why == reason::unbound);
  CHECK(ring.at(1).at_seconds == 0);
  CHECK(ring.at(99).by == matched::none);
}

TEST_CASE("host tags are FNV-1a of 32 bits") {
  CHECK(ring_host_tag("") == 0x811c9dc5u);
  CHECK(ring_host_tag("a") == 0xe40c292cu);
  CHECK(ring_host_tag("foobar") == 0xbf9cf968u);
}
