// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/cotter.hpp>
#include <cotter/json/signed_manifest.hpp>
#include <cotter/testing/manual_clock.hpp>

#include <json/support/documents.hpp>
#include <support/catch.hpp>

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// What a signed manifest is to a program, whichever library verifies it.
namespace lab {

using cotter::errc;
using cotter::reason;
using json::role;

inline const named_signer alice{"alice", signer{}};
inline const named_signer bob{"bob", signer{}};
inline const named_signer carol{"carol", signer{}};

inline key_set_plan alice_and_bob() {
  key_set_plan plan;
  plan.keys = {&alice, &bob};
  plan.key_set_role = {0, 1};
  plan.key_set_threshold = 2;
  plan.manifest_role = {0};
  return plan;
}

inline std::string manifest_by(const named_signer& one, std::string payload) {
  return signed_text(role::manifest, std::move(payload), {&one});
}

template <typename V>
json::trusted_keys keys_of_alice_and_bob() {
  return *json::trusted_keys::from_key_set<V>(
      signed_text(role::key_set, key_set_text(alice_and_bob()), {&alice, &bob}));
}

inline std::string_view primary_of(const auto& manifest) {
  static thread_local std::string spelled;
  const auto found = manifest.find({"sip.example.com", 5061}, {});
  if (!found) return "none";
  spelled = json::spell_pin((*found).pins[0]);
  return spelled;
}

template <typename V>
void a_reload_takes_the_next_and_keeps_the_last_good_one() {
  json::signed_manifest<V> manifest{keys_of_alice_and_bob<V>()};
  CHECK(manifest.current().problem == reason::manifest_invalid);
  CHECK(primary_of(manifest) == "none");

  CHECK(refused(manifest.reload(manifest_by(carol, manifest_text()), today), errc::unknown_signer,
                "/signatures"));
  CHECK(manifest.current().problem == reason::manifest_signature);
  CHECK(refused(manifest.reload(manifest_by(alice, manifest_text()), at("2028-01-01T00:00:00Z")),
                errc::document_expired, "/expires"));
  CHECK(manifest.current().problem == reason::manifest_expired);
  CHECK(refused(manifest.reload(manifest_by(alice, "{}"), today), errc::missing_key, "/sequence"));
  CHECK(manifest.current().problem == reason::manifest_invalid);

  REQUIRE(manifest.reload(manifest_by(alice, manifest_text(7)), today));
  CHECK(manifest.current().problem == reason::none);
  CHECK(manifest.document()->sequence == 7);
  CHECK(primary_of(manifest) == "cert-sha256:" + hex_a);
  CHECK(manifest.reload(manifest_by(alice, manifest_text(7)), today));

  CHECK(refused(manifest.reload(manifest_by(alice, manifest_text(6)), today),
                errc::sequence_rollback, "/sequence"));
  CHECK(refused(manifest.reload(manifest_by(alice, manifest_text(7, hex_b)), today),
                errc::sequence_reused, "/sequence"));
  CHECK(refused(manifest.reload("", today), errc::empty_input, ""));
  CHECK(refused(manifest.reload(std::string(10'000'000, '{'), today), errc::too_large, ""));
  CHECK(
      refused(manifest.reload(signed_text(role::breaker_reset, manifest_text(8), {&alice}), today),
              errc::wrong_payload_type, "/payloadType"));
  CHECK(manifest.current().problem == reason::none);
  CHECK(primary_of(manifest) == "cert-sha256:" + hex_a);

  REQUIRE(manifest.reload(manifest_by(alice, manifest_text(8, hex_b)), today));
  CHECK(primary_of(manifest) == "cert-sha256:" + hex_b);
}

template <typename V>
void no_older_manifest_comes_back_over_a_restart() {
  cotter::manifest_memory remembered;
  {
    json::signed_manifest<V> manifest{keys_of_alice_and_bob<V>()};
    REQUIRE(manifest.reload(manifest_by(alice, manifest_text(9)), today));
    remembered = manifest.memory();
  }
  CHECK(remembered.key_set_version == 1);
  CHECK(remembered.latest == today);
  json::signed_manifest<V> manifest{keys_of_alice_and_bob<V>(), remembered};
  CHECK(refused(manifest.reload(manifest_by(alice, manifest_text(8)), today),
                errc::sequence_rollback, "/sequence"));
  CHECK(manifest.current().problem == reason::manifest_rollback);
  // A clock put back does not bring an expired manifest back to life.
  remembered.latest = at("2028-01-01T00:00:00Z");
  json::signed_manifest<V> later{keys_of_alice_and_bob<V>(), remembered};
  CHECK(refused(later.reload(manifest_by(alice, manifest_text(9)), today), errc::document_expired,
                "/expires"));
  // Keys given by hand do not undo a key set.
  json::signed_manifest<V> by_hand{
      *json::trusted_keys::from_public_keys<V>(*json::read_public_keys(alice.key.pem())),
      remembered};
  CHECK(refused(by_hand.reload(manifest_by(alice, manifest_text(10)), today),
                errc::key_set_rollback, ""));
  CHECK(by_hand.current().problem == reason::manifest_rollback);
}

template <typename V>
void a_stolen_key_with_the_highest_sequence_is_survived() {
  json::signed_manifest<V> manifest{keys_of_alice_and_bob<V>()};
  REQUIRE(manifest.reload(manifest_by(alice, manifest_text(cotter::highest_sequence)), today));
  key_set_plan second = alice_and_bob();
  second.version = 2;
  second.manifest_role = {1};
  const std::string text = signed_text(role::key_set, key_set_text(second), {&alice, &bob});
  REQUIRE(manifest.update_keys(text, today));
  CHECK(manifest.memory().epoch == 2);
  CHECK(primary_of(manifest) == "cert-sha256:" + hex_a);
  CHECK(refused(manifest.reload(manifest_by(alice, manifest_text(cotter::highest_sequence)), today),
                errc::unknown_signer, "/signatures"));
  REQUIRE(manifest.reload(manifest_by(bob, manifest_text(1, hex_b)), today));
  CHECK(primary_of(manifest) == "cert-sha256:" + hex_b);
  // The epoch is kept over a restart.
  json::signed_manifest<V> again{*json::trusted_keys::from_key_set<V>(text), manifest.memory()};
  REQUIRE(again.reload(manifest_by(bob, manifest_text(2)), today));
  CHECK(refused(again.reload(manifest_by(bob, manifest_text(1, hex_b)), today),
                errc::sequence_rollback, "/sequence"));
  // Nor does the first key set come back.
  json::signed_manifest<V> back{keys_of_alice_and_bob<V>(), manifest.memory()};
  CHECK(refused(back.reload(manifest_by(alice, manifest_text(cotter::highest_sequence)), today),
                errc::key_set_rollback, ""));
}

template <typename V>
void a_key_set_of_somebody_else_changes_nothing() {
  json::signed_manifest<V> manifest{keys_of_alice_and_bob<V>()};
  key_set_plan taken;
  taken.version = 2;
  taken.keys = {&carol};
  taken.key_set_role = {0};
  taken.manifest_role = {0};
  CHECK(refused(
      manifest.update_keys(signed_text(role::key_set, key_set_text(taken), {&carol}), today),
      errc::key_set_untrusted, "/signatures"));
  CHECK(refused(manifest.update_keys(
                    signed_text(role::key_set, key_set_text(taken), {&carol, &alice}), today),
                errc::key_set_untrusted, "/signatures"));
  CHECK(manifest.keys().version() == 1);
  CHECK(refused(manifest.reload(manifest_by(carol, manifest_text()), today), errc::unknown_signer,
                "/signatures"));
}

template <typename V>
void a_guard_takes_it_for_both_slots() {
  json::signed_manifest<V> manifest{keys_of_alice_and_bob<V>()};
  cotter::memory_breaker<4> breaker{cotter::breaker_config{}};
  cotter::ring_audit_sink<8> sink;
  cotter::testing::manual_clock clock;
  clock.set_wall(today);
  cotter::guard g{manifest, breaker, sink, clock};
  const cotter::target whom{"sip.example.com", 5061};
  CHECK(g.admit(whom).verdict().reason() == reason::manifest_invalid);
  REQUIRE(manifest.reload(manifest_by(alice, manifest_text()), today));
  CHECK(g.admit(whom));
  CHECK(g.admit({"sip.example.com", 5062}).verdict().reason() == reason::no_pins);
  CHECK(manifest.allows("openssl", {3, 0, 17}));
  REQUIRE(manifest.reload(
      manifest_by(alice,
                  with(manifest_text(8), "\"verificationPolicy\"",
                       R"("runtime":[{"library":"openssl","below":"3"}],"verificationPolicy")")),
      today));
  CHECK_FALSE(manifest.allows("openssl", {3, 0, 17}));
}

template <typename V>
void readers_see_one_manifest_or_the_next_while_it_changes() {
  json::signed_manifest<V> manifest{keys_of_alice_and_bob<V>()};
  const std::string first = manifest_by(alice, manifest_text(1));
  std::vector<std::string> texts;
  for (std::uint64_t i = 2; i < 22; ++i) {
    texts.push_back(manifest_by(alice, manifest_text(i, i % 2 == 0 ? hex_b : hex_a)));
  }
  REQUIRE(manifest.reload(first, today));
  std::atomic<bool> done{false};
  std::atomic<std::size_t> wrong{0};
  std::thread reader([&] {
    std::uint64_t last = 0;
    while (!done) {
      const auto standing = manifest.current();
      const std::string_view pin = primary_of(manifest);
      if (standing.sequence < last || !pin.starts_with("cert-sha256:")) ++wrong;
      last = standing.sequence;
    }
  });
  std::size_t taken = 0;
  for (const std::string& text : texts) taken += manifest.reload(text, today) ? 1u : 0u;
  done = true;
  reader.join();
  CHECK(taken == texts.size());
  CHECK(wrong == 0);
}

}  // namespace lab
