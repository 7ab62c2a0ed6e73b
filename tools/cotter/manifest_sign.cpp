// SPDX-License-Identifier: BSL-1.0
#include "manifest.hpp"

#include "certificates.hpp"
#include "documents.hpp"
#include "files.hpp"
#include "lint.hpp"
#include "signing.hpp"

#include <cotter/backends/openssl.hpp>
#include <cotter/json/base64.hpp>
#include <cotter/json/breaker_reset.hpp>
#include <cotter/json/key_set.hpp>
#include <cotter/json/verify.hpp>
#include <cotter/policies/manifest/live_manifest.hpp>

#include <algorithm>
#include <utility>

namespace cotter::command {

namespace {

using wrong = std::optional<problem>;
using documents::role;

wrong role_of(const std::string& kind, role& out) {
  if (kind == "manifest") out = role::manifest;
  if (kind == "key-set") out = role::key_set;
  if (kind == "breaker-reset") out = role::breaker_reset;
  return {};
}

problem refuse_to_sign(errc what, std::string pointer, std::string action) {
  problem p = describe(what);
  p.pointer = std::move(pointer);
  p.action = std::move(action);
  return p;
}

/// What is refused at signing would be refused by every device, or would surprise its author.
wrong check_manifest(const std::string& payload, const std::string& previous) {
  const auto authored = documents::read_authored_manifest(payload);
  if (!authored) return describe(authored.error());
  constexpr const char* init = "`cotter manifest init --from FILE` adds what is missing";
  const pin_manifest& manifest = authored->manifest;
  if (manifest.sequence == 0) return refuse_to_sign(errc::missing_key, "/sequence", init);
  if (manifest.issued_at == instant{}) return refuse_to_sign(errc::missing_key, "/issuedAt", init);
  if (manifest.expires_at == instant{}) return refuse_to_sign(errc::missing_key, "/expires", init);
  if (auto fault = refuse_unknown(*authored)) return fault;
  const auto complete = documents::read_manifest(payload);
  if (!complete) return describe(complete.error());
  live_manifest trial;
  if (const auto fit = trial.adopt(*complete, manifest.issued_at); !fit) {
    return describe(fit.error().what);
  }
  if (manifest.issued_at > current_time() + std::chrono::hours(24)) {
    problem p = refuse_to_sign(errc::invalid_value, "/issuedAt",
                               "sign it on the day it is issued: issuedAt moves every device's "
                               "clock, and what is in the future would end certificates early");
    p.expected = "a time not later than tomorrow";
    return p;
  }
  if (manifest.expires_at < current_time()) {
    return refuse_to_sign(errc::document_expired, "/expires",
                          "`cotter manifest init --from FILE` gives it a new term");
  }
  if (previous.empty()) return {};
  manifest_file before;
  if (auto fault = load_manifest_file(previous, before)) return fault;
  lint_context context;
  context.now = manifest.issued_at;
  context.previous = before.content.manifest;
  for (const finding& one : lint(*complete, context)) {
    if (one.code != "fallback_extended" && one.code != "sequence_not_higher") continue;
    problem p{one.code, one.seen, one.why, one.action};
    p.pointer = one.pointer;
    return p;
  }
  return {};
}

wrong check_document(role kind, const std::string& payload, const std::string& previous) {
  if (kind == role::manifest) return check_manifest(payload, previous);
  if (kind == role::key_set) {
    const auto set = documents::read_key_set(payload);
    return set ? wrong{} : describe(set.error());
  }
  const auto reset = documents::read_breaker_reset(payload);
  return reset ? wrong{} : describe(reset.error());
}

/// Takes a payload, or the payload and signatures of an envelope of this kind.
wrong open(const std::string& path, role kind, documents::envelope& out) {
  std::string text;
  if (auto fault = read_file(path, text)) return fault;
  const auto shape = documents::read_document(text);
  if (!shape) return describe(shape.error());
  out.payload_type = documents::payload_type_of(kind);
  if (!shape->root().find("payloadType")) {
    out.payload = std::move(text);
    return {};
  }
  auto envelope = documents::read_envelope(text);
  if (!envelope) return describe(envelope.error());
  if (envelope->payload_type != out.payload_type) {
    problem p = describe(errc::wrong_payload_type, printable(envelope->payload_type));
    p.expected = out.payload_type;
    return p;
  }
  out = *std::move(envelope);
  return {};
}

wrong write(const documents::envelope& signed_one, const std::string& path) {
  auto text = documents::write_envelope(signed_one);
  if (!text) return describe(text.error());
  return write_file(path, *text);
}

wrong sign(const sign_options& options) {
  role kind = role::manifest;
  if (auto fault = role_of(options.kind, kind)) return fault;
  documents::envelope document;
  if (auto fault = open(options.document, kind, document)) return fault;
  if (auto fault = check_document(kind, document.payload, options.previous)) return fault;
  const std::string message = documents::pae(document.payload_type, document.payload);
  if (options.print) return write_file(options.out, message);
  signing_key key;
  if (auto fault = key.load(options.key)) return fault;
  std::string signature = key.sign(message);
  if (signature.empty()) return describe(errc::out_of_memory, "signing");
  if (auto fault = add_signature(document, key.public_key(), std::move(signature))) return fault;
  return write(document, options.out);
}

wrong attach(const attach_options& options) {
  role kind = role::manifest;
  if (auto fault = role_of(options.kind, kind)) return fault;
  documents::envelope document;
  if (auto fault = open(options.document, kind, document)) return fault;
  if (auto fault = check_document(kind, document.payload, {})) return fault;
  std::string text;
  if (auto fault = read_file(options.public_key, text)) return fault;
  const auto keys = documents::read_public_keys(text);
  if (!keys) return describe(keys.error());
  if (keys->size() != 1) return describe(errc::unsupported_key, "--public-key holds several keys");
  const documents::public_key& key = keys->front();
  std::string signature;
  if (auto fault = read_file(options.signature, signature)) return fault;
  std::string digits = signature;
  std::erase_if(digits, [](char c) { return c == '\n' || c == '\r'; });
  if (auto decoded = documents::decode_base64(digits); decoded && !decoded->empty()) {
    signature = *std::move(decoded);
  }
  const std::string message = documents::pae(document.payload_type, document.payload);
  const auto octets_of = [](std::string_view from) {
    return bytes_view(reinterpret_cast<const std::uint8_t*>(from.data()), from.size());
  };
  const auto good = verify_strictly<backends::openssl>(key.scheme, octets_of(key.spki),
                                                       octets_of(message), octets_of(signature));
  if (!good) {
    problem p = describe(good.error().what);
    p.expected = "the signature of this key over what `sign --print` writes";
    p.action = "sign exactly those octets: for ECDSA with SHA-256, as DER";
    return p;
  }
  if (auto fault = add_signature(document, key.spki, std::move(signature))) return fault;
  return write(document, options.out);
}

wrong compose_keys(const keys_options& options, std::string& out) {
  documents::key_set set;
  set.version = options.version;
  set.issued_at = current_time();
  if (!options.issued.empty()) {
    if (auto fault = read_time(options.issued, "--issued", set.issued_at)) return fault;
  }
  set.expires_at = set.issued_at + std::chrono::days(options.in_force_days);
  const auto add = [&](const std::vector<std::string>& files, unsigned threshold,
                       role kind) -> wrong {
    documents::key_role& holds = set.roles[static_cast<std::size_t>(kind)];
    holds.threshold = threshold;
    for (const std::string& file : files) {
      std::string text;
      if (auto fault = read_file(file, text)) {
        fault->seen = file + ": " + fault->seen;
        return fault;
      }
      const auto keys = documents::read_public_keys(text);
      if (!keys) {
        problem p = describe(keys.error());
        p.seen += ": " + file;
        return p;
      }
      for (const documents::public_key& one : *keys) {
        auto known = std::find_if(
            set.keys.begin(), set.keys.end(),
            [&](const documents::public_key& other) { return other.spki == one.spki; });
        if (known == set.keys.end()) {
          auto id = documents::key_id_of<backends::openssl>(one.spki);
          if (!id) return describe(id.error());
          set.keys.push_back({*std::move(id), one.scheme, one.spki});
          known = set.keys.end() - 1;
        }
        holds.keys.push_back(static_cast<std::size_t>(known - set.keys.begin()));
      }
    }
    return {};
  };
  if (auto fault = add(options.root, options.root_threshold, role::key_set)) return fault;
  if (auto fault = add(options.signer, options.signer_threshold, role::manifest)) return fault;
  const bool own_reset = !options.reset.empty();
  if (auto fault = add(own_reset ? options.reset : options.signer,
                       own_reset ? options.reset_threshold : options.signer_threshold,
                       role::breaker_reset)) {
    return fault;
  }
  for (const std::size_t one : set.of(role::key_set).keys) {
    const auto& signers = set.of(role::manifest).keys;
    if (std::find(signers.begin(), signers.end(), one) != signers.end()) {
      write_note(
          "one_key_several_roles: a key signs both key sets and manifests: whoever has it "
          "owns both; keep the key-set keys offline and apart");
      break;
    }
  }
  auto text = documents::write_key_set(set);
  if (!text) return describe(text.error());
  out = *std::move(text);
  return {};
}

exit_code end(std::string_view verb, const wrong& fault, format how) {
  if (!fault) return exit_code::ok;
  write_diagnostic(verb, *fault);
  if (how == format::json_lines) write_line({{"error", to_json(*fault)}});
  return outcome_of(*fault);
}

}  // namespace

exit_code manifest_sign(const sign_options& options, format how) {
  return end("manifest sign", sign(options), how);
}

exit_code manifest_attach(const attach_options& options, format how) {
  return end("manifest attach", attach(options), how);
}

exit_code manifest_keys(const keys_options& options, format how) {
  std::string text;
  wrong fault = compose_keys(options, text);
  if (!fault) fault = write_file(options.out, text);
  return end("manifest keys", fault, how);
}

}  // namespace cotter::command
