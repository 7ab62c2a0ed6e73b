// SPDX-License-Identifier: BSL-1.0
#include "breaker_verbs.hpp"

#include "documents.hpp"
#include "extract.hpp"
#include "files.hpp"
#include "signing.hpp"

#include <cotter/backends/openssl.hpp>
#include <cotter/json/breaker_reset.hpp>
#include <cotter/pipeline/guard.hpp>
#include <cotter/policies/clock/system_clock.hpp>
#include <cotter/policies/lock/no_lock.hpp>
#include <cotter/policies/manifest/embedded_manifest.hpp>
#include <cotter/policies/pin_set/owned_pin_set.hpp>

#include <algorithm>
#include <array>
#include <memory>

namespace cotter::command {

namespace {

using wrong = std::optional<problem>;
using state = kept_breaker<backends::openssl>;

wrong open_state(const state_options& options, std::unique_ptr<state>& out) {
  posix::sealed_file_options where;
  any_vault vault;
  if (auto fault = read_state_options(options, where, vault)) return fault;
  out = std::make_unique<state>(where, std::move(vault));
  return {};
}

problem describe_state(const error& e, const std::string& file) {
  problem p = describe(e.what, file);
  p.native = e.native;
  return p;
}

std::string_view what_it_notices(rollback_resistance r) {
  switch (r) {
    case rollback_resistance::none: return "an older copy put back is not noticed";
    case rollback_resistance::partial:
      return "an older copy put back is noticed, unless the vault is put back too";
    case rollback_resistance::other_principal:
      return "an older copy put back is noticed: another user keeps the counter";
    case rollback_resistance::hardware:
      return "an older copy put back is noticed: a counter in hardware only goes up";
  }
  return {};
}

exit_code failed(const char* verb, const problem& fault, format how) {
  write_diagnostic(verb, fault);
  if (how == format::json_lines) write_line({{"error", to_json(fault)}});
  return outcome_of(fault);
}

wrong make_state(const state_options& options, std::unique_ptr<state>& out) {
  if (auto fault = open_state(options, out)) return fault;
  // A vault that is there already is used: one may serve several states.
  if (const auto made = out->vault.create(); !made && made.error().what != errc::state_exists) {
    return describe_state(made.error(), "--vault");
  }
  std::array<std::uint8_t, command_ledger::image_bytes> image{};
  const std::size_t size = command_breaker<backends::openssl>::fresh_image(image);
  const auto made = out->store.create(bytes_view(image).first(size));
  return made ? wrong{} : describe_state(made.error(), options.file);
}

json to_json(const breaker_key& key, const breaker_status& status) {
  return {{"host", key.endpoint.host},
          {"port", key.endpoint.port},
          {"network", key.network.empty() ? json(nullptr) : json(key.network)},
          {"state", to_string(status.state)},
          {"streak", status.streak},
          {"mismatches_24h", status.mismatches_24h},
          {"lock_epoch", status.lock_epoch},
          {"sequence", status.sequence},
          {"next_attempt_in_ms", status.next_attempt_in.count()}};
}

std::string to_text(const breaker_key& key, const breaker_status& status) {
  const bool brackets = key.endpoint.host.find(':') != std::string_view::npos;
  std::string out = (brackets ? "[" : "") + std::string(key.endpoint.host) +
                    (brackets ? "]:" : ":") + std::to_string(key.endpoint.port);
  if (!key.network.empty()) out += "  network " + printable(key.network);
  out += "\n  state        " + std::string(to_string(status.state));
  if (status.state == breaker_state::locked) {
    out += ", lock epoch " + std::to_string(status.lock_epoch);
  }
  out += "\n  mismatches   " + std::to_string(status.streak) + " in a row, " +
         std::to_string(status.mismatches_24h) + " in 24 hours";
  if (status.next_attempt_in.count() > 0) {
    out += "\n  next attempt in " + std::to_string(status.next_attempt_in.count()) + " ms";
  }
  return out + "\n";
}

wrong apply_reset(const reset_options& options, documents::reset_statement& statement,
                  command_sink& trail) {
  if (options.trust.keys.empty()) {
    problem p = describe_usage("--apply without --trust-key", "breaker reset");
    p.action = "say whose signature counts: --trust-key FILE";
    return p;
  }
  documents::trusted_keys trust;
  const instant now = current_time();
  if (auto fault = load_trust(options.trust.keys, options.trust.threshold, options.trust.chain, now,
                              trust)) {
    return fault;
  }
  std::string envelope;
  if (auto fault = read_file(options.statement, envelope)) return fault;
  const auto verified =
      documents::verify<backends::openssl>(envelope, documents::role::breaker_reset, trust, now);
  if (!verified) return describe(verified.error());
  auto read = documents::read_breaker_reset(*verified);
  if (!read) return describe(read.error());
  statement = *std::move(read);
  std::unique_ptr<state> opened;
  if (auto fault = open_state(options.state, opened)) return fault;
  if (auto fault = trail.open(options.trail)) return fault;
  // The guard writes down what it opens; it is asked nothing else.
  const owned_pin_set nobody;
  guard watching(nobody, opened->breaker, embedded_manifest{}, trail, no_lock{});
  const auto done = watching.reset(statement.word());
  return done ? wrong{} : describe_state(done.error(), options.state.file);
}

wrong sign_reset(const reset_options& options, const std::string& payload, std::string& out) {
  signing_key key;
  if (auto fault = key.load(options.key)) return fault;
  documents::envelope document;
  document.payload_type = documents::payload_type_of(documents::role::breaker_reset);
  document.payload = payload;
  std::string signature = key.sign(documents::pae(document.payload_type, document.payload));
  if (signature.empty()) return describe(errc::out_of_memory, "signing");
  if (auto fault = add_signature(document, key.public_key(), std::move(signature))) return fault;
  auto text = documents::write_envelope(document);
  if (!text) return describe(text.error());
  out = *std::move(text);
  return {};
}

wrong make_reset(const reset_options& options, documents::reset_statement& statement) {
  if (auto fault = read_endpoint(options.endpoint, statement.host, statement.port)) return fault;
  const auto id = documents::parse_store_id(options.state.id);
  if (!id) {
    problem p = describe_usage("--store-id: not 32 hex digits in lower case", "breaker reset");
    p.action = "`cotter breaker status` says which store it is";
    return p;
  }
  statement.network = options.network;
  statement.store = *id;
  statement.lock_epoch = options.lock_epoch;
  statement.issued_at = current_time();
  statement.expires_at = statement.issued_at + std::chrono::hours(options.in_force_hours);
  const auto payload = documents::write_breaker_reset(statement);
  if (!payload) return describe(payload.error());
  std::string text = *payload;
  if (!options.key.empty()) {
    if (auto fault = sign_reset(options, *payload, text)) return fault;
  }
  return write_file(options.out, text);
}

}  // namespace

wrong read_state_options(const state_options& options, posix::sealed_file_options& where,
                         any_vault& vault) {
  where.path = options.file;
  where.name = options.name;
  if (!options.id.empty()) {
    where.id = documents::parse_store_id(options.id);
    if (!where.id) {
      return describe_usage("--store-id: not 32 hex digits in lower case", "breaker");
    }
  }
  return find_vault(options.vault.empty() ? "file:" + options.file + ".key" : options.vault, vault);
}

exit_code init_breaker(const state_options& options, format how) {
  if (!options.id.empty()) {
    problem p = describe_usage("--store-id: a new state has an id of its own", "breaker init");
    p.action = "leave it out, and note the id that is printed";
    return failed("breaker init", p, how);
  }
  std::unique_ptr<state> made;
  if (const auto fault = make_state(options, made)) return failed("breaker init", *fault, how);
  const std::string id = documents::format_store_id(made->store.id());
  const rollback_resistance resists = made->store.resistance();
  if (how == format::json_lines) {
    write_line({{"file", options.file}, {"store_id", id}, {"resistance", to_string(resists)}});
  } else {
    write_text(options.file + "\n  store id     " + id + "\n  resistance   " +
               std::string(to_string(resists)) + ": " + std::string(what_it_notices(resists)) +
               "\n");
  }
  return exit_code::ok;
}

exit_code show_breaker(const state_options& options, format how) {
  std::unique_ptr<state> opened;
  if (const auto fault = open_state(options, opened)) return failed("breaker status", *fault, how);
  const time_reading now = system_clock{}.now();
  auto image = std::make_unique<std::array<std::uint8_t, command_ledger::image_bytes>>();
  const auto size = opened->store.begin(*image);
  auto ledger = std::make_unique<command_ledger>();
  result<void> read =
      size ? ledger->load(bytes_view(*image).first(*size)) : result<void>(size.error());
  opened->store.cancel();
  if (!read) return failed("breaker status", describe_state(read.error(), options.file), how);

  const std::string id = documents::format_store_id(opened->store.id());
  const rollback_resistance resists = opened->store.resistance();
  std::string text = options.file + "\n  store id     " + id + "\n  resistance   " +
                     std::string(to_string(resists)) + "\n";
  if (how == format::json_lines) {
    write_line({{"file", options.file},
                {"store_id", id},
                {"resistance", to_string(resists)},
                {"any_locked", ledger->any_locked({})}});
  }
  exit_code worst = exit_code::ok;
  ledger->for_each_key([&](const breaker_key& key) {
    const breaker_status status = ledger->status({}, key, now);
    if (status.state == breaker_state::locked) worst = worse(worst, exit_code::refused);
    if (status.state == breaker_state::cooling) worst = worse(worst, exit_code::warning);
    if (how == format::json_lines) {
      write_line(to_json(key, status));
    } else {
      text += to_text(key, status);
    }
  });
  if (how == format::text) write_text(text);
  return worst;
}

exit_code reset_breaker(const reset_options& options, format how) {
  if (options.statement.empty() == options.endpoint.empty()) {
    problem p = describe_usage("neither --apply nor --target", "breaker reset");
    p.action = "make a statement with --target, or open a lock with --apply";
    return failed("breaker reset", p, how);
  }
  documents::reset_statement statement;
  const bool applies = !options.statement.empty();
  command_sink trail;
  const auto fault =
      applies ? apply_reset(options, statement, trail) : make_reset(options, statement);
  if (fault) return failed("breaker reset", *fault, how);
  const exit_code written = report_trail(trail, options.trail);
  if (!applies) return exit_code::ok;
  if (how == format::json_lines) {
    write_line({{"reset", true},
                {"host", statement.host},
                {"port", statement.port},
                {"lock_epoch", statement.lock_epoch}});
  } else {
    write_text(statement.host + ":" + std::to_string(statement.port) + "  open again: lock " +
               std::to_string(statement.lock_epoch) + " has been reset\n");
  }
  return written;
}

}  // namespace cotter::command
