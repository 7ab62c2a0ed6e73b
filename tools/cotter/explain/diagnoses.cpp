// SPDX-License-Identifier: BSL-1.0
#include "pages.hpp"

namespace cotter::command {

namespace {

constexpr page diagnosis_page(cause what, std::string_view meaning, std::string_view confirm,
                              std::string_view action, counting counts, std::string_view phone) {
  return {to_string(what), word_kind::diagnosis, meaning, confirm, action, counts, phone};
}

constexpr page evidence_page(evidence what, std::string_view meaning, std::string_view confirm,
                             std::string_view action) {
  return {to_string(what), word_kind::evidence, meaning, confirm, action, counting::none, {}};
}

}  // namespace

page explain(cause what) noexcept {
  switch (what) {
    case cause::none:
      return diagnosis_page(
          what, "Nothing speaks for any particular cause, or there was no certificate to judge by.",
          "The reason and its page are what there is; fingerprint and leaf of the event, if there "
          "was one.",
          "go by the reason", counting::none, "");
    case cause::rotation:
      return diagnosis_page(
          what,
          "The server's certificate is being replaced and the pins are behind it, or the server is "
          "behind the pins. The same CA issued it for the same names, or a manifest that has come "
          "into force since pins it, or it is the fallback of a window that is over.",
          "`cotter extract HOST:PORT`: do edges have different certificates, and which does the "
          "operator say is the new one? `cotter manifest show FILE` prints primary, fallback and "
          "notAfter. An interceptor who has the same CA issue for the same names looks alike: ask "
          "the operator, by another way than this connection.",
          "if it is the operator's, deploy the manifest of the next phase (`cotter rotation plan "
          "--manifest FILE --target HOST:PORT --new CERT`); with fallback_expired install the new "
          "certificate on the edge that is late. If the operator knows of nothing, treat it as "
          "inspection_proxy",
          counting::with_the_pins,
          "as the reason says: a mismatch counts and may lock, a fallback past its window does "
          "not");
    case cause::terminating_proxy:
      return diagnosis_page(
          what,
          "Something before the server ends TLS and presents a certificate of its own, publicly "
          "issued or by the CA that issued the last one: a reverse proxy, a load balancer, a CDN. "
          "The server still has the certificate that was pinned, but nobody outside sees it.",
          "At the boundary, from where the phones are: `cotter extract HOST:PORT`, or `openssl "
          "s_client -connect HOST:PORT -servername HOST -showcerts </dev/null`. The same once more "
          "from inside, at the server's own address: `cotter extract HOST:PORT --connect IP:PORT`. "
          "Two fingerprints that stay as they are mean a proxy; its operator knows it.",
          "pin what the boundary presents (`cotter manifest init --live HOST:PORT`, lint, sign, "
          "deploy), with the proxy's next certificate as fallback; or let the proxy pass TLS "
          "through to the server, so that the pinned certificate arrives. Write down who renews "
          "which certificate. If nobody operates a proxy there, treat it as inspection_proxy",
          counting::with_the_pins, "as with every mismatch: aborts, alerts, cools down, locks");
    case cause::inspection:
      return diagnosis_page(
          what,
          "The certificate bears no mark of a public CA, and its issuer was never seen for this "
          "target: most likely a device in between signs certificates of its own to read what "
          "passes: a TLS-inspecting firewall, antivirus software, or an attacker who got a root "
          "onto this device. With pkix its root is not even trusted here.",
          "Compare the issuer inside and outside of the network: `openssl s_client -connect "
          "HOST:PORT -servername HOST </dev/null | openssl x509 -noout -issuer` from the device "
          "and over another network; `cotter extract HOST:PORT` from both. Another issuer in one "
          "of them means that this network intercepts. If it is the server's own private CA, the "
          "pins are simply wrong.",
          "have whoever runs the inspection exempt HOST:PORT from it, so that TLS passes through. "
          "To let it read on purpose, pin what the boundary presents, knowing that it reads "
          "everything. If nobody runs one, suspect an attack: keep the lock and the event, look "
          "for roots that were added to the device",
          counting::with_the_pins,
          "aborts before any application octet, so that the proxy reads nothing; alerts, cools "
          "down, locks. With pkix nothing counts");
    case cause::region_skew:
      return diagnosis_page(
          what,
          "The certificate is pinned, but for another region of this target: the name or the route "
          "leads to another region's edge than the address prefixes say, or regions replace their "
          "certificates at different times and the manifest is ahead of one of them.",
          "`cotter extract HOST:PORT --connect IP:PORT` for an edge of each region; compare with "
          "the regions in `cotter manifest show FILE`. region in the event is the one whose pins "
          "were asked, owner the one whose pin it is.",
          "correct the region's address prefixes; or give each region its own primary and fallback "
          "and replace certificates region by region (`cotter rotation plan --manifest FILE "
          "--target HOST:PORT --region NAME --new CERT`), the fallback's window as long as the "
          "slowest region needs. Ask the operator for the dates of all regions",
          counting::with_the_pins,
          "as with every mismatch: aborts, alerts, cools down, locks; the lock is the target's, "
          "not the region's");
    case cause::wrong_endpoint:
      return diagnosis_page(
          what,
          "The certificate is a good one for another server: another target's pin, or other names "
          "under a CA that is trusted. DNS, a route or a port mapping leads to the wrong place, or "
          "the host in the program's settings is not the one that was meant.",
          "`getent hosts HOST` on the device, and `openssl s_client -connect HOST:PORT -servername "
          "HOST </dev/null | openssl x509 -noout -subject -ext subjectAltName`: whose is it? owner "
          "in the event names the target whose pin it is.",
          "correct the address, the port mapping or the host in the settings; if the host is right "
          "and an edge has the wrong certificate, its operator must install the right one",
          counting::with_the_pins,
          "as the reason says: hostname never counts, a mismatch by another target's pin does");
    case cause::captive_portal:
      return diagnosis_page(
          what,
          "The network answers in the server's place, under another name and without a chain that "
          "is trusted: the page of a hotel or an airport on which one logs in first.",
          "Open a page without TLS (http://) in a browser on the device: a page to log in on, in "
          "place of the one that was asked for, is a portal.",
          "log in to the network, then try again; nothing has to be reset", counting::never,
          "aborts the handshake; nothing counts, so that a portal locks nothing. It tries again");
    case cause::clock_wrong:
      return diagnosis_page(
          what,
          "The device's clock is wrong: it stands before a time that a signed document proves to "
          "be past, or before a pinned certificate was issued.",
          "`date -u` and `timedatectl` on the device; clock_says in the event is what it claimed.",
          "set the clock, and let it be kept by NTP or the network; a device without a battery for "
          "its clock needs that before it connects",
          counting::never,
          "goes by the latest time that is proven, and refuses what is not valid by it; nothing "
          "counts");
  }
  return {};
}

page explain(evidence what) noexcept {
  switch (what) {
    case evidence::chain_trusted:
      return evidence_page(
          what,
          "The TLS library built a chain to one of the trust anchors and found nothing wrong with "
          "it.",
          "`cotter extract HOST:PORT --ca FILE` with the device's anchors prints trusted.",
          "look at what speaks against the certificate beside it; a trusted root says who vouches, "
          "not that it is the right server");
    case evidence::chain_untrusted:
      return evidence_page(
          what, "The TLS library found no chain to a trust anchor.",
          "`cotter extract HOST:PORT --ca FILE` prints the fault of the chain.",
          "if the server is yours, install the missing intermediate, or name the right anchors");
    case evidence::name_differs:
      return evidence_page(what, "No subjectAltName of the certificate names the target.",
                           "`openssl x509 -in FILE -noout -ext subjectAltName` of the certificate "
                           "that was presented.",
                           "compare the names with the program's host: one of the two is wrong");
    case evidence::public_issuance:
      return evidence_page(
          what,
          "The certificate has marks that publicly trusted CAs must leave: embedded SCTs or a "
          "CA/Browser Forum policy. They are public octets and anybody's CA can write them.",
          "`openssl x509 -in FILE -noout -text` lists CT Precertificate SCTs or the policy "
          "2.23.140.1.2; the certificate's serial in a CT log is proof.",
          "search the CT logs for the host: who had it issued?");
    case evidence::private_issuance:
      return evidence_page(
          what,
          "The certificate has none of the marks of a public CA: it comes from a private one.",
          "`openssl x509 -in FILE -noout -issuer -text`: no SCTs, no policy 2.23.140.1.2.",
          "ask whose CA it is; on a fleet, look at the roots that were added to the devices");
    case evidence::history_absent:
      return evidence_page(what,
                           "No certificate of this target was ever accepted here, or none is "
                           "remembered: the guess rests on the refused one alone.",
                           "The program's peer history, or the --state file of `cotter connect URL "
                           "--pin PIN --state FILE`, has no mark for this target.",
                           "keep the history over restarts, so that the next guess is better; "
                           "weigh this one accordingly");
    case evidence::issuer_same:
      return evidence_page(
          what, "The CA that issued the last certificate accepted here issued this one as well.",
          "`openssl x509 -in FILE -noout -issuer -ext authorityKeyIdentifier` for both: the same.",
          "think of a rotation first, and ask the operator");
    case evidence::issuer_unseen:
      return evidence_page(
          what, "Another CA issued it than the one behind the last certificate accepted here.",
          "`openssl x509 -in FILE -noout -issuer -ext authorityKeyIdentifier` for both: different.",
          "ask the operator whether the CA was changed; if not, somebody else had it issued");
    case evidence::names_same:
      return evidence_page(what,
                           "Its subjectAltName is the same, octet by octet, as that of the last "
                           "certificate accepted here.",
                           "`openssl x509 -in FILE -noout -ext subjectAltName` for both prints the "
                           "same list in the same order.",
                           "take it for a renewal only together with issuer_same");
    case evidence::newer:
      return evidence_page(
          what, "It was issued later than the last certificate accepted here.",
          "`openssl x509 -in FILE -noout -startdate` for both.",
          "with the same issuer and names: the pins are behind, deploy the next phase's manifest");
    case evidence::older:
      return evidence_page(what,
                           "It was issued before the last certificate accepted here: an edge that "
                           "was left behind, or an old certificate with a stolen key.",
                           "`openssl x509 -in FILE -noout -startdate` for both; `cotter extract "
                           "HOST:PORT` shows which edges still have it.",
                           "install the current certificate on that edge; if its key was replaced "
                           "because it leaked, treat it as an attack");
    case evidence::newer_manifest:
      return evidence_page(
          what, "A manifest that came into force after the attempt began pins this certificate.",
          "`cotter manifest show FILE` of the manifest in force has its fingerprint.",
          "try again: the next attempt is judged by the newer manifest");
    case evidence::other_pins:
      return evidence_page(
          what, "The certificate is pinned, but for another region or another target.",
          "`cotter manifest show FILE` has its fingerprint under the owner that the event names.",
          "see region_skew if the owner is a region of the same target, else wrong_endpoint");
    case evidence::fallback_past:
      return evidence_page(
          what, "Only a fallback whose window is over pins this certificate.",
          "`cotter manifest show FILE` prints its notAfter; compare with `date -u`.",
          "finish the rotation on the edge that presented it");
    case evidence::pinned:
      return evidence_page(
          what,
          "The pins that were asked accept this certificate; it was refused for something else.",
          "`cotter fingerprint FILE` prints one of the target's pins.",
          "mend what the reason names: time, name or chain. The pins are right");
    case evidence::clock_low:
      return evidence_page(
          what,
          "The clock stands before a time that is known to be past: before a signed document was "
          "made, or before a pinned certificate was issued.",
          "`date -u` on the device; compare with issuedAt in `cotter manifest show FILE`.",
          "set the clock");
  }
  return {};
}

}  // namespace cotter::command
