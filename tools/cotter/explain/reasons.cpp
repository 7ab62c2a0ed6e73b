// SPDX-License-Identifier: BSL-1.0
#include "pages.hpp"

namespace cotter::command {

namespace {

struct words {
  advice told{};
  counting counts = counting::never;
  std::string_view phone{};
};

words words_of(reason why) noexcept {
  switch (why) {
    case reason::none:
      return {{.seen = "accepted",
               .expected = "accepted",
               .action = "nothing",
               .meaning =
                   "The connection was accepted: chain, name and time are good, and a pin matched.",
               .confirm = "matched in the answer of `cotter connect URL --pin PIN` says which kind "
                          "of pin it was."},
              counting::never,
              "goes on; a streak of mismatches is cleared"};
    case reason::unbound:
      return {{.seen = "no handshake that reached a verdict",
               .expected = "a handshake with a certificate",
               .action = "check that host and port speak TLS",
               .meaning = "The handshake ended before there was a certificate to judge, or was "
                          "never begun under this guard. Nothing was accepted.",
               .confirm = "The error beside it names the fault; `openssl s_client -connect "
                          "HOST:PORT -servername HOST` shows whether TLS is spoken there at all."},
              counting::never,
              "stays unconnected; it may try again at once"};
    case reason::pkix:
      return {
          {.seen = "a chain that the TLS library does not trust",
           .expected = "a chain to an anchor of --ca, valid at every depth (RFC 5280 6)",
           .action = "if the server is yours, check chain and --ca; if not, do not go on",
           .meaning = "The TLS library does not trust the chain: its root is not among the "
                      "anchors, an intermediate is missing, or something in it is not valid. Pins "
                      "are not asked before that, and no pin makes up for it.",
           .confirm = "`cotter extract HOST:PORT --ca FILE` prints the chain as presented and what "
                      "each library says; the words after the reason are the library's own."},
          counting::never,
          "aborts the handshake; no application octet leaves. It may try again"};
    case reason::hostname:
      return {{.seen = "a certificate for another name",
               .expected = "a subjectAltName for the target (RFC 9525; for sips: RFC 5922)",
               .action = "check the URL's host; a common name does not count",
               .meaning = "The chain may be good, but the certificate names another server. Only "
                          "subjectAltName counts; for sips: no wildcards do.",
               .confirm = "`openssl s_client -connect HOST:PORT -servername HOST </dev/null | "
                          "openssl x509 -noout -ext subjectAltName` lists its names."},
              counting::never,
              "aborts the handshake; no application octet leaves. It may try again"};
    case reason::validity:
      return {{.seen = "a certificate outside of its validity, by this machine's clock",
               .expected = "notBefore <= now <= notAfter",
               .action = "renew the certificate, or set the clock",
               .meaning = "By what is believed to be the time, the certificate is not valid yet, "
                          "or no longer.",
               .confirm = "`date -u` on the device, and `openssl s_client -connect HOST:PORT "
                          "-servername HOST </dev/null | openssl x509 -noout -dates`."},
              counting::never,
              "aborts the handshake; no application octet leaves. It may try again"};
    case reason::malformed_certificate:
      return {{.seen = "a certificate that has more than one reading",
               .expected = "a certificate of RFC 5280",
               .action = "have the certificate issued again; if TLS libraries differ about it, do "
                         "not pin it: one fingerprint for all of them is what a pin needs",
               .meaning = "The certificate's encoding can be read in more than one way, so that "
                          "TLS libraries would hash it to different fingerprints. cotter hashes "
                          "one normal form of the octets on the wire and refuses what has none.",
               .confirm = "Save it with `openssl s_client -connect HOST:PORT -servername HOST "
                          "</dev/null | openssl x509 -out leaf.pem`; `cotter fingerprint leaf.pem` "
                          "gives the code and the offset (canonical says whether it was DER "
                          "already). `cotter extract HOST:PORT` shows what each library makes of "
                          "it, `cotter selftest` that the libraries themselves are sound."},
              counting::never,
              "aborts the handshake; no application octet leaves. It may try again"};
    case reason::pin_mismatch:
      return {
          {.seen = "a trusted certificate that is not pinned",
           .expected = "a certificate of one of the pins",
           .action = "suspect an interceptor first; only if the change is yours, pin the new one",
           .meaning = "Chain, name and time are good, and the certificate is none of those that "
                      "are pinned. Either somebody reads along with a certificate that this device "
                      "trusts, or the server's certificate was replaced and the pins were not. The "
                      "diagnosis beside it guesses which.",
           .confirm = "Compare fingerprint in the event with `cotter extract HOST:PORT` from "
                      "another network and with what the server's operator says is installed. "
                      "`cotter explain` has a page for each diagnosis."},
          counting::always,
          "aborts the handshake; no application octet leaves. From the second one in a row on it "
          "alerts and waits for a cooldown, after the third it is locked (or as the manifest "
          "says)"};
    case reason::fallback_expired:
      return {
          {.seen = "a certificate of a fallback pin past its window",
           .expected = "a primary pin",
           .action =
               "the server still uses the old certificate: install the new one there; if it cannot "
               "be, sign a manifest of higher sequence that has the old pin among its primaries",
           .meaning = "The certificate matches a fallback pin, but the rotation's window is over: "
                      "this edge, or its region, has missed the exchange of the certificate.",
           .confirm = "`cotter extract HOST:PORT` shows which edges still have the old one; "
                      "`cotter manifest show FILE` prints the fallback's notAfter."},
          counting::never,
          "aborts the handshake; no application octet leaves. It may try again, and does not lock"};
    case reason::no_pins:
      return {{.seen = "no pins for this host and port",
               .expected = "at least one primary pin",
               .action = "add the target to the manifest, spelled as the program spells it; for "
                         "`cotter connect` give --pin",
               .meaning = "There is no target of exactly this host and port. There are no "
                          "wildcards, and what has no pins is not let through.",
               .confirm =
                   "`cotter manifest show FILE` lists hosts and ports; compare letter by letter, "
                   "port included. The host is the URL's, never an SRV target or an address."},
              counting::never,
              "does not connect: refused before TCP"};
    case reason::manifest_invalid:
      return {{.seen = "a manifest that cannot be used",
               .expected = "a manifest that docs/manifest.md allows",
               .action =
                   "deploy the last manifest that verified; have this one linted and signed again",
               .meaning = "The manifest that was deployed breaks a rule of its format, and no "
                          "earlier one is in force.",
               .confirm =
                   "`cotter manifest verify FILE --trust-key KEY` names the rule and the place."},
              counting::never,
              "does not connect: refused before TCP, until there is a good manifest"};
    case reason::manifest_signature:
      return {{.seen = "a manifest without the signatures it needs",
               .expected = "signatures of keys that are trusted for manifests",
               .action = "get the manifest from whoever signed it; if that one fails, too, check "
                         "--trust-key; do not deploy it otherwise",
               .meaning = "The manifest is not signed by enough of those who may sign it, or was "
                          "changed afterwards, and no earlier one is in force.",
               .confirm = "`cotter manifest verify FILE --trust-key KEY` on the machine of whoever "
                          "signed, and on the device."},
              counting::never,
              "does not connect: refused before TCP, until there is a good manifest"};
    case reason::manifest_expired:
      return {{.seen = "a manifest past its expires",
               .expected = "a manifest in force",
               .action = "sign and deploy a newer one, well before the next expires; set the clock "
                         "if it is the clock",
               .meaning = "The manifest's expires is past, by what is believed to be the time. "
                          "Pins that nobody renews are not trusted for ever.",
               .confirm = "`cotter manifest show FILE` prints expires; `date -u` on the device. If "
                          "the clock is ahead, the diagnosis may say clock_wrong."},
              counting::never,
              "does not connect: refused before TCP, until there is a newer manifest"};
    case reason::manifest_rollback:
      return {
          {.seen = "a manifest older than one accepted before",
           .expected = "an equal or higher sequence",
           .action =
               "deploy the newest manifest; to go back, sign the old pins with a higher sequence",
           .meaning = "Somebody deployed a manifest that is older than one which this device has "
                      "accepted. Its pins may have been withdrawn for a reason.",
           .confirm = "`cotter manifest show FILE` prints sequence; the program's remembered state "
                      "has the highest one."},
          counting::never,
          "does not connect: refused before TCP, until there is a manifest at least as new"};
    case reason::runtime_mismatch:
      return {
          {.seen = "another TLS library than the manifest allows",
           .expected = "one in the manifest's range",
           .action =
               "deploy one TLS library and version over the fleet, and name it in the manifest's "
               "runtime; or widen runtime, if the other one has passed `cotter selftest`",
           .meaning = "The program runs with another TLS library, or another version of it, than "
                      "the signed manifest allows. The manifest pins the runtime so that a library "
                      "that was never tested with these certificates does not decide about them.",
           .confirm = "`cotter --version` prints the libraries of the command; build in the event, "
                      "or `Backend::build()`, that of the program. `cotter manifest show FILE` "
                      "prints runtime. `cotter selftest` says whether the library enforces, "
                      "`cotter fingerprint FILE` that it agrees about a known certificate."},
          counting::never,
          "does not go on: refused whatever certificate there is. It may try again"};
    case reason::clock_untrusted:
      return {
          {.seen = "a clock that cannot be right",
           .expected = "a set clock",
           .action = "set the clock",
           .meaning =
               "The clock stands where it cannot be right, and validity cannot be judged by it.",
           .confirm = "`date -u` and `timedatectl` on the device."},
          counting::never,
          "does not connect until the clock is set"};
    case reason::breaker_cooling:
      return {{.seen = "another attempt too soon after mismatches, refused before TCP",
               .expected = "the cooldown, waited out",
               .action = "find out why pins mismatched, then wait",
               .meaning = "After mismatches in a row each further attempt waits for a cooldown; or "
                          "as many attempts are in flight as may still fail. This refusal is a "
                          "consequence: the cause is in the mismatches before it.",
               .confirm =
                   "`cotter breaker status --state FILE` prints the streak and when the next "
                   "attempt may be; `cotter audit show DIR` the mismatches and their diagnoses."},
              counting::never,
              "does not connect: refused before TCP, until the cooldown is over"};
    case reason::breaker_locked:
      return {
          {.seen = "too many mismatches in a row, refused before TCP",
           .expected = "a closed breaker",
           .action = "find out who answers for this host; then a signed reset (`cotter breaker "
                     "reset`) or a manifest of higher sequence opens the lock",
           .meaning =
               "As many mismatches in a row as are allowed: the target is locked, over restarts "
               "too if its state is stored. Nothing that the user or the network does opens it.",
           .confirm = "`cotter breaker status --state FILE` prints the lock epoch; `cotter audit "
                      "show DIR` what was seen before the lock."},
          counting::never,
          "does not connect: refused before TCP, and it shows its user that it is locked"};
    case reason::resumption_unbound:
      return {{.seen = "a resumed session that this guard never judged",
               .expected = "a full handshake",
               .action = "try again; report it if it comes back",
               .meaning = "The server resumed a session that this guard did not make, so that no "
                          "certificate was shown and no pin could be asked.",
               .confirm = "`cotter connect URL --pin PIN --attempts 2`; in a program: does "
                          "something else set sessions on the connection (`SSL_set_session`)?"},
              counting::never,
              "aborts the connection; no application octet leaves. It may try again"};
    case reason::backend_unfit:
      return {{.seen = "a TLS library that did not enforce",
               .expected = "hooks in force and (EC)DHE with a certificate",
               .action = "run `cotter selftest`; check the server's cipher suites",
               .meaning = "The TLS library did not do what enforcement needs: hooks were replaced "
                          "after `attach`, a cipher suite without a certificate was chosen, or the "
                          "library was built without something.",
               .confirm = "`cotter selftest` for the library; `openssl s_client -connect HOST:PORT "
                          "-servername HOST` prints the cipher suite: (EC)DHE with a certificate, "
                          "or TLS 1.3."},
              counting::never,
              "aborts the connection; no application octet leaves. It may try again"};
    case reason::state_unavailable:
      return {{.seen = "no breaker state that can be used for this target",
               .expected = "breaker state as `cotter breaker init` made it",
               .action = "see the code beside it: `cotter explain` has a page for each state_ code",
               .meaning = "The breaker's state cannot be read, written or trusted, or has no room. "
                          "A mismatch could not be counted, so that nothing is tried.",
               .confirm = "`cotter breaker status --state FILE --vault VAULT` prints the code that "
                          "lies under it (`why()` in a program)."},
              counting::never,
              "does not connect: refused before TCP, until the state is mended"};
  }
  return {{.seen = "an unknown reason",
           .expected = "a known one",
           .action = "report this",
           .meaning = "A number that is no reason of this version.",
           .confirm = "`cotter --version` says which version runs."},
          counting::never,
          "refuses"};
}

}  // namespace

advice advise(reason why) noexcept { return words_of(why).told; }

page explain(reason why) noexcept {
  const words said = words_of(why);
  return {to_string(why),   word_kind::reason, said.told.meaning, said.told.confirm,
          said.told.action, said.counts,       said.phone};
}

}  // namespace cotter::command
