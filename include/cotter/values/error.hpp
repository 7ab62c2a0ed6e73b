// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// Why an operation could not be carried out. The text of each code, see `code()`, is part of the
/// public contract: it never changes its meaning and is never reused.
///
/// A certificate that does not match is a `verdict`, never an `error`.
enum class errc : std::uint8_t {
  ok = 0,

  // The encoding (X.690), found by der/ and certificate/.
  empty_input,             ///< no octets at all
  truncated,               ///< an element ends after the input does
  too_large,               ///< above a bound of der/limits.hpp
  too_deep,                ///< nested deeper than der/limits.hpp allows
  unexpected_tag,          ///< another tag where RFC 5280 prescribes one
  invalid_tag,             ///< a tag number that X.690 8.1.2 does not allow, or beyond every bound
  invalid_length,          ///< a length octet that X.690 8.1.3 does not allow
  missing_end_of_contents, ///< indefinite length without its two zero octets
  missing_element,         ///< a SEQUENCE has fewer elements than RFC 5280 prescribes
  extra_element,           ///< a SEQUENCE has more elements than RFC 5280 prescribes
  constructed_bit_string,  ///< signatureValue is not a primitive BIT STRING
  unused_bits,             ///< signatureValue does not end on an octet
  empty_signature,         ///< signatureValue holds no octet
  invalid_time,            ///< neither UTCTime nor GeneralizedTime as X.690 allows
  duplicate_extension,     ///< one extension twice (RFC 5280 4.2)

  // Text given by people.
  invalid_pin,             ///< none of the accepted spellings of a pin
  invalid_host,            ///< not canonical: A-label, lower case, no trailing dot, or an IP literal
  invalid_port,            ///< 0, above 65535, or not a number
  invalid_url,             ///< not a URL that cotter understands
  insecure_scheme,         ///< a scheme without TLS (ws, http, sip)
  pem_without_certificate, ///< PEM text, no CERTIFICATE block
  not_a_certificate,       ///< octets that are no Certificate of RFC 5280
  unreadable,              ///< a file that cannot be opened or read

  // The TLS library.
  unfit_session,           ///< the handle is not a client's, or its handshake has begun
  unfit_backend,           ///< the library refused a setting that enforcement needs
  unfit_trust_anchors,     ///< the CA bundle could not be loaded, or is empty
  unfit_credentials,       ///< the client's own certificate or key could not be loaded
  out_of_memory,           ///< the TLS library could not allocate
  tls_failure,             ///< the handshake or a record failed; `native` says why
  tls_closed,              ///< the peer closed with close_notify
  tls_truncated,           ///< the transport ended without close_notify
  permit_spent,            ///< a permit serves one attach
  permit_foreign,          ///< the permit belongs to another guard

  // The transport and WebSocket.
  timeout,                 ///< the deadline passed
  connect_failed,          ///< TCP could not be established
  resolve_failed,          ///< the name has no address
  upgrade_refused,         ///< the server did not answer 101 as RFC 6455 prescribes
  protocol_error,          ///< the peer broke RFC 6455 or RFC 9112
  message_too_big,         ///< above the limit that the caller set
  not_confirmed,           ///< application data before an accepted verdict
  invalid_header,          ///< a field that would break out of its line
  closed,                  ///< the WebSocket has been closed

  // Documents: manifests, key sets and their envelopes.
  invalid_prefix,          ///< no address block, or bits set beyond its length
  invalid_version,         ///< no version number of a TLS library
  invalid_json,            ///< not JSON (RFC 8259), or more than one value
  invalid_utf8,            ///< octets that are not UTF-8 (RFC 3629)
  duplicate_key,           ///< one name twice in an object
  wrong_type,              ///< another JSON type than the key has
  missing_key,             ///< a key that the document needs
  conflicting_keys,        ///< two keys that say the same thing, or exclude each other
  unknown_critical,        ///< `critical` names a key that this version does not know
  invalid_value,           ///< outside what the key allows
  invalid_timestamp,       ///< not `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339, UTC, whole seconds)
  too_many_targets,        ///< more targets or pins than a manifest may have
  duplicate_target,        ///< the same host and port, or the same region, twice
  observation_too_long,    ///< `observeUntil` more than 30 days after `issuedAt`
  invalid_envelope,        ///< not a DSSE envelope
  invalid_base64,          ///< not base64 (RFC 4648 4)
  wrong_payload_type,      ///< a genuine document of another kind
  unsupported_key,         ///< a key of another kind than its scheme, or one that the library lacks
  bad_signature,           ///< a signature that its key did not make over these octets
  unknown_signer,          ///< no signature by a key of the role
  duplicate_signature,     ///< one key's signature, or one key id, twice
  threshold_not_met,       ///< fewer keys of the role have signed than it demands
  key_set_rollback,        ///< an older key set than the one accepted
  key_set_gap,             ///< not the key set that follows the one accepted
  key_set_untrusted,       ///< a new key set that the old one's keys have not signed
  document_expired,        ///< past its `expires`
  sequence_rollback,       ///< a lower `sequence` than one accepted before
  sequence_reused,         ///< the `sequence` of another manifest
  fallback_extended,       ///< a fallback whose end is later than it was

  // Stored state and its resets.
  state_absent,            ///< no state where there must be some: never made, or deleted
  state_damaged,           ///< state that was cut short, changed, or sealed with another key
  state_rolled_back,       ///< older state than the one the counter vouches for
  state_foreign,           ///< state of another store, another user, or that others may write
  state_busy,              ///< another process held the lock for longer than the bound
  state_unwritable,        ///< the new state could not be made durable; `native` is errno
  state_unreadable,        ///< the disk or the vault failed; `native` is its own code
  state_exists,            ///< there is state already: what makes state never replaces any
  state_full,              ///< no room for another key
  reset_not_for_this,      ///< a reset of another target, store or lock
  reset_expired,           ///< a reset past its `expires`
  bad_seal,                ///< octets that this key did not seal, or were changed

  // The audit trail and its delivery.
  spool_full,              ///< no room for another event below the spool's bound
  spool_damaged,           ///< a record whose checksum does not fit
  report_refused,          ///< the collector answered with an error; `native` is the HTTP status
  report_redirected,       ///< the collector answered with a redirect, which is never followed
  report_truncated,        ///< the collector's answer ended too early
};

/// The last of them.
inline constexpr errc last_errc = errc::report_truncated;

/// The stable spelling of `c`, lower case with underscores, for logs, JSON and `cotter explain`.
/// Static storage; never empty.
[[nodiscard]] constexpr std::string_view code(errc c) noexcept {
  switch (c) {
    case errc::ok: return "ok";
    case errc::empty_input: return "empty_input";
    case errc::truncated: return "truncated";
    case errc::too_large: return "too_large";
    case errc::too_deep: return "too_deep";
    case errc::unexpected_tag: return "unexpected_tag";
    case errc::invalid_tag: return "invalid_tag";
    case errc::invalid_length: return "invalid_length";
    case errc::missing_end_of_contents: return "missing_end_of_contents";
    case errc::missing_element: return "missing_element";
    case errc::extra_element: return "extra_element";
    case errc::constructed_bit_string: return "constructed_bit_string";
    case errc::unused_bits: return "unused_bits";
    case errc::empty_signature: return "empty_signature";
    case errc::invalid_time: return "invalid_time";
    case errc::duplicate_extension: return "duplicate_extension";
    case errc::invalid_pin: return "invalid_pin";
    case errc::invalid_host: return "invalid_host";
    case errc::invalid_port: return "invalid_port";
    case errc::invalid_url: return "invalid_url";
    case errc::insecure_scheme: return "insecure_scheme";
    case errc::pem_without_certificate: return "pem_without_certificate";
    case errc::not_a_certificate: return "not_a_certificate";
    case errc::unreadable: return "unreadable";
    case errc::unfit_session: return "unfit_session";
    case errc::unfit_backend: return "unfit_backend";
    case errc::unfit_trust_anchors: return "unfit_trust_anchors";
    case errc::unfit_credentials: return "unfit_credentials";
    case errc::out_of_memory: return "out_of_memory";
    case errc::tls_failure: return "tls_failure";
    case errc::tls_closed: return "tls_closed";
    case errc::tls_truncated: return "tls_truncated";
    case errc::permit_spent: return "permit_spent";
    case errc::permit_foreign: return "permit_foreign";
    case errc::timeout: return "timeout";
    case errc::connect_failed: return "connect_failed";
    case errc::resolve_failed: return "resolve_failed";
    case errc::upgrade_refused: return "upgrade_refused";
    case errc::protocol_error: return "protocol_error";
    case errc::message_too_big: return "message_too_big";
    case errc::not_confirmed: return "not_confirmed";
    case errc::invalid_header: return "invalid_header";
    case errc::closed: return "closed";
    case errc::invalid_prefix: return "invalid_prefix";
    case errc::invalid_version: return "invalid_version";
    case errc::invalid_json: return "invalid_json";
    case errc::invalid_utf8: return "invalid_utf8";
    case errc::duplicate_key: return "duplicate_key";
    case errc::wrong_type: return "wrong_type";
    case errc::missing_key: return "missing_key";
    case errc::conflicting_keys: return "conflicting_keys";
    case errc::unknown_critical: return "unknown_critical";
    case errc::invalid_value: return "invalid_value";
    case errc::invalid_timestamp: return "invalid_timestamp";
    case errc::too_many_targets: return "too_many_targets";
    case errc::duplicate_target: return "duplicate_target";
    case errc::observation_too_long: return "observation_too_long";
    case errc::invalid_envelope: return "invalid_envelope";
    case errc::invalid_base64: return "invalid_base64";
    case errc::wrong_payload_type: return "wrong_payload_type";
    case errc::unsupported_key: return "unsupported_key";
    case errc::bad_signature: return "bad_signature";
    case errc::unknown_signer: return "unknown_signer";
    case errc::duplicate_signature: return "duplicate_signature";
    case errc::threshold_not_met: return "threshold_not_met";
    case errc::key_set_rollback: return "key_set_rollback";
    case errc::key_set_gap: return "key_set_gap";
    case errc::key_set_untrusted: return "key_set_untrusted";
    case errc::document_expired: return "document_expired";
    case errc::sequence_rollback: return "sequence_rollback";
    case errc::sequence_reused: return "sequence_reused";
    case errc::fallback_extended: return "fallback_extended";
    case errc::state_absent: return "state_absent";
    case errc::state_damaged: return "state_damaged";
    case errc::state_rolled_back: return "state_rolled_back";
    case errc::state_foreign: return "state_foreign";
    case errc::state_busy: return "state_busy";
    case errc::state_unwritable: return "state_unwritable";
    case errc::state_unreadable: return "state_unreadable";
    case errc::state_exists: return "state_exists";
    case errc::state_full: return "state_full";
    case errc::reset_not_for_this: return "reset_not_for_this";
    case errc::reset_expired: return "reset_expired";
    case errc::bad_seal: return "bad_seal";
    case errc::spool_full: return "spool_full";
    case errc::spool_damaged: return "spool_damaged";
    case errc::report_refused: return "report_refused";
    case errc::report_redirected: return "report_redirected";
    case errc::report_truncated: return "report_truncated";
  }
  return "unknown";
}

/// An error and where it was found.
struct error {
  errc what = errc::ok;
  std::uint32_t offset_bytes = 0;  ///< into the input; 0 where the input is not octets
  std::int32_t native = 0;         ///< the TLS library's own code, for logs only; 0 if none

  friend constexpr bool operator==(const error&, const error&) = default;
};

}  // namespace v0
}  // namespace cotter
