// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/json/base64.hpp>
#include <cotter/json/spelling.hpp>
#include <cotter/policies/audit/event_text.hpp>
#include <cotter/values/audit_event.hpp>
#include <cotter/values/manifest.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace json {

/// The schema of `cotter_event`: docs/schemas/cotter-audit-1.schema.json.
inline constexpr std::string_view audit_schema = "cotter.audit/1";

namespace detail {

/// Text as UTF-8, without NUL: there are collectors that take no event with one, and an event that no
/// collector takes holds up all that come after it.
inline std::string audit_text(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    append_utf8(text.substr(at, end - at), out);
    if (end != text.size()) out += "\xef\xbf\xbd";
    at = end + 1;
  }
  return out;
}

inline std::string audit_time(instant when) {
  std::string out;
  append_time(when, out);
  return out;
}

inline std::string audit_id(const event_id& id) {
  std::string out;
  append_id(id, out);
  return out;
}

inline std::string_view audit_octets(bytes_view octets) noexcept {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

/// PEM of RFC 7468, lines of 64.
inline std::string pem_of(bytes_view der) {
  constexpr std::size_t line = 64;
  const std::string digits = encode_base64(audit_octets(der));
  std::string out = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < digits.size(); at += line) {
    out.append(digits, at, line);
    out += '\n';
  }
  return out += "-----END CERTIFICATE-----\n";
}

/// One value on one line. Everything beyond ASCII is escaped, so that it is the same octets in every
/// transport, and syslog needs no byte order mark.
inline void append_line(const nlohmann::ordered_json& value, std::string& out) {
  out += value.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

inline bool is_decision(const audit_record& what) noexcept {
  return what.subject == audit_subject::decision;
}

inline std::string_view identity_text(identity kind) noexcept {
  return kind == identity::sip ? "sip" : "host";
}

inline nlohmann::ordered_json target_of(const target& whom) {
  return {{"host", audit_text(whom.host)}, {"port", whom.port}, {"kind", identity_text(whom.kind)}};
}

inline nlohmann::ordered_json problem_of(const error& found) {
  nlohmann::ordered_json out{{"code", code(found.what)}};
  if (found.offset_bytes != 0) out["offset"] = found.offset_bytes;
  if (found.native != 0) out["native"] = found.native;
  return out;
}

inline nlohmann::ordered_json pin_of(const pin& one) {
  nlohmann::ordered_json out{{"pin", spell_pin(one)},
                             {"role", one.role == pin_role::fallback ? "fallback" : "primary"}};
  if (one.not_after != no_expiry) out["notAfter"] = audit_time(one.not_after);
  if (!one.label.empty()) out["label"] = audit_text(one.label);
  return out;
}

inline nlohmann::ordered_json diagnosis_of(const diagnosis& guess) {
  nlohmann::ordered_json out{{"cause", to_string(guess.what)},
                             {"evidence", nlohmann::ordered_json::array()}};
  for (const evidence one : all_evidence) {
    if (guess.seen.has(one)) out["evidence"].push_back(to_string(one));
  }
  if (guess.owner) {
    nlohmann::ordered_json owner{{"host", audit_text(guess.owner.endpoint.host)},
                                 {"port", guess.owner.endpoint.port}};
    if (!guess.owner.region.empty()) owner["region"] = audit_text(guess.owner.region);
    out["owner"] = std::move(owner);
  }
  return out;
}

inline void add_decision(const audit_record& what, nlohmann::ordered_json& out) {
  const verdict& outcome = what.outcome;
  if (outcome) {
    out["matched"] = to_string(outcome.matched());
    if (!outcome.pin_label().empty()) out["pinLabel"] = audit_text(outcome.pin_label());
  } else {
    out["reason"] = to_string(outcome.reason());
  }
  if (outcome.would_refuse() != reason::none) {
    out["wouldRefuse"] = to_string(outcome.would_refuse());
  }
  if (outcome.detail() != error{}) out["detail"] = problem_of(outcome.detail());
  if (outcome.has_fingerprint()) out["fingerprint"] = hex_of(outcome.fingerprint());
  out["resumed"] = what.resumed;
  if (what.diagnosis || what.diagnosis.seen != evidence_set{}) {
    out["diagnosis"] = diagnosis_of(what.diagnosis);
  }
  out["breaker"] = {{"state", to_string(what.breaker)}};
  nlohmann::ordered_json leaf = nlohmann::ordered_json::object();
  if (what.leaf_not_before != instant{}) leaf["notBefore"] = audit_time(what.leaf_not_before);
  if (what.leaf_not_after != instant{}) leaf["notAfter"] = audit_time(what.leaf_not_after);
  if (!what.leaf.empty()) leaf["pem"] = pem_of(what.leaf);
  if (!leaf.empty()) out["leaf"] = std::move(leaf);
  for (const pin& one : what.pins) out["pins"].push_back(pin_of(one));
}

/// The event as cotter's own schema has it.
inline nlohmann::ordered_json event_of(const audit_event& event) {
  const audit_record& what = event.what;
  const audit_type type = type_of(what);
  nlohmann::ordered_json out{{"schema", audit_schema},
                             {"id", audit_id(event.id)},
                             {"time", audit_time(what.at)},
                             {"type", to_string(type)}};
  if (!event.client.empty()) out["clientId"] = audit_text(event.client);
  if (is_decision(what) || what.subject == audit_subject::breaker || !what.endpoint.host.empty()) {
    out["target"] = target_of(what.endpoint);
  }
  if (!what.region.empty()) out["region"] = audit_text(what.region);
  if (!what.backend.empty()) {
    out["backend"] = {{"name", audit_text(what.backend)},
                      {"version", spell_version(what.backend_version)}};
  }
  if (is_decision(what)) add_decision(what, out);
  if (type == audit_type::breaker) {
    out["breaker"] = {{"state", to_string(what.breaker)},
                      {"before", to_string(what.breaker_before)},
                      {"streak", what.streak},
                      {"mismatches24h", what.mismatches_24h},
                      {"alert", what.alert}};
  }
  nlohmann::ordered_json manifest = nlohmann::ordered_json::object();
  if (what.sequence != 0) {
    manifest["sequence"] = what.sequence & highest_sequence;
    manifest["keySetEpoch"] = what.sequence >> 40;
  }
  if (type == audit_type::manifest) {
    manifest["change"] = to_string(what.manifest);
    if (what.manifest == manifest_change::lapsed) manifest["reason"] = to_string(what.lapsed);
    if (what.manifest == manifest_change::rejected) manifest["error"] = problem_of(what.detail);
  }
  if (!manifest.empty()) out["manifest"] = std::move(manifest);
  if (type == audit_type::clock) {
    out["clock"] = {{"fault", to_string(what.clock)},
                    {"says", audit_time(what.clock_says)},
                    {"believed", audit_time(what.at)}};
  }
  if (what.suppressed_count != 0 || type == audit_type::loss) {
    if (type == audit_type::loss && what.detail.what != errc::ok) {
      out["detail"] = problem_of(what.detail);
    }
    out["suppressedCount"] = what.suppressed_count;
    out["since"] = audit_time(what.since);
  }
  return out;
}

}  // namespace detail

/// Renders an event as cotter's own JSON: `audit_schema`, one object on one line, in ASCII, its keys
/// in a fixed order. A key is there only where it means something.
struct cotter_event {
  /// @throws std::bad_alloc
  void operator()(const audit_event& event, std::string& out) const {
    detail::append_line(detail::event_of(event), out);
  }
};

static_assert(event_renderer<cotter_event>);

}  // namespace json
}  // namespace v0
}  // namespace cotter
