// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/json/envelope.hpp>
#include <cotter/json/trusted_keys.hpp>
#include <cotter/values/digest.hpp>
#include <cotter/values/time.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace json {

class verified_payload;
template <document_library V>
[[nodiscard]] read_outcome<verified_payload> verify(std::string_view envelope_text,
                                                    role kind_of_document, const trusted_keys& by,
                                                    instant now) noexcept;

/// The octets that were signed. Only `verify` makes one that is not empty.
class verified_payload {
 public:
  verified_payload() noexcept = default;

  [[nodiscard]] std::string_view octets() const noexcept { return octets_; }
  [[nodiscard]] role kind_of_document() const noexcept { return role_; }
  /// SHA-256 of the octets.
  [[nodiscard]] const sha256_digest& digest() const noexcept { return digest_; }
  /// Of the keys that vouched for it, see `trusted_keys`.
  [[nodiscard]] std::uint64_t key_set_version() const noexcept { return key_set_version_; }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

 private:
  template <document_library V>
  friend read_outcome<verified_payload> verify(std::string_view, role, const trusted_keys&,
                                               instant) noexcept;
  std::string octets_{};
  role role_ = role::manifest;
  sha256_digest digest_{};
  std::uint64_t key_set_version_ = 0;
  std::uint64_t epoch_ = 0;
};

/// Verifies an envelope of this kind: the payload type exact, and as many different keys of the
/// role as it demands. Nothing of the payload is looked at before.
///
/// A key id is a hint. A signature whose key id is that of a key of the role, but which is by none
/// of them, makes the whole envelope bad; signatures by keys that the role does not have are passed
/// over.
///
/// @errors those of `read_envelope`; `wrong_payload_type`, `document_expired` (the key set),
///   `unknown_signer`, `bad_signature`, `duplicate_signature`, `threshold_not_met`,
///   `unsupported_key`, `unfit_backend`
template <document_library V>
[[nodiscard]] read_outcome<verified_payload> verify(std::string_view envelope_text,
                                                    role kind_of_document, const trusted_keys& by,
                                                    instant now) noexcept {
  return detail::shielded([&]() -> read_outcome<verified_payload> {
    envelope read = detail::read_as(envelope_text, kind_of_document);
    if (by.expired(now)) {
      detail::refuse(errc::document_expired, {}, "a key set that is still in force");
    }
    detail::demand_signatures<V>(read, kind_of_document, by.keys());
    verified_payload out;
    out.digest_ = detail::digest_of<V>(read.payload);
    out.octets_ = std::move(read.payload);
    out.role_ = kind_of_document;
    out.key_set_version_ = by.version();
    out.epoch_ = by.epoch();
    return out;
  });
}

}  // namespace json
}  // namespace v0
}  // namespace cotter
