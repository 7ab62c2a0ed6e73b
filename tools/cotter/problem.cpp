// SPDX-License-Identifier: BSL-1.0
#include "problem.hpp"

namespace cotter::command {

advice advise(errc what) noexcept {
  constexpr std::string_view get_it_again =
      "get the file again; `openssl x509 -in FILE -text` shows what OpenSSL makes of it";
  switch (what) {
    case errc::ok:
      return {"no error", "no error", "nothing"};
    case errc::empty_input:
      return {"no octets at all", "a certificate, PEM or DER",
              "check the path, or what was to be written into it"};
    case errc::truncated:
      return {"the input ends inside an element", "a whole certificate", get_it_again};
    case errc::too_large:
      return {"more octets than a certificate may have", "at most 65535 octets of DER",
              "give the certificate by itself, not a container that holds it"};
    case errc::too_deep:
      return {"elements nested too deeply", "a certificate of RFC 5280", get_it_again};
    case errc::unexpected_tag:
      return {"another element than the one that belongs there",
              "the structure of a certificate (RFC 5280 4.1)",
              "check that this is a certificate and neither a key nor another document"};
    case errc::invalid_tag:
      return {"a tag that X.690 does not allow", "DER", get_it_again};
    case errc::invalid_length:
      return {"a length that X.690 does not allow", "DER", get_it_again};
    case errc::missing_end_of_contents:
      return {"an indefinite length without its end", "DER", get_it_again};
    case errc::missing_element:
      return {"fewer elements than a certificate has",
              "TBSCertificate, signatureAlgorithm and signatureValue (RFC 5280 4.1)", get_it_again};
    case errc::extra_element:
      return {"more elements than a certificate has",
              "TBSCertificate, signatureAlgorithm and signatureValue (RFC 5280 4.1)", get_it_again};
    case errc::constructed_bit_string:
      return {"a signature in several pieces", "a primitive BIT STRING",
              "have the certificate issued again: libraries disagree about this one"};
    case errc::unused_bits:
      return {"a signature that does not end on an octet", "no unused bits",
              "have the certificate issued again: libraries disagree about this one"};
    case errc::empty_signature:
      return {"a signature without octets", "a signed certificate",
              "have the certificate issued again"};
    case errc::invalid_time:
      return {"a time that is neither UTCTime nor GeneralizedTime of RFC 5280",
              "YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ", "have the certificate issued again"};
    case errc::duplicate_extension:
      return {"one extension twice", "each extension once (RFC 5280 4.2)",
              "have the certificate issued again"};

    case errc::invalid_pin:
      return {"none of the spellings of a pin",
              "cert-sha256:<64 hex>, spki-sha256:<64 hex> or sha256//<base64>",
              "copy the pin from `cotter fingerprint`; a bare digest does not say its form"};
    case errc::invalid_host:
      return {"a host that is not in canonical form",
              "lower case, A-labels (xn--...), no trailing dot; or an IP address",
              "write the host as the certificate and the pins spell it"};
    case errc::invalid_port:
      return {"no port number", "a number from 1 to 65535", "correct the port"};
    case errc::invalid_url:
      return {"no URL that cotter understands",
              "wss://, https://, sips: or tls:// with a host and no user name", "correct the URL"};
    case errc::insecure_scheme:
      return {"a scheme without TLS", "wss://, https://, sips: or tls://",
              "use the scheme with TLS; cotter never connects without"};
    case errc::pem_without_certificate:
      return {"PEM text without a CERTIFICATE block", "at least one certificate",
              "give the file that holds the certificate, not its key or its request"};
    case errc::not_a_certificate:
      return {"neither PEM nor DER", "a certificate, PEM or DER",
              "check that this is the file you mean"};
    case errc::unreadable:
      return {"a file that cannot be read", "a readable file", "check path and permissions"};

    case errc::unfit_session:
      return {"a TLS session that cannot be guarded", "a client session before its handshake",
              "report this: the command makes its sessions itself"};
    case errc::unfit_backend:
      return {"the TLS library refused a setting that enforcement needs",
              "a library that can enforce", "run `cotter selftest`; try another --backend"};
    case errc::unfit_trust_anchors:
      return {"no usable trust anchors", "a PEM file of CA certificates",
              "name the bundle with --ca FILE"};
    case errc::unfit_credentials:
      return {"no usable client certificate and key",
              "a PEM chain, leaf first, and its PEM key without a passphrase",
              "check --cert and --key"};
    case errc::out_of_memory:
      return {"the TLS library could not allocate", "free memory", "free some and try again"};
    case errc::tls_failure:
      return {"the TLS handshake or a record failed before there was a verdict",
              "a TLS 1.2 or 1.3 server", "check that host and port speak TLS"};
    case errc::tls_closed:
      return {"the server closed the connection", "an answer", "look into the server's log"};
    case errc::tls_truncated:
      return {"the server dropped the connection without closing TLS", "an orderly end",
              "check that host and port speak TLS; look into the server's log"};
    case errc::permit_spent:
    case errc::permit_foreign:
      return {"a permit that does not fit", "one permit for one attempt", "report this"};

    case errc::timeout:
      return {"no end before the deadline", "an answer in time",
              "check that the server is alive, or give it more with --timeout"};
    case errc::connect_failed:
      return {"no TCP connection", "a listening server",
              "check host, port and firewall; --connect IP:PORT goes past DNS"};
    case errc::resolve_failed:
      return {"the name has no address", "a name that resolves",
              "check the name, or give the address with --connect IP:PORT"};
    case errc::upgrade_refused:
      return {"the server did not switch to WebSocket", "101 as RFC 6455 4.1 prescribes",
              "check the path, and --subprotocol sip for a SIP server"};
    case errc::protocol_error:
      return {"the server broke the protocol", "RFC 6455 after the upgrade, RFC 9112 before",
              "check that this is the server and the port you mean"};
    case errc::message_too_big:
      return {"an answer above 64 KiB", "at most 65536 octets", "ask for less"};
    case errc::not_confirmed:
      return {"application data before a verdict", "an accepted connection", "report this"};
    case errc::invalid_header:
      return {"text that would break out of its header line", "no control characters",
              "correct the URL or --subprotocol"};
    case errc::closed:
      return {"the server closed the WebSocket", "an answer", "look into the server's log"};

    case errc::invalid_prefix:
      return {"no block of addresses", "192.0.2.0/24 or 2001:db8::/32, no bits beyond the length",
              "correct the prefix"};
    case errc::invalid_version:
      return {"no version of a TLS library", "3, 3.0 or 3.0.17", "correct the version"};
    case errc::invalid_json:
      return {"not JSON", "one JSON value (RFC 8259)",
              "look at the offset: a comma too many, or a file cut short"};
    case errc::invalid_utf8:
      return {"octets that are not UTF-8", "UTF-8 (RFC 3629)", "save the file as UTF-8"};
    case errc::duplicate_key:
      return {"one name twice in an object", "each name once", "remove one of the two"};
    case errc::wrong_type:
      return {"another type than this key has", "the type that docs/manifest.md names",
              "correct the value at the pointer"};
    case errc::missing_key:
      return {"a key is missing", "a whole document",
              "add it; `cotter manifest init` writes one that has everything"};
    case errc::conflicting_keys:
      return {"two keys that exclude each other", "one of them", "remove one of the two"};
    case errc::unknown_critical:
      return {"a critical key that this version does not know", "a reader that knows it",
              "use a cotter that knows the key, or sign a manifest without it"};
    case errc::invalid_value:
      return {"a value outside its bounds", "a value that docs/manifest.md allows",
              "correct the value at the pointer"};
    case errc::invalid_timestamp:
      return {"no time", "YYYY-MM-DDTHH:MM:SSZ, in UTC", "correct the time"};
    case errc::too_many_targets:
      return {"more targets or pins than a manifest may have", "at most 10000 targets",
              "split the manifest by the groups of devices it serves"};
    case errc::duplicate_target:
      return {"the same target or region twice", "each once", "merge the two"};
    case errc::observation_too_long:
      return {"an observation of more than 30 days", "at most 30 days after issuedAt",
              "bring observeUntil nearer; sign again when it is over"};
    case errc::invalid_envelope:
      return {"not a signed document", "a DSSE envelope: payloadType, payload, signatures",
              "give the file that `cotter manifest sign` wrote"};
    case errc::invalid_base64:
      return {"not base64", "RFC 4648 4, padded, without line ends", "get the file again"};
    case errc::wrong_payload_type:
      return {"a signed document of another kind", "the kind that this place needs",
              "check that you gave the right file"};
    case errc::unsupported_key:
      return {"a key that cannot verify here", "ECDSA on P-256, or Ed25519 where the library has it",
              "make an ECDSA P-256 key: openssl ecparam -name prime256v1 -genkey"};
    case errc::bad_signature:
      return {"a signature that does not fit the document", "the key's signature of these octets",
              "get the file again; if it stays, somebody has changed it: do not deploy it"};
    case errc::unknown_signer:
      return {"no signature by a key that is trusted for this", "a signature by --trust-key",
              "check --trust-key; if that is right, do not deploy the document"};
    case errc::duplicate_signature:
      return {"one key or key id twice among the signatures", "each key once",
              "sign again; a key counts once however often it signs"};
    case errc::threshold_not_met:
      return {"fewer signatures than the threshold", "as many keys as the role demands",
              "let another holder of a key sign: `cotter manifest sign` adds to an envelope"};
    case errc::key_set_rollback:
      return {"an older key set than the one accepted", "the newest key set",
              "deploy the newest one; if this is it, ask who signed a newer"};
    case errc::key_set_gap:
      return {"a key set that skips versions", "the version after the accepted one",
              "deploy the versions between, in order"};
    case errc::key_set_untrusted:
      return {"a key set that the keys before it have not signed",
              "the thresholds of both the old and the new version",
              "let holders of the old keys sign it"};
    case errc::document_expired:
      return {"a document past its expires", "a document in force", "sign and deploy a newer one"};
    case errc::sequence_rollback:
      return {"a manifest older than one accepted before", "an equal or higher sequence",
              "deploy the newest manifest; to go back, sign the old pins with a higher sequence"};
    case errc::sequence_reused:
      return {"another manifest with a sequence that was used", "one manifest for each sequence",
              "sign it again with the next sequence"};
    case errc::state_absent:
      return {"no state", "the state that `cotter breaker init` made",
              "if it was never made, make it; if it is gone, find out who removed it before you do"};
    case errc::state_damaged:
      return {"state that cannot be read", "state as the breaker wrote it",
              "find out who changed it; to remove it and run `cotter breaker init` again forgets "
              "every lock, which an attacker may have wanted"};
    case errc::state_rolled_back:
      return {"state older than the newest one", "the state that was written last",
              "somebody restored a copy: find out who; a signed reset alone does not mend this"};
    case errc::state_foreign:
      return {"state that belongs to another store or user", "this store's own state",
              "check path, owner and permissions"};
    case errc::state_busy:
      return {"state that another process holds", "a lock that is free within 50 ms",
              "look for a stopped process that has it open"};
    case errc::state_unwritable:
      return {"state that cannot be written", "a disk with room that can be written",
              "free space, or mend the disk; until then connections are refused"};
    case errc::state_unreadable:
      return {"state that cannot be read", "a disk and a vault that answer",
              "mend the disk or the vault; until then connections are refused"};
    case errc::state_exists:
      return {"state that is there already", "a new place, or a vault that vouches for nothing yet",
              "keep it: `cotter breaker status` shows it, `cotter breaker reset` opens a lock; "
              "remove only what an interrupted `cotter breaker init` has left"};
    case errc::state_full:
      return {"no room for another target", "a breaker as large as the pin set",
              "make the breaker larger"};
    case errc::reset_not_for_this:
      return {"a reset of another target, store or lock", "a reset made for this lock",
              "`cotter breaker status` says what the statement must name"};
    case errc::reset_expired:
      return {"a reset past its expires", "a reset in force", "have a new one signed"};
    case errc::bad_seal:
      return {"octets that this key did not seal, or were changed", "a seal made with this key",
              "check that state and key belong together; if they do, find out who changed it"};
    case errc::fallback_extended:
      return {"a fallback that ends later than it did", "the end fixed when it first appeared",
              "leave its notAfter as it was"};
  }
  return {"an unknown error", "no error", "report this"};
}

advice advise(reason why) noexcept {
  switch (why) {
    case reason::none:
      return {"accepted", "accepted", "nothing"};
    case reason::unbound:
      return {"no handshake that reached a verdict", "a handshake with a certificate",
              "check that host and port speak TLS"};
    case reason::pkix:
      return {"a chain that the TLS library does not trust",
              "a chain to an anchor of --ca, valid at every depth (RFC 5280 6)",
              "if the server is yours, check chain and --ca; if not, do not go on"};
    case reason::hostname:
      return {"a certificate for another name",
              "a subjectAltName for the target (RFC 9525; for sips: RFC 5922)",
              "check the URL's host; a common name does not count"};
    case reason::validity:
      return {"a certificate outside of its validity, by this machine's clock",
              "notBefore <= now <= notAfter", "renew the certificate, or set the clock"};
    case reason::malformed_certificate:
      return {"a certificate that has more than one reading", "a certificate of RFC 5280",
              "have the certificate issued again"};
    case reason::pin_mismatch:
      return {"a trusted certificate that is not pinned", "a certificate of one of the pins",
              "suspect an interceptor first; only if the change is yours, pin the new one"};
    case reason::fallback_expired:
      return {"a certificate of a fallback pin past its window", "a primary pin",
              "the server still uses the old certificate: install the new one"};
    case reason::no_pins:
      return {"no pins for this host and port", "at least one primary pin", "give --pin"};
    case reason::manifest_invalid:
    case reason::manifest_signature:
    case reason::manifest_expired:
    case reason::manifest_rollback:
      return {"no manifest in force", "a signed manifest in force", "deploy a current manifest"};
    case reason::runtime_mismatch:
      return {"another TLS library than the manifest allows", "one in the manifest's range",
              "deploy a manifest for this runtime"};
    case reason::clock_untrusted:
      return {"a clock that cannot be right", "a set clock", "set the clock"};
    case reason::breaker_cooling:
      return {"another attempt too soon after mismatches, refused before TCP",
              "the cooldown, waited out", "find out why pins mismatched, then wait"};
    case reason::breaker_locked:
      return {"too many mismatches in a row, refused before TCP", "a closed breaker",
              "find out who answers for this host; an administrator opens the breaker"};
    case reason::resumption_unbound:
      return {"a resumed session that this guard never judged", "a full handshake",
              "try again; report it if it comes back"};
    case reason::backend_unfit:
      return {"a TLS library that did not enforce", "hooks in force and (EC)DHE with a certificate",
              "run `cotter selftest`; check the server's cipher suites"};
    case reason::state_unavailable:
      return {"no breaker state for the target", "breaker state", "check the breaker's settings"};
  }
  return {"an unknown reason", "a known one", "report this"};
}

namespace {

problem make(std::string_view code, const advice& text, std::string_view detail) {
  problem p{std::string(code), std::string(text.seen), std::string(text.expected),
            std::string(text.action)};
  if (!detail.empty()) p.seen.append(": ").append(detail);
  return p;
}

}  // namespace

problem describe(errc what, std::string_view detail) {
  return make(code(what), advise(what), detail);
}

problem describe(reason why, std::string_view detail) {
  return make(to_string(why), advise(why), detail);
}

problem describe_usage(std::string_view seen, std::string_view verb) {
  const std::string help =
      verb.empty() ? "cotter --help" : "cotter " + std::string(verb) + " --help";
  problem p{"usage", std::string(seen), "a command line as `" + help + "` describes it",
            "run `" + help + "`"};
  p.in_command_line = true;
  return p;
}

exit_code worse(exit_code a, exit_code b) noexcept {
  constexpr auto rank = [](exit_code c) noexcept {
    switch (c) {
      case exit_code::ok:
        return 0;
      case exit_code::warning:
        return 1;
      case exit_code::no_verdict:
        return 2;
      case exit_code::refused:
        return 3;
    }
    return 3;
  };
  return rank(a) >= rank(b) ? a : b;
}

}  // namespace cotter::command
