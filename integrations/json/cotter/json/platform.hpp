// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/json/document.hpp>
#include <cotter/json/key_set.hpp>
#include <cotter/json/spelling.hpp>
#include <cotter/values/digest.hpp>
#include <cotter/values/time.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace json {

/// What a platform says of one of its certificates. It is hearsay: where the octets are given,
/// their own digest is what counts.
struct platform_certificate {
  std::optional<sha256_digest> fingerprint{};  ///< as stated: SHA-256 of the certificate
  std::string subject{};
  std::string issuer{};
  std::optional<instant> valid_from{};
  std::optional<instant> valid_to{};
  std::string octets{};  ///< PEM or base64 as it stands there, undecoded; empty: not given
};

/// A platform's list of the certificates of one edge.
struct platform_document {
  platform_certificate leaf{};
  std::vector<platform_certificate> intermediates{};
};

namespace detail {

inline std::string optional_text(const value& object, std::string_view name) {
  const value found = optional_member(object, name, kind::string);
  return found ? std::string(found.text()) : std::string{};
}

/// A timestamp with or without fractions of a second, which are dropped.
inline std::optional<instant> optional_time(const value& object, std::string_view name) {
  const value found = optional_member(object, name, kind::string);
  if (!found) return std::nullopt;
  std::string text(found.text());
  if (text.size() > 20 && text[19] == '.') {
    text.erase(19, text.find_first_not_of("0123456789", 20) - 19);
  }
  const auto when = parse_timestamp(text);
  if (!when) refuse(found, errc::invalid_timestamp, "YYYY-MM-DDTHH:MM:SSZ");
  return *when;
}

/// PEM, or whatever a member that by its name holds the certificate holds.
inline std::string optional_octets(const value& object) {
  for (const std::string_view name :
       {"pem", "certificate", "certificatePem", "certificateData", "certificateChain"}) {
    value found = object.find(name);
    if (found && found.kind() == kind::array) found = found.first();
    if (found && found.kind() == kind::string) return std::string(found.text());
  }
  return {};
}

inline platform_certificate platform_certificate_of(const value& at) {
  need(at, kind::object);
  platform_certificate out;
  out.subject = optional_text(at, "subject");
  out.issuer = optional_text(at, "issuer");
  out.valid_from = optional_time(at, "validFrom");
  out.valid_to = optional_time(at, "validTo");
  out.octets = optional_octets(at);
  const value stated = optional_member(at, "derEncodedFingerprintSha256", kind::string);
  if (!stated && out.octets.empty()) member(at, "derEncodedFingerprintSha256");
  if (stated) {
    std::string hex = lower_case(stated.text());
    hex.erase(std::remove(hex.begin(), hex.end(), ':'), hex.end());
    const auto digest = cotter::detail::digest_from_hex(hex, 0);
    if (!digest) refuse(stated, errc::invalid_pin, "64 hex digits");
    out.fingerprint = *digest;
  }
  return out;
}

}  // namespace detail

/// Reads a platform's document: `certificates.leafCertificate`, and `intermediateCertificates` if
/// there. Other keys are somebody else's business. A fingerprint may have colons and either case.
///
/// @errors those of `read_document`; `missing_key` (no leaf, or one with neither fingerprint nor
///   octets), `wrong_type`, `invalid_pin`, `invalid_timestamp`
[[nodiscard]] inline read_outcome<platform_document> read_platform_document(
    std::string_view text) noexcept {
  return detail::shielded([&]() -> read_outcome<platform_document> {
    const auto read = read_document(text);
    if (!read) return read.error();
    const value root = detail::need(read->root(), kind::object);
    const value certificates = detail::member(root, "certificates", kind::object);
    platform_document out;
    out.leaf = detail::platform_certificate_of(
        detail::member(certificates, "leafCertificate", kind::object));
    if (const value list =
            detail::optional_member(certificates, "intermediateCertificates", kind::array)) {
      for (value one = list.first(); one; one = one.next()) {
        out.intermediates.push_back(detail::platform_certificate_of(one));
      }
    }
    // The chain as a whole begins with the leaf.
    if (out.leaf.octets.empty()) out.leaf.octets = detail::optional_octets(certificates);
    if (out.leaf.octets.empty()) out.leaf.octets = detail::optional_octets(root);
    return out;
  });
}

}  // namespace json
}  // namespace v0
}  // namespace cotter
