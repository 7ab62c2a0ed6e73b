// SPDX-License-Identifier: BSL-1.0
#include "audit/audit_verbs.hpp"
#include "backends.hpp"
#include "breaker_verbs.hpp"
#include "connect.hpp"
#include "explain/explain.hpp"
#include "extract.hpp"
#include "fingerprint.hpp"
#include "manifest_verbs.hpp"
#include "output.hpp"
#include "selftest.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace cotter::command;

constexpr const char* exit_codes =
    "exit: 0 accepted, 1 accepted but the exchange failed, 2 refused or failed, 3 no verdict";

std::string version_text() {
  std::string text = "cotter " COTTER_COMMAND_VERSION "\n";
  for (const backend_face* each : all_backends()) {
    text += "  " + std::string(each->name()) + "  " + std::string(each->build()) + "\n";
  }
  return text +
         "The sources are under the BSL-1.0. This program links wolfSSL and is, as a whole, under\n"
         "the GPL-3.0-or-later.";
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const backend_face* each : all_backends()) names.emplace_back(each->name());
  return names;
}

/// What the parser says, without what was typed where that may be a secret.
std::string safe_text(const CLI::ParseError& e) {
  if (dynamic_cast<const CLI::ExtrasError*>(&e) != nullptr) {
    return "an argument too many, or an option that there is not";
  }
  std::string text = e.what();
  return text.substr(0, text.find('\n'));
}

int run(int count, char** arguments) {
  bool as_json = false;
  std::vector<std::string> files;
  connect_options connecting;
  std::string tested_backend;

  CLI::App app("Pins the certificates of TLS servers.", "cotter");
  app.footer(exit_codes);
  app.set_version_flag("--version", version_text, "Versions and licence, and exit");
  app.require_subcommand(1);
  const auto add_verb = [&](const char* name, const char* text) {
    CLI::App* verb = app.add_subcommand(name, text);
    verb->footer(exit_codes);
    verb->add_flag("--json", as_json, "One JSON object per line on stdout");
    return verb;
  };

  CLI::App* fingerprinting = add_verb("fingerprint", "The pins of certificates in files; offline");
  fingerprinting->add_option("FILE", files, "PEM (its first certificate) or DER; - is stdin")
      ->required();

  CLI::App* connection = add_verb("connect", "Connect, pinned, and say what came of it");
  connection->add_option("URL", connecting.url, "wss://, https://, sips: or tls://")->required();
  connection
      ->add_option("--pin", connecting.pins,
                   "cert-sha256:<hex>, spki-sha256:<hex> or sha256//<base64>; repeatable")
      ->allow_extra_args(false)
      ->type_name("PIN");
  connection->add_option("--fallback-pin", connecting.fallback_pins, "As --pin, for a rotation")
      ->allow_extra_args(false)
      ->type_name("PIN");
  connection
      ->add_option("--manifest", connecting.manifest_file,
                   "A signed manifest instead of pins; needs --trust-key")
      ->type_name("FILE");
  add_trust(*connection, connecting.trust);
  connection
      ->add_option("--state", connecting.state_file,
                   "Remembers the newest manifest, so that no older one comes back, and what the\n"
                   "last accepted certificate looked like, for diagnoses")
      ->type_name("FILE");
  add_state(*connection, connecting.breaker, "--breaker");
  connection
      ->add_option("--network", connecting.network,
                   "An id of this network: its mismatches are counted for themselves")
      ->type_name("ID");
  add_trail(*connection, connecting.trail);
  connection->add_option("--ca", connecting.ca_file, "PEM file of trust anchors, and no others")
      ->type_name("FILE")
      ->capture_default_str();
  connection->add_option("--backend", connecting.backend, "The TLS library")
      ->check(CLI::IsMember(backend_names()))
      ->type_name("NAME")
      ->capture_default_str();
  connection
      ->add_option("--connect", connecting.address,
                   "Where to go instead of asking DNS; the URL's host is still whom to expect")
      ->type_name("IP:PORT");
  CLI::Option* certificate =
      connection->add_option("--cert", connecting.certificate_file, "PEM chain of this client")
          ->type_name("FILE");
  CLI::Option* key = connection->add_option("--key", connecting.key_file, "PEM key of this client")
                         ->type_name("FILE");
  certificate->needs(key);
  key->needs(certificate);
  connection->add_option("--timeout", connecting.timeout_s, "Seconds for all of one attempt")
      ->check(CLI::Range(0.001, 86400.0))
      ->type_name("SECONDS")
      ->capture_default_str();
  connection
      ->add_option("--send", connecting.send,
                   "Once accepted, send this and wait for an answer; \\r \\n \\t \\\\ are read.\n"
                   "wss: a text message after the upgrade. https: in place of the GET")
      ->type_name("TEXT");
  connection->add_option("--subprotocol", connecting.subprotocol, "For wss, for example sip")
      ->type_name("NAME");
  connection->add_flag("--request", connecting.make_request,
                       "Once accepted, make the scheme's own request: wss the upgrade, https GET");
  connection
      ->add_option("--attempts", connecting.attempts,
                   "Connections, one after the other under one breaker; cooldowns are waited out")
      ->check(CLI::Range(1u, 1000u))
      ->type_name("N")
      ->capture_default_str();
  connection->add_option("--cooldown-ms", connecting.cooldown_ms, "Of the breaker")
      ->check(CLI::Range(0u, 86'400'000u))
      ->type_name("MS")
      ->capture_default_str();
  connection
      ->add_option("--max-failures", connecting.max_failures, "Mismatches that lock the breaker")
      ->check(CLI::Range(1u, 100u))
      ->type_name("N")
      ->capture_default_str();

  extract_options extracting;
  CLI::App* extraction_verb =
      add_verb("extract", "What live edges present: chains, pins, a manifest fragment");
  extraction_verb->add_option("HOST:PORT", extracting.endpoint, "An IPv6 address in brackets")
      ->required();
  extraction_verb
      ->add_option("--ca", extracting.ca_file, "PEM file of trust anchors, and no others")
      ->type_name("FILE")
      ->capture_default_str();
  extraction_verb
      ->add_option("--public-ca", extracting.public_ca_file,
                   "The public CAs: whether a leaf is theirs decides what to pin")
      ->type_name("FILE")
      ->capture_default_str();
  extraction_verb
      ->add_option("--connect", extracting.addresses, "Look here instead of asking DNS; repeatable")
      ->allow_extra_args(false)
      ->type_name("IP:PORT");
  extraction_verb->add_flag("--sip", extracting.sip, "Names by RFC 5922, as for sips:");
  extraction_verb->add_option("--timeout", extracting.timeout_s, "Seconds for each look")
      ->check(CLI::Range(0.001, 86400.0))
      ->type_name("SECONDS")
      ->capture_default_str();

  audit_verbs audits;
  breaker_verbs breakers;
  manifest_verbs manifests;
  manifests.add_to(app, as_json, exit_codes);
  breakers.add_to(app, as_json, exit_codes);
  audits.add_to(app, as_json, exit_codes);

  CLI::App* testing = add_verb("selftest", "Let each TLS library prove that it enforces");
  testing->add_option("--backend", tested_backend, "This one alone")
      ->check(CLI::IsMember(backend_names()))
      ->type_name("NAME");

  explain_options explaining;
  CLI::App* explanation =
      add_verb("explain", "What a code means, how to confirm it, and what to do");
  explanation->add_option("CODE", explaining.word,
                          "An error's code, a reason, a diagnosis, evidence, or a type of event");
  explanation->add_flag("--list", explaining.list, "Every code there is");

  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    const auto verbs = app.get_subcommands();
    const problem p = describe_usage(safe_text(e), verbs.empty() ? "" : verbs[0]->get_name());
    write_diagnostic("", p);
    for (int i = 1; i < count; ++i) {
      if (std::strcmp(arguments[i], "--json") != 0) continue;
      write_line({{"error", to_json(p)}});
      break;
    }
    return static_cast<int>(exit_code::no_verdict);
  }

  const format how = as_json ? format::json_lines : format::text;
  exit_code end = exit_code::no_verdict;
  if (fingerprinting->parsed()) end = fingerprint(files, how);
  if (connection->parsed()) end = connect(connecting, how);
  if (const auto ended = manifests.run(how)) end = *ended;
  if (const auto ended = breakers.run(how)) end = *ended;
  if (const auto ended = audits.run(how)) end = *ended;
  if (extraction_verb->parsed()) end = extract(extracting, how);
  if (explanation->parsed()) end = explain(explaining, how);
  if (testing->parsed()) end = selftest(tested_backend, how);
  if (std::ferror(stdout) != 0) {
    write_note("the result could not be written");
    end = worse(end, exit_code::no_verdict);
  }
  return static_cast<int>(end);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "cotter: internal error: %s\n", e.what());
    return static_cast<int>(exit_code::no_verdict);
  }
}
