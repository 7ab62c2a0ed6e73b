// SPDX-License-Identifier: BSL-1.0
#include "documents.hpp"

#include "certificates.hpp"
#include "files.hpp"
#include "output.hpp"

#include <cotter/backends/openssl.hpp>
#include <cotter/json/timestamp.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace cotter::command {

namespace {

using wrong = std::optional<problem>;

wrong read_text(const std::string& path, std::string& out) {
  auto fault = read_file(path, out);
  if (fault) fault->seen = path + ": " + fault->seen;
  return fault;
}

bool looks_like_json(std::string_view text) {
  const std::size_t at = text.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && text[at] == '{';
}

}  // namespace

problem describe(const documents::document_error& fault) {
  problem p = describe(fault.what);
  if (!fault.seen.empty()) p.seen += ": " + fault.seen;
  if (!fault.expected.empty()) p.expected = fault.expected;
  p.pointer = fault.pointer;
  p.suggestion = fault.suggestion;
  if (fault.offset_bytes != 0) p.offset_bytes = fault.offset_bytes;
  return p;
}

wrong read_time(std::string_view text, std::string_view option, instant& out) {
  const std::string whole = std::string(text) + (text.size() == 10 ? "T00:00:00Z" : "");
  const auto when = documents::parse_timestamp(whole);
  if (!when) {
    problem p = describe(errc::invalid_timestamp, std::string(option) + " " + printable(text));
    p.in_command_line = true;
    return p;
  }
  out = *when;
  return {};
}

instant current_time() {
  return std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
}

wrong load_manifest_file(const std::string& path, manifest_file& out) {
  std::string text;
  if (auto fault = read_text(path, text)) return fault;
  const auto probe = documents::read_document(text);
  if (!probe) return describe(probe.error());
  out.payload = text;
  if (probe->root().find("payloadType")) {
    auto envelope = documents::read_envelope(text);
    if (!envelope) return describe(envelope.error());
    if (envelope->payload_type != documents::payload_type_of(documents::role::manifest)) {
      return describe(errc::wrong_payload_type, printable(envelope->payload_type));
    }
    out.payload = envelope->payload;
    out.signed_as = *std::move(envelope);
  }
  auto content = documents::read_authored_manifest(out.payload);
  if (!content) return describe(content.error());
  out.content = *std::move(content);
  const auto shape = documents::read_document(out.payload);
  out.guide_shape = shape && shape->root().find("targetHost");
  return {};
}

wrong refuse_unknown(const documents::authored_manifest& content) {
  if (content.unknown.empty()) return {};
  const documents::unknown_key& one = content.unknown.front();
  problem p{"unknown_key", "a key of no meaning", "keys of docs/manifest.md",
            "remove it: devices would pass over it"};
  p.pointer = one.pointer;
  p.suggestion = one.suggestion;
  return p;
}

exit_code outcome_of(const problem& fault) {
  for (const errc one : {errc::unreadable, errc::resolve_failed, errc::connect_failed,
                         errc::timeout, errc::tls_failure, errc::tls_closed, errc::tls_truncated,
                         errc::unfit_trust_anchors, errc::out_of_memory}) {
    if (fault.code == code(one)) return exit_code::no_verdict;
  }
  const bool unjudged =
      fault.in_command_line || fault.code == "unwritable" || fault.code == "no_leaf";
  return unjudged ? exit_code::no_verdict : exit_code::refused;
}

wrong add_signature(documents::envelope& to, std::string_view spki, std::string signature) {
  auto id = documents::key_id_of<backends::openssl>(spki);
  if (!id) return describe(id.error());
  std::erase_if(to.signatures,
                [&](const documents::envelope_signature& one) { return one.key_id == *id; });
  to.signatures.push_back({*std::move(id), std::move(signature)});
  return {};
}

wrong load_trust(const std::vector<std::string>& files, unsigned threshold,
                 const std::vector<std::string>& chain, instant now, documents::trusted_keys& out) {
  if (files.empty()) {
    problem p = describe_usage("no --trust-key", "manifest");
    p.action = "give --trust-key: a PEM public key, or a signed key set";
    return p;
  }
  std::vector<documents::public_key> keys;
  for (const std::string& file : files) {
    std::string text;
    if (auto fault = read_text(file, text)) return fault;
    if (looks_like_json(text)) {
      if (files.size() != 1) {
        return describe_usage("a key set beside other --trust-key files", "manifest");
      }
      auto trust = documents::trusted_keys::from_key_set<backends::openssl>(text);
      if (!trust) return describe(trust.error());
      out = *std::move(trust);
    } else {
      auto some = documents::read_public_keys(text);
      if (!some) {
        problem p = describe(some.error());
        p.seen += ": " + file;
        return p;
      }
      for (documents::public_key& one : *some) keys.push_back(std::move(one));
    }
  }
  if (!keys.empty()) {
    auto trust =
        documents::trusted_keys::from_public_keys<backends::openssl>(std::move(keys), threshold);
    if (!trust) return describe(trust.error());
    out = *std::move(trust);
  }
  if (chain.empty()) return {};
  std::vector<std::string> texts(chain.size());
  std::vector<std::string_view> views;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (auto fault = read_text(chain[i], texts[i])) return fault;
    views.emplace_back(texts[i]);
  }
  const auto followed = out.update<backends::openssl>(views, now);
  return followed ? wrong{} : describe(followed.error());
}

}  // namespace cotter::command
