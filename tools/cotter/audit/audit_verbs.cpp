// SPDX-License-Identifier: BSL-1.0
#include "audit_verbs.hpp"

#include "../backends.hpp"
#include "formats.hpp"
#include "trail.hpp"

#include <CLI/CLI.hpp>

namespace cotter::command {

namespace {

constexpr const char* drain_footer =
    "exit: 0 all is delivered, 1 something is left or was withheld, 2 events were dropped or "
    "damaged, 3 usage or "
    "unreadable";

template <typename Names>
CLI::Option* one_of(CLI::Option* option, const Names& names) {
  return option->check(CLI::IsMember(names))->type_name("NAME")->capture_default_str();
}

}  // namespace

void add_trail(CLI::App& verb, trail_options& into) {
  CLI::Option* directory =
      verb.add_option("--audit", into.directory,
                      "Write every decision into this spool; `cotter audit init` makes it")
          ->type_name("DIR");
  verb.add_option("--client-id", into.client, "What events call this installation")
      ->type_name("ID")
      ->needs(directory);
}

void audit_verbs::add_to(CLI::App& app, bool& as_json, const char* footer) {
  std::vector<std::string> formats;
  for (const named_format& one : all_formats) formats.emplace_back(one.name);
  std::vector<std::string> libraries;
  for (const backend_face* each : all_backends()) libraries.emplace_back(each->name());

  CLI::App* audit = app.add_subcommand("audit", "The audit trail: make, show, deliver");
  audit->require_subcommand(1);
  const auto add = [&](const char* name, const char* about, std::string& directory) {
    CLI::App* verb = audit->add_subcommand(name, about);
    verb->footer(footer);
    verb->add_flag("--json", as_json, "One JSON object per line on stdout");
    verb->add_option("DIR", directory, "The spool")->required();
    return verb;
  };

  init_ =
      add("init", "Make the spool, a directory of its user alone; once", init_options_.directory);
  init_
      ->add_option("--max-bytes", init_options_.max_bytes,
                   "All that it may take; what finds no room is dropped and counted")
      ->type_name("N")
      ->capture_default_str();

  status_ = add("status", "What waits for whom, what was dropped or damaged", status_directory_);

  show_ = add("show", "The events that the spool still has", show_options_.directory);
  one_of(show_->add_option("--format", show_options_.format, "As JSON of this kind"), formats);
  show_->add_flag("--follow", show_options_.follow, "Go on as events come, until ended");

  audit_drain_options& into = drain_options_;
  drain_ = add("drain", "Deliver what an output does not have yet", into.directory);
  drain_->footer(drain_footer);
  drain_
      ->add_option("--to", into.to,
                   "https://..., file:PATH, syslog:[PATH], syslog+tls://HOST[:PORT] or journald")
      ->required()
      ->type_name("WHERE");
  drain_->add_option("--output", into.output, "Under which name its progress is kept")
      ->type_name("NAME");
  one_of(drain_->add_option("--format", into.format, "How events are written"), formats);
  drain_->add_option("--ca", into.ca_file, "PEM file of trust anchors, and no others")
      ->type_name("FILE")
      ->capture_default_str();
  drain_->add_option("--pin", into.pins, "The collector's; repeatable")
      ->allow_extra_args(false)
      ->type_name("PIN");
  drain_
      ->add_option("--authorization-file", into.authorization_file,
                   "Its first line is the value of Authorization; readable by you alone")
      ->type_name("FILE");
  one_of(drain_->add_option("--backend", into.backend, "The TLS library"), libraries);
  drain_->add_option("--deadline", into.deadline_s, "Seconds for one turn")
      ->check(CLI::Range(0.001, 86400.0))
      ->type_name("SECONDS")
      ->capture_default_str();
  drain_->add_flag("--now", into.now, "Do not wait for what an earlier failure put off");
  withdraw_ =
      add("withdraw", "End an output: nothing waits for it any more", withdraw_options_.directory);
  withdraw_->add_option("--output", withdraw_options_.output, "Its name, as `status` lists it")
      ->required()
      ->type_name("NAME");
  drain_->add_flag("--follow", into.follow, "Go on as events come, until SIGTERM or SIGINT");
}

std::optional<exit_code> audit_verbs::run(format how) const {
  if (init_->parsed()) return init_audit(init_options_, how);
  if (status_->parsed()) return show_audit_status(status_directory_, how);
  if (show_->parsed()) {
    audit_show_options options = show_options_;
    options.format_given = show_->count("--format") != 0;
    return show_audit(options, how);
  }
  if (withdraw_->parsed()) return withdraw_audit(withdraw_options_, how);
  if (drain_->parsed()) return drain_audit(drain_options_, how);
  return std::nullopt;
}

}  // namespace cotter::command
