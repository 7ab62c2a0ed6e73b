// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/json/base64.hpp>
#include <cotter/json/document.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace json {

/// More signatures are no envelope.
inline constexpr std::size_t max_signatures = 64;
inline constexpr std::size_t max_key_id_bytes = 128;

/// What a document is, and so which role of a key set may sign it.
enum class role : std::uint8_t { key_set, manifest, breaker_reset };
inline constexpr std::size_t role_count = 3;

/// `payloadType` of DSSE, exact. Static storage.
[[nodiscard]] constexpr std::string_view payload_type_of(role kind_of_document) noexcept {
  switch (kind_of_document) {
    case role::key_set: return "application/vnd.cotter.key-set+json";
    case role::manifest: return "application/vnd.cotter.pin-manifest+json";
    case role::breaker_reset: return "application/vnd.cotter.breaker-reset+json";
  }
  return {};
}

/// One signature, decoded. `key_id` is a hint, perhaps empty.
struct envelope_signature {
  std::string key_id{};
  std::string octets{};
};

/// A DSSE envelope as it came: nobody has verified anything in it. What was verified is a
/// `verified_payload`.
struct envelope {
  std::string payload_type{};
  std::string payload{};  ///< decoded
  std::vector<envelope_signature> signatures{};
};

/// The octets that a signer signs: DSSE's pre-authentication encoding, version 1.
/// @throws std::bad_alloc
[[nodiscard]] inline std::string pae(std::string_view payload_type, std::string_view payload) {
  std::string out = "DSSEv1 ";
  out += std::to_string(payload_type.size());
  out += ' ';
  out += payload_type;
  out += ' ';
  out += std::to_string(payload.size());
  out += ' ';
  out += payload;
  return out;
}

namespace detail {

inline std::string decoded(const value& at) {
  auto octets = decode_base64(at.text());
  if (!octets) {
    document_error bad;
    bad.what = errc::invalid_base64;
    bad.pointer = at.pointer();
    bad.seen = "a fault at digit " + std::to_string(octets.error().offset_bytes);
    bad.expected = "base64 with padding (RFC 4648 4), on one line";
    bad.offset_bytes = at.offset_bytes();
    throw fault{std::move(bad)};
  }
  return *std::move(octets);
}

/// A key id: printable ASCII.
inline bool is_key_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= max_key_id_bytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

inline void only(const value& object, std::initializer_list<std::string_view> names,
                 errc otherwise) {
  for (value one = object.first(); one; one = one.next()) {
    if (std::find(names.begin(), names.end(), one.name()) == names.end()) {
      refuse(one, otherwise, "no such key");
    }
  }
}

/// As `member`, but whatever is wrong makes it no envelope.
inline value envelope_member(const value& object, std::string_view name, kind wanted) {
  const value found = object.find(name);
  if (!found || found.kind() != wanted) {
    refuse(found ? found : object, errc::invalid_envelope,
           "\"" + std::string(name) + "\", " + std::string(to_string(wanted)));
  }
  return found;
}

}  // namespace detail

/// Reads a DSSE envelope of at most `max_document_bytes`. A signature may lack its `keyid`, and
/// there is at least one; unknown members are refused. One key id twice is left to who verifies.
///
/// @errors `invalid_envelope`, `invalid_base64`, and those of `read_document`
[[nodiscard]] inline read_outcome<envelope> read_envelope(std::string_view text) noexcept {
  return detail::shielded([&]() -> read_outcome<envelope> {
    const auto read = read_document(text, max_document_bytes);
    if (!read) return read.error();
    const value root = read->root();
    if (root.kind() != kind::object) {
      detail::refuse(root, errc::invalid_envelope, "a DSSE envelope");
    }
    detail::only(root, {"payloadType", "payload", "signatures"}, errc::invalid_envelope);
    envelope out;
    out.payload_type = detail::envelope_member(root, "payloadType", kind::string).text();
    out.payload = detail::decoded(detail::envelope_member(root, "payload", kind::string));
    const value signatures = detail::envelope_member(root, "signatures", kind::array);
    if (signatures.size() == 0 || signatures.size() > max_signatures) {
      detail::refuse(signatures, errc::invalid_envelope, "1 to 64 signatures");
    }
    for (value one = signatures.first(); one; one = one.next()) {
      if (one.kind() != kind::object) {
        detail::refuse(one, errc::invalid_envelope, "an object with \"keyid\" and \"sig\"");
      }
      detail::only(one, {"keyid", "sig"}, errc::invalid_envelope);
      envelope_signature made;
      if (one.find("keyid")) {
        const value id = detail::envelope_member(one, "keyid", kind::string);
        if (!id.text().empty() && !detail::is_key_id(id.text())) {
          detail::refuse(id, errc::invalid_envelope, "at most 128 printable ASCII characters");
        }
        made.key_id = id.text();
      }
      made.octets = detail::decoded(detail::envelope_member(one, "sig", kind::string));
      out.signatures.push_back(std::move(made));
    }
    return out;
  });
}

/// Writes an envelope, two spaces of indent, a line feed at the end.
///
/// @errors `invalid_utf8` (the payload type or a key id is no text), `out_of_memory`
[[nodiscard]] inline read_outcome<std::string> write_envelope(const envelope& one) noexcept {
  return detail::shielded([&]() -> read_outcome<std::string> {
    if (detail::first_not_utf8(one.payload_type)) {
      detail::refuse(errc::invalid_utf8, "/payloadType", "UTF-8");
    }
    nlohmann::ordered_json out;
    out["payloadType"] = one.payload_type;
    out["payload"] = encode_base64(one.payload);
    out["signatures"] = nlohmann::ordered_json::array();
    for (const envelope_signature& each : one.signatures) {
      if (detail::first_not_utf8(each.key_id)) {
        detail::refuse(errc::invalid_utf8, "/signatures", "UTF-8");
      }
      out["signatures"].push_back({{"keyid", each.key_id}, {"sig", encode_base64(each.octets)}});
    }
    return out.dump(2) + "\n";
  });
}

}  // namespace json
}  // namespace v0
}  // namespace cotter
