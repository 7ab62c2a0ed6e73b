// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "expect.hpp"

#include <cotter/pipeline/self_test.hpp>

/// What must be true of every backend, against honest servers and plain mistakes; tests/attacks has
/// those that are neither. Each backend's translation unit calls these from its own test cases, once
/// per TLS version that its library speaks.
namespace lab {

template <typename Backend>
void accepts_what_is_pinned_and_trusted(int version) {
  for (const char* leaf : {"good", "rsa", "large", "chained"}) {
    INFO(leaf);
    request wanted;
    wanted.pin = peer::certificate_pin(file(std::string(leaf) + ".pem"));
    const outcome seen = run<Backend>(serve(leaf, version), wanted);
    accepted(seen);
    CHECK(seen.server_name == "localhost");

    wanted.pin = peer::key_pin(file(std::string(leaf) + ".pem"));
    accepted(run<Backend>(serve(leaf, version), wanted));
  }
}

template <typename Backend>
void accepts_by_fallback_until_its_window_ends(int version) {
  request wanted;
  wanted.pin = peer::certificate_pin(file("other.pem"));
  wanted.second_pin = peer::certificate_pin(file("good.pem"));
  accepted(run<Backend>(serve("good", version), wanted), cotter::matched::fallback);

  wanted.second_not_after = cotter::library_made_at;
  const outcome seen = run<Backend>(serve("good", version), wanted);
  refused_in_handshake(seen, cotter::reason::fallback_expired);
  CHECK(seen.breaker == cotter::breaker_state::closed);
}

template <typename Backend>
void refuses_each_fault_for_its_own_reason(int version) {
  using cotter::reason;
  const auto pinned = [](const std::string& name) {
    request wanted;
    wanted.pin = peer::certificate_pin(file(name + ".pem"));
    return wanted;
  };
  const auto fault = [&](const std::string& name, reason why, const request& wanted) {
    INFO(name << " " << wanted.host);
    const outcome seen = run<Backend>(serve(name, version), wanted);
    refused_in_handshake(seen, why);
    CHECK(seen.verdict.has_fingerprint());
  };
  fault("other", reason::pin_mismatch, {});
  fault("expired", reason::validity, pinned("expired"));
  fault("not-yet", reason::validity, pinned("not-yet"));
  fault("wrong-name", reason::hostname, pinned("wrong-name"));
  fault("cn-only", reason::hostname, pinned("cn-only"));
  fault("foreign", reason::pkix, pinned("foreign"));
  fault("expired-intermediate", reason::pkix, pinned("expired-intermediate"));

  request wrong_anchor = pinned("good");
  wrong_anchor.anchors = "other-ca.pem";
  fault("good", reason::pkix, wrong_anchor);

  request missing_intermediate = pinned("chained");
  peer::options leaf_only = serve("chained", version);
  leaf_only.chain_file = file("chained-leaf-only.pem");
  const outcome seen = run<Backend>(leaf_only, missing_intermediate);
  refused_in_handshake(seen, reason::pkix);

  request key = pinned("good");
  key.pin = peer::key_pin(file("other.pem"));
  fault("good", reason::pin_mismatch, key);
}

template <typename Backend>
void names_ip_and_sip_targets(int version) {
  request ip;
  ip.host = "127.0.0.1";
  const outcome by_address = run<Backend>(serve("good", version), ip);
  accepted(by_address);
  CHECK(by_address.server_name.empty());

  ip.pin = peer::certificate_pin(file("ip.pem"));
  accepted(run<Backend>(serve("ip", version), ip));
  ip.host = "127.0.0.2";
  refused_in_handshake(run<Backend>(serve("ip", version), ip), cotter::reason::hostname);

  request sip;
  sip.kind = cotter::identity::sip;
  const outcome by_domain = run<Backend>(serve("good", version), sip);
  accepted(by_domain);
  CHECK(by_domain.server_name == "localhost");
  sip.pin = peer::certificate_pin(file("wrong-name.pem"));
  refused_in_handshake(run<Backend>(serve("wrong-name", version), sip), cotter::reason::hostname);
  sip.pin = peer::certificate_pin(file("sip-only.pem"));
  accepted(run<Backend>(serve("sip-only", version), sip));
}

template <typename Backend>
void tells_the_version_that_runs() {
  const cotter::library_version running = Backend::version();
  CHECK(running.major_number > 0);
  const std::string spelled = std::to_string(running.major_number) + "." +
                              std::to_string(running.minor_number) + "." +
                              std::to_string(running.patch);
  INFO(Backend::build());
  CHECK(std::string(Backend::build()).find(spelled) != std::string::npos);
}

template <typename Backend>
void proves_itself() {
  const auto report = cotter::self_test<Backend>();
  for (const auto& one : report.cases) {
    INFO(one.name << ": " << to_string(one.seen));
    CHECK(one.passed);
  }
  CHECK(report.passed);
}

template <typename Backend>
void does_what_every_backend_does(int version) {
  INFO("version " << version);
  accepts_what_is_pinned_and_trusted<Backend>(version);
  accepts_by_fallback_until_its_window_ends<Backend>(version);
  refuses_each_fault_for_its_own_reason<Backend>(version);
  names_ip_and_sip_targets<Backend>(version);
}

}  // namespace lab
