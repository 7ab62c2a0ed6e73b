// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "attacks.hpp"

#include <cotter/cotter.hpp>
#include <cotter/json/signed_manifest.hpp>
#include <cotter/testing/manual_clock.hpp>

#include <support/catch.hpp>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// The attacks on a phone, whichever TLS library verifies.
namespace attacks {

using cotter::instant;
using cotter::reason;
using lab::at;
using lab::today;

inline constexpr cotter::target whom{"sip.example.com", 5061, cotter::identity::host};

/// A phone with the first key set, a guard, and a memory that it keeps over a restart.
template <typename V>
class phone {
 public:
  using manifest = json::signed_manifest<V>;

  explicit phone(const cotter::manifest_memory& remembered = {},
                 const std::string& key_set = first_key_set_text())
      : held_(*json::trusted_keys::from_key_set<V>(key_set), remembered) {
    clock_.set_wall(today);
  }

  json::read_outcome<void> offer(const attack& one) {
    return one.through == door::reload ? held_.reload(one.text, one.when)
                                       : held_.update_keys(one.text, one.when);
  }

  /// What the guard says to a call at `when`; `none` if it may be tried.
  reason admits(instant when = today) {
    clock_.set_wall(when);
    auto asked = guard_.admit(whom);
    return asked ? reason::none : asked.verdict().reason();
  }
  instant guards_time() { return guard_.now().wall; }

  /// The primary pin in force, spelled; empty if there is none.
  std::string primary() {
    const auto found = held_.find(whom, {});
    return found ? json::spell_pin((*found).pins[0]) : std::string();
  }

  manifest& operator*() { return held_; }
  manifest* operator->() { return &held_; }

 private:
  manifest held_;
  cotter::memory_breaker<4> breaker_{};
  cotter::testing::manual_clock clock_{};
  cotter::guard<manifest&, cotter::memory_breaker<4>&, cotter::null_audit_sink,
                cotter::testing::manual_clock&>
      guard_{held_, breaker_, cotter::null_audit_sink{}, clock_};
};

/// All that can be asked of a phone that must have kept what it had.
template <typename V>
std::string state_of(phone<V>& one) {
  const cotter::manifest_memory memory = one->memory();
  const auto document = one->document();
  return one.primary() + " " + std::to_string(document ? document->sequence : 0) + " " +
         std::to_string(memory.order) + " " +
         std::to_string(memory.latest.time_since_epoch().count()) + " " +
         json::detail::hex_of(memory.payload) + " " + std::to_string(memory.key_set_version) + " " +
         std::to_string(memory.epoch) + " " + std::string(to_string(one->current().problem)) + " " +
         std::string(to_string(one.admits()));
}

template <typename V>
errc due(const attack& one) {
  return V::supports(cotter::signature_scheme::ed25519) ? one.expected : one.without_ed25519;
}

template <typename V>
void every_attack_is_refused_with_its_code_and_changes_nothing() {
  std::size_t refused = 0;
  std::size_t harmless = 0;
  for (const attack& one : all()) {
    INFO(V::name << ": " << one.name);
    phone<V> p;
    REQUIRE(p->reload(good_text(), today));
    REQUIRE(p.primary() == "cert-sha256:" + lab::hex_a);
    REQUIRE(p.admits() == reason::none);
    const std::string before = state_of(p);
    const auto outcome = p.offer(one);
    CHECK(cotter::code(outcome.error().what) == cotter::code(due<V>(one)));
    if (due<V>(one) == errc::ok) {
      ++harmless;
      CHECK(outcome);
      CHECK(state_of(p) != before);
      if (one.through == door::reload) CHECK(p->document()->sequence == 8);
      if (one.through == door::update_keys) CHECK(p->keys().version() == 2);
      continue;
    }
    ++refused;
    CHECK_FALSE(outcome);
    CHECK(state_of(p) == before);
    // Nor does the refusal keep the phone from what comes next.
    CHECK(p->reload(next_text(), today));
    CHECK(p->document()->sequence == 8);
  }
  CHECK(refused > 80);
  CHECK(harmless > 5);
  std::cout << "manifest: " << V::name << ", " << refused << " attacks refused, " << harmless
            << " harmless\n";
}

/// The same attacks on a phone that has just started: nothing is in force, and nothing may be.
template <typename V>
void every_attack_is_refused_after_a_restart_too() {
  phone<V> first;
  REQUIRE(first->reload(good_text(), today));
  const cotter::manifest_memory remembered = first->memory();
  for (const attack& one : all()) {
    // What is too large is refused before anything else, and takes its time.
    if (due<V>(one) == errc::ok || one.text.size() > 1'000'000) continue;
    INFO(V::name << ": " << one.name);
    phone<V> p{remembered};
    const auto outcome = p.offer(one);
    CHECK(cotter::code(outcome.error().what) == cotter::code(due<V>(one)));
    CHECK(p.primary().empty());
    CHECK(p->document() == nullptr);
    CHECK(p->memory() == remembered);
    const reason why =
        one.through == door::reload ? json::reason_of(due<V>(one)) : reason::manifest_invalid;
    CHECK(p.admits() == why);
    CHECK(p->reload(good_text(), today));
    CHECK(p.primary() == "cert-sha256:" + lab::hex_a);
    CHECK(p.admits() == reason::none);
  }
}

template <typename V>
void an_envelope_cut_anywhere_changes_nothing() {
  phone<V> p;
  REQUIRE(p->reload(good_text(), today));
  const std::string before = state_of(p);
  const std::string whole = next_text();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto outcome = p->reload(std::string_view(whole).substr(0, length), today);
    const errc expected = length == 0 ? errc::empty_input : errc::invalid_json;
    if (outcome.error().what != expected || state_of(p) != before) {
      FAIL(V::name << ", cut at " << length << ": " << cotter::code(outcome.error().what));
    }
  }
  CHECK(p->reload(whole, today));
}

template <typename V>
void a_payload_cut_anywhere_changes_nothing() {
  phone<V> p;
  REQUIRE(p->reload(good_text(), today));
  const std::string before = state_of(p);
  const std::string payload = lab::manifest_text(8);
  const std::string by_m1 = json::encode_base64(payload);
  const std::string whole = next_text();
  for (std::size_t length = 0; length < payload.size(); length += 7) {
    const std::string cut = lab::with(whole, by_m1, json::encode_base64(payload.substr(0, length)));
    const auto outcome = p->reload(cut, today);
    if (outcome.error().what != errc::bad_signature || state_of(p) != before) {
      FAIL(V::name << ", cut at " << length << ": " << cotter::code(outcome.error().what));
    }
  }
}

template <typename V>
void what_was_remembered_outlives_a_restart_and_a_clock_that_is_set_back() {
  phone<V> first;
  REQUIRE(first->reload(next_text(), today));
  cotter::manifest_memory remembered = first->memory();

  {
    phone<V> p{remembered};
    CHECK(p->reload(good_text(), today).error().what == errc::sequence_rollback);
    CHECK(p.admits() == reason::manifest_rollback);
    const std::string other =
        envelope_text(json::role::manifest, lab::manifest_text(8, hex_evil), {&m1, &m2});
    CHECK(p->reload(other, today).error().what == errc::sequence_reused);
    CHECK(p->reload(next_text(), today));
  }
  {
    // Replayed by another quorum: the same payload is the same manifest.
    phone<V> p{remembered};
    const std::string again =
        envelope_text(json::role::manifest, lab::manifest_text(8), {&m2, &mallory, &m1});
    CHECK(p->reload(again, today));
    CHECK(p->memory() == remembered);
  }
  {
    // The clock set back by a year. Nobody's certificate is judged by it: the guard's time does not
    // fall below the latest known.
    phone<V> p{remembered};
    const instant long_ago = at("2026-06-01T00:00:00Z");
    REQUIRE(p->reload(next_text(), long_ago));
    CHECK(p.admits(long_ago) == reason::none);
    CHECK(p.guards_time() == today);
    CHECK(p->memory().latest == today);
  }
  {
    // Frozen: it had been seen in December, and its clock is set back to June.
    remembered.latest = at("2027-12-01T00:00:01Z");
    phone<V> p{remembered};
    CHECK(p->reload(next_text(), today).error().what == errc::document_expired);
    CHECK(p.admits(today) == reason::manifest_expired);
    const std::string thawed = envelope_text(
        json::role::manifest,
        lab::with(lab::manifest_text(9), "2027-12-01T00:00:00Z", "2028-06-01T00:00:00Z"),
        {&m1, &m2});
    CHECK(p->reload(thawed, today));
    CHECK(p.admits(today) == reason::none);
  }
  {
    // Frozen while it runs: whoever withholds the next manifest wins no day.
    phone<V> p;
    REQUIRE(p->reload(next_text(), today));
    CHECK(p.admits(at("2027-12-01T00:00:00Z")) == reason::none);
    CHECK(p.admits(at("2027-12-01T00:00:01Z")) == reason::manifest_expired);
  }
  {
    // First started with its clock in 1970: the day a manifest was issued is the least it can be.
    phone<V> p;
    REQUIRE(p->reload(good_text(), instant{}));
    CHECK(p.admits(instant{}) == reason::none);
    CHECK(p.guards_time() == at("2027-05-20T00:00:00Z"));
  }
}

/// Two keys stolen, and the last sequence of all signed with them.
template <typename V>
void a_fast_forward_is_undone_by_the_next_key_set() {
  const auto signed_at = [](std::uint64_t sequence, const std::string& primary,
                            const std::vector<const named_signer*>& by) {
    return envelope_text(json::role::manifest, lab::manifest_text(sequence, primary), by);
  };
  phone<V> p;
  REQUIRE(p->reload(good_text(), today));
  REQUIRE(p->reload(signed_at(cotter::highest_sequence, hex_evil, {&m1, &m2}), today));
  CHECK(p->reload(next_text(), today).error().what == errc::sequence_rollback);

  lab::key_set_plan healed = first_key_set();
  healed.version = 2;
  healed.keys = {&root1, &root2, &mallory, &m2, &marvin};  // names aside, these are new
  const std::string text =
      envelope_text(json::role::key_set, lab::key_set_text(healed), {&root1, &root2});
  REQUIRE(p->update_keys(text, today));
  CHECK(p->memory().epoch == 2);
  CHECK(p.primary() == "cert-sha256:" + hex_evil);
  CHECK(
      p->reload(signed_at(cotter::highest_sequence, lab::hex_b, {&m1, &m2}), today).error().what ==
      errc::threshold_not_met);
  REQUIRE(p->reload(signed_at(1, lab::hex_a, {&mallory, &marvin}), today));
  CHECK(p.primary() == "cert-sha256:" + lab::hex_a);
  CHECK(p.admits() == reason::none);

  // Neither the old key set nor the stolen manifest comes back, now or after a restart.
  CHECK(p->update_keys(first_key_set_text(), today).error().what == errc::key_set_rollback);
  const cotter::manifest_memory remembered = p->memory();
  phone<V> again{remembered, text};
  CHECK(again->reload(signed_at(1, hex_evil, {&mallory, &marvin}), today).error().what ==
        errc::sequence_reused);
  CHECK(again->reload(signed_at(1, lab::hex_a, {&mallory, &marvin}), today));
  phone<V> old{remembered};
  CHECK(
      old->reload(signed_at(cotter::highest_sequence, hex_evil, {&m1, &m2}), today).error().what ==
      errc::key_set_rollback);
  CHECK(old.admits() == reason::manifest_rollback);
  // With a memory that only the restart of an older program would have, the keys lead on.
  REQUIRE(old->update_keys(text, today));
  CHECK(old->reload(signed_at(1, lab::hex_a, {&mallory, &marvin}), today));
}

/// Two keys stolen, and a time that never comes signed with them: every certificate and every other
/// manifest would have expired.
template <typename V>
void a_signed_far_future_is_undone_by_the_next_key_set() {
  std::string text = lab::manifest_text(8, hex_evil);
  for (const std::string year : {"2027-05-20T00:00:00Z", "2027-12-01T00:00:00Z"}) {
    text.replace(text.find(year), 4, "2127");
  }
  lab::key_set_plan healed = first_key_set();
  healed.version = 2;
  const auto key_set_text = [&] {
    return envelope_text(json::role::key_set, lab::key_set_text(healed), {&root1, &root2});
  };
  phone<V> p;
  REQUIRE(p->reload(envelope_text(json::role::manifest, text, {&m1, &m2}), today));
  CHECK(p->memory().latest == at("2127-05-20T00:00:00Z"));
  CHECK(p->reload(next_text(), today).error().what == errc::document_expired);
  // Keys that leave the stolen ones their threshold forget nothing.
  CHECK(p->update_keys(key_set_text(), today).error().what == errc::document_expired);
  CHECK(p->memory().key_set_version == 1);

  healed.keys = {&root1, &root2, &mallory, &m2, &marvin};  // names aside, these are new
  const std::string healing = key_set_text();
  // Nor does a set that has really expired.
  CHECK(p->update_keys(healing, at("2090-01-01T00:00:00Z")).error().what == errc::document_expired);
  REQUIRE(p->update_keys(healing, today));
  const std::string good =
      envelope_text(json::role::manifest, lab::manifest_text(1, lab::hex_a), {&mallory, &marvin});
  const cotter::manifest_memory between = p->memory();
  REQUIRE(p->reload(good, today));
  CHECK(p.admits() == reason::none);
  CHECK(p->memory().latest == today);
  // Over a restart between the two as well.
  phone<V> again{between, healing};
  REQUIRE(again->reload(good, today));
  CHECK(again.admits() == reason::none);
  CHECK(again->reload(envelope_text(json::role::manifest, text, {&m1, &m2}), today).error().what ==
        errc::threshold_not_met);
}

/// Key sets that were trusted once.
template <typename V>
void no_older_key_set_comes_back() {
  lab::key_set_plan second = first_key_set();
  second.version = 2;
  const std::string two =
      envelope_text(json::role::key_set, lab::key_set_text(second), {&root1, &root2});
  phone<V> p;
  REQUIRE(p->reload(good_text(), today));
  REQUIRE(p->update_keys(two, today));
  const std::string before = state_of(p);
  CHECK(p->update_keys(first_key_set_text(), today).error().what == errc::key_set_rollback);
  second.manifest_threshold = 1;
  const std::string other =
      envelope_text(json::role::key_set, lab::key_set_text(second), {&root1, &root2});
  CHECK(p->update_keys(other, today).error().what == errc::key_set_rollback);
  CHECK(p->update_keys(two, today));
  CHECK(state_of(p) == before);
  for (std::size_t length = 0; length < two.size(); ++length) {
    const auto outcome = p->update_keys(std::string_view(two).substr(0, length), today);
    const errc expected = length == 0 ? errc::empty_input : errc::invalid_json;
    if (outcome.error().what != expected) FAIL(V::name << ", cut at " << length);
  }
  CHECK(state_of(p) == before);
}

}  // namespace attacks
