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
  return {"usage", std::string(seen), "a command line as `" + help + "` describes it",
          "run `" + help + "`"};
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
