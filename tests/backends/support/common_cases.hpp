// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "client.hpp"

#include <cotter/pipeline/self_test.hpp>

#include <support/catch.hpp>

/// What must be true of every backend. Each backend's translation unit calls these from its own
/// test cases, once per TLS version that its library speaks.
namespace lab {

inline bool refused_in_handshake(const outcome& seen, cotter::reason why) {
  INFO("verdict " << to_string(seen.verdict.reason()) << ", native "
                  << seen.verdict.detail().native);
  CHECK_FALSE(seen.verdict);
  CHECK(seen.verdict.reason() == why);
  CHECK_FALSE(seen.client_finished);
  CHECK_FALSE(seen.server_finished);
  CHECK(seen.application_bytes == 0);
  CHECK(seen.audited == std::vector<cotter::reason>{why});
  return !seen.verdict && seen.verdict.reason() == why && !seen.server_finished &&
         seen.application_bytes == 0;
}

inline void accepted(const outcome& seen, cotter::matched by = cotter::matched::primary) {
  INFO("verdict " << to_string(seen.verdict.reason()) << ", native "
                  << seen.verdict.detail().native);
  CHECK(seen.verdict);
  CHECK(seen.verdict.matched() == by);
  CHECK(seen.client_finished);
  CHECK(seen.server_finished);
  CHECK(seen.application_bytes == 33);
  CHECK(seen.answer == "SIP/2.0 200 OK\r\n\r\n");
  CHECK(seen.audited == std::vector<cotter::reason>{cotter::reason::none});
}

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

/// A public certificate, replayed by somebody without its key: the hook says yes, Finished never
/// comes.
template <typename Backend>
void a_replayed_leaf_without_its_key_is_no_success(int version) {
  peer::options how = serve("good", version);
  how.forged_key_file = file("other.key");
  const outcome seen = run<Backend>(how);
  CHECK_FALSE(seen.verdict);
  CHECK(seen.verdict.reason() == cotter::reason::unbound);
  CHECK_FALSE(seen.client_finished);
  CHECK_FALSE(seen.server_finished);
  CHECK(seen.application_bytes == 0);
  CHECK(seen.audited.empty());
}

/// The pinned certificate anywhere but first.
template <typename Backend>
void only_the_first_certificate_counts(int version) {
  for (const char* presented : {"other", "large"}) {
    INFO(presented);
    peer::options how = serve(presented, version);
    how.more_files = {file("good.pem"), file("ca.pem")};
    const outcome seen = run<Backend>(how);
    refused_in_handshake(seen, cotter::reason::pin_mismatch);
    CHECK(
        seen.verdict.fingerprint() ==
        (*cotter::parse_pin(peer::certificate_pin(file(std::string(presented) + ".pem")))).digest);
  }
}

/// Another certificate with the pinned key is not the pinned certificate; under a key pin it is.
template <typename Backend>
void a_certificate_pin_is_not_a_key_pin(int version) {
  request wanted;
  const outcome seen = run<Backend>(serve("renewed", version), wanted);
  refused_in_handshake(seen, cotter::reason::pin_mismatch);
  wanted.pin = peer::key_pin(file("good.pem"));
  accepted(run<Backend>(serve("renewed", version), wanted));
}

/// Suites without a certificate or without forward secrecy are never negotiated, whatever the
/// application's configuration offers. `weaken` changes it before attach.
template <typename Backend, typename Weaken>
void nothing_without_certificate_or_forward_secrecy(Weaken weaken) {
  peer::options anonymous;
  anonymous.anonymous = true;
  anonymous.version = 0x0303;
  peer::options psk = anonymous;
  psk.anonymous = false;
  psk.ciphers = "PSK-AES128-GCM-SHA256:PSK-AES128-CBC-SHA";
  psk.psk = "0123456789abcdef";
  peer::options static_rsa = serve("rsa", 0x0303);
  static_rsa.ciphers = "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA";
  for (const peer::options& how : {anonymous, psk, static_rsa}) {
    INFO(how.ciphers);
    peer::server server(how);
    request wanted;
    wanted.pin = peer::certificate_pin(file("rsa.pem"));
    const outcome seen = run<Backend>(server, wanted, weaken, leave_alone);
    CHECK_FALSE(seen.verdict);
    CHECK_FALSE(seen.server_finished);
    CHECK(seen.application_bytes == 0);
  }
}

/// TLS 1.2 renegotiation and TLS 1.3 post-handshake authentication are refused.
template <typename Backend>
void nobody_asks_twice(int version) {
  peer::server server(serve("good", version));
  typename Backend::context context;
  REQUIRE(context.load_anchors_file(file("ca.pem").c_str()));
  const outcome seen = run<Backend>(server, {}, context, leave_alone, leave_alone,
                                    [](auto, peer::connection& there) { there.ask_again(); });
  CHECK(seen.verdict);
  CHECK(seen.audited == std::vector<cotter::reason>{cotter::reason::none});
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
  a_replayed_leaf_without_its_key_is_no_success<Backend>(version);
  only_the_first_certificate_counts<Backend>(version);
  a_certificate_pin_is_not_a_key_pin<Backend>(version);
  nobody_asks_twice<Backend>(version);
}

}  // namespace lab
