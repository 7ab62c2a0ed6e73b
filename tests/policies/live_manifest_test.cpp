// SPDX-License-Identifier: BSL-1.0
#include <cotter/policies/manifest/live_manifest.hpp>

#include <support/catch.hpp>
#include <support/manifests.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace manifests;
using namespace std::chrono_literals;

static_assert(manifest_source<live_manifest>);
static_assert(!std::is_copy_constructible_v<live_manifest>);
static_assert(!std::is_move_constructible_v<live_manifest>);
static_assert(std::is_nothrow_move_constructible_v<live_manifest::handle>);
static_assert(!std::is_convertible_v<manifest_memory, live_manifest>);

namespace {

constexpr target sip{"sip.example.com", 5061};

pin_manifest simple(std::uint64_t sequence, std::uint8_t octet = 1) {
  return manifest(sequence, {target_with("sip.example.com", 5061, {primary(octet)})});
}

/// The first octet of the only pin of `sip`; -1 if it is not there.
int in_force(const live_manifest& live, const ip_address& peer = {}) {
  const auto found = live.find(sip, peer);
  if (!found) return -1;
  REQUIRE((*found).pins.size() == 1);
  return (*found).pins[0].digest.octets[0];
}

/// What `adopt` says of a manifest that was sound until `spoil` changed it; nothing else changes.
template <typename Spoil>
errc refused(Spoil spoil) {
  live_manifest live;
  REQUIRE(live.adopt(simple(5, 7), day_one));
  const manifest_memory before = live.memory();
  const auto document = live.document();
  pin_manifest next = simple(6, 8);
  spoil(next);
  const auto answer = live.adopt(next, day_one + 1h);
  CHECK_FALSE(answer);
  CHECK(live.memory() == before);
  CHECK(live.document() == document);
  CHECK(in_force(live) == 7);
  CHECK(live.current().problem == reason::none);

  live_manifest fresh;
  CHECK_FALSE(fresh.adopt(next, day_one + 1h));
  CHECK(fresh.memory() == manifest_memory{});
  CHECK(fresh.current().problem == reason::manifest_invalid);
  CHECK(fresh.document() == nullptr);
  CHECK(in_force(fresh) == -1);
  return answer.error().what;
}

/// When the first fallback of `sip` ends.
instant end_of_fallback(const live_manifest& live, const ip_address& peer = {}) {
  const auto found = live.find(sip, peer);
  REQUIRE(found);
  for (const pin& one : (*found).pins) {
    if (one.role == pin_role::fallback) return one.not_after;
  }
  FAIL("no fallback");
  return {};
}

}  // namespace

TEST_CASE("before a manifest is adopted, everything is refused") {
  const live_manifest live;
  CHECK(live.current().problem == reason::manifest_invalid);
  CHECK(live.current().sequence == 0);
  CHECK_FALSE(live.find(sip, {}));
  CHECK_FALSE(live.find({"", 0}, {}));
  CHECK(live.document() == nullptr);
  CHECK(live.memory() == manifest_memory{});
  CHECK_FALSE(live_manifest::handle{});
}

TEST_CASE("an adopted manifest is in force as it stands") {
  live_manifest live;
  pin_manifest one = manifest(
      3, {target_with("sip.example.com", 5061, {primary(1, "one"), primary(2), fallback(3)}),
          target_with("192.0.2.7", 443, {primary(4)})});
  one.targets[0].pins[1].value.form = pin_form::spki;
  one.observe_until = day_one + 30 * 24h;
  REQUIRE(live.adopt(one, day_one));

  const manifest_standing standing = live.current();
  CHECK(standing.problem == reason::none);
  CHECK(standing.sequence == manifest_order(0, 3));
  CHECK(standing.issued_at == day_one);
  CHECK(standing.expires_at == one.expires_at);
  CHECK(standing.observe_until == one.observe_until);
  REQUIRE(live.document() != nullptr);
  CHECK(live.document()->payload == one.payload);

  const auto found = live.find(sip, {});
  REQUIRE(found);
  const pinned_target& there = *found;
  CHECK(there.endpoint.host == "sip.example.com");
  CHECK(there.endpoint.port == 5061);
  REQUIRE(there.pins.size() == 3);
  CHECK(there.pins[0].label == "one");
  CHECK(there.pins[1].label == "primary");
  CHECK(there.pins[2].label == "fallback");
  CHECK(there.pins[1].form == pin_form::spki);
  CHECK(there.pins[2].role == pin_role::fallback);
  CHECK(there.pins[2].not_after == no_expiry);
  CHECK(live.find({"192.0.2.7", 443}, {}));
  CHECK_FALSE(live.find({"192.0.2.7", 444}, {}));
}

TEST_CASE("a handle that was moved from holds nothing") {
  live_manifest live;
  REQUIRE(live.adopt(simple(1), day_one));
  auto one = live.find(sip, {});
  const auto two = std::move(one);
  CHECK(two);
  CHECK_FALSE(one);  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("a manifest that is not sound is refused whole, and the last good one stays") {
  using p = pin_manifest&;
  CHECK(refused([](p m) { m.sequence = 0; }) == errc::invalid_value);
  CHECK(refused([](p m) { m.sequence = highest_sequence + 1; }) == errc::invalid_value);
  CHECK(refused([](p m) { m.key_set_version = highest_key_set_version + 1; }) ==
        errc::invalid_value);
  CHECK(refused([](p m) { m.epoch = 1; }) == errc::invalid_value);
  CHECK(refused([](p m) { m.breaker.alert_threshold = 0; }) == errc::invalid_value);
  CHECK(refused([](p m) { m.expires_at = m.issued_at - 1s; }) == errc::invalid_value);
  CHECK(refused([](p m) { m.issued_at = instant{-1s}; }) == errc::invalid_value);
  CHECK(refused([](p m) { m.observe_until = m.issued_at + longest_observation + 1s; }) ==
        errc::observation_too_long);
  CHECK(refused([](p m) { m.observe_until = no_expiry; }) == errc::observation_too_long);

  CHECK(refused([](p m) { m.targets.clear(); }) == errc::missing_key);
  CHECK(refused([](p m) { m.targets[0].host = "SIP.example.com"; }) == errc::invalid_host);
  CHECK(refused([](p m) { m.targets[0].host = ""; }) == errc::invalid_host);
  CHECK(refused([](p m) { m.targets[0].port = 0; }) == errc::invalid_port);
  CHECK(refused([](p m) { m.targets[0].pins.clear(); }) == errc::invalid_pin);
  CHECK(refused([](p m) { m.targets[0].pins = {fallback(1)}; }) == errc::invalid_pin);
  CHECK(refused([](p m) { m.targets.push_back(m.targets[0]); }) == errc::duplicate_target);
  CHECK(refused([](p m) {
          // Far apart, so that only sorting brings them together.
          const manifest_target again = m.targets[0];
          m.targets.push_back(target_with("a.example", 1, {primary(1)}));
          m.targets.push_back(target_with("z.example", 1, {primary(1)}));
          m.targets.push_back(again);
        }) == errc::duplicate_target);
}

TEST_CASE("regions that cannot all be used are refused") {
  using p = pin_manifest&;
  const auto with = [](std::vector<manifest_region> regions, std::vector<manifest_pin> pins = {}) {
    return refused([&](p m) {
      m.targets[0].pins = pins;
      m.targets[0].regions = regions;
    });
  };
  CHECK(with({region("eu", {"192.0.2.0/24"}, {primary(1)})}) == errc::missing_key);
  CHECK(with({region("eu", {}, {primary(1)}, true), region("us", {}, {primary(2)}, true)}) ==
        errc::conflicting_keys);
  CHECK(with({region("eu", {}, {primary(1)}, true)}, {primary(2)}) == errc::conflicting_keys);
  CHECK(with({region("eu", {}, {primary(1)}, true), region("eu", {}, {primary(2)})}) ==
        errc::duplicate_target);
  CHECK(with({region("eu", {}, {primary(1)}, true), region("us", {}, {fallback(2)})}) ==
        errc::invalid_pin);
  CHECK(with({region("eu", {}, {primary(1)}, true), region("us", {}, {})}) == errc::invalid_pin);
  CHECK(with({region("eu", {}, {fallback(1)}, true)}) == errc::invalid_pin);
}

TEST_CASE("documents made to exhaust their reader are refused at their bounds") {
  CHECK(refused([](pin_manifest& m) {
          m.targets.assign(max_manifest_targets + 1, m.targets[0]);
        }) == errc::too_many_targets);
  CHECK(refused([](pin_manifest& m) {
          m.targets[0].pins.assign(max_manifest_pins + 1, primary(1));
        }) == errc::too_many_targets);
  CHECK(refused([](pin_manifest& m) {
          m.targets[0].regions = {region("eu", {}, {})};
          m.targets[0].regions[0].pins.assign(max_manifest_pins, primary(1));
        }) == errc::too_many_targets);
}

TEST_CASE("ten thousand targets are adopted, and each is found and no other") {
  live_manifest live;
  std::vector<manifest_target> many;
  for (std::size_t i = 0; i < max_manifest_targets; ++i) {
    const std::string host = "host-" + std::to_string(i / 2) + ".example";
    many.push_back(target_with(host, static_cast<std::uint16_t>(443 + i % 2),
                               {primary(static_cast<std::uint8_t>(i % 251))}));
  }
  REQUIRE(live.adopt(manifest(1, many), day_one));
  std::size_t found = 0;
  for (std::size_t i = 0; i < many.size(); ++i) {
    const auto one = live.find({many[i].host, many[i].port}, {});
    if (one && (*one).endpoint.host == many[i].host && (*one).endpoint.port == many[i].port &&
        (*one).pins[0].digest == digest_of(static_cast<std::uint8_t>(i % 251))) {
      ++found;
    }
    CHECK_FALSE(live.find({many[i].host, 445}, {}));
  }
  CHECK(found == max_manifest_targets);
  for (const char* stranger : {"", "host-", "host-0.exampl", "host-0.example.", "host-5000.example",
                               "Host-0.example", "z"}) {
    CHECK_FALSE(live.find({stranger, 443}, {}));
  }
  CHECK(live.adopt(manifest(2, many), day_one));
}

TEST_CASE("a manifest before the one in force is refused as a rollback") {
  live_manifest live;
  REQUIRE(live.adopt(simple(5, 5), day_one));
  CHECK(live.adopt(simple(4, 4), day_one).error().what == errc::sequence_rollback);
  CHECK(live.adopt(simple(1, 1), day_one).error().what == errc::sequence_rollback);
  CHECK(in_force(live) == 5);
  CHECK(live.adopt(simple(6, 6), day_one));
  CHECK(in_force(live) == 6);
  CHECK(live.adopt(simple(5, 5), day_one).error().what == errc::sequence_rollback);
  CHECK(live.current().sequence == 6);
}

TEST_CASE("the same manifest again is welcome, and another one of its sequence is not") {
  live_manifest live;
  REQUIRE(live.adopt(simple(5, 5), day_one));
  CHECK(live.adopt(simple(5, 5), day_one));
  CHECK(in_force(live) == 5);
  pin_manifest other = simple(5, 6);
  other.payload.octets[31] ^= 1;
  CHECK(live.adopt(other, day_one).error().what == errc::sequence_reused);
  CHECK(in_force(live) == 5);
}

TEST_CASE("what was remembered over a restart keeps older manifests out") {
  manifest_memory remembered;
  {
    live_manifest live;
    REQUIRE(live.adopt(simple(5, 5), day_one + 24h));
    remembered = live.memory();
  }
  CHECK(remembered.order == 5);
  CHECK(remembered.payload == digest_of(5));
  CHECK(remembered.latest == day_one + 24h);

  live_manifest live(remembered);
  CHECK(live.memory() == remembered);
  CHECK(live.current().problem == reason::manifest_invalid);
  CHECK(live.current().sequence == 5);
  CHECK(in_force(live) == -1);
  CHECK(live.adopt(simple(4), day_one).error().what == errc::sequence_rollback);
  pin_manifest other = simple(5, 6);
  other.payload.octets[0] ^= 1;
  CHECK(live.adopt(other, day_one).error().what == errc::sequence_reused);
  CHECK(live.adopt(simple(5, 5), day_one));
  CHECK(in_force(live) == 5);
}

TEST_CASE("an older key set than the one accepted is refused, also over a restart") {
  live_manifest live;
  pin_manifest one = simple(5);
  one.key_set_version = 3;
  REQUIRE(live.adopt(one, day_one));
  pin_manifest next = simple(6);
  next.key_set_version = 2;
  CHECK(live.adopt(next, day_one).error().what == errc::key_set_rollback);
  next.key_set_version = 0;  // keys given by hand, after a key set was accepted
  CHECK(live.adopt(next, day_one).error().what == errc::key_set_rollback);
  CHECK(live_manifest(live.memory()).adopt(next, day_one).error().what == errc::key_set_rollback);
  next.key_set_version = 4;
  CHECK(live.adopt(next, day_one));
  CHECK(live.memory().key_set_version == 4);
}

TEST_CASE("after a stolen key signed the highest sequence, a new epoch begins anew") {
  live_manifest live;
  pin_manifest stolen = simple(highest_sequence, 66);
  stolen.key_set_version = 1;
  REQUIRE(live.adopt(stolen, day_one));
  pin_manifest ours = simple(7, 7);
  ours.key_set_version = 2;
  CHECK(live.adopt(ours, day_one).error().what == errc::sequence_rollback);
  ours.epoch = 2;
  CHECK(live.adopt(ours, day_one));
  CHECK(in_force(live) == 7);
  CHECK(live.memory().epoch == 2);
  CHECK(live.current().sequence == manifest_order(2, 7));
  CHECK(live.current().sequence > manifest_order(0, highest_sequence));

  // And the way back is closed, though the key set counts on.
  stolen.key_set_version = 3;
  CHECK(live.adopt(stolen, day_one).error().what == errc::sequence_rollback);
  stolen.epoch = 1;
  CHECK(live.adopt(stolen, day_one).error().what == errc::sequence_rollback);
}

TEST_CASE("a manifest past its end is not adopted, however the clock is set") {
  pin_manifest next = simple(2);
  next.expires_at = day_one + 24h;
  {
    live_manifest live;
    CHECK(live.adopt(next, day_one + 24h + 1s).error().what == errc::document_expired);
    CHECK(live.memory() == manifest_memory{});
    CHECK(live.adopt(next, day_one + 24h));
  }
  {
    live_manifest live;
    REQUIRE(live.adopt(simple(1), day_one + 48h));
    CHECK(live.adopt(next, {}).error().what == errc::document_expired);
    CHECK(in_force(live) == 1);
    CHECK(live_manifest(live.memory()).adopt(next, {}).error().what == errc::document_expired);
  }
  {
    pin_manifest ancient = simple(1);
    ancient.issued_at = library_made_at - 48h;
    ancient.expires_at = library_made_at - 1s;
    live_manifest live;
    CHECK(live.adopt(ancient, {}).error().what == errc::document_expired);
    manifest_memory blank;
    blank.latest = {};  // as a store that was wiped would give it
    CHECK(live_manifest(blank).adopt(ancient, {}).error().what == errc::document_expired);
  }
}

TEST_CASE("the latest time known never goes back") {
  live_manifest live;
  REQUIRE(live.adopt(simple(1), {}));
  CHECK(live.memory().latest == day_one);  // issued_at lifts a clock that was set back
  REQUIRE(live.adopt(simple(2), day_one + 10h));
  CHECK(live.memory().latest == day_one + 10h);
  CHECK(live.current().issued_at == day_one + 10h);
  REQUIRE(live.adopt(simple(3), day_one + 5h));
  CHECK(live.memory().latest == day_one + 10h);
}

namespace {

/// 1: the target's own, or the default region's. 2: a /24. 3: a /32 in it. 4: IPv6. 5: a /16
/// around them, named last.
live_manifest& with_regions(live_manifest& live, bool pins_of_its_own) {
  manifest_target one = target_with("sip.example.com", 5061, {});
  one.regions = {region("eu", {"198.51.100.0/24", "192.0.2.0/24"}, {primary(2)}),
                 region("lab", {"192.0.2.7/32"}, {primary(3, "next")}),
                 region("six", {"2001:db8::/32"}, {primary(4)}),
                 region("wide", {"192.0.0.0/16"}, {primary(5)})};
  if (pins_of_its_own) {
    one.pins = {primary(1)};
  } else {
    one.regions.insert(one.regions.begin() + 1, region("rest", {"10.0.0.0/8"}, {primary(1)}, true));
  }
  REQUIRE(live.adopt(manifest(1, {one}), day_one));
  return live;
}

}  // namespace

TEST_CASE("the peer's address chooses the region with the longest prefix, else the default") {
  for (const bool pins_of_its_own : {false, true}) {
    INFO(pins_of_its_own);
    live_manifest regional;
    const live_manifest& live = with_regions(regional, pins_of_its_own);
    CHECK(in_force(live, parse_ip("192.0.2.1")) == 2);
    CHECK(in_force(live, parse_ip("198.51.100.255")) == 2);
    CHECK(in_force(live, parse_ip("192.0.2.7")) == 3);
    CHECK(in_force(live, parse_ip("192.0.2.6")) == 2);
    CHECK(in_force(live, parse_ip("192.0.3.0")) == 5);
    CHECK(in_force(live, parse_ip("2001:db8::7")) == 4);

    CHECK(in_force(live, {}) == 1);
    CHECK(in_force(live, parse_ip("10.1.2.3")) == 1);
    CHECK(in_force(live, parse_ip("203.0.113.1")) == 1);
    CHECK(in_force(live, parse_ip("2001:db9::")) == 1);
  }
}

TEST_CASE("a region's pins say in their labels where they are from") {
  live_manifest live;
  with_regions(live, true);
  CHECK((*live.find(sip, parse_ip("192.0.2.1"))).pins[0].label == "eu/primary");
  CHECK((*live.find(sip, parse_ip("192.0.2.7"))).pins[0].label == "lab/next");
  CHECK((*live.find(sip, {})).pins[0].label == "primary");
}

TEST_CASE("a block longer than its family allows is in no region, and reads nothing beyond it") {
  live_manifest live;
  manifest_target one = target_with("sip.example.com", 5061, {primary(1)});
  one.regions = {region("bad", {"192.0.2.0/24"}, {primary(2)})};
  one.regions[0].prefixes[0].length_bits = 255;
  REQUIRE(live.adopt(manifest(1, {one}), day_one));
  CHECK(in_force(live, parse_ip("192.0.2.0")) == 1);
}

TEST_CASE("a fallback's end comes nearer, never further") {
  const instant end = day_one + 30 * 24h;
  const auto offering = [](std::uint64_t sequence, instant until) {
    return manifest(sequence,
                    {target_with("sip.example.com", 5061, {primary(1), fallback(9, until)})});
  };
  live_manifest live;
  REQUIRE(live.adopt(offering(1, end), day_one));
  CHECK(end_of_fallback(live) == end);
  REQUIRE(live.adopt(offering(2, end + 24h), day_one));
  CHECK(end_of_fallback(live) == end);
  REQUIRE(live.adopt(offering(3, no_expiry), day_one));
  CHECK(end_of_fallback(live) == end);
  REQUIRE(live.adopt(offering(4, end - 24h), day_one));
  CHECK(end_of_fallback(live) == end - 24h);
  REQUIRE(live.adopt(offering(5, end), day_one));
  CHECK(end_of_fallback(live) == end - 24h);
}

TEST_CASE("a fallback is the same one in whatever region and under whatever label") {
  const instant end = day_one + 30 * 24h;
  live_manifest live;
  REQUIRE(live.adopt(
      manifest(1, {target_with("sip.example.com", 5061, {primary(1), fallback(9, end)})}),
      day_one));
  manifest_target regional = target_with("sip.example.com", 5061, {});
  regional.regions = {
      region("eu", {}, {primary(1), fallback(9, end + 24h, "renamed")}, true),
      region("us", {"10.0.0.0/8"}, {primary(1), fallback(8, end + 24h)}),
  };
  REQUIRE(live.adopt(manifest(2, {regional}), day_one));
  CHECK(end_of_fallback(live) == end);
  CHECK(end_of_fallback(live, parse_ip("10.0.0.1")) == end + 24h);  // another fallback
}

TEST_CASE("a fallback's end binds its target and its form only, and no primary") {
  const instant end = day_one + 30 * 24h;
  live_manifest live;
  REQUIRE(live.adopt(
      manifest(1, {target_with("sip.example.com", 5061, {primary(1), fallback(9, end)}),
                   target_with("sip.example.com", 5062, {primary(1), fallback(9, end + 48h)})}),
      day_one));
  manifest_pin key = fallback(9, end + 24h);
  key.value.form = pin_form::spki;
  REQUIRE(live.adopt(
      manifest(2, {target_with("sip.example.com", 5061, {primary(9), key}),
                   target_with("sip.example.com", 5062, {primary(1), fallback(9, end + 48h)})}),
      day_one));
  const auto found = live.find(sip, {});
  CHECK((*found).pins[0].not_after == no_expiry);
  CHECK((*found).pins[1].not_after == end + 24h);
  CHECK((*live.find({"sip.example.com", 5062}, {})).pins[1].not_after == end + 48h);
}

TEST_CASE("what a handle found stays as it was, over a reload and after the end") {
  auto live = std::make_unique<live_manifest>();
  REQUIRE(live->adopt(
      manifest(1, {target_with("sip.example.com", 5061,
                               {primary(1, "a label that no string object keeps in itself")})}),
      day_one));
  const auto held = live->find(sip, {});
  const auto document = live->document();
  REQUIRE(live->adopt(manifest(2, {target_with("elsewhere.example", 443, {primary(2)})}), day_one));
  CHECK_FALSE(live->find(sip, {}));
  live.reset();
  REQUIRE(held);
  CHECK((*held).endpoint.host == "sip.example.com");
  CHECK((*held).pins[0].digest == digest_of(1));
  CHECK((*held).pins[0].label.starts_with("a label"));
  CHECK(document->sequence == 1);
}

TEST_CASE("a manifest may restrict the TLS library, and a new one lift it") {
  live_manifest live;
  CHECK(live.allows("openssl", {3, 0, 17}));  // nothing is in force, so nothing is restricted
  pin_manifest one = simple(1);
  one.runtimes = {{"openssl", {3, 0, 17}, {3, 1, 0}}, {"wolfssl"}};
  REQUIRE(live.adopt(one, day_one));
  CHECK(live.allows("openssl", {3, 0, 17}));
  CHECK_FALSE(live.allows("openssl", {3, 0, 16}));
  CHECK_FALSE(live.allows("openssl", {3, 1, 0}));
  CHECK(live.allows("wolfssl", {5, 5, 4}));
  CHECK_FALSE(live.allows("mbedtls", {2, 28, 3}));
  REQUIRE(live.adopt(simple(2), day_one));
  CHECK(live.allows("mbedtls", {2, 28, 3}));
}

TEST_CASE("why a manifest was not even read is reported while none is in force") {
  live_manifest live;
  live.refuse(reason::manifest_signature);
  CHECK(live.current().problem == reason::manifest_signature);
  live.refuse(reason::none);
  CHECK(live.current().problem == reason::manifest_signature);
  live.refuse(reason::manifest_rollback);
  CHECK(live.current().problem == reason::manifest_rollback);
  CHECK_FALSE(live.find(sip, {}));
  CHECK(live.document() == nullptr);

  REQUIRE(live.adopt(simple(1), day_one));
  CHECK(live.current().problem == reason::none);
  live.refuse(reason::manifest_signature);
  CHECK(live.current().problem == reason::none);
  CHECK(in_force(live) == 1);
}

TEST_CASE("a refusal forgets nothing that was remembered") {
  manifest_memory remembered;
  remembered.order = 9;
  remembered.latest = day_one + 24h;
  live_manifest live(remembered);
  live.refuse(reason::manifest_signature);
  CHECK(live.memory() == remembered);
  CHECK(live.adopt(simple(8), day_one).error().what == errc::sequence_rollback);
  CHECK(live.current().problem == reason::manifest_signature);
}

TEST_CASE("readers see the old manifest or the new one, whole, while others adopt") {
  // Every pin of manifest n has the digest of n, and there are n % 5 + 1 of them.
  const auto numbered = [](std::uint64_t n) {
    const auto octet = static_cast<std::uint8_t>(n % 251);
    std::vector<manifest_pin> pins(n % 5 + 1, primary(octet, "label-" + std::to_string(octet)));
    pin_manifest made = manifest(n, {target_with("sip.example.com", 5061, pins)});
    made.payload = digest_of(octet);
    return made;
  };
  constexpr std::uint64_t last = 1500;
  live_manifest live;
  REQUIRE(live.adopt(numbered(1), day_one));

  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::atomic<int> reads = 0;
  const auto read = [&] {
    std::uint64_t highest = 0;
    do {
      const auto found = live.find(sip, {});
      const std::uint64_t sequence = live.current().sequence;
      bool whole = found && sequence >= highest;
      highest = sequence;
      if (whole) {
        const auto pins = (*found).pins;
        const std::uint8_t octet = pins[0].digest.octets[0];
        const std::string label = "label-" + std::to_string(octet);
        for (const pin& one : pins) {
          whole = whole && one.digest == digest_of(octet) && one.label == label;
        }
      }
      if (!whole) ++torn;
      ++reads;
    } while (!done);
  };
  std::atomic<int> adopted = 0;
  const auto write = [&](std::uint64_t first) {
    // A writer that is overtaken is refused; what counts never goes back.
    for (std::uint64_t n = first; n <= last; n += 2) {
      if (live.adopt(numbered(n), day_one)) ++adopted;
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(read);
  threads.emplace_back(read);
  std::thread even(write, 2);
  std::thread odd(write, 3);
  even.join();
  odd.join();
  done = true;
  for (std::thread& one : threads) one.join();

  CHECK(torn == 0);
  CHECK(reads > 0);
  CHECK(adopted > 0);
  CHECK(live.current().sequence == last);
  CHECK((*live.find(sip, {})).pins.size() == last % 5 + 1);
}
