// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <json/support/signer.hpp>

#include <cotter/json/envelope.hpp>
#include <cotter/json/key_set.hpp>
#include <cotter/json/timestamp.hpp>
#include <support/catch.hpp>

#include <chrono>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lab {

namespace json = cotter::json;

inline cotter::instant at(std::string_view text) {
  const auto when = json::parse_timestamp(text);
  if (!when) throw std::runtime_error("no timestamp: " + std::string(text));
  return *when;
}

inline const cotter::instant today = at("2027-06-01T12:00:00Z");

/// `text` with the one place where `before` stands changed.
inline std::string with(std::string text, std::string_view before, std::string_view after) {
  const std::size_t where = text.find(before);
  if (where == text.npos || text.find(before, where + 1) != text.npos) {
    throw std::runtime_error("not there once: " + std::string(before));
  }
  return text.replace(where, before.size(), after);
}

/// True if refused so, at this pointer; says otherwise what was answered.
template <typename Outcome>
bool refused(const Outcome& outcome, cotter::errc what, std::string_view pointer) {
  const json::document_error& error = outcome.error();
  const bool same = !outcome && error.what == what && error.pointer == pointer;
  const bool bounded = error.seen.size() <= 10 * json::max_quoted_bytes + 8;
  bool printable = true;
  for (const std::string* text : {&error.pointer, &error.seen, &error.suggestion}) {
    for (const char c : *text) printable = printable && c >= 0x20 && c < 0x7f;
  }
  if (!same || !bounded || !printable) {
    UNSCOPED_INFO("answered " << cotter::code(error.what) << " at '" << error.pointer << "', seen "
                              << error.seen << ", expected " << error.expected);
  }
  return same && bounded && printable;
}

/// A key with the id it goes by.
struct named_signer {
  std::string id;
  signer key;
};

inline json::envelope signed_by(std::string_view type, std::string payload,
                                const std::vector<const named_signer*>& by) {
  json::envelope out;
  out.payload_type = type;
  out.payload = std::move(payload);
  for (const named_signer* one : by) {
    out.signatures.push_back({one->id, one->key.sign(json::pae(type, out.payload))});
  }
  return out;
}

inline std::string text_of(const json::envelope& one) { return *json::write_envelope(one); }

inline std::string signed_text(json::role kind, std::string payload,
                               const std::vector<const named_signer*>& by) {
  return text_of(signed_by(json::payload_type_of(kind), std::move(payload), by));
}

/// A key set of these keys: who may sign key sets and who manifests, each with its threshold.
struct key_set_plan {
  std::uint64_t version = 1;
  std::vector<const named_signer*> keys{};
  std::vector<std::size_t> key_set_role{};
  std::size_t key_set_threshold = 1;
  std::vector<std::size_t> manifest_role{};
  std::size_t manifest_threshold = 1;
  cotter::instant expires = at("2030-01-01T00:00:00Z");
};

inline std::string key_set_text(const key_set_plan& plan) {
  json::key_set out;
  out.version = plan.version;
  out.issued_at = at("2027-01-01T00:00:00Z");
  out.expires_at = plan.expires;
  for (const named_signer* one : plan.keys) {
    out.keys.push_back({one->id, *json::scheme_of(one->key.spki()), one->key.spki()});
  }
  out.roles[0] = {plan.key_set_role, plan.key_set_threshold};
  out.roles[1] = {plan.manifest_role, plan.manifest_threshold};
  out.roles[2] = {plan.key_set_role, 1};
  const auto text = json::write_key_set(out);
  if (!text) throw std::runtime_error("no key set: " + text.error().pointer);
  return *text;
}

inline const std::string hex_a(64, 'a');
inline const std::string hex_b(64, 'b');

inline std::string manifest_text(std::uint64_t sequence = 7, const std::string& primary = hex_a) {
  return R"({
  "pinManifestVersion": "2.1.0",
  "sequence": )" +
         std::to_string(sequence) + R"(,
  "issuedAt": "2027-05-20T00:00:00Z",
  "expires": "2027-12-01T00:00:00Z",
  "targets": [
    {
      "host": "sip.example.com",
      "port": 5061,
      "pins": {
        "primary": ")" +
         primary + R"(",
        "fallback": "cert-sha256:)" +
         hex_b + R"(",
        "rotationWindowDays": 30
      }
    }
  ],
  "verificationPolicy": "strict",
  "reportingEndpoint": "https://siem.example.com/api/v1/pin-audit"
})";
}

}  // namespace lab
