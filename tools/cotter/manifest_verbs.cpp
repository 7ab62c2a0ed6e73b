// SPDX-License-Identifier: BSL-1.0
#include "manifest_verbs.hpp"

#include <cotter/values/manifest.hpp>

#include <CLI/CLI.hpp>

namespace cotter::command {

namespace {

CLI::Option* list(CLI::App* verb, const char* name, std::vector<std::string>& into,
                  const char* text, const char* type = "FILE") {
  return verb->add_option(name, into, text)->allow_extra_args(false)->type_name(type);
}

CLI::Option* text(CLI::App* verb, const char* name, std::string& into, const char* about,
                  const char* type = "FILE") {
  return verb->add_option(name, into, about)->type_name(type);
}

CLI::Option* days(CLI::App* verb, const char* name, unsigned& into, const char* about) {
  return verb->add_option(name, into, about)
      ->check(CLI::Range(1u, 3660u))
      ->type_name("DAYS")
      ->capture_default_str();
}

CLI::Option* kind(CLI::App* verb, std::string& into) {
  return verb->add_option("--type", into, "What the document is")
      ->check(CLI::IsMember({"manifest", "key-set", "breaker-reset"}))
      ->type_name("KIND")
      ->capture_default_str();
}

}  // namespace

void add_trust(CLI::App& verb, trust_options& into) {
  list(&verb, "--trust-key", into.keys,
       "Who may sign: PEM public keys, repeatable, or one signed key set");
  verb.add_option("--threshold", into.threshold, "How many of the PEM keys must have signed")
      ->check(CLI::Range(1u, 32u))
      ->type_name("N")
      ->capture_default_str();
  list(&verb, "--key-set", into.chain, "Key sets that follow the trusted one, in order");
}

void manifest_verbs::add_to(CLI::App& app, bool& as_json, const char* footer) {
  CLI::App* manifest = app.add_subcommand("manifest", "Write, check, sign and verify manifests");
  manifest->require_subcommand(1);
  CLI::App* rotation = app.add_subcommand("rotation", "Replace a certificate without an outage");
  rotation->require_subcommand(1);
  const auto add = [&](CLI::App* parent, const char* name, const char* about) {
    CLI::App* verb = parent->add_subcommand(name, about);
    verb->footer(footer);
    verb->add_flag("--json", as_json, "One JSON object per line on stdout");
    return verb;
  };

  init_ = add(manifest, "init", "A manifest from documents, live edges or certificates");
  list(init_, "--from", init_options_.sources,
       "A manifest, a circuitBreakerConfig, or a platform's list of certificates");
  list(init_, "--live", init_options_.live, "An edge to look at", "HOST:PORT");
  text(init_, "--ca", init_options_.ca_file, "Trust anchors for live edges")->capture_default_str();
  text(init_, "--public-ca", init_options_.public_ca_file, "The public CAs")->capture_default_str();
  list(init_, "--connect", init_options_.addresses, "Instead of asking DNS", "IP:PORT");
  text(init_, "--target", init_options_.endpoint, "Whose certificates --cert are", "HOST:PORT");
  list(init_, "--cert", init_options_.certificates, "A certificate to pin as primary");
  list(init_, "--backup", init_options_.backups,
       "The pin, or the certificate, of a key kept offline; its key is pinned", "PIN|FILE");
  init_->add_flag("--spki", init_options_.by_key, "Pin keys, which survive a renewal");
  init_->add_option("--sequence", init_options_.sequence, "Higher than that of the last manifest")
      ->check(CLI::Range(std::uint64_t{1}, highest_sequence))
      ->capture_default_str();
  text(init_, "--issued", init_options_.issued, "When it is signed; now", "TIME");
  days(init_, "--expires-days", init_options_.in_force_days, "How long it is in force");
  init_->add_option("--window-days", init_options_.window_days, "rotationWindowDays")
      ->check(CLI::Range(1u, 366u))
      ->type_name("DAYS");
  text(init_, "--report-to", init_options_.reporting_endpoint, "reportingEndpoint", "URL");
  text(init_, "--out,-o", init_options_.out, "Instead of stdout");

  lint_ = add(manifest, "lint", "What will hurt, before it is signed; made for build pipelines");
  lint_->add_option("MANIFEST", lint_options_.manifest, "A payload or an envelope")->required();
  text(lint_, "--previous", lint_options_.previous, "The manifest in the field");
  list(lint_, "--cert", lint_options_.certificates, "Certificates that pins may be of");
  list(lint_, "--baseline", lint_options_.baselines, "What `cotter extract --json` wrote");
  list(lint_, "--platform", lint_options_.platforms, "A platform's list of certificates");
  list(lint_, "--signing-key", lint_options_.signing_keys, "Public keys of those who sign");
  days(lint_, "--deployment-days", lint_options_.deployment_days,
       "How long until every device has a new manifest");
  list(lint_, "--accept", lint_options_.accepted, "A finding that you take upon yourself", "CODE");
  text(lint_, "--at", lint_options_.at, "As of this time; now", "TIME");

  sign_ = add(manifest, "sign", "Sign a manifest, or add a signature to a signed one");
  sign_->add_option("DOCUMENT", sign_options_.document, "A payload or an envelope")->required();
  CLI::Option* key = text(sign_, "--key", sign_options_.key,
                          "PEM private key, ECDSA P-256 or Ed25519, readable by you alone");
  CLI::Option* print =
      sign_->add_flag("--print", sign_options_.print, "Write the octets to sign, for a KMS or HSM");
  key->excludes(print);
  kind(sign_, sign_options_.kind);
  text(sign_, "--previous", sign_options_.previous, "The manifest in the field");
  text(sign_, "--out,-o", sign_options_.out, "Instead of stdout");

  attach_ = add(manifest, "attach", "Attach a signature that a KMS or HSM has made");
  attach_->add_option("DOCUMENT", attach_options_.document, "A payload or an envelope")->required();
  text(attach_, "--signature", attach_options_.signature, "Raw or base64; ECDSA as DER")
      ->required();
  text(attach_, "--public-key", attach_options_.public_key, "PEM: whose signature it is")
      ->required();
  kind(attach_, attach_options_.kind);
  text(attach_, "--out,-o", attach_options_.out, "Instead of stdout");

  verify_ = add(manifest, "verify", "What a device would make of it");
  verify_->add_option("ENVELOPE", verify_options_.envelope)->required();
  add_trust(*verify_, verify_options_.trust);
  text(verify_, "--at", verify_options_.trust.at, "As of this time; now", "TIME");
  text(verify_, "--state", verify_options_.state,
       "Remembers the newest manifest, so that no older one comes back");

  show_ = add(manifest, "show", "What stands in it; verifies nothing");
  show_->add_option("MANIFEST", shown_, "A payload or an envelope")->required();

  header_ =
      add(manifest, "header", "A verified manifest as a C++ header, for devices without files");
  header_->add_option("ENVELOPE", header_options_.envelope)->required();
  add_trust(*header_, header_options_.trust);
  text(header_, "--namespace", header_options_.name_space, "Of what it declares", "NAME")
      ->capture_default_str();
  text(header_, "--out,-o", header_options_.out, "Instead of stdout");

  keys_ = add(manifest, "keys", "A key set: who may sign what; sign it with --type key-set");
  keys_->add_option("--version-number", keys_options_.version, "One more than the last key set's")
      ->check(CLI::Range(std::uint64_t{1}, highest_key_set_version))
      ->capture_default_str();
  const auto group = [&](const char* keys, std::vector<std::string>& files, const char* about,
                         const char* threshold, unsigned& count) {
    CLI::Option* option = list(keys_, keys, files, about);
    keys_->add_option(threshold, count, "How many of them together")
        ->check(CLI::Range(1u, 32u))
        ->capture_default_str();
    return option;
  };
  group("--root", keys_options_.root, "PEM public keys that may sign key sets", "--root-threshold",
        keys_options_.root_threshold)
      ->required();
  group("--signer", keys_options_.signer, "PEM public keys that may sign manifests",
        "--signer-threshold", keys_options_.signer_threshold)
      ->required();
  group("--reset", keys_options_.reset, "PEM public keys that may reset breakers; the signers",
        "--reset-threshold", keys_options_.reset_threshold);
  text(keys_, "--issued", keys_options_.issued, "When it is signed; now", "TIME");
  days(keys_, "--expires-days", keys_options_.in_force_days, "How long it is in force");
  text(keys_, "--out,-o", keys_options_.out, "Instead of stdout");

  plan_ = add(rotation, "plan", "The manifests of a rotation's three phases");
  text(plan_, "--manifest", plan_options_.manifest, "The manifest in the field")->required();
  text(plan_, "--target", plan_options_.endpoint, "Whose certificate is replaced", "HOST:PORT")
      ->required();
  text(plan_, "--region", plan_options_.region, "Of a target whose pins stand in regions", "NAME");
  text(plan_, "--new", plan_options_.successor,
       "The new certificate: its file, its pin, or an edge that has it", "FILE|PIN|HOST:PORT")
      ->required();
  text(plan_, "--ca", plan_options_.ca_file, "Trust anchors for a live edge")
      ->capture_default_str();
  list(plan_, "--connect", plan_options_.addresses, "Instead of asking DNS", "IP:PORT");
  plan_->add_flag("--spki", plan_options_.by_key, "Pin the new certificate's key");
  text(plan_, "--start", plan_options_.start, "When the first is signed; now", "TIME");
  plan_->add_option("--window-days", plan_options_.window_days, "Instead of rotationWindowDays")
      ->check(CLI::Range(1u, 366u))
      ->type_name("DAYS");
  days(plan_, "--expires-days", plan_options_.in_force_days, "How long each is in force");
  text(plan_, "--out,-o", plan_options_.out_directory,
       "Where to write phase-1.json to phase-3.json", "DIR")
      ->capture_default_str();
}

std::optional<exit_code> manifest_verbs::run(format how) const {
  if (init_->parsed()) return manifest_init(init_options_, how);
  if (lint_->parsed()) return manifest_lint(lint_options_, how);
  if (sign_->parsed()) {
    if (!sign_options_.print && sign_options_.key.empty()) {
      problem p = describe_usage("neither --key nor --print", "manifest sign");
      p.action = "give --key FILE, or --print to have it signed elsewhere";
      write_diagnostic("manifest sign", p);
      if (how == format::json_lines) write_line({{"error", to_json(p)}});
      return exit_code::no_verdict;
    }
    return manifest_sign(sign_options_, how);
  }
  if (attach_->parsed()) return manifest_attach(attach_options_, how);
  if (verify_->parsed()) return manifest_verify(verify_options_, how);
  if (show_->parsed()) return manifest_show(shown_, how);
  if (header_->parsed()) return manifest_header(header_options_, how);
  if (keys_->parsed()) return manifest_keys(keys_options_, how);
  if (plan_->parsed()) return rotation_plan(plan_options_, how);
  return {};
}

}  // namespace cotter::command
