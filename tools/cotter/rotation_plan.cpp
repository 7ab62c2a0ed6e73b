// SPDX-License-Identifier: BSL-1.0
#include "manifest.hpp"

#include "certificates.hpp"
#include "documents.hpp"
#include "files.hpp"
#include "rotation.hpp"

#include <utility>

namespace cotter::command {

namespace {

using wrong = std::optional<problem>;
using std::chrono::days;

wrong leaf_at(const plan_options& options, certificate_facts& out) {
  extract_options looking;
  looking.endpoint = options.successor;
  looking.ca_file = options.ca_file;
  looking.addresses = options.addresses;
  extraction seen;
  if (auto fault = look(looking, seen)) return fault;
  for (const extract_warning& one : seen.warnings) {
    if (one.weight != exit_code::refused && one.weight != exit_code::no_verdict) continue;
    problem p = describe(reason::pkix, one.text);
    p.code = one.code;
    p.action = "make the edge right first: a pin does not make up for it";
    return p;
  }
  if (seen.leaves.size() != 1) {
    return problem{"edges_disagree", std::to_string(seen.leaves.size()) + " different certificates",
                   "one new certificate", "give its file instead"};
  }
  out = seen.edges[seen.leaves[0]].presented.front();
  return {};
}

/// A pin, a certificate in a file, or the one that a live edge presents.
wrong successor(const plan_options& options, pin& out) {
  if (const auto parsed = parse_pin(options.successor)) {
    out = *parsed;
    return {};
  }
  certificate_facts leaf;
  std::string host;
  std::uint16_t port = 0;
  if (!read_endpoint(options.successor, host, port)) {
    if (auto fault = leaf_at(options, leaf)) return fault;
  } else {
    std::string text;
    if (auto fault = read_file(options.successor, text)) {
      fault->seen = options.successor + ": " + fault->seen;
      return fault;
    }
    if (auto fault = examine_file(text, leaf)) return fault;
  }
  if (leaf.is_ca) {
    return problem{"ca_pinned", "the certificate of a CA", "the server's own certificate",
                   "give the leaf: cotter compares nothing else"};
  }
  out.form = options.by_key && leaf.key ? pin_form::spki : pin_form::certificate;
  out.digest = out.form == pin_form::spki ? *leaf.key : leaf.certificate;
  return {};
}

wrong plan(const plan_options& options, manifest_file& last, rotation& out) {
  rotation_request request;
  if (auto fault = load_manifest_file(options.manifest, last)) return fault;
  // Keys without a meaning would be lost on the way, and what they were meant to say with them.
  if (auto fault = refuse_unknown(last.content)) return fault;
  if (auto fault = read_endpoint(options.endpoint, request.host, request.port)) return fault;
  request.region = options.region;
  request.start = current_time();
  if (!options.start.empty()) {
    if (auto fault = read_time(options.start, "--start", request.start)) return fault;
  }
  if (options.window_days) request.window = days(*options.window_days);
  request.in_force = days(options.in_force_days);
  if (auto fault = successor(options, request.successor)) return fault;
  return plan_rotation(last.content.manifest, request, out);
}

std::string name_of(const plan_options& options, std::size_t phase) {
  return options.out_directory + "/phase-" + std::to_string(phase + 1) + ".json";
}

wrong write_phases(const plan_options& options, const manifest_file& last,
                   const rotation& planned) {
  for (std::size_t i = 0; i < planned.phases.size(); ++i) {
    auto text = documents::write_manifest(planned.phases[i], last.content.critical);
    if (!text) return describe(text.error());
    if (auto fault = write_file(name_of(options, i), *text)) return fault;
  }
  return {};
}

}  // namespace

exit_code rotation_plan(const plan_options& options, format how) {
  rotation planned;
  manifest_file last;
  wrong fault = plan(options, last, planned);
  if (!fault) fault = write_phases(options, last, planned);
  if (fault) {
    write_diagnostic("rotation plan", *fault);
    if (how == format::json_lines) write_line({{"error", to_json(*fault)}});
    return outcome_of(*fault);
  }
  constexpr const char* when[] = {
      "sign and deploy now, before the server changes",
      "the server may change once every device has phase 1; sign and deploy when it has",
      "sign and deploy when the old pins have ended"};
  for (std::size_t i = 0; i < planned.phases.size(); ++i) {
    if (how == format::json_lines) {
      write_line({{"phase", i + 1},
                  {"file", name_of(options, i)},
                  {"sequence", planned.phases[i].sequence},
                  {"deploy_from", rfc3339(planned.deploy_from[i])},
                  {"old_pins_end", rfc3339(planned.old_ends)}});
    } else {
      write_text("phase " + std::to_string(i + 1) + "  " + rfc3339(planned.deploy_from[i]) + "  " +
                 printable(name_of(options, i)) + "\n  " + when[i] + "\n");
    }
  }
  if (how == format::text) {
    write_text("the old pins end " + rfc3339(planned.old_ends) + "\n");
  }
  return exit_code::ok;
}

}  // namespace cotter::command
