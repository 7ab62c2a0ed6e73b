// SPDX-License-Identifier: BSL-1.0
#include "manifest.hpp"

#include "certificates.hpp"
#include "documents.hpp"
#include "files.hpp"

#include <cotter/json/platform.hpp>

#include <algorithm>
#include <utility>

namespace cotter::command {

namespace {

using wrong = std::optional<problem>;
using std::chrono::days;

manifest_target& target_of(pin_manifest& manifest, const std::string& host, std::uint16_t port) {
  for (manifest_target& one : manifest.targets) {
    if (one.host == host && one.port == port) return one;
  }
  manifest_target made;
  made.host = host;
  made.port = port;
  return manifest.targets.emplace_back(std::move(made));
}

bool holds(const std::vector<manifest_pin>& pins, const pin& value) {
  return std::any_of(pins.begin(), pins.end(), [&](const manifest_pin& one) {
    return one.value.form == value.form && one.value.digest == value.digest &&
           one.value.role == value.role;
  });
}

void add_pin(manifest_target& target, const pin& value, std::string label = {},
             bool offline_backup = false) {
  if (holds(target.pins, value)) return;
  manifest_pin made;
  made.value = value;
  made.value.label = {};
  made.label = std::move(label);
  made.offline_backup = offline_backup;
  target.pins.push_back(std::move(made));
}

pin pin_of(const certificate_facts& leaf, bool by_key, pin_role role = pin_role::primary) {
  pin value;
  value.role = role;
  value.form = by_key && leaf.key ? pin_form::spki : pin_form::certificate;
  value.digest = value.form == pin_form::spki ? *leaf.key : leaf.certificate;
  return value;
}

/// Where the pins of files and platforms go: named, or the only target there is.
wrong endpoint_for(const init_options& options, pin_manifest& manifest, manifest_target*& out) {
  if (!options.endpoint.empty()) {
    std::string host;
    std::uint16_t port = 0;
    if (auto fault = read_endpoint(options.endpoint, host, port)) return fault;
    out = &target_of(manifest, host, port);
    return {};
  }
  if (manifest.targets.size() == 1) {
    out = &manifest.targets[0];
    return {};
  }
  problem p = describe_usage("pins without a target", "manifest init");
  p.expected = "--target HOST:PORT";
  p.action = "say whose certificate it is with --target";
  return p;
}

/// Takes what a platform says, or better, what its octets are.
wrong add_platform(std::string_view text, const init_options& options, pin_manifest& manifest) {
  const auto read = documents::read_platform_document(text);
  if (!read) return describe(read.error());
  pin value;
  if (!read->leaf.octets.empty()) {
    certificate_facts leaf;
    if (auto fault = examine_file(read->leaf.octets, leaf)) return fault;
    if (read->leaf.fingerprint && *read->leaf.fingerprint != leaf.certificate) {
      problem p =
          describe(errc::conflicting_keys, "the document states " + hex(*read->leaf.fingerprint) +
                                               ", its certificate has " + hex(leaf.certificate));
      p.pointer = "/certificates/leafCertificate/derEncodedFingerprintSha256";
      p.expected = "the fingerprint of the certificate beside it";
      p.action = "ask the platform again; until then pin neither";
      return p;
    }
    value = pin_of(leaf, options.by_key);
  } else {
    value.digest = *read->leaf.fingerprint;
    write_note(
        "platform_unproven: the platform states this fingerprint and shows no certificate: "
        "compare it with `cotter extract` before you sign");
  }
  manifest_target* target = nullptr;
  if (auto fault = endpoint_for(options, manifest, target)) return fault;
  add_pin(*target, value);
  return {};
}

wrong add_source(const std::string& path, const init_options& options, pin_manifest& manifest,
                 std::vector<std::string>& critical) {
  std::string text;
  if (auto fault = read_file(path, text)) return fault;
  const auto shape = documents::read_document(text);
  if (!shape) return describe(shape.error());
  if (shape->root().find("certificates")) return add_platform(text, options, manifest);
  const auto read = documents::read_authored_manifest(text);
  if (!read) return describe(read.error());
  // What has no meaning is not written again: its author must hear of it now.
  if (auto fault = refuse_unknown(*read)) {
    fault->seen = path + ": " + fault->seen;
    return fault;
  }
  for (const std::string& one : read->critical) {
    if (std::find(critical.begin(), critical.end(), one) == critical.end()) critical.push_back(one);
  }
  const pin_manifest& from = read->manifest;
  if (read->has_breaker) {
    manifest.breaker = from.breaker;
  }
  if (!from.version.empty()) manifest.version = from.version;
  if (!from.reporting_endpoint.empty()) manifest.reporting_endpoint = from.reporting_endpoint;
  if (from.observe_until != never) manifest.observe_until = from.observe_until;
  if (from.recovery != lock_recovery::administrator) manifest.recovery = from.recovery;
  for (const manifest_runtime& one : from.runtimes) manifest.runtimes.push_back(one);
  for (const manifest_target& one : from.targets) {
    manifest_target& target = target_of(manifest, one.host, one.port);
    for (const manifest_pin& each : one.pins) {
      if (!holds(target.pins, each.value)) target.pins.push_back(each);
    }
    for (const manifest_region& each : one.regions) target.regions.push_back(each);
    if (one.rotation_window_days) target.rotation_window_days = one.rotation_window_days;
  }
  return {};
}

wrong add_live(const std::string& endpoint, const init_options& options, pin_manifest& manifest) {
  extract_options looking;
  looking.endpoint = endpoint;
  looking.ca_file = options.ca_file;
  looking.public_ca_file = options.public_ca_file;
  looking.addresses = options.addresses;
  extraction seen;
  if (auto fault = look(looking, seen)) return fault;
  for (const extract_warning& one : seen.warnings) {
    write_note(one.code + ": " + one.text);
    if (one.weight != exit_code::refused && one.weight != exit_code::no_verdict) continue;
    problem p = describe(reason::pkix, one.text);
    p.code = one.code;
    p.action = "make the edge right first: a pin does not make up for it";
    return p;
  }
  manifest_target& target = target_of(manifest, seen.host, seen.port);
  for (const std::size_t i : seen.leaves) {
    const bool by_key = options.by_key || seen.edges[i].chain.publicly_trusted;
    add_pin(target, pin_of(seen.edges[i].presented.front(), by_key));
  }
  return {};
}

wrong add_file(const std::string& path, const init_options& options, pin_manifest& manifest) {
  std::string text;
  if (auto fault = read_file(path, text)) return fault;
  certificate_facts leaf;
  if (auto fault = examine_file(text, leaf)) return fault;
  if (leaf.is_ca) {
    return problem{"ca_pinned", path + " holds the certificate of a CA",
                   "the leaf: cotter compares nothing else", "give the server's own certificate"};
  }
  manifest_target* target = nullptr;
  if (auto fault = endpoint_for(options, manifest, target)) return fault;
  add_pin(*target, pin_of(leaf, options.by_key));
  return {};
}

/// A pin, or the file of a certificate whose key lies in a safe.
wrong add_backup(const std::string& what, const init_options& options, pin_manifest& manifest) {
  pin value;
  if (const auto parsed = parse_pin(what)) {
    value = *parsed;
  } else {
    std::string text;
    if (auto fault = read_file(what, text)) return fault;
    certificate_facts leaf;
    if (auto fault = examine_file(text, leaf)) return fault;
    value = pin_of(leaf, true);
  }
  value.role = pin_role::fallback;
  if (options.endpoint.empty()) {
    for (manifest_target& one : manifest.targets) add_pin(one, value, "backup", true);
    return {};
  }
  manifest_target* target = nullptr;
  if (auto fault = endpoint_for(options, manifest, target)) return fault;
  add_pin(*target, value, "backup", true);
  return {};
}

wrong compose(const init_options& options, pin_manifest& manifest,
              std::vector<std::string>& critical) {
  manifest.version = "2.1.0";
  manifest.issued_at = current_time();
  if (!options.issued.empty()) {
    if (auto fault = read_time(options.issued, "--issued", manifest.issued_at)) return fault;
  }
  manifest.sequence = options.sequence;
  manifest.expires_at = manifest.issued_at + days(options.in_force_days);
  // What stands alone comes last: it may belong to the only target.
  std::vector<std::string> sources = options.sources;
  std::vector<std::string> platforms;
  for (const std::string& one : sources) {
    std::string text;
    if (auto fault = read_file(one, text)) {
      fault->seen = one + ": " + fault->seen;
      return fault;
    }
    const auto shape = documents::read_document(text);
    if (shape && shape->root().find("certificates")) {
      platforms.push_back(one);
    } else if (auto fault = add_source(one, options, manifest, critical)) {
      return fault;
    }
  }
  for (const std::string& one : options.live) {
    if (auto fault = add_live(one, options, manifest)) return fault;
  }
  for (const std::string& one : platforms) {
    if (auto fault = add_source(one, options, manifest, critical)) return fault;
  }
  for (const std::string& one : options.certificates) {
    if (auto fault = add_file(one, options, manifest)) return fault;
  }
  for (const std::string& one : options.backups) {
    if (auto fault = add_backup(one, options, manifest)) return fault;
  }
  if (!options.reporting_endpoint.empty()) manifest.reporting_endpoint = options.reporting_endpoint;
  for (manifest_target& one : manifest.targets) {
    if (options.window_days) {
      one.rotation_window_days = static_cast<std::uint16_t>(*options.window_days);
    }
    // A fallback begins its window here, and signing again will not prolong it.
    const auto bound = [&](std::vector<manifest_pin>& pins) {
      for (manifest_pin& each : pins) {
        if (each.value.role == pin_role::fallback && !each.offline_backup &&
            each.value.not_after == no_expiry && one.rotation_window_days) {
          each.value.not_after = manifest.issued_at + days(*one.rotation_window_days);
        }
      }
    };
    bound(one.pins);
    for (manifest_region& region : one.regions) bound(region.pins);
  }
  if (manifest.targets.empty()) {
    problem p = describe_usage("nothing to pin", "manifest init");
    p.action = "give documents with --from, live edges with --live, or certificates with --cert";
    return p;
  }
  return {};
}

}  // namespace

exit_code manifest_init(const init_options& options, format how) {
  pin_manifest manifest;
  std::vector<std::string> critical;
  wrong fault = compose(options, manifest, critical);
  std::string text;
  if (!fault) {
    auto written = documents::write_manifest(manifest, critical);
    if (!written) {
      fault = describe(written.error());
    } else {
      text = *std::move(written);
      fault = write_file(options.out, text);
    }
  }
  if (!fault) return exit_code::ok;
  write_diagnostic("manifest init", *fault);
  if (how == format::json_lines) write_line({{"error", to_json(*fault)}});
  return outcome_of(*fault);
}

}  // namespace cotter::command
