// SPDX-License-Identifier: BSL-1.0
#include "../problem.hpp"

namespace cotter::command {

advice advise(errc what) noexcept {
  switch (what) {
    case errc::ok:
      return {.seen = "no error",
              .expected = "no error",
              .action = "nothing",
              .meaning = "The operation did what it was asked to do.",
              .confirm = "There is nothing to confirm."};

    // The encoding.
    case errc::empty_input:
      return {.seen = "no octets at all",
              .expected = "a certificate, PEM or DER",
              .action = "check the path, or what was to be written into it",
              .meaning = "There is nothing where a certificate should be.",
              .confirm = "`wc -c FILE` prints 0, or the program before the pipe failed."};
    case errc::truncated:
      return {
          .seen = "the input ends inside an element",
          .expected = "a whole certificate",
          .action =
              "get the file again; `openssl x509 -in FILE -text` shows what OpenSSL makes of it",
          .meaning =
              "An element says that it is longer than what is left: the certificate was cut off, "
              "or its lengths lie. Such a certificate has no fingerprint, and a server that "
              "presents it is refused.",
          .confirm =
              "`openssl asn1parse -in FILE` ends with an error at the same place; `cotter "
              "fingerprint FILE` gives the offset."};
    case errc::too_large:
      return {.seen = "more octets than a certificate may have",
              .expected = "at most 65535 octets of DER",
              .action = "give the certificate by itself, not a container that holds it",
              .meaning =
                  "There is more than any certificate needs. The bound keeps hostile input from "
                  "costing memory; nothing is read beyond it.",
              .confirm = "`wc -c FILE`: above 65535, or for other files above 16 MiB."};
    case errc::too_deep:
      return {
          .seen = "elements nested too deeply",
          .expected = "a certificate of RFC 5280",
          .action =
              "get the file again; `openssl x509 -in FILE -text` shows what OpenSSL makes of it",
          .meaning =
              "Elements lie within elements deeper than any certificate needs: input that was made "
              "to exhaust a parser.",
          .confirm = "`openssl asn1parse -in FILE` shows the depth in its column d."};
    case errc::unexpected_tag:
      return {.seen = "another element than the one that belongs there",
              .expected = "the structure of a certificate (RFC 5280 4.1)",
              .action = "check that this is a certificate and neither a key nor another document",
              .meaning =
                  "The octets are DER, but not those of a certificate at this place: often a key, "
                  "a request or a CRL was given instead.",
              .confirm =
                  "`openssl asn1parse -in FILE` shows what stands at the offset that `cotter "
                  "fingerprint FILE` gives."};
    case errc::invalid_tag:
      return {
          .seen = "a tag that X.690 does not allow",
          .expected = "DER",
          .action =
              "get the file again; `openssl x509 -in FILE -text` shows what OpenSSL makes of it",
          .meaning =
              "A tag number is written in a way that X.690 forbids. Libraries disagree about such "
              "input, so that none is believed.",
          .confirm =
              "`cotter fingerprint FILE` gives the offset; `xxd -s OFFSET FILE` shows the octets."};
    case errc::invalid_length:
      return {
          .seen = "a length that X.690 does not allow",
          .expected = "DER",
          .action =
              "get the file again; `openssl x509 -in FILE -text` shows what OpenSSL makes of it",
          .meaning =
              "A length is written in a way that X.690 forbids, or does not fit in a certificate. "
              "Libraries read such lengths differently.",
          .confirm =
              "`cotter fingerprint FILE` gives the offset; `xxd -s OFFSET -l 8 FILE` shows the "
              "length's octets."};
    case errc::missing_end_of_contents:
      return {
          .seen = "an indefinite length without its end",
          .expected = "DER",
          .action =
              "get the file again; `openssl x509 -in FILE -text` shows what OpenSSL makes of it",
          .meaning =
              "An element of indefinite length (BER) has no end. Certificates are DER, where there "
              "is none of this.",
          .confirm = "`openssl asn1parse -in FILE` shows `inf` in its column l."};
    case errc::missing_element:
      return {
          .seen = "fewer elements than a certificate has",
          .expected = "TBSCertificate, signatureAlgorithm and signatureValue (RFC 5280 4.1)",
          .action =
              "get the file again; `openssl x509 -in FILE -text` shows what OpenSSL makes of it",
          .meaning = "The certificate lacks one of its three parts.",
          .confirm =
              "`openssl asn1parse -in FILE -strparse 0` lists fewer than three elements at depth "
              "1."};
    case errc::extra_element:
      return {
          .seen = "more elements than a certificate has",
          .expected = "TBSCertificate, signatureAlgorithm and signatureValue (RFC 5280 4.1)",
          .action =
              "get the file again; `openssl x509 -in FILE -text` shows what OpenSSL makes of it",
          .meaning =
              "The certificate has something after its three parts. A library that ignores it and "
              "one that hashes it would give two fingerprints.",
          .confirm = "`openssl asn1parse -in FILE` lists a fourth element at depth 1."};
    case errc::constructed_bit_string:
      return {.seen = "a signature in several pieces",
              .expected = "a primitive BIT STRING",
              .action = "have the certificate issued again: libraries disagree about this one",
              .meaning =
                  "The signature is put together from pieces, as BER allows and DER does not. Some "
                  "TLS libraries join the pieces, some refuse.",
              .confirm = "`openssl asn1parse -in FILE` shows the last BIT STRING as `cons`."};
    case errc::unused_bits:
      return {
          .seen = "a signature that does not end on an octet",
          .expected = "no unused bits",
          .action = "have the certificate issued again: libraries disagree about this one",
          .meaning =
              "The signature says that its last octet is not all used. No signature algorithm "
              "makes such a thing.",
          .confirm =
              "In `openssl asn1parse -in FILE -dump` the last BIT STRING does not begin with 00."};
    case errc::empty_signature:
      return {.seen = "a signature without octets",
              .expected = "a signed certificate",
              .action = "have the certificate issued again",
              .meaning = "There is a place for the signature, and nothing in it.",
              .confirm = "`openssl x509 -in FILE -noout -text` shows an empty Signature Value."};
    case errc::invalid_time:
      return {.seen = "a time that is neither UTCTime nor GeneralizedTime of RFC 5280",
              .expected = "YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ",
              .action = "have the certificate issued again",
              .meaning =
                  "notBefore or notAfter is no time as RFC 5280 writes it, so that nobody can say "
                  "when the certificate ends.",
              .confirm =
                  "`openssl x509 -in FILE -noout -dates` prints `Bad time value`, or `openssl "
                  "asn1parse -in FILE` shows it as it stands."};
    case errc::duplicate_extension:
      return {.seen = "one extension twice",
              .expected = "each extension once (RFC 5280 4.2)",
              .action = "have the certificate issued again",
              .meaning =
                  "One extension stands in the certificate twice, and libraries differ in which of "
                  "the two they read.",
              .confirm =
                  "`openssl x509 -in FILE -noout -ext subjectAltName`, and the list in `openssl "
                  "x509 -in FILE -noout -text`, show it twice."};

    // Text given by people.
    case errc::invalid_pin:
      return {
          .seen = "none of the spellings of a pin",
          .expected = "cert-sha256:<64 hex>, spki-sha256:<64 hex> or sha256//<base64>",
          .action = "copy the pin from `cotter fingerprint`; a bare digest does not say its form",
          .meaning =
              "The text is no pin in any spelling that says what was hashed. A digest of a "
              "certificate and one of a key look alike, so that a bare one is only read where a "
              "document defines it.",
          .confirm =
              "Compare with `cotter fingerprint FILE`: its two pins are spelled as they must be."};
    case errc::invalid_host:
      return {.seen = "a host that is not in canonical form",
              .expected = "lower case, A-labels (xn--...), no trailing dot; or an IP address",
              .action = "write the host as the certificate and the pins spell it",
              .meaning =
                  "The host is not spelled the one way that pins, certificates and the breaker "
                  "compare it in, octet by octet.",
              .confirm =
                  "`python3 -c \"print('NAME'.encode('idna').decode().lower())\"` prints the "
                  "A-label; compare it, and look for a dot at the end."};
    case errc::invalid_port:
      return {.seen = "no port number",
              .expected = "a number from 1 to 65535",
              .action = "correct the port",
              .meaning = "The port is 0, above 65535, or no number.",
              .confirm = "Read the URL or the option again: digits only, no leading zeros."};
    case errc::invalid_url:
      return {
          .seen = "no URL that cotter understands",
          .expected = "wss://, https://, sips: or tls:// with a host and no user name",
          .action = "correct the URL",
          .meaning =
              "The text is no URL of a kind that cotter connects to. A user name or password in it "
              "is refused: it would end up in logs.",
          .confirm = "Read it part by part: scheme, `//` except after sips:, host, port, path."};
    case errc::insecure_scheme:
      return {.seen = "a scheme without TLS",
              .expected = "wss://, https://, sips: or tls://",
              .action = "use the scheme with TLS; cotter never connects without",
              .meaning =
                  "ws, http, sip and the like have no TLS, and without TLS there is no certificate "
                  "to pin.",
              .confirm = "Look at what stands before the colon."};
    case errc::pem_without_certificate:
      return {.seen = "PEM text without a CERTIFICATE block",
              .expected = "at least one certificate",
              .action = "give the file that holds the certificate, not its key or its request",
              .meaning = "The file is PEM, but holds other things than certificates.",
              .confirm = "`grep BEGIN FILE` lists what is in it."};
    case errc::not_a_certificate:
      return {.seen = "neither PEM nor DER",
              .expected = "a certificate, PEM or DER",
              .action = "check that this is the file you mean",
              .meaning =
                  "The file is neither PEM text nor the DER of a certificate: perhaps PKCS #12, an "
                  "archive, or an HTML page that a download got instead.",
              .confirm = "`file FILE` and `head -c 64 FILE | xxd` say what it is."};
    case errc::unreadable:
      return {.seen = "a file that cannot be read",
              .expected = "a readable file",
              .action = "check path and permissions",
              .meaning = "The file cannot be opened, or reading it failed.",
              .confirm =
                  "`ls -l FILE`, as the user that runs cotter: does it exist, may this user read "
                  "it and every directory above it?"};

    // The TLS library.
    case errc::unfit_session:
      return {.seen = "a TLS session that cannot be guarded",
              .expected = "a client session before its handshake",
              .action = "report this: the command makes its sessions itself",
              .meaning =
                  "The TLS session that was to be guarded is a server's, or its handshake had "
                  "begun: hooks that come late guard nothing.",
              .confirm =
                  "In a program: `attach` must be the last call before the handshake. The command "
                  "makes its own sessions; there it is a defect."};
    case errc::unfit_backend:
      return {.seen = "the TLS library refused a setting that enforcement needs",
              .expected = "a library that can enforce",
              .action = "run `cotter selftest`; try another --backend",
              .meaning =
                  "The TLS library was built without something that enforcement needs, or refused "
                  "to be told. cotter would rather not connect than connect unguarded.",
              .confirm =
                  "`cotter selftest` runs every attack against this very library and says which of "
                  "them it lets through."};
    case errc::unfit_trust_anchors:
      return {.seen = "no usable trust anchors",
              .expected = "a PEM file of CA certificates",
              .action = "name the bundle with --ca FILE",
              .meaning =
                  "The file of CA certificates is missing, empty or not PEM, and without anchors "
                  "no chain can be judged.",
              .confirm =
                  "`grep -c BEGIN FILE` counts its certificates; `openssl verify -CAfile FILE "
                  "server.pem` uses it."};
    case errc::unfit_credentials:
      return {.seen = "no usable client certificate and key",
              .expected = "a PEM chain, leaf first, and its PEM key without a passphrase",
              .action = "check --cert and --key",
              .meaning =
                  "The certificate and key of this client cannot be used: not PEM, not a pair, or "
                  "the key has a passphrase.",
              .confirm =
                  "`openssl x509 -in CERT -noout -pubkey` and `openssl pkey -in KEY -pubout` print "
                  "the same key if they are a pair."};
    case errc::out_of_memory:
      return {.seen = "the TLS library could not allocate",
              .expected = "free memory",
              .action = "free some and try again",
              .meaning =
                  "An allocation failed inside the TLS library. The attempt is over and was not "
                  "accepted.",
              .confirm = "`free -m` and `ulimit -v` on the device, at the time."};
    case errc::tls_failure:
      return {
          .seen = "the TLS handshake or a record failed before there was a verdict",
          .expected = "a TLS 1.2 or 1.3 server",
          .action = "check that host and port speak TLS",
          .meaning =
              "Handshake or record failed before the certificate could be judged. That is no "
              "verdict about the server: nothing was accepted, and nothing counts in the breaker.",
          .confirm =
              "`openssl s_client -connect HOST:PORT -servername HOST` says whether TLS 1.2 or 1.3 "
              "is spoken there; `native` is the library's own code."};
    case errc::tls_closed:
      return {.seen = "the server closed the connection",
              .expected = "an answer",
              .action = "look into the server's log",
              .meaning =
                  "The server ended the connection in good order before it answered. TLS worked.",
              .confirm =
                  "The server's log at that time; `cotter connect URL --pin PIN` without --send "
                  "shows that the handshake succeeds."};
    case errc::tls_truncated:
      return {.seen = "the server dropped the connection without closing TLS",
              .expected = "an orderly end",
              .action = "check that host and port speak TLS; look into the server's log",
              .meaning =
                  "The connection was cut without TLS's own end. Whoever is on the path can do "
                  "that: take nothing that was cut for complete.",
              .confirm =
                  "The server's log says whether it ended the connection; if it did not, look at "
                  "firewalls and load balancers with idle timeouts."};
    case errc::permit_spent:
      return {
          .seen = "a permit that was used before",
          .expected = "one permit for one attempt",
          .action =
              "report this: the command takes a permit for each attempt; a program asks "
              "`guard.admit` again",
          .meaning =
              "A program used a permit twice. Each attempt is reserved in the breaker singly, so "
              "that parallel attempts cannot outrun it.",
          .confirm = "Look where the program calls `attach`: each call has an `admit` of its own."};
    case errc::permit_foreign:
      return {.seen = "a permit of another guard",
              .expected = "the guard that gave the permit",
              .action =
                  "report this: the command has one guard; a program attaches with the guard that "
                  "admitted",
              .meaning =
                  "A program gave a permit of one guard to another one, whose pins and breaker "
                  "know nothing of it.",
              .confirm =
                  "Look for a second guard in the program: each connection uses one from `admit` "
                  "to `confirm`."};

    // The transport and WebSocket.
    case errc::timeout:
      return {
          .seen = "no end before the deadline",
          .expected = "an answer in time",
          .action = "check that the server is alive, or give it more with --timeout",
          .meaning =
              "The time that was allowed passed first. There is no verdict, and nothing counts.",
          .confirm =
              "`ping HOST`, then `nc -vz HOST PORT`: what does not answer drops packets, what "
              "answers is slow; --timeout gives it more."};
    case errc::connect_failed:
      return {.seen = "no TCP connection",
              .expected = "a listening server",
              .action = "check host, port and firewall; --connect IP:PORT goes past DNS",
              .meaning =
                  "There was no TCP connection, so that TLS never began. There is no verdict, and "
                  "nothing counts.",
              .confirm =
                  "`nc -vz HOST PORT` from the same device; `ss -ltn` on the server shows whether "
                  "it listens."};
    case errc::resolve_failed:
      return {.seen = "the name has no address",
              .expected = "a name that resolves",
              .action = "check the name, or give the address with --connect IP:PORT",
              .meaning = "The name could not be turned into an address.",
              .confirm = "`getent hosts HOST` on the same device."};
    case errc::upgrade_refused:
      return {
          .seen = "the server did not switch to WebSocket",
          .expected = "101 as RFC 6455 4.1 prescribes",
          .action = "check the path, and --subprotocol sip for a SIP server",
          .meaning =
              "TLS was accepted, but the server did not agree to a WebSocket: a wrong path, "
              "missing credentials, or a subprotocol that it does not speak.",
          .confirm =
              "`cotter connect URL --pin PIN --request --subprotocol sip` names the HTTP status."};
    case errc::protocol_error:
      return {
          .seen = "the server broke the protocol",
          .expected = "RFC 6455 after the upgrade, RFC 9112 before",
          .action = "check that this is the server and the port you mean",
          .meaning =
              "After an accepted handshake the server sent what RFC 6455 or RFC 9112 do not allow.",
          .confirm =
              "A capture on the server, or its log: does something else answer on this port?"};
    case errc::message_too_big:
      return {.seen = "an answer above 64 KiB",
              .expected = "at most 65536 octets",
              .action = "ask for less",
              .meaning =
                  "The answer is larger than the limit that was set, and was dropped with the "
                  "connection.",
              .confirm =
                  "Ask for something small; a program sets its own limit in `websocket_limits`."};
    case errc::not_confirmed:
      return {.seen = "application data before a verdict",
              .expected = "an accepted connection",
              .action =
                  "report this: the command writes nothing before its verdict; a program calls "
                  "`confirm` first",
              .meaning =
                  "A program tried to send or read application data before there was an accepted "
                  "verdict. Nothing was sent.",
              .confirm =
                  "Look where the program writes first: `confirm`, or the end of the stream's "
                  "handshake, comes before it."};
    case errc::invalid_header:
      return {.seen = "text that would break out of its header line",
              .expected = "no control characters",
              .action = "correct the URL or --subprotocol",
              .meaning =
                  "A header's name or value holds CR, LF, NUL or the like, and would have become a "
                  "second header.",
              .confirm = "`printf %s VALUE | xxd` shows what is in it."};
    case errc::closed:
      return {
          .seen = "the server closed the WebSocket",
          .expected = "an answer",
          .action = "look into the server's log",
          .meaning = "The WebSocket has ended: nothing more can be sent or read on it.",
          .confirm = "The server's log says why it closed; the close code stands in its frame."};

    // Documents.
    case errc::invalid_prefix:
      return {.seen = "no block of addresses",
              .expected = "192.0.2.0/24 or 2001:db8::/32, no bits beyond the length",
              .action = "correct the prefix",
              .meaning =
                  "The text is no block of addresses, or has bits set beyond its length, and so "
                  "might mean two things.",
              .confirm =
                  "`python3 -c \"import ipaddress; print(ipaddress.ip_network('PREFIX', "
                  "strict=False))\"` prints the block that was probably meant."};
    case errc::invalid_version:
      return {.seen = "no version of a TLS library",
              .expected = "3, 3.0 or 3.0.17",
              .action = "correct the version",
              .meaning = "The text is no version of a TLS library.",
              .confirm =
                  "`cotter --version` prints the versions of the libraries in this binary, spelled "
                  "as they must be."};
    case errc::invalid_json:
      return {.seen = "not JSON",
              .expected = "one JSON value (RFC 8259)",
              .action = "look at the offset: a comma too many, or a file cut short",
              .meaning =
                  "The document is not JSON, or there is something after its end. Nothing of it "
                  "was used.",
              .confirm = "`python3 -m json.tool FILE` stops at the same place."};
    case errc::invalid_utf8:
      return {.seen = "octets that are not UTF-8",
              .expected = "UTF-8 (RFC 3629)",
              .action = "save the file as UTF-8",
              .meaning =
                  "The document holds octets that are not UTF-8, so that two readers could see two "
                  "texts.",
              .confirm = "`iconv -f utf-8 -t utf-8 FILE` stops at them."};
    case errc::duplicate_key:
      return {.seen = "one name twice in an object",
              .expected = "each name once",
              .action = "remove one of the two",
              .meaning =
                  "An object has one name twice. Readers differ in which one they take: what was "
                  "signed would not be what is read.",
              .confirm = "`grep -n NAME FILE`, with the name at the end of the pointer."};
    case errc::wrong_type:
      return {.seen = "another type than this key has",
              .expected = "the type that docs/manifest.md names",
              .action = "correct the value at the pointer",
              .meaning =
                  "A value has another type than its key: a number in quotes, a list where one "
                  "thing belongs.",
              .confirm = "Compare the value at the pointer with docs/manifest.md."};
    case errc::missing_key:
      return {
          .seen = "a key is missing",
          .expected = "a whole document",
          .action = "add it; `cotter manifest init` writes one that has everything",
          .meaning = "A key is not there that the document cannot do without.",
          .confirm =
              "`cotter manifest show FILE` says what was found; the pointer names what was not."};
    case errc::conflicting_keys:
      return {.seen = "two keys that exclude each other",
              .expected = "one of them",
              .action = "remove one of the two",
              .meaning =
                  "Two keys say the same thing or exclude each other, and nobody can tell which "
                  "was meant.",
              .confirm =
                  "Look at the object at the pointer; docs/manifest.md says which keys exclude "
                  "each other."};
    case errc::unknown_critical:
      return {
          .seen = "a critical key that this version does not know",
          .expected = "a reader that knows it",
          .action = "use a cotter that knows the key, or sign a manifest without it",
          .meaning =
              "Whoever signed the document says that a reader must know this key, and this reader "
              "does not. Ignoring it could drop a restriction.",
          .confirm = "`cotter --version`, and the key's name in the changelog of newer versions."};
    case errc::invalid_value:
      return {.seen = "a value outside its bounds",
              .expected = "a value that docs/manifest.md allows",
              .action = "correct the value at the pointer",
              .meaning = "The type is right, the value is outside its bounds.",
              .confirm = "Compare the value at the pointer with the bounds in docs/manifest.md."};
    case errc::invalid_timestamp:
      return {.seen = "no time",
              .expected = "YYYY-MM-DDTHH:MM:SSZ, in UTC",
              .action = "correct the time",
              .meaning =
                  "The text is not a time as documents write it. Local times and fractions are "
                  "refused: they are read differently in different places.",
              .confirm = "`date -u +%Y-%m-%dT%H:%M:%SZ` prints the current time as it must look."};
    case errc::too_many_targets:
      return {.seen = "more targets or pins than a manifest may have",
              .expected = "at most 10000 targets",
              .action = "split the manifest by the groups of devices it serves",
              .meaning = "The manifest is larger than devices can hold.",
              .confirm = "`cotter manifest show FILE --json` lists the targets; count them."};
    case errc::duplicate_target:
      return {.seen = "the same target or region twice",
              .expected = "each once",
              .action = "merge the two",
              .meaning =
                  "One host and port, or one region, stands in the manifest twice, and nobody can "
                  "tell whose pins count.",
              .confirm =
                  "`cotter manifest show FILE` lists targets and regions; the pointer names the "
                  "second one."};
    case errc::observation_too_long:
      return {.seen = "an observation of more than 30 days",
              .expected = "at most 30 days after issuedAt",
              .action = "bring observeUntil nearer; sign again when it is over",
              .meaning =
                  "observeUntil is further away than 30 days after issuedAt. Observation lets "
                  "mismatches through, so that it has to end soon and by itself.",
              .confirm =
                  "Subtract issuedAt from observeUntil: `cotter manifest show FILE` prints both."};
    case errc::invalid_envelope:
      return {
          .seen = "not a signed document",
          .expected = "a DSSE envelope: payloadType, payload, signatures",
          .action = "give the file that `cotter manifest sign` wrote",
          .meaning =
              "The file is not a signed document, perhaps the payload alone. Unsigned pins are "
              "never put in force.",
          .confirm =
              "`python3 -m json.tool FILE`: payloadType, payload and signatures stand at the top."};
    case errc::invalid_base64:
      return {.seen = "not base64",
              .expected = "RFC 4648 4, padded, without line ends",
              .action = "get the file again",
              .meaning =
                  "A payload or signature is not base64 as RFC 4648 4 has it: URL-safe letters, "
                  "line ends or missing padding.",
              .confirm = "`base64 -d` of the value at the pointer fails."};
    case errc::wrong_payload_type:
      return {.seen = "a signed document of another kind",
              .expected = "the kind that this place needs",
              .action = "check that you gave the right file",
              .meaning =
                  "The signature may be good, but it is for another kind of document: a reset "
                  "cannot pass for a manifest.",
              .confirm =
                  "payloadType in the envelope names the kind; `cotter manifest show FILE` reads "
                  "manifests only."};
    case errc::unsupported_key:
      return {.seen = "a key that cannot verify here",
              .expected = "ECDSA on P-256, or Ed25519 where the library has it",
              .action = "make an ECDSA P-256 key: openssl ecparam -name prime256v1 -genkey",
              .meaning =
                  "The key is of a kind that this TLS library cannot verify with, or is not what "
                  "its scheme says.",
              .confirm = "`openssl pkey -pubin -in KEY -noout -text` names kind and curve."};
    case errc::bad_signature:
      return {
          .seen = "a signature that does not fit the document",
          .expected = "the key's signature of these octets",
          .action = "get the file again; if it stays, somebody has changed it: do not deploy it",
          .meaning =
              "The document, its type or the signature is not what was signed. It has not been put "
              "in force.",
          .confirm =
              "`cotter manifest verify FILE --trust-key KEY` with the file fresh from whoever "
              "signed it: if that one is good, yours was changed on the way."};
    case errc::unknown_signer:
      return {.seen = "no signature by a key that is trusted for this",
              .expected = "a signature by --trust-key",
              .action = "check --trust-key; if that is right, do not deploy the document",
              .meaning =
                  "The document is signed, but by nobody who is trusted for this kind of document.",
              .confirm =
                  "`cotter manifest verify FILE --trust-key KEY`; the key id in the envelope is a "
                  "hint to who signed."};
    case errc::duplicate_signature:
      return {.seen = "one key or key id twice among the signatures",
              .expected = "each key once",
              .action = "sign again; a key counts once however often it signs",
              .meaning =
                  "One key stands twice among the signatures. It counts once, and a document that "
                  "pretends otherwise is refused whole.",
              .confirm = "The key ids under signatures in the envelope."};
    case errc::threshold_not_met:
      return {
          .seen = "fewer signatures than the threshold",
          .expected = "as many keys as the role demands",
          .action = "let another holder of a key sign: `cotter manifest sign` adds to an envelope",
          .meaning =
              "Too few of those who must sign together have signed. One stolen key is not to be "
              "enough.",
          .confirm =
              "`cotter manifest verify FILE --trust-key KEYS` names the threshold; count the "
              "signatures in the envelope."};
    case errc::key_set_rollback:
      return {.seen = "an older key set than the one accepted",
              .expected = "the newest key set",
              .action = "deploy the newest one; if this is it, ask who signed a newer",
              .meaning =
                  "The key set is older than one that was accepted here. Going back would revive "
                  "keys that were withdrawn.",
              .confirm =
                  "Compare version in the key set with the one that is remembered in the --state "
                  "file."};
    case errc::key_set_gap:
      return {.seen = "a key set that skips versions",
              .expected = "the version after the accepted one",
              .action = "deploy the versions between, in order",
              .meaning =
                  "The key set is not the next one after the accepted one, so that nobody can see "
                  "that the old keys agree to it.",
              .confirm =
                  "Line up the versions of all key sets since the accepted one; each has to be "
                  "given, with --key-set."};
    case errc::key_set_untrusted:
      return {.seen = "a key set that the keys before it have not signed",
              .expected = "the thresholds of both the old and the new version",
              .action = "let holders of the old keys sign it",
              .meaning =
                  "The holders of the old keys have not agreed to the new key set. Whoever stole "
                  "one new key cannot install himself.",
              .confirm =
                  "The signatures in its envelope: thresholds of both versions have to be met by "
                  "keys of each."};
    case errc::document_expired:
      return {.seen = "a document past its expires",
              .expected = "a document in force",
              .action = "sign and deploy a newer one",
              .meaning =
                  "The document was good until its expires, which is past. For a manifest: devices "
                  "refuse to connect until they have a newer one.",
              .confirm =
                  "`cotter manifest show FILE` prints expires; `date -u` prints what this machine "
                  "believes."};
    case errc::sequence_rollback:
      return {
          .seen = "a manifest older than one accepted before",
          .expected = "an equal or higher sequence",
          .action =
              "deploy the newest manifest; to go back, sign the old pins with a higher sequence",
          .meaning =
              "The manifest is genuine, but a newer one was accepted here before. Somebody may be "
              "playing back an old one with pins that were withdrawn.",
          .confirm =
              "`cotter manifest show FILE` prints sequence; the --state file keeps the highest "
              "that was accepted, as order."};
    case errc::sequence_reused:
      return {
          .seen = "another manifest with a sequence that was used",
          .expected = "one manifest for each sequence",
          .action = "sign it again with the next sequence",
          .meaning =
              "Two different manifests have the same sequence, so that devices cannot tell which "
              "is the newer one.",
          .confirm =
              "`cotter manifest show FILE --json` for both: the same sequence, different content."};
    case errc::fallback_extended:
      return {.seen = "a fallback that ends later than it did",
              .expected = "the end fixed when it first appeared",
              .action = "leave its notAfter as it was",
              .meaning =
                  "The end of a fallback was moved. A window that can be prolonged again and again "
                  "never ends, and the old pin would stay for ever.",
              .confirm =
                  "`cotter manifest lint FILE --previous OLD` names the fallback and both ends."};

    // Stored state and its resets.
    case errc::state_absent:
      return {
          .seen = "no state",
          .expected = "the state that `cotter breaker init` made",
          .action =
              "if it was never made, make it; if it is gone, find out who removed it before you do",
          .meaning =
              "There is no breaker state where there must be some. It was never made, or somebody "
              "deleted it, which would be a way to forget a lock: so everything is refused.",
          .confirm =
              "`ls -la` of its directory and of the vault; `cotter breaker status --state FILE`; "
              "who else has access?"};
    case errc::state_damaged:
      return {.seen = "state that cannot be read",
              .expected = "state as the breaker wrote it",
              .action =
                  "find out who changed it; to remove it and run `cotter breaker init` again "
                  "forgets every lock, which an attacker may have wanted",
              .meaning =
                  "The state was cut short, changed, or sealed with another key. Everything is "
                  "refused, because a lock may have been in it.",
              .confirm =
                  "`cotter breaker status --state FILE --vault VAULT` with the vault it was made "
                  "with; then the disk's health (`dmesg`) and who may write there."};
    case errc::state_rolled_back:
      return {.seen = "state older than the newest one",
              .expected = "the state that was written last",
              .action =
                  "somebody restored a copy: find out who; a signed reset alone does not mend this",
              .meaning =
                  "The state is genuine but older than the newest one that the vault vouches for: "
                  "somebody put a copy back, which would undo counts and locks.",
              .confirm =
                  "Modification times of FILE and FILE.next, and whether the device was restored "
                  "from a backup or an image."};
    case errc::state_foreign:
      return {.seen = "state that belongs to another store or user",
              .expected = "this store's own state",
              .action = "check path, owner and permissions",
              .meaning =
                  "The state belongs to another store, name or user, or others may read or write "
                  "it, so that it proves nothing here.",
              .confirm =
                  "`ls -ln FILE`: owner and mode 0600 in a directory 0700; `cotter breaker status "
                  "--state FILE --name NAME --store-id HEX`."};
    case errc::state_busy:
      return {.seen = "state that another process holds",
              .expected = "a lock that is free within 50 ms",
              .action = "look for a stopped process that has it open",
              .meaning =
                  "Another process has held the lock for longer than an attempt may wait, or the "
                  "vault did not answer in time.",
              .confirm =
                  "`fuser -v FILE.lock` shows who has it open; a process in state T is stopped; is "
                  "the keyring locked?"};
    case errc::state_unwritable:
      return {
          .seen = "state that cannot be written",
          .expected = "a disk with room that can be written",
          .action = "free space, or mend the disk; until then connections are refused",
          .meaning =
              "The new state could not be made durable: the disk is full, read-only or failing. A "
              "mismatch that cannot be counted would be forgotten, so everything is refused.",
          .confirm =
              "`df -h` and `df -i` of the directory, `mount | grep ro,`, `dmesg`; `native` is "
              "errno."};
    case errc::state_unreadable:
      return {.seen = "state that cannot be read",
              .expected = "a disk and a vault that answer",
              .action = "mend the disk or the vault; until then connections are refused",
              .meaning = "The disk or the vault failed while the state was read.",
              .confirm =
                  "`dmesg` for the disk; `systemctl status cotter-vault.service` or the TPM for "
                  "the vault; `native` is its own code."};
    case errc::state_exists:
      return {.seen = "state that is there already",
              .expected = "a new place, or a vault that vouches for nothing yet",
              .action =
                  "keep it: `cotter breaker status` shows it, `cotter breaker reset` opens a lock; "
                  "remove only what an interrupted `cotter breaker init` has left",
              .meaning =
                  "There is state already, or the vault has vouched for some. What makes state "
                  "never replaces any: that would be a way to forget a lock.",
              .confirm = "`cotter breaker status --state FILE` shows what is there."};
    case errc::state_full:
      return {.seen = "no room for another target",
              .expected = "a breaker as large as the pin set",
              .action = "make the breaker larger",
              .meaning =
                  "Every place of the breaker is taken by a target or network that has mismatches "
                  "to remember. A new one cannot be counted, so it is refused.",
              .confirm =
                  "`cotter breaker status --state FILE` lists them: many network ids that came "
                  "once point to an id that varies by itself."};
    case errc::reset_not_for_this:
      return {.seen = "a reset of another target, store or lock",
              .expected = "a reset made for this lock",
              .action = "`cotter breaker status` says what the statement must name",
              .meaning =
                  "The signed statement opens another lock than this one: of another store, target "
                  "or network, or of a lock that was opened already.",
              .confirm =
                  "`cotter breaker status --state FILE`: store id and lock epoch have to be those "
                  "of the statement."};
    case errc::reset_expired:
      return {.seen = "a reset past its expires",
              .expected = "a reset in force",
              .action = "have a new one signed",
              .meaning =
                  "The statement was good once. It can no longer be applied, also where the clock "
                  "has been set back.",
              .confirm = "Compare its expires with `date -u`."};
    case errc::bad_seal:
      return {
          .seen = "octets that this key did not seal, or were changed",
          .expected = "a seal made with this key",
          .action = "check that state and key belong together; if they do, find out who changed it",
          .meaning =
              "Sealed octets could not be opened: another key sealed them, or they were changed.",
          .confirm =
              "Open them with the key they were made with; if that fails too, they were changed."};

    // The audit trail and its delivery.
    case errc::spool_full:
      return {.seen = "no room for another event in the spool",
              .expected = "a spool that is drained",
              .action =
                  "drain it with `cotter audit drain`; `cotter audit status` says what was dropped",
              .meaning =
                  "The spool has reached its bound, because nobody drains it or the collector has "
                  "been away for long. Further events are dropped and counted; the count is itself "
                  "an event (loss). Verdicts are not affected.",
              .confirm =
                  "`cotter audit status DIR` prints what waits for each output and how much was "
                  "dropped."};
    case errc::spool_damaged:
      return {.seen = "a record of the spool whose checksum does not fit",
              .expected = "records as they were written",
              .action = "check the disk; the records before and after it are still delivered",
              .meaning =
                  "A record of the spool is not as it was written: a failing disk, or somebody "
                  "changed it. The record is skipped and counted; nothing damaged is delivered.",
              .confirm =
                  "`cotter audit status DIR` counts the damaged records; `dmesg` for the disk, `ls "
                  "-ln DIR` for who may write there."};
    case errc::report_refused:
      return {.seen = "the collector answered with an error",
              .expected = "an answer of 200 to 299",
              .action = "look into the collector's log; the events stay in the spool",
              .meaning =
                  "The collector has the request and does not take it (for example 401, 429, 500). "
                  "What was refused stays in the spool and is offered again, later and later; "
                  "Retry-After is respected.",
              .confirm =
                  "`native` is the HTTP status; `cotter audit drain DIR --to URL` once by hand, "
                  "and the collector's log at that time."};
    case errc::report_redirected:
      return {.seen = "the collector answered with a redirect, which is never followed",
              .expected = "an answer of 200 to 299",
              .action = "write the collector's final URL into the configuration",
              .meaning =
                  "The collector answers with another place to go. Following it would hand events "
                  "to whoever can answer in its stead, so that it is not followed.",
              .confirm = "`curl -si -X POST URL | grep -i location` prints where it wanted to go."};
    case errc::report_truncated:
      return {.seen = "the collector's answer ended too early",
              .expected = "a whole answer of RFC 9112",
              .action = "look into the collector's log; the events are sent again",
              .meaning =
                  "The connection to the collector ended before its answer did, so that nobody "
                  "knows whether it has the events. They are sent again with the same ids.",
              .confirm =
                  "The collector's log: it has the events if it has their ids; look for a proxy "
                  "with a short timeout."};
  }
  return {.seen = "an unknown error",
          .expected = "no error",
          .action = "report this",
          .meaning = "A number that is no error of this version.",
          .confirm = "`cotter --version` says which version runs."};
}

}  // namespace cotter::command
