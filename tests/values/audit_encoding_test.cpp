// SPDX-License-Identifier: BSL-1.0
#include <cotter/values/audit_encoding.hpp>

#include <cotter/values/audit_event.hpp>

#include <support/catch.hpp>

#include <array>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace cotter;
using namespace std::chrono_literals;

constexpr std::array<pin, 2> two_pins{
    pin{{{1, 2, 3}}, pin_form::certificate, pin_role::primary, no_expiry, "one"},
    pin{{{4, 5, 6}}, pin_form::spki, pin_role::fallback, instant{1'900'000'000s}, "two"}};
constexpr std::array<std::uint8_t, 5> some_leaf{0x30, 0x03, 0x01, 0x01, 0xff};

/// Every member another value than its default.
audit_record full_record() {
  audit_record what;
  what.at = instant{1'800'000'000s};
  what.endpoint = {"sip.example.com", 5061, identity::sip};
  what.backend = "wolfssl";
  what.outcome = verdict::refuse(reason::pin_mismatch, {errc::too_deep, 77, -3})
                     .with_fingerprint({{9, 8, 7}})
                     .with_label("the label");
  what.breaker = breaker_state::locked;
  what.backend_version = {5, 5, 4};
  what.resumed = true;
  what.region = "emea";
  what.diagnosis = {cause::region_skew, {0x0811}, {{"other.example.com", 443}, "apac"}};
  what.leaf_not_before = instant{1'700'000'000s};
  what.leaf_not_after = instant{1'900'000'001s};
  what.pins = two_pins;
  what.leaf = some_leaf;
  what.breaker_before = breaker_state::cooling;
  what.streak = 3;
  what.mismatches_24h = 70'000;
  what.alert = true;
  what.manifest = manifest_change::rejected;
  what.sequence = (std::uint64_t{1} << 62) + 5;
  what.lapsed = reason::manifest_rollback;
  what.detail = {errc::bad_signature, 1, 2};
  what.clock = clock_fault::set_back;
  what.clock_says = instant{-5s};
  what.suppressed_count = 4'000'000'000u;
  what.since = instant{1'799'999'999s};
  return what;
}

std::vector<std::uint8_t> encoded(const audit_record& what) {
  std::vector<std::uint8_t> out(max_audit_record_bytes);
  out.resize(encode(what, out));
  REQUIRE_FALSE(out.empty());
  return out;
}

void check_equal(const audit_record& a, const audit_record& b) {
  CHECK(a.subject == b.subject);
  CHECK(a.at == b.at);
  CHECK(a.endpoint.host == b.endpoint.host);
  CHECK(a.endpoint.port == b.endpoint.port);
  CHECK(a.endpoint.kind == b.endpoint.kind);
  CHECK(a.backend == b.backend);
  CHECK(a.outcome.reason() == b.outcome.reason());
  CHECK(a.outcome.matched() == b.outcome.matched());
  CHECK(a.outcome.would_refuse() == b.outcome.would_refuse());
  CHECK(a.outcome.detail() == b.outcome.detail());
  CHECK(a.outcome.has_fingerprint() == b.outcome.has_fingerprint());
  CHECK(a.outcome.fingerprint() == b.outcome.fingerprint());
  CHECK(a.outcome.pin_label() == b.outcome.pin_label());
  CHECK(a.breaker == b.breaker);
  CHECK(a.backend_version == b.backend_version);
  CHECK(a.resumed == b.resumed);
  CHECK(a.region == b.region);
  CHECK(a.diagnosis.what == b.diagnosis.what);
  CHECK(a.diagnosis.seen == b.diagnosis.seen);
  CHECK(a.diagnosis.owner.endpoint.host == b.diagnosis.owner.endpoint.host);
  CHECK(a.diagnosis.owner.endpoint.port == b.diagnosis.owner.endpoint.port);
  CHECK(a.diagnosis.owner.region == b.diagnosis.owner.region);
  CHECK(a.leaf_not_before == b.leaf_not_before);
  CHECK(a.leaf_not_after == b.leaf_not_after);
  CHECK(std::equal(a.leaf.begin(), a.leaf.end(), b.leaf.begin(), b.leaf.end()));
  CHECK(a.breaker_before == b.breaker_before);
  CHECK(a.streak == b.streak);
  CHECK(a.mismatches_24h == b.mismatches_24h);
  CHECK(a.alert == b.alert);
  CHECK(a.manifest == b.manifest);
  CHECK(a.sequence == b.sequence);
  CHECK(a.lapsed == b.lapsed);
  CHECK(a.detail == b.detail);
  CHECK(a.clock == b.clock);
  CHECK(a.clock_says == b.clock_says);
  CHECK(a.suppressed_count == b.suppressed_count);
  CHECK(a.since == b.since);
  REQUIRE(a.pins.size() == b.pins.size());
  for (std::size_t i = 0; i < a.pins.size(); ++i) {
    CHECK(a.pins[i].digest == b.pins[i].digest);
    CHECK(a.pins[i].form == b.pins[i].form);
    CHECK(a.pins[i].role == b.pins[i].role);
    CHECK(a.pins[i].not_after == b.pins[i].not_after);
    CHECK(a.pins[i].label == b.pins[i].label);
  }
}

}  // namespace

TEST_CASE("a record comes back as it was, with every member set and with none") {
  for (const audit_record& what : {full_record(), audit_record{}}) {
    const auto octets = encoded(what);
    decoded_audit_record read;
    REQUIRE(decode(octets, read));
    check_equal(read.what, what);
  }
}

TEST_CASE("each kind of verdict comes back as what it was") {
  for (const verdict& outcome :
       {verdict::accept(matched::primary), verdict::accept(matched::fallback),
        verdict::observe(reason::pin_mismatch), verdict::refuse(reason::breaker_locked)}) {
    audit_record what;
    what.outcome = outcome;
    decoded_audit_record read;
    REQUIRE(decode(encoded(what), read));
    check_equal(read.what, what);
    CHECK(static_cast<bool>(read.what.outcome) == static_cast<bool>(outcome));
  }
}

TEST_CASE("octets that say neither yes nor no are no record") {
  audit_record what;
  what.outcome = verdict::accept(matched::primary);
  auto octets = encoded(what);
  auto refused = encoded(audit_record{});
  REQUIRE(octets.size() == refused.size());
  std::size_t at = 0;
  while (octets[at] == refused[at]) ++at;  // the reason; the pin's role follows it
  octets[at + 1] = 0;
  decoded_audit_record read;
  CHECK(decode(octets, read).error().what == errc::state_damaged);
}

TEST_CASE("a record that is cut, or followed by anything, is damaged") {
  const auto octets = encoded(full_record());
  for (std::size_t size = 0; size < octets.size(); ++size) {
    decoded_audit_record read;
    CHECK(decode(bytes_view(octets).first(size), read).error().what == errc::state_damaged);
  }
  auto longer = octets;
  longer.push_back(0);
  decoded_audit_record read;
  CHECK(decode(longer, read).error().what == errc::state_damaged);
}

TEST_CASE("whatever the octets are, what is read can be written and read again") {
  std::mt19937 random(7);
  const auto good = encoded(full_record());
  unsigned accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto octets = good;
    octets[random() % octets.size()] = static_cast<std::uint8_t>(random());
    if (i % 3 == 0) octets[random() % octets.size()] ^= 0x80;
    decoded_audit_record read;
    if (!decode(octets, read)) continue;
    ++accepted;
    CHECK(encoded(read.what) == octets);
  }
  CHECK(accepted > 1000);
}

TEST_CASE("no record is longer than its bound, and what is left out is left out whole") {
  const std::string text(5000, 'x');
  std::vector<std::uint8_t> leaf(max_audit_leaf_bytes, 0x30);
  std::vector<pin> pins(20, two_pins[0]);
  for (pin& one : pins) one.label = text;
  audit_record what = full_record();
  what.endpoint.host = what.backend = what.region = text;
  what.outcome = what.outcome.with_label(text);
  what.diagnosis.owner = {{text, 1}, text};
  what.pins = pins;
  what.leaf = leaf;
  const auto octets = encoded(what);
  CHECK(octets.size() <= max_audit_record_bytes);
  decoded_audit_record read;
  REQUIRE(decode(octets, read));
  CHECK(read.what.endpoint.host == std::string(max_audit_text_bytes, 'x'));
  CHECK(read.what.pins.size() == max_audit_pins);
  CHECK(read.what.leaf.size() == max_audit_leaf_bytes);

  leaf.push_back(0);
  what.leaf = leaf;
  REQUIRE(decode(encoded(what), read));
  CHECK(read.what.leaf.empty());
}

TEST_CASE("without room nothing is said to be written") {
  const audit_record what = full_record();
  const std::size_t size = encoded(what).size();
  std::vector<std::uint8_t> out(size);
  CHECK(encode(what, out) == size);
  for (std::size_t room = 0; room < size; ++room) {
    CHECK(encode(what, std::span(out).first(room)) == 0);
  }
}

TEST_CASE("an event's id is its origin and its number, in one spelling") {
  std::array<char, event_id_chars> text{};
  const auto spelled = [&](const event_id& id) {
    return std::string(text.data(), to_chars(id, text));
  };
  event_id id;
  CHECK(spelled(id) == "00000000000000000000000000000000-0");
  id.origin = {0xab, 0xcd};
  id.origin[15] = 0x0f;
  id.number = 42;
  CHECK(spelled(id) == "abcd000000000000000000000000000f-42");
  id.number = ~std::uint64_t{0};
  CHECK(spelled(id) == "abcd000000000000000000000000000f-18446744073709551615");
}

TEST_CASE("the type of an event follows from what it is about") {
  audit_record what;
  CHECK(type_of(what) == audit_type::refused);
  what.outcome = verdict::accept(matched::primary);
  CHECK(type_of(what) == audit_type::accepted);
  what.resumed = true;
  CHECK(type_of(what) == audit_type::resumed);
  what.outcome = verdict::observe(reason::pin_mismatch);
  CHECK(type_of(what) == audit_type::would_refuse);
  for (const auto& [subject, type] : {std::pair{audit_subject::breaker, audit_type::breaker},
                                      std::pair{audit_subject::manifest, audit_type::manifest},
                                      std::pair{audit_subject::clock, audit_type::clock},
                                      std::pair{audit_subject::loss, audit_type::loss}}) {
    what.subject = subject;
    CHECK(type_of(what) == type);
  }
  std::set<std::string_view> words;
  for (unsigned i = 0; i <= static_cast<unsigned>(audit_type::loss); ++i) {
    CHECK(words.insert(to_string(static_cast<audit_type>(i))).second);
  }
}
