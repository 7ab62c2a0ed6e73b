// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/certificate/form.hpp>
#include <cotter/certificate/view.hpp>
#include <cotter/pipeline/guard.hpp>
#include <cotter/policies/breaker/memory_breaker.hpp>
#include <cotter/policies/pin_set/owned_pin_set.hpp>
#include <cotter/testing/manual_clock.hpp>
#include <cotter/testing/recording_notifier.hpp>
#include <cotter/testing/recording_sink.hpp>
#include <cotter/testing/scripted_backend.hpp>

#include <support/catch.hpp>
#include <support/pki.hpp>

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

/// A guard with every slot in the test's hand, over the scripted backend and real certificates.
namespace bench {

using namespace cotter;
using namespace cotter::testing;
using namespace std::chrono_literals;

inline constexpr target whom{"localhost", 443};
inline constexpr breaker_config breaker_rules{3, 2, 300s, 0ms};

/// A certificate of the lab, read once.
inline const pki::octets& leaf(const std::string& name) {
  static std::map<std::string, pki::octets> read;
  auto& octets = read[name];
  if (octets.empty()) octets = pki::certificate(name);
  return octets;
}

inline certificate_view view_of(const pki::octets& der) {
  const auto form = read_form(der);
  REQUIRE(form);
  return locate(*form);
}

inline pin pin_of(const std::string& name, pin_role role = pin_role::primary,
                  instant not_after = no_expiry, std::string_view label = "the label") {
  return {not_sha256::of(leaf(name)), pin_form::certificate, role, not_after, label};
}

inline pin key_pin_of(const std::string& name) {
  return {not_sha256::of(view_of(leaf(name)).spki), pin_form::spki, pin_role::primary, no_expiry,
          "key"};
}

/// A manifest_source that says what it is told to say.
struct source {
  manifest_standing standing{reason::none, 1, {}, no_expiry};
  manifest_standing current() const noexcept { return standing; }
};

using guard_type = guard<owned_pin_set&, source&, memory_breaker<4>&, recording_sink&,
                         manual_clock&, recording_notifier&>;
using connection_type = connection<guard_type, scripted_backend>;

/// Everything a test needs; pins `good` for localhost:443 unless told otherwise.
struct world {
  owned_pin_set pins;
  source manifest;
  memory_breaker<4> breaker{breaker_rules};
  recording_sink sink;
  manual_clock clock{view_of(leaf("good")).not_before + 1h, 100h};
  recording_notifier told;
  guard_type guarding{pins, manifest, breaker, sink, clock, told};

  explicit world(std::vector<pin> pinned = {pin_of("good")}) { REQUIRE(pins.add(whom, pinned)); }

  /// A permit that must be there.
  guard_type::permit permit() {
    auto admission = guarding.admit(whom);
    REQUIRE(admission);
    return std::move(*admission);
  }
  /// One whole attempt with this certificate; what confirm said.
  verdict attempt(const std::string& name, chain_outcome chain = {true, 0}) {
    return attempt(scripted_handshake{leaf(name), chain});
  }
  verdict attempt(const scripted_handshake& script) {
    scripted_session session;
    auto admission = guarding.admit(whom);
    if (!admission) return admission.verdict();
    auto guarded = guarding.attach(&session, *admission);
    session.play(script);
    return guarded.confirm();
  }
  void try_once(const std::string& name, chain_outcome chain = {true, 0}) {
    static_cast<void>(attempt(name, chain));
  }
  /// The newest decision.
  const recorded_decision& last() const {
    REQUIRE_FALSE(sink.decisions().empty());
    return sink.decisions().back();
  }
  std::size_t decisions() const { return sink.decisions().size(); }
  breaker_state state() { return breaker.state({whom, ""}); }
  /// The streak, read by giving it one mismatch more.
  int streak() {
    memory_breaker<4> copy = breaker;
    time_reading later = clock.now();
    later.steady += 1000h;
    reservation one = copy.reserve({whom, ""}, later, manifest.standing.sequence);
    return copy.mismatch(one, later).streak - 1;
  }
};

}  // namespace bench
