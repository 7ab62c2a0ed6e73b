// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/policies/manifest/live_manifest.hpp>

#include "bench.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// The bench with a live_manifest in both slots.
namespace bench {

/// Remembers what observed acceptances would have been refused for, too.
struct observing_sink : recording_sink {
  std::vector<reason> would_refuse;
  void record(const audit_record& what) noexcept {
    recording_sink::record(what);
    if (what.subject == audit_subject::decision) {
      would_refuse.push_back(what.outcome.would_refuse());
    }
  }
};
static_assert(audit_sink<observing_sink>);

/// Good for the lab's leaves, and after every floor.
inline instant start() { return std::max(view_of(leaf("good")).not_before, library_made_at) + 1h; }

inline manifest_pin carried(const pin& one) {
  manifest_pin made{one, std::string(one.label)};
  made.value.label = {};
  return made;
}

/// One target, localhost:443; issued at the start and without an end.
inline pin_manifest manifest_of(std::uint64_t sequence, const std::vector<pin>& pins) {
  manifest_target one;
  one.host = std::string(whom.host);
  one.port = whom.port;
  for (const pin& p : pins) one.pins.push_back(carried(p));
  pin_manifest made;
  made.sequence = sequence;
  made.issued_at = start();
  made.expires_at = no_expiry;
  made.targets = {one};
  made.payload.octets.fill(static_cast<std::uint8_t>(sequence));
  return made;
}

/// Everything a test needs; pins `good` by manifest 1 unless told otherwise.
template <typename... MoreSlots>
struct live_world {
  using guard_type = guard<live_manifest&, memory_breaker<4>&, observing_sink&, manual_clock&,
                           recording_notifier&, MoreSlots...>;
  using connection_type = connection<guard_type, scripted_backend>;

  live_manifest live;
  memory_breaker<4> breaker{breaker_rules};
  observing_sink sink;
  manual_clock clock{start(), 100h};
  recording_notifier told;
  guard_type guarding{live, breaker, sink, clock, told, MoreSlots{}...};

  explicit live_world(const std::vector<pin>& pinned = {pin_of("good")})
      : live_world(manifest_of(1, pinned)) {}
  explicit live_world(const pin_manifest& first) { adopt(first); }

  void adopt(const pin_manifest& next) {
    const auto answer = live.adopt(next, clock.now().wall);
    INFO(code(answer ? errc::ok : answer.error().what));
    REQUIRE(answer);
  }
  typename guard_type::permit permit(const ip_address& peer = {}) {
    auto admission = guarding.admit(whom, peer);
    REQUIRE(admission);
    return std::move(*admission);
  }
  verdict attempt(const std::string& name, chain_outcome chain = {true, 0}) {
    return attempt(scripted_handshake{leaf(name), chain});
  }
  verdict attempt(const scripted_handshake& script) {
    scripted_session session;
    auto admission = guarding.admit(whom);
    if (!admission) return admission.verdict();
    auto guarded = guarding.attach(&session, *admission);
    session.play(script);
    // Its label is borrowed from a permit that ends here.
    return guarded.confirm().with_label({});
  }
  const recorded_decision& last() const {
    REQUIRE_FALSE(sink.decisions().empty());
    return sink.decisions().back();
  }
  std::size_t decisions() const { return sink.decisions().size(); }
  void check_not_counted() {
    CHECK(breaker.state({whom, ""}) == breaker_state::closed);
    CHECK(told.alerts().empty());
    memory_breaker<4> copy = breaker;
    time_reading later = clock.now();
    later.steady += 1000h;
    reservation one = copy.reserve({whom, ""}, later, live.current().sequence);
    CHECK(copy.mismatch(one, later).streak == 1);
  }
};

/// One connection, brought to where confirm has accepted it.
template <typename World>
struct confirmed {
  World& w;
  scripted_session session;
  typename World::guard_type::permit permit;
  typename World::connection_type guarded{w.guarding, &session, permit};

  explicit confirmed(World& in, const std::string& name = "good", const ip_address& peer = {})
      : w(in), permit(in.permit(peer)) {
    REQUIRE(session.play({leaf(name)}));
    REQUIRE(guarded.confirm());
    REQUIRE(w.decisions() == 1);
  }
  /// Reassess refuses with `why`: for good, written down once, and never counted.
  void check_refused(reason why) {
    CHECK(guarded.reassess().reason() == why);
    CHECK(guarded.verdict().reason() == why);
    CHECK(guarded.confirm().reason() == why);
    CHECK(guarded.reassess().reason() == why);
    CHECK(guarded.verdict().has_fingerprint());
    REQUIRE(w.decisions() == 2);
    CHECK(w.last().why == why);
    CHECK(w.last().backend == "scripted");
    CHECK(w.last().has_fingerprint);
    w.check_not_counted();
  }
};
template <typename World>
confirmed(World&) -> confirmed<World>;
template <typename World>
confirmed(World&, const char*) -> confirmed<World>;
template <typename World>
confirmed(World&, const char*, ip_address) -> confirmed<World>;

}  // namespace bench
