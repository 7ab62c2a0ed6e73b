// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/json/audit_event.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace json {

/// The version of the Elastic Common Schema that `ecs_cloud_event` speaks.
inline constexpr std::string_view ecs_version = "8.17.0";
/// What the CloudEvents type of an event begins with; the spelling of its `audit_type` follows.
inline constexpr std::string_view cloud_event_type = "io.cotter.audit.";

namespace detail {

/// What ECS calls the event. Words of kind, category, type and outcome are from its lists of allowed
/// values; `action` is ours.
struct ecs_class {
  std::string_view kind;
  std::string_view category;
  std::array<std::string_view, 2> types;  ///< an empty one is none
  std::string_view outcome;               ///< empty: none
  std::string_view action;
};

inline ecs_class class_of(const audit_record& what) noexcept {
  const std::string_view kind =
      static_cast<unsigned>(severity_of(what)) <= static_cast<unsigned>(severity::critical)
          ? "alert"
          : "event";
  switch (type_of(what)) {
    case audit_type::accepted:
      return {kind, "network", {"connection", "allowed"}, "success", "connection-accepted"};
    case audit_type::resumed:
      return {kind, "network", {"connection", "allowed"}, "success", "connection-resumed"};
    case audit_type::would_refuse:
      return {kind, "network", {"connection", "allowed"}, "success", "connection-observed"};
    case audit_type::refused:
      return {kind, "network", {"connection", "denied"}, "failure", "connection-refused"};
    case audit_type::breaker: return {kind, "host", {"change", ""}, "", "breaker-changed"};
    case audit_type::manifest:
      switch (what.manifest) {
        case manifest_change::adopted:
          return {kind, "configuration", {"change", ""}, "success", "manifest-adopted"};
        case manifest_change::rejected:
          return {kind, "configuration", {"info", ""}, "failure", "manifest-rejected"};
        case manifest_change::lapsed:
          return {kind, "configuration", {"change", ""}, "failure", "manifest-lapsed"};
        case manifest_change::none: break;
      }
      return {kind, "configuration", {"info", ""}, "", "manifest-unchanged"};
    case audit_type::clock: return {kind, "host", {"info", ""}, "", "clock-doubted"};
    case audit_type::loss: return {kind, "host", {"info", ""}, "", "events-lost"};
  }
  return {kind, "host", {"info", ""}, "", "unknown"};
}

/// Text as a segment of a URI's path (RFC 3986 3.3), what is not unreserved percent-encoded.
inline std::string uri_segment(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out += c;
    } else {
      const auto octet = static_cast<unsigned char>(c);
      out += '%';
      out += digits[octet >> 4];
      out += digits[octet & 15];
    }
  }
  return out;
}

inline std::string upper_hex_of(const sha256_digest& digest) {
  std::string out = hex_of(digest);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

/// `address` always, and `ip` or `domain` as far as the host is one.
inline nlohmann::ordered_json ecs_endpoint(const target& whom) {
  nlohmann::ordered_json out{{"address", audit_text(whom.host)}};
  if (const auto kind = classify_host(whom.host)) {
    out[*kind == host_kind::dns_name ? "domain" : "ip"] = audit_text(whom.host);
  }
  out["port"] = whom.port;
  return out;
}

inline nlohmann::ordered_json ecs_tls(const audit_record& what) {
  nlohmann::ordered_json server = nlohmann::ordered_json::object();
  if (what.outcome.has_fingerprint()) {
    server["hash"] = {{"sha256", upper_hex_of(what.outcome.fingerprint())}};
  }
  if (what.leaf_not_before != instant{}) server["not_before"] = audit_time(what.leaf_not_before);
  if (what.leaf_not_after != instant{}) server["not_after"] = audit_time(what.leaf_not_after);
  if (!what.leaf.empty()) server["certificate"] = encode_base64(audit_octets(what.leaf));
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  const auto kind = classify_host(what.endpoint.host);
  if (kind && *kind == host_kind::dns_name) {
    out["client"] = {{"server_name", audit_text(what.endpoint.host)}};
  }
  if (!server.empty()) out["server"] = std::move(server);
  out["resumed"] = what.resumed;
  out["established"] = static_cast<bool>(what.outcome);
  return out;
}

inline nlohmann::ordered_json ecs_of(const audit_event& event) {
  const audit_record& what = event.what;
  const audit_type type = type_of(what);
  const ecs_class is = class_of(what);
  nlohmann::ordered_json types = nlohmann::ordered_json::array();
  for (const std::string_view one : is.types) {
    if (!one.empty()) types.push_back(one);
  }
  nlohmann::ordered_json about{{"id", audit_id(event.id)},
                               {"kind", is.kind},
                               {"category", nlohmann::ordered_json::array({is.category})},
                               {"type", std::move(types)},
                               {"action", is.action}};
  if (!is.outcome.empty()) about["outcome"] = is.outcome;
  if (type == audit_type::refused) about["reason"] = to_string(what.outcome.reason());
  if (type == audit_type::would_refuse) about["reason"] = to_string(what.outcome.would_refuse());
  if (type == audit_type::manifest && what.manifest == manifest_change::lapsed) {
    about["reason"] = to_string(what.lapsed);
  }
  if (type == audit_type::manifest && what.manifest == manifest_change::rejected) {
    about["reason"] = code(what.detail.what);
  }
  if (type == audit_type::clock) about["reason"] = to_string(what.clock);
  about["severity"] = static_cast<unsigned>(severity_of(what));
  about["module"] = "cotter";
  about["dataset"] = "cotter.audit";

  std::string message;
  append_summary(event, message);
  nlohmann::ordered_json out{{"@timestamp", audit_time(what.at)},
                             {"ecs", {{"version", ecs_version}}},
                             {"message", std::move(message)},
                             {"event", std::move(about)}};
  if (is_decision(what) || type == audit_type::breaker || !what.endpoint.host.empty()) {
    out["server"] = ecs_endpoint(what.endpoint);
    out["destination"] = out["server"];
  }
  if (is_decision(what)) out["tls"] = ecs_tls(what);
  nlohmann::ordered_json own = event_of(event);
  for (const char* said_already : {"id", "time", "fingerprint", "resumed", "leaf"}) {
    own.erase(said_already);
  }
  out["cotter"] = std::move(own);
  return out;
}

}  // namespace detail

/// Renders an event as a CloudEvent (1.0, structured JSON) whose data are fields of the Elastic Common
/// Schema, with cotter's own below `cotter`: docs/schemas/cloudevents-ecs.schema.json. One object on
/// one line, in ASCII, its keys in a fixed order.
///
/// `tls.server.hash.sha256` is the fingerprint over form C: of a certificate that is DER, as nearly all
/// are, that is what others compute. Names of subject and issuer are in `tls.server.certificate`.
struct ecs_cloud_event {
  /// The media type of an array of them (CloudEvents HTTP protocol binding 3.3).
  static constexpr std::string_view batch_type = "application/cloudevents-batch+json";

  /// The URI at which the program has published the schema of `data`; empty: `dataschema` is not sent.
  std::string dataschema{};

  /// @throws std::bad_alloc
  void operator()(const audit_event& event, std::string& out) const {
    const audit_record& what = event.what;
    std::string type(cloud_event_type);
    type += to_string(type_of(what));
    nlohmann::ordered_json envelope{
        {"specversion", "1.0"},
        {"id", detail::audit_id(event.id)},
        {"source", event.client.empty() ? std::string("/cotter")
                                        : "/cotter/" + detail::uri_segment(event.client)},
        {"type", std::move(type)}};
    if (!what.endpoint.host.empty()) {
      std::string subject;
      append_endpoint(what.endpoint, subject);
      envelope["subject"] = std::move(subject);
    }
    envelope["time"] = detail::audit_time(what.at);
    envelope["datacontenttype"] = "application/json";
    if (!dataschema.empty()) envelope["dataschema"] = detail::audit_text(dataschema);
    envelope["data"] = detail::ecs_of(event);
    detail::append_line(envelope, out);
  }
};

static_assert(event_renderer<ecs_cloud_event>);

}  // namespace json
}  // namespace v0
}  // namespace cotter
