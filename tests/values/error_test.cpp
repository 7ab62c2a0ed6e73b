// SPDX-License-Identifier: BSL-1.0
#include <cotter/values/error.hpp>

#include <support/catch.hpp>
#include <support/spelling.hpp>

using namespace cotter;

static_assert(error{}.what == errc::ok);
static_assert(error{errc::truncated, 3, 0} != error{errc::truncated, 4, 0});

TEST_CASE("every error has one stable spelling") {
  // The words of the public contract, in the order of the enumeration: new ones at the end of their
  // group change no other one's text.
  constexpr std::string_view words[] = {
      "ok", "empty_input", "truncated", "too_large", "too_deep", "unexpected_tag", "invalid_tag",
      "invalid_length", "missing_end_of_contents", "missing_element", "extra_element",
      "constructed_bit_string", "unused_bits", "empty_signature", "invalid_time",
      "duplicate_extension", "invalid_pin", "invalid_host", "invalid_port", "invalid_url",
      "insecure_scheme", "pem_without_certificate", "not_a_certificate", "unreadable",
      "unfit_session", "unfit_backend", "unfit_trust_anchors", "unfit_credentials",
      "out_of_memory", "tls_failure", "tls_closed", "tls_truncated", "permit_spent",
      "permit_foreign", "timeout", "connect_failed", "resolve_failed", "upgrade_refused",
      "protocol_error", "message_too_big", "not_confirmed", "invalid_header", "closed",
      "invalid_prefix", "invalid_version", "invalid_json", "invalid_utf8", "duplicate_key",
      "wrong_type", "missing_key", "conflicting_keys", "unknown_critical", "invalid_value",
      "invalid_timestamp", "too_many_targets", "duplicate_target", "observation_too_long",
      "invalid_envelope", "invalid_base64", "wrong_payload_type", "unsupported_key",
      "bad_signature", "unknown_signer", "duplicate_signature", "threshold_not_met",
      "key_set_rollback", "key_set_gap", "key_set_untrusted", "document_expired",
      "sequence_rollback", "sequence_reused", "fallback_extended", "state_absent", "state_damaged",
      "state_rolled_back", "state_foreign", "state_busy", "state_unwritable", "state_unreadable",
      "state_exists", "state_full", "reset_not_for_this", "reset_expired", "bad_seal",
      "spool_full", "spool_damaged", "report_refused", "report_redirected", "report_truncated"};
  require_spellings<errc>(words, [](errc c) { return code(c); });
}
