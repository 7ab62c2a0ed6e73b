// SPDX-License-Identifier: BSL-1.0
#include "manifest.hpp"

#include "certificates.hpp"
#include "documents.hpp"
#include "files.hpp"
#include "lint.hpp"

#include <cotter/json/base64.hpp>
#include <cotter/json/platform.hpp>

#include <algorithm>
#include <sstream>
#include <utility>

namespace cotter::command {

namespace {

using wrong = std::optional<problem>;

wrong named(wrong fault, const std::string& path) {
  if (fault) fault->seen = path + ": " + fault->seen;
  return fault;
}

wrong add_certificates(const std::string& path, lint_context& context) {
  std::string text;
  if (auto fault = read_file(path, text)) return named(std::move(fault), path);
  std::vector<certificate_facts> found;
  if (auto fault = examine_all(text, found)) return named(std::move(fault), path);
  for (certificate_facts& one : found) context.certificates.push_back({std::move(one), {}});
  return {};
}

/// The lines of `cotter extract --json`. Digests are computed from the octets, not believed.
wrong add_baseline(const std::string& path, lint_context& context) {
  std::string text;
  if (auto fault = read_file(path, text)) return named(std::move(fault), path);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    const json edge = json::parse(line, nullptr, false);
    if (edge.is_discarded()) {
      problem p = describe(errc::invalid_json, path);
      p.expected = "the lines of `cotter extract --json`";
      return p;
    }
    if (!edge.contains("presented") || !edge["presented"].is_array()) continue;
    // Where nobody looked, the worse is supposed.
    const json looked = edge.value("publicly_trusted", json(true));
    const bool is_public = !looked.is_boolean() || looked.get<bool>();
    for (const json& one : edge["presented"]) {
      const json coded = one.is_object() ? one.value("der", json()) : json();
      const auto der = documents::decode_base64(coded.is_string() ? coded.get<std::string>() : "!");
      certificate_facts facts;
      if (!der) return describe(errc::invalid_base64, path);
      const bytes_view octets_seen(reinterpret_cast<const std::uint8_t*>(der->data()), der->size());
      if (auto fault = examine(octets_seen, facts)) return named(std::move(fault), path);
      context.certificates.push_back({std::move(facts), is_public});
    }
  }
  return {};
}

wrong add_platform(const std::string& path, lint_context& context) {
  std::string text;
  if (auto fault = read_file(path, text)) return named(std::move(fault), path);
  const auto read = documents::read_platform_document(text);
  if (!read) return describe(read.error());
  for (const documents::platform_certificate& one : read->intermediates) {
    if (one.fingerprint) context.ca_digests.push_back(*one.fingerprint);
  }
  if (read->leaf.octets.empty()) return {};
  certificate_facts leaf;
  if (auto fault = examine_file(read->leaf.octets, leaf)) return named(std::move(fault), path);
  context.certificates.push_back({std::move(leaf), {}});
  return {};
}

wrong add_signing_key(const std::string& path, lint_context& context) {
  std::string text;
  if (auto fault = read_file(path, text)) return named(std::move(fault), path);
  const auto keys = documents::read_public_keys(text);
  if (!keys) return named(describe(keys.error()), path);
  for (const documents::public_key& one : *keys) {
    const bytes_view spki(reinterpret_cast<const std::uint8_t*>(one.spki.data()), one.spki.size());
    if (const auto digest = sha256(spki)) context.signing_keys.push_back(*digest);
  }
  return {};
}

template <typename Add>
wrong each(const std::vector<std::string>& paths, lint_context& context, const Add& add) {
  for (const std::string& path : paths) {
    if (auto fault = add(path, context)) return fault;
  }
  return {};
}

wrong gather(const lint_options& options, manifest_file& file, lint_context& context) {
  context.now = current_time();
  if (!options.at.empty()) {
    if (auto fault = read_time(options.at, "--at", context.now)) return fault;
  }
  context.deployment = std::chrono::days(options.deployment_days);
  context.accepted = options.accepted;
  if (auto fault = load_manifest_file(options.manifest, file)) return fault;
  context.guide_shape = file.guide_shape;
  if (!options.previous.empty()) {
    manifest_file previous;
    if (auto fault = load_manifest_file(options.previous, previous)) {
      return named(std::move(fault), options.previous);
    }
    context.previous = std::move(previous.content.manifest);
  }
  if (auto fault = each(options.certificates, context, add_certificates)) return fault;
  if (auto fault = each(options.baselines, context, add_baseline)) return fault;
  if (auto fault = each(options.platforms, context, add_platform)) return fault;
  return each(options.signing_keys, context, add_signing_key);
}

/// What the reader noticed: keys it does not know, keys that are not there yet.
std::vector<finding> reading(const manifest_file& file, const lint_context& context) {
  std::vector<finding> found;
  const auto weight_of = [&](const std::string& code) {
    const auto& accepted = context.accepted;
    return std::find(accepted.begin(), accepted.end(), code) == accepted.end() ? severity::error
                                                                              : severity::note;
  };
  for (const documents::unknown_key& one : file.content.unknown) {
    found.push_back({"unknown_key", weight_of("unknown_key"), one.pointer, "a key of no meaning",
                     "devices pass over it: what it was meant to do does not happen",
                     one.suggestion.empty() ? "remove it, or name it in `critical`"
                                            : "write " + one.suggestion});
  }
  const pin_manifest& manifest = file.content.manifest;
  const auto lacks = [&](bool is_missing, const char* pointer, const char* action) {
    if (!is_missing) return;
    found.push_back({"missing_key", severity::warning, pointer, "not there",
                     "it cannot be signed like this", action});
  };
  lacks(manifest.sequence == 0, "/sequence", "`cotter manifest init --from` adds it");
  lacks(manifest.issued_at == instant{}, "/issuedAt", "`cotter manifest init --from` adds it");
  lacks(manifest.expires_at == instant{}, "/expires", "`cotter manifest init --from` adds it");
  lacks(manifest.targets.empty(), "/targets", "`cotter manifest init` takes them from live edges");
  return found;
}

std::string_view to_string(severity weight) {
  switch (weight) {
    case severity::note: return "note";
    case severity::warning: return "warning";
    case severity::error: return "error";
  }
  return "unknown";
}

}  // namespace

exit_code manifest_lint(const lint_options& options, format how) {
  manifest_file file;
  lint_context context;
  if (const wrong fault = gather(options, file, context)) {
    write_diagnostic(options.manifest, *fault);
    if (how == format::json_lines) {
      write_line({{"file", options.manifest}, {"error", to_json(*fault)}});
    }
    return outcome_of(*fault);
  }
  std::vector<finding> found = reading(file, context);
  for (finding& one : lint(file.content.manifest, context)) found.push_back(std::move(one));

  exit_code worst = exit_code::ok;
  for (const finding& one : found) {
    if (one.weight == severity::error) worst = worse(worst, exit_code::refused);
    if (one.weight == severity::warning) worst = worse(worst, exit_code::warning);
    if (how == format::json_lines) {
      write_line({{"code", one.code},
                  {"severity", to_string(one.weight)},
                  {"pointer", one.pointer},
                  {"seen", one.seen},
                  {"why", one.why},
                  {"do", one.action}});
    } else {
      write_text(std::string(to_string(one.weight)) + "  " + one.code + "  " +
                 printable(one.pointer) + "\n  seen  " + printable(one.seen) + "\n  why   " +
                 one.why + "\n  do    " + one.action + "\n");
    }
  }
  if (how == format::text && found.empty()) write_text("nothing to complain of\n");
  return worst;
}

}  // namespace cotter::command
