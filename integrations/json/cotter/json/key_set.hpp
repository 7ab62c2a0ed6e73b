// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/json/base64.hpp>
#include <cotter/json/document.hpp>
#include <cotter/json/envelope.hpp>
#include <cotter/json/timestamp.hpp>
#include <cotter/values/manifest.hpp>
#include <cotter/values/signature.hpp>
#include <cotter/values/signature_encoding.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace json {

/// More keys are no key set.
inline constexpr std::size_t max_keys = 32;

/// A key that may sign. Which key it is, its octets say; `id` is for people, and a hint in
/// envelopes.
struct public_key {
  std::string id{};
  signature_scheme scheme = signature_scheme::ecdsa_p256_sha256;
  std::string spki{};  ///< SubjectPublicKeyInfo in DER, as `check_signature_encoding` wants it
};

/// Who may sign one kind of document: `threshold` different keys of these.
struct key_role {
  std::vector<std::size_t> keys{};  ///< indices into `key_set::keys`, each once
  std::size_t threshold = 1;
};

/// The document that says who may sign.
struct key_set {
  std::uint64_t version = 0;  ///< 1 to `highest_key_set_version`; 0: keys given by hand
  instant issued_at = first_timestamp;
  instant expires_at = no_expiry;
  std::vector<public_key> keys{};
  std::array<key_role, role_count> roles{};  ///< by `role`

  [[nodiscard]] const key_role& of(role wanted) const noexcept {
    return roles[static_cast<std::size_t>(wanted)];
  }
};

/// The scheme of a SubjectPublicKeyInfo in DER.
/// @errors `unsupported_key`: neither P-256 nor Ed25519, or not the one spelling of it
[[nodiscard]] inline result<signature_scheme> scheme_of(std::string_view spki) noexcept {
  for (const auto scheme : {signature_scheme::ecdsa_p256_sha256, signature_scheme::ed25519}) {
    const auto shape = check_signature_encoding(scheme, octets_of(spki), {});
    if (shape.error().what != errc::unsupported_key) return scheme;
  }
  return errc::unsupported_key;
}

namespace detail {

inline constexpr std::array<std::string_view, role_count> role_names{"keySet", "manifest",
                                                                     "breakerReset"};

inline instant timestamp(const value& at) {
  const std::string_view text = need(at, kind::string).text();
  const auto when = parse_timestamp(text);
  if (!when) {
    // What is in UTC but for spelling or fractions can be corrected.
    std::string suggestion;
    std::string guess(text.substr(0, std::min<std::size_t>(19, text.size())));
    const std::string_view rest = text.substr(guess.size());
    const bool utc =
        rest.empty() || rest == "Z" || rest == "z" || rest == "+00:00" ||
        (rest[0] == '.' && rest.find_first_not_of("0123456789", 1) == rest.size() - 1 &&
         (rest.back() == 'Z' || rest.back() == 'z'));
    if (guess.size() == 10) guess += "T00:00:00";
    if (guess.size() == 19 && (guess[10] == ' ' || guess[10] == 't')) guess[10] = 'T';
    guess += 'Z';
    if (utc && parse_timestamp(guess)) suggestion = guess;
    refuse(at, errc::invalid_timestamp, "YYYY-MM-DDTHH:MM:SSZ, from 2000 on",
           std::move(suggestion));
  }
  return *when;
}

/// One key twice would count twice.
inline bool same_key(const public_key& a, const public_key& b) noexcept { return a.spki == b.spki; }

}  // namespace detail

/// Reads the payload of a key-set envelope. That its signers may, `trusted_keys` says.
///
/// @errors those of `read_document`; `wrong_type`, `missing_key`, `wrong_payload_type` (`_type`),
///   `invalid_value`, `invalid_timestamp`, `invalid_base64`, `unsupported_key`, `duplicate_key`
///   (one key under two ids)
[[nodiscard]] inline read_outcome<key_set> read_key_set(std::string_view text) noexcept {
  return detail::shielded([&]() -> read_outcome<key_set> {
    const auto read = read_document(text);
    if (!read) return read.error();
    const value root = detail::need(read->root(), kind::object);
    if (const value type = detail::member(root, "_type", kind::string); type.text() != "key-set") {
      detail::refuse(type, errc::wrong_payload_type, "\"key-set\"");
    }
    key_set out;
    out.version =
        detail::integer_between(detail::member(root, "version"), 1, highest_key_set_version);
    out.issued_at = detail::timestamp(detail::member(root, "issuedAt"));
    const value expires = detail::member(root, "expires");
    out.expires_at = detail::timestamp(expires);
    if (out.expires_at < out.issued_at) {
      detail::refuse(expires, errc::invalid_value, "not before issuedAt");
    }

    const value keys = detail::member(root, "keys", kind::object);
    if (keys.size() == 0 || keys.size() > max_keys) {
      detail::refuse(keys, errc::invalid_value, "1 to 32 keys");
    }
    for (value one = keys.first(); one; one = one.next()) {
      detail::need(one, kind::object);
      public_key made;
      made.id = one.name();
      if (!detail::is_key_id(one.name())) {
        detail::refuse(one, errc::invalid_value, "a key id of 1 to 128 printable ASCII characters");
      }
      const value octets = detail::member(one, "public", kind::string);
      made.spki = detail::decoded(octets);
      const value scheme = detail::member(one, "scheme", kind::string);
      const auto found = scheme_of(made.spki);
      if (!found) {
        detail::refuse(octets, errc::unsupported_key,
                       "a SubjectPublicKeyInfo of P-256 (uncompressed) or Ed25519");
      }
      if (to_string(*found) != scheme.text()) {
        detail::refuse(scheme, errc::unsupported_key, "the scheme of this key",
                       std::string(to_string(*found)));
      }
      made.scheme = *found;
      for (const public_key& other : out.keys) {
        if (detail::same_key(made, other)) {
          detail::refuse(octets, errc::duplicate_key, "each key under one id");
        }
      }
      out.keys.push_back(std::move(made));
    }

    const value roles = detail::member(root, "roles", kind::object);
    for (std::size_t i = 0; i < role_count; ++i) {
      const value each = detail::member(roles, detail::role_names[i], kind::object);
      const value ids = detail::member(each, "keyids", kind::array);
      key_role& made = out.roles[i];
      for (value id = ids.first(); id; id = id.next()) {
        detail::need(id, kind::string);
        const auto known = std::find_if(out.keys.begin(), out.keys.end(),
                                        [&](const public_key& k) { return k.id == id.text(); });
        if (known == out.keys.end()) {
          detail::refuse(id, errc::invalid_value, "an id of \"keys\"");
        }
        const auto index = static_cast<std::size_t>(known - out.keys.begin());
        if (std::find(made.keys.begin(), made.keys.end(), index) != made.keys.end()) {
          detail::refuse(id, errc::duplicate_key, "each key once");
        }
        made.keys.push_back(index);
      }
      const value threshold = detail::member(each, "threshold");
      made.threshold = static_cast<std::size_t>(
          detail::integer_between(threshold, 1, std::max<std::size_t>(1, made.keys.size())));
      if (made.keys.empty()) detail::refuse(ids, errc::invalid_value, "at least one key id");
    }
    return out;
  });
}

/// Writes the payload of a key-set envelope, as `read_key_set` reads it.
///
/// @errors `invalid_timestamp`, and whatever `read_key_set` says of the text
[[nodiscard]] inline read_outcome<std::string> write_key_set(const key_set& one) noexcept {
  return detail::shielded([&]() -> read_outcome<std::string> {
    const auto time = [](instant when, const char* pointer) {
      auto text = format_timestamp(when);
      if (!text) detail::refuse(text.error().what, pointer, "a year from 2000 to 9999");
      return *std::move(text);
    };
    nlohmann::ordered_json out;
    out["_type"] = "key-set";
    out["version"] = one.version;
    out["issuedAt"] = time(one.issued_at, "/issuedAt");
    out["expires"] = time(one.expires_at, "/expires");
    out["keys"] = nlohmann::ordered_json::object();
    for (const public_key& key : one.keys) {
      out["keys"][key.id] = {{"scheme", to_string(key.scheme)},
                             {"public", encode_base64(key.spki)}};
    }
    for (std::size_t i = 0; i < role_count; ++i) {
      auto ids = nlohmann::ordered_json::array();
      for (const std::size_t index : one.roles[i].keys) {
        if (index >= one.keys.size()) {
          detail::refuse(errc::invalid_value, "/roles", "indices of keys");
        }
        ids.push_back(one.keys[index].id);
      }
      out["roles"][std::string(detail::role_names[i])] = {{"keyids", std::move(ids)},
                                                          {"threshold", one.roles[i].threshold}};
    }
    std::string text = out.dump(2) + "\n";
    if (auto sound = read_key_set(text); !sound) return sound.error();
    return text;
  });
}

/// Takes the public keys out of a file that a person names: one SubjectPublicKeyInfo in DER, or PEM
/// with one or more blocks `PUBLIC KEY` (RFC 7468 13). Their ids are left empty.
///
/// @errors `unsupported_key` (another kind of key, or none), `invalid_base64`, `too_large`,
///   `duplicate_key`
[[nodiscard]] inline read_outcome<std::vector<public_key>> read_public_keys(
    std::string_view file) noexcept {
  return detail::shielded([&]() -> read_outcome<std::vector<public_key>> {
    constexpr std::string_view begin = "-----BEGIN PUBLIC KEY-----";
    constexpr std::string_view end = "-----END PUBLIC KEY-----";
    constexpr const char* expected = "public keys of P-256 (uncompressed) or Ed25519, DER or PEM";
    std::vector<public_key> out;
    const auto add = [&](std::string spki, std::size_t offset) {
      document_error bad;
      bad.offset_bytes = static_cast<std::uint32_t>(offset);
      bad.expected = expected;
      const auto scheme = scheme_of(spki);
      public_key made{{}, *scheme, std::move(spki)};
      bad.what = scheme.error().what;
      for (const public_key& other : out) {
        if (detail::same_key(made, other)) bad.what = errc::duplicate_key;
      }
      if (out.size() == max_keys) bad.what = errc::too_large;
      if (bad.what != errc::ok) throw detail::fault{std::move(bad)};
      out.push_back(std::move(made));
    };
    if (file.size() > max_string_bytes) {
      detail::refuse(errc::too_large, {}, expected);
    }
    std::size_t at = file.find(begin);
    if (at == std::string_view::npos) add(std::string(file), 0);
    while (at != std::string_view::npos) {
      const std::size_t body = at + begin.size();
      const std::size_t stop = file.find(end, body);
      std::string digits(file.substr(body, stop == std::string_view::npos ? stop : stop - body));
      digits.erase(
          std::remove_if(digits.begin(), digits.end(),
                         [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; }),
          digits.end());
      auto octets = decode_base64(digits);
      if (!octets || stop == std::string_view::npos) {
        document_error bad;
        bad.what = errc::invalid_base64;
        bad.offset_bytes = static_cast<std::uint32_t>(body);
        bad.expected = expected;
        return bad;
      }
      add(*std::move(octets), at);
      at = file.find(begin, stop);
    }
    return out;
  });
}

}  // namespace json
}  // namespace v0
}  // namespace cotter
