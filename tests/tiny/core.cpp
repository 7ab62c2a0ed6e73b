// SPDX-License-Identifier: BSL-1.0
#include <cotter/cotter.hpp>

#include <cotter/testing/scripted_backend.hpp>

#include "check.hpp"

using namespace cotter;

namespace {
constexpr fixed_pin_set pins{fixed_target{
    "sip.example.com", 5061,
    primary("cert-sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")}};
}  // namespace

// The core alone: what does not need a TLS library, built as a phone builds it.
int main() {
  checks check;
  ring_audit_sink<2> audit;
  guard guarding{pins, memory_breaker<1, 64>{}, embedded_manifest{}, audit, no_lock{}};
  check.that(guarding.admit({"sip.example.com", 5060}).verdict().reason() == reason::no_pins,
             "a port that is not pinned is refused");
  testing::scripted_session session;
  auto admission = guarding.admit({"sip.example.com", 5061});
  check.that(static_cast<bool>(admission), "a pinned target is admitted");
  auto connection = guarding.attach(&session, *admission);
  check.that(!session.play({{}}), "octets that are no certificate finish no handshake");
  check.that(connection.confirm().reason() == reason::malformed_certificate,
             "octets that are no certificate are refused as such");
  check.that(audit.recorded() == 2, "both refusals are written down");
  return check.status();
}
