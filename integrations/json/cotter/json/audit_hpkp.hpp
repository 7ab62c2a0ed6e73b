// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/json/audit_event.hpp>

#include <algorithm>
#include <string>

namespace cotter {
inline namespace v0 {
namespace json {

/// What TrustKit says of an evaluation; the numbers are those of its `TSKTrustEvaluationResult`.
enum class trust_evaluation : int {
  success = 0,
  no_matching_pin = 1,
  invalid_certificate_chain = 2,
  invalid_parameters = 3,   ///< no pin was compared at all
  user_defined_anchor = 4,  ///< never sent: no TLS library says where its anchors came from
  no_digest = 5,            ///< the leaf could not be digested
};

/// The nearest that TrustKit has for a reason.
[[nodiscard]] constexpr trust_evaluation evaluation_of(reason why) noexcept {
  switch (why) {
    case reason::none: return trust_evaluation::success;
    case reason::pin_mismatch:
    case reason::fallback_expired: return trust_evaluation::no_matching_pin;
    case reason::pkix:
    case reason::hostname:
    case reason::validity: return trust_evaluation::invalid_certificate_chain;
    case reason::malformed_certificate: return trust_evaluation::no_digest;
    case reason::unbound:
    case reason::no_pins:
    case reason::manifest_invalid:
    case reason::manifest_signature:
    case reason::manifest_expired:
    case reason::manifest_rollback:
    case reason::runtime_mismatch:
    case reason::clock_untrusted:
    case reason::breaker_cooling:
    case reason::breaker_locked:
    case reason::resumption_unbound:
    case reason::backend_unfit:
    case reason::state_unavailable: break;
  }
  return trust_evaluation::invalid_parameters;
}

/// Renders refusals, and what would have been some, as the report of RFC 7469 3 with the keys that
/// TrustKit adds and, for what neither has, keys that begin with `cotter-`:
/// docs/schemas/hpkp-report.schema.json. Renders nothing of other events. One object on one line, in
/// ASCII, its keys in a fixed order.
///
/// No target covers subdomains, and cotter does not keep the chain that the TLS library built:
/// `include-subdomains` is false, `validated-certificate-chain` is empty, and
/// `served-certificate-chain` holds the leaf if the sink kept it. `known-pins` are pins of keys only,
/// as RFC 7469 has no others.
struct hpkp_report {
  /// One to a request (RFC 7469 3).
  static constexpr bool single = true;

  /// What TrustKit says of the program; sent as it stands.
  std::string app_bundle_id{};
  std::string app_version{};
  std::string app_platform{};
  std::string app_platform_version{};

  /// True if the event is one that the report is for.
  [[nodiscard]] static bool wants(const audit_event& event) noexcept {
    const audit_type type = type_of(event.what);
    return type == audit_type::refused || type == audit_type::would_refuse;
  }

  /// @throws std::bad_alloc
  void operator()(const audit_event& event, std::string& out) const {
    if (!wants(event)) return;
    const audit_record& what = event.what;
    const bool refused = !what.outcome;
    const reason why = refused ? what.outcome.reason() : what.outcome.would_refuse();
    // The last moment at which some pin is good.
    instant expires{};
    for (const pin& one : what.pins) expires = std::max(expires, one.not_after);
    const bool ends = !what.pins.empty() && expires != no_expiry;

    nlohmann::ordered_json chain = nlohmann::ordered_json::array();
    if (!what.leaf.empty()) chain.push_back(detail::pem_of(what.leaf));
    nlohmann::ordered_json keys = nlohmann::ordered_json::array();
    nlohmann::ordered_json certificates = nlohmann::ordered_json::array();
    for (const pin& one : what.pins) {
      if (one.form == pin_form::spki) {
        keys.push_back("pin-sha256=\"" + encode_base64(detail::audit_octets(one.digest.octets)) +
                       "\"");
      } else {
        certificates.push_back(spell_pin(one));
      }
    }

    nlohmann::ordered_json report{
        {"date-time", detail::audit_time(what.at)},
        {"hostname", detail::audit_text(what.endpoint.host)},
        {"port", what.endpoint.port},
        {"effective-expiration-date", detail::audit_time(ends ? expires : no_expiry)},
        {"include-subdomains", false},
        {"noted-hostname", detail::audit_text(what.endpoint.host)},
        {"served-certificate-chain", std::move(chain)},
        {"validated-certificate-chain", nlohmann::ordered_json::array()},
        {"known-pins", std::move(keys)},
        {"app-bundle-id", detail::audit_text(app_bundle_id)},
        {"app-version", detail::audit_text(app_version)},
        {"app-platform", detail::audit_text(app_platform)},
        {"app-platform-version", detail::audit_text(app_platform_version)},
        {"app-vendor-id", detail::audit_text(event.client)},
        {"trustkit-version", "cotter"},
        {"enforce-pinning", refused},
        {"validation-result", static_cast<int>(evaluation_of(why))}};
    if (ends) {
      report["known-pins-expiration-date"] = detail::audit_time(expires).substr(0, 10);
    } else {
      report["known-pins-expiration-date"] = nullptr;
    }
    report["cotter-event-id"] = detail::audit_id(event.id);
    report["cotter-reason"] = to_string(why);
    if (what.diagnosis) report["cotter-diagnosis"] = to_string(what.diagnosis.what);
    report["cotter-certificate-pins"] = std::move(certificates);
    if (what.outcome.has_fingerprint()) {
      report["cotter-fingerprint"] = detail::hex_of(what.outcome.fingerprint());
    }
    if (what.suppressed_count != 0) {
      report["cotter-suppressed-count"] = what.suppressed_count;
      report["cotter-since"] = detail::audit_time(what.since);
    }
    detail::append_line(report, out);
  }
};

static_assert(event_renderer<hpkp_report>);

}  // namespace json
}  // namespace v0
}  // namespace cotter
