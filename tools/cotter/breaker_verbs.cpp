// SPDX-License-Identifier: BSL-1.0
#include "breaker_verbs.hpp"

#include "manifest_verbs.hpp"

#include <CLI/CLI.hpp>

namespace cotter::command {

void add_state(CLI::App& verb, state_options& into, const char* option) {
  verb.add_option(option, into.file, "The breaker's state: a file in a directory of its user alone")
      ->type_name("FILE");
  verb.add_option("--vault", into.vault,
                  "Where its key and counter are: " + vault_spellings() +
                      "; else FILE.key, without a counter")
      ->type_name("VAULT");
  verb.add_option("--name", into.name, "What the state is for: no other state passes for it")
      ->type_name("NAME")
      ->capture_default_str();
  verb.add_option("--store-id", into.id, "The one store that may be there")->type_name("HEX");
}

void breaker_verbs::add_to(CLI::App& app, bool& as_json, const char* footer) {
  CLI::App* breaker = app.add_subcommand("breaker", "The breaker's state: make, show, open a lock");
  breaker->require_subcommand(1);
  CLI::App* vault = app.add_subcommand("vault", "Keep keys and counters for other users' programs");
  vault->require_subcommand(1);
  const auto add = [&](CLI::App* parent, const char* name, const char* about) {
    CLI::App* verb = parent->add_subcommand(name, about);
    verb->footer(footer);
    verb->add_flag("--json", as_json, "One JSON object per line on stdout");
    return verb;
  };

  init_ = add(breaker, "init", "Make the state, and its vault if it has none; once");
  add_state(*init_, state_, "--state");
  init_->get_option("--state")->required();

  status_ = add(breaker, "status", "Where each target stands, and what a reset must name");
  add_state(*status_, state_, "--state");
  status_->get_option("--state")->required();

  reset_ =
      add(breaker, "reset", "Open a lock with a signed statement, or make the statement of one");
  reset_options& into = reset_options_;
  add_state(*reset_, into.state, "--state");
  CLI::Option* apply =
      reset_->add_option("--apply", into.statement, "The signed statement; needs --trust-key")
          ->type_name("FILE");
  apply->needs(reset_->get_option("--state"));
  add_trust(*reset_, into.trust);
  add_trail(*reset_, into.trail);
  reset_->get_option("--audit")->needs(apply);
  CLI::Option* target = reset_->add_option("--target", into.endpoint, "The target that is locked")
                            ->type_name("HOST:PORT");
  target->excludes(apply);
  reset_->add_option("--network", into.network, "The network id, if the program gives one")
      ->type_name("ID")
      ->needs(target);
  CLI::Option* epoch = reset_->add_option("--lock-epoch", into.lock_epoch, "From `breaker status`")
                           ->check(CLI::Range(1u, 0xffff'ffffu))
                           ->type_name("N");
  epoch->needs(target);
  target->needs(epoch);
  reset_->add_option("--expires-hours", into.in_force_hours, "How long it can be applied")
      ->check(CLI::Range(1u, 720u))
      ->type_name("HOURS")
      ->capture_default_str();
  reset_->add_option("--key", into.key, "Signs it; without, `manifest sign --type breaker-reset`")
      ->type_name("FILE")
      ->needs(target);
  reset_->add_option("--out,-o", into.out, "Instead of stdout")->type_name("FILE")->needs(target);

  serve_ = add(vault, "serve", "Serve other users over a Unix socket, until it is ended");
  serve_->add_option("--socket", serve_options_.socket, "Its path; else the one of systemd")
      ->type_name("PATH");
  serve_->add_option("--directory", serve_options_.directory, "Where it keeps them: its own, 0700")
      ->required()
      ->type_name("PATH");
  serve_
      ->add_option("--user", serve_options_.users, "Whom it serves, a name or a number; repeatable")
      ->required()
      ->allow_extra_args(false)
      ->type_name("USER");
}

std::optional<exit_code> breaker_verbs::run(format how) const {
  if (init_->parsed()) return init_breaker(state_, how);
  if (status_->parsed()) return show_breaker(state_, how);
  if (reset_->parsed()) return reset_breaker(reset_options_, how);
  if (serve_->parsed()) return serve_vault(serve_options_, how);
  return std::nullopt;
}

}  // namespace cotter::command
