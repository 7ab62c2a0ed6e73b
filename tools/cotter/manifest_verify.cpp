// SPDX-License-Identifier: BSL-1.0
#include "manifest.hpp"

#include "certificates.hpp"
#include "documents.hpp"
#include "files.hpp"
#include "remembered.hpp"

#include <cotter/backends/openssl.hpp>
#include <cotter/json/signed_manifest.hpp>

#include <utility>

namespace cotter::command {

namespace {

using wrong = std::optional<problem>;
using signed_manifest = documents::signed_manifest<backends::openssl>;

/// What a device would do with this envelope.
wrong verify(const std::string& path, const trust_options& trust, const std::string& state,
             std::shared_ptr<const pin_manifest>& out) {
  instant now = current_time();
  if (!trust.at.empty()) {
    if (auto fault = read_time(trust.at, "--at", now)) return fault;
  }
  documents::trusted_keys keys;
  if (auto fault = load_trust(trust.keys, trust.threshold, trust.chain, now, keys)) return fault;
  manifest_memory memory;
  if (auto fault = load_memory(state, memory)) return fault;
  std::string text;
  if (auto fault = read_file(path, text)) return fault;
  signed_manifest trial(std::move(keys), memory);
  if (const auto taken = trial.reload(text, now); !taken) return describe(taken.error());
  out = trial.document();
  // What would be on another day is not remembered: the latest time known never goes back.
  if (!trust.at.empty()) return {};
  return store_memory(state, trial.memory());
}

std::string place(const manifest_target& one) {
  const bool brackets = one.host.find(':') != std::string::npos;
  return (brackets ? "[" + one.host + "]" : one.host) + ":" + std::to_string(one.port);
}

json pin_json(const manifest_pin& one) {
  json out{{"pin", pin_text(one.value)},
           {"role", one.value.role == pin_role::primary ? "primary" : "fallback"}};
  if (!one.label.empty()) out["label"] = one.label;
  if (one.value.not_after != no_expiry) out["not_after"] = rfc3339(one.value.not_after);
  if (one.offline_backup) out["offline_backup"] = true;
  return out;
}

bool has_end(const manifest_runtime& one) { return one.below != manifest_runtime{}.below; }

json manifest_json(const pin_manifest& manifest) {
  const auto time = [](instant at) { return at == instant{} ? json(nullptr) : json(rfc3339(at)); };
  json targets = json::array();
  for (const manifest_target& one : manifest.targets) {
    json made{{"host", one.host}, {"port", one.port}, {"pins", json::array()}};
    for (const manifest_pin& each : one.pins) made["pins"].push_back(pin_json(each));
    if (one.rotation_window_days) made["rotation_window_days"] = *one.rotation_window_days;
    for (const manifest_region& region : one.regions) {
      json part{{"name", region.name}, {"default", region.is_default}, {"pins", json::array()}};
      part["prefixes"] = json::array();
      for (const ip_prefix& block : region.prefixes) {
        part["prefixes"].push_back(documents::spell_prefix(block));
      }
      for (const manifest_pin& each : region.pins) part["pins"].push_back(pin_json(each));
      made["regions"].push_back(std::move(part));
    }
    targets.push_back(std::move(made));
  }
  json out{{"sequence", manifest.sequence},
           {"issued_at", time(manifest.issued_at)},
           {"expires", time(manifest.expires_at)},
           {"targets", std::move(targets)},
           {"runtime", json::array()},
           {"breaker",
            {{"max_consecutive_failures", manifest.breaker.max_consecutive_failures},
             {"alert_threshold", manifest.breaker.alert_threshold},
             {"cooldown_ms", manifest.breaker.cooldown.count()}}},
           {"lock_recovery", manifest.recovery == lock_recovery::verified_probe ? "verified_probe"
                                                                                : "administrator"}};
  for (const manifest_runtime& one : manifest.runtimes) {
    out["runtime"].push_back(
        {{"library", one.library},
         {"at_least", documents::spell_version(one.at_least)},
         {"below", has_end(one) ? json(documents::spell_version(one.below)) : json(nullptr)}});
  }
  if (!manifest.reporting_endpoint.empty()) {
    out["reporting_endpoint"] = manifest.reporting_endpoint;
  }
  if (manifest.observe_until != never) out["observe_until"] = rfc3339(manifest.observe_until);
  return out;
}

std::string pins_text(const std::vector<manifest_pin>& pins, std::string_view indent) {
  std::string out;
  for (const manifest_pin& one : pins) {
    out += std::string(indent) +
           (one.value.role == pin_role::primary ? "primary   " : "fallback  ") +
           pin_text(one.value);
    if (one.value.not_after != no_expiry) out += "  until " + rfc3339(one.value.not_after);
    if (one.offline_backup) out += "  offline backup";
    if (!one.label.empty()) out += "  (" + printable(one.label) + ")";
    out += "\n";
  }
  return out;
}

std::string manifest_text(const pin_manifest& manifest) {
  std::string out = "sequence  " + std::to_string(manifest.sequence);
  if (manifest.issued_at != instant{}) out += "\nissued    " + rfc3339(manifest.issued_at);
  if (manifest.expires_at != instant{}) out += "\nexpires   " + rfc3339(manifest.expires_at);
  if (manifest.observe_until != never) out += "\nobserve   " + rfc3339(manifest.observe_until);
  for (const manifest_runtime& one : manifest.runtimes) {
    out += "\nruntime   " + one.library + " from " + documents::spell_version(one.at_least) +
           (has_end(one) ? " below " + documents::spell_version(one.below) : std::string());
  }
  out += "\nbreaker   locks after " + std::to_string(manifest.breaker.max_consecutive_failures) +
         " mismatches, alerts from " + std::to_string(manifest.breaker.alert_threshold) +
         ", cools " + std::to_string(manifest.breaker.cooldown.count()) + " ms";
  if (manifest.recovery == lock_recovery::verified_probe) out += ", verified_probe";
  if (!manifest.reporting_endpoint.empty()) out += "\nreports   " + manifest.reporting_endpoint;
  out += "\n";
  for (const manifest_target& one : manifest.targets) {
    out += place(one) + "\n" + pins_text(one.pins, "  ");
    for (const manifest_region& region : one.regions) {
      out += "  " + printable(region.name);
      for (const ip_prefix& block : region.prefixes) out += " " + documents::spell_prefix(block);
      out += (region.is_default ? ", the default\n" : "\n") + pins_text(region.pins, "    ");
    }
  }
  return out;
}

exit_code fail(std::string_view verb, const problem& fault, format how) {
  write_diagnostic(verb, fault);
  if (how == format::json_lines) {
    write_line({{"verified", false}, {"error", to_json(fault)}});
  }
  return outcome_of(fault);
}

/// A digest as an initialiser that `parse_pin` reads.
std::string literal(const manifest_pin& one, std::string_view region,
                    std::string_view fallback_end) {
  const bool is_primary = one.value.role == pin_role::primary;
  std::string label = one.label.empty() ? (is_primary ? "primary" : "fallback") : one.label;
  if (!region.empty()) label = std::string(region) + "/" + label;
  std::string quoted;
  for (const char c : label) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  std::string out = is_primary ? "cotter::primary(\"" : "cotter::fallback(\"";
  out += pin_text(one.value) + "\"";
  if (!is_primary) out += ", " + std::string(fallback_end);
  return out + ", \"" + quoted + "\")";
}

std::string end_of(const pin& value) {
  if (value.not_after == no_expiry) return "cotter::no_expiry";
  return "cotter::instant{std::chrono::seconds{" +
         std::to_string(value.not_after.time_since_epoch().count()) + "}}";
}

std::string seconds_of(instant at) {
  return "cotter::instant{std::chrono::seconds{" + std::to_string(at.time_since_epoch().count()) +
         "}}";
}

std::string header_text(const pin_manifest& manifest, const std::string& name_space) {
  std::string out = "// Made by `cotter manifest header` from the signed manifest with sequence " +
                    std::to_string(manifest.sequence) + ", issued\n// " +
                    rfc3339(manifest.issued_at) + ", payload SHA-256 " + hex(manifest.payload) +
                    ".\n#pragma once\n\n"
                    "#include <cotter/embedded.hpp>\n\n#include <chrono>\n\nnamespace " +
                    name_space +
                    " {\n\n"
                    "inline constexpr cotter::fixed_pin_set targets{\n";
  for (std::size_t i = 0; i < manifest.targets.size(); ++i) {
    const manifest_target& one = manifest.targets[i];
    out += "    cotter::fixed_target{\"" + one.host + "\", " + std::to_string(one.port);
    const auto add = [&](const std::vector<manifest_pin>& pins, std::string_view region) {
      for (const manifest_pin& each : pins) {
        out += ",\n                         " + literal(each, region, end_of(each.value));
      }
    };
    add(one.pins, {});
    // A fixed set has no regions: what they were worth together, they are now.
    for (const manifest_region& region : one.regions) add(region.pins, region.name);
    out += i + 1 < manifest.targets.size() ? "},\n" : "}};\n\n";
  }
  out += "inline constexpr cotter::embedded_manifest manifest{\n    " +
         std::to_string(manifest.sequence) + ", " + seconds_of(manifest.issued_at) + ",\n    " +
         seconds_of(manifest.expires_at) + "};\n\n";
  out += "inline constexpr cotter::breaker_config breaker{" +
         std::to_string(manifest.breaker.max_consecutive_failures) + ", " +
         std::to_string(manifest.breaker.alert_threshold) + ", std::chrono::milliseconds{" +
         std::to_string(manifest.breaker.cooldown.count()) + "}};\n\n}  // namespace " +
         name_space + "\n";
  return out;
}

bool is_namespace(std::string_view text) {
  if (text.empty() || text.starts_with(':') || text.ends_with(':')) return false;
  bool first = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ':') {
      if (first || i + 2 >= text.size() || text[i + 1] != ':') return false;
      ++i;
      first = true;
      continue;
    }
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && (first || c < '0' || c > '9')) return false;
    first = false;
  }
  return !first;
}

}  // namespace

exit_code manifest_verify(const verify_options& options, format how) {
  std::shared_ptr<const pin_manifest> found;
  if (const wrong fault = verify(options.envelope, options.trust, options.state, found)) {
    return fail("manifest verify", *fault, how);
  }
  if (how == format::json_lines) {
    json line{{"verified", true}};
    line.update(manifest_json(*found));
    write_line(line);
  } else {
    write_text("verified\n" + manifest_text(*found));
  }
  return exit_code::ok;
}

exit_code manifest_show(const std::string& file, format how) {
  manifest_file content;
  if (const wrong fault = load_manifest_file(file, content)) {
    return fail("manifest show", *fault, how);
  }
  write_note("nothing was verified: `cotter manifest verify` does that");
  if (how == format::json_lines) {
    json line{{"verified", false}};
    line.update(manifest_json(content.content.manifest));
    if (content.signed_as) {
      line["signatures"] = json::array();
      for (const auto& one : content.signed_as->signatures)
        line["signatures"].push_back(one.key_id);
    }
    write_line(line);
  } else {
    write_text(manifest_text(content.content.manifest));
  }
  return exit_code::ok;
}

exit_code manifest_header(const header_options& options, format how) {
  if (!is_namespace(options.name_space)) {
    return fail("manifest header", describe_usage("--namespace is no namespace", "manifest header"),
                how);
  }
  std::shared_ptr<const pin_manifest> found;
  if (const wrong fault = verify(options.envelope, options.trust, {}, found)) {
    return fail("manifest header", *fault, how);
  }
  for (const manifest_target& one : found->targets) {
    if (one.regions.size() < 2) continue;
    write_note("regions_are_a_union: " + one.host +
               " has regions; the header accepts the pins of all of them everywhere");
  }
  if (!found->runtimes.empty()) {
    write_note(
        "runtime_not_embedded: a program has the library it was built with; the header does "
        "not carry `runtime`");
  }
  if (const wrong fault = write_file(options.out, header_text(*found, options.name_space))) {
    return fail("manifest header", *fault, how);
  }
  return exit_code::ok;
}

}  // namespace cotter::command
