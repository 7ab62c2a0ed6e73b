// SPDX-License-Identifier: BSL-1.0
#include "pages.hpp"

namespace cotter::command {

namespace {

constexpr page of(std::string_view word, std::string_view meaning, std::string_view confirm,
                  std::string_view action) {
  return {word, word_kind::finding, meaning, confirm, action, counting::none, {}};
}

}  // namespace

const std::vector<page>& command_pages() {
  static const std::vector<page> pages{
      of("usage", "The command line cannot be obeyed.",
         "`cotter --help`, or --help after the verb.", "correct it as the help says"),
      of("unwritable",
         "A file could not be written whole: no room, no permission, no directory, or another "
         "process holds it.",
         "`ls -ld` of its directory and `df -h`, as the user that runs cotter.",
         "free space or mend permissions; the old file, if there was one, is as it was"),
      of("unknown_key",
         "The document has a key that means nothing to cotter. Devices would pass over it, and "
         "whoever wrote it thinks that they obey.",
         "The pointer says where; docs/manifest.md lists the keys.",
         "correct its spelling, or remove it"),
      of("unknown_code", "There is no code, reason, diagnosis, evidence or event of this spelling.",
         "`cotter explain --list` prints all of them.",
         "take one of the suggestions, or look at the list"),
      of("ca_pinned",
         "The pin is that of a CA. Everybody who gets a certificate from it would pass, now and "
         "later.",
         "`openssl x509 -in FILE -noout -ext basicConstraints` prints CA:TRUE.",
         "pin the server's certificate or its key"),
      of("rotation_pointless",
         "The new certificate's pin is a primary already: there is nothing to rotate.",
         "`cotter manifest show FILE` lists it.", "give the certificate that is to come"),
      of("edges_disagree",
         "The edges of one host present different certificates: a rotation that is not everywhere "
         "yet, or regions.",
         "`cotter extract HOST:PORT` prints a fingerprint for each address.",
         "pin all of them, as several primaries or in regions, or look again when the rotation is "
         "over"),
      of("no_leaf", "No edge has shown a certificate that can be read.",
         "`cotter extract HOST:PORT` prints the fault of each edge.",
         "mend what it names: name, port, firewall, or the server's TLS"),
      of("library_blind",
         "One TLS library could not see the certificate, for want of a common protocol or "
         "algorithm.",
         "`cotter extract HOST:PORT` prints what that library said.",
         "devices with that library cannot connect: offer what they speak, or do not ship it"),
      of("libraries_disagree",
         "The TLS libraries found different fingerprints for what one edge presents, or one "
         "refuses what another accepts.",
         "`cotter selftest`, then `cotter fingerprint FILE` for the certificate: an offset means "
         "that its encoding is at fault.",
         "have the certificate issued again before it is pinned"),
      of("not_trusted", "The edge's chain does not lead to the anchors that were given.",
         "`cotter extract HOST:PORT --ca FILE` prints the fault.",
         "install the missing intermediate, or name the anchors that devices have"),
      of("wrong_name", "The edge's certificate does not name the host. Devices will refuse it.",
         "`cotter extract HOST:PORT` prints its names; --sip applies the rules of sips:.",
         "have it issued for the host, or look at the right host"),
      of("edge_silent", "An address of the host did not answer.",
         "`cotter extract HOST:PORT --connect IP:PORT` asks it alone.",
         "find out whether it is in service: its certificate is not among the pins"),
      of("validity_unlocated",
         "The certificate's dates cannot be found in it, so that devices will refuse it.",
         "`cotter fingerprint FILE` names what is unlocated.", "have the certificate issued again"),
      of("public_leaf",
         "The certificate comes from a public CA: it will be replaced within months, perhaps "
         "without notice.",
         "`cotter extract HOST:PORT` prints publicly_trusted and the end of its validity.",
         "pin its key, which can outlive it, and keep a fallback"),
      of("renewal_near", "The certificate ends soon, and its successor is not known.",
         "`cotter extract HOST:PORT` prints not_after.",
         "get the next certificate or key first, and pin it as fallback"),
      of("not_canonical",
         "The certificate is not DER in its shell; it is hashed in its normal form, which other "
         "tools do not do.",
         "`cotter fingerprint FILE` prints canonical: false.",
         "compare fingerprints made by cotter only, or have it issued again"),
      of("public_cas_unknown",
         "The bundle of public CAs could not be read, so that nobody knows whether the certificate "
         "is public.",
         "`ls -l` of the file that --public-ca names.",
         "install ca-certificates, or name a bundle with --public-ca"),
      of("expires_before_deployment", "The manifest ends before every device has it.",
         "`cotter manifest lint FILE --deployment-days N` with the days that you need.",
         "sign it for longer, or deploy faster"),
      of("expires_late", "The manifest is in force so long that withdrawn pins would live on.",
         "`cotter manifest show FILE` prints issuedAt and expires.",
         "sign it for about a quarter, and again before that ends"),
      of("runtime_excludes_security_updates",
         "runtime names versions so narrowly that an update of the TLS library stops every device.",
         "`cotter manifest show FILE` prints runtime; compare with `apt-cache policy` for the "
         "library.",
         "leave the range open at its end, within the branch that you test"),
      of("observation_is_on", "The manifest lets mismatches through until observeUntil.",
         "`cotter manifest show FILE` prints observeUntil.",
         "mean it for the first days of a fleet only; accept the finding with --accept"),
      of("reports_go_to_pinned_host",
         "Reports about a host would go to that host: when it is intercepted, so are they.",
         "Compare reportingEndpoint with the targets in `cotter manifest show FILE`.",
         "name a collector on another host"),
      of("vendor_advises_against",
         "The operator of this service says that its certificates change without notice.",
         "The vendor's documentation for the host that the finding names.",
         "do not pin it, or get a promise in writing"),
      of("one_key_several_roles",
         "One key is pinned in several roles, or signs manifests as well. Losing it loses all of "
         "them.",
         "`cotter fingerprint FILE` for each certificate: the same spki_sha256.",
         "make a key for each role"),
      of("no_fallback",
         "There is nothing to fall back on: when the certificate is lost or replaced, every device "
         "is locked out.",
         "`cotter manifest show FILE` lists primary pins only.",
         "pin a key that is kept offline as fallback"),
      of("public_leaf_pinned",
         "A certificate of a public CA is pinned whole, and will be replaced within months.",
         "`cotter manifest lint FILE --cert CERT` with the certificate.",
         "pin its key instead, or plan the rotation now"),
      of("fallback_equals_primary", "The fallback is the primary once more, and helps nobody.",
         "`cotter manifest show FILE` prints the same digest twice.",
         "pin another key as fallback"),
      of("fallback_over", "A fallback is past its end and only makes the manifest longer.",
         "`cotter manifest show FILE` prints its notAfter.", "remove it with the next manifest"),
      of("fallback_unproven",
         "Nobody showed the certificate or key that the fallback is of: it may be a slip of the "
         "keyboard.",
         "`cotter manifest lint FILE --cert CERT` with the fallback's certificate.",
         "show it, or make the fallback anew from its file"),
      of("cover_unknown", "Without a certificate nobody can say how long these pins will last.",
         "`cotter manifest lint FILE --baseline FILE` with what `cotter extract HOST:PORT --json` "
         "wrote.",
         "show the certificates with --cert or --baseline"),
      of("cover_too_short",
         "The pinned certificates end before the next manifest can be everywhere.",
         "`cotter manifest lint FILE --cert CERT --deployment-days N`.",
         "add the next certificate's pin before this manifest is deployed"),
      of("regions_are_a_union",
         "An attacker who can choose the address chooses the region: security is that of all "
         "regions' pins together.",
         "`cotter manifest show FILE` lists them.", "keep regions as few as operation needs"),
      of("window_longer_than_life", "The rotation's window is longer than the certificates live.",
         "`cotter manifest show FILE` prints rotationWindowDays; `openssl x509 -in FILE -noout "
         "-dates` the certificate's life.",
         "shorten rotationWindowDays"),
      of("sequence_not_higher",
         "The manifest does not come after the one in the field: devices will refuse it or never "
         "take it.",
         "`cotter manifest lint FILE --previous OLD` prints both.", "raise sequence"),
      of("target_dropped",
         "A target of the manifest in the field is missing: devices will refuse it with no_pins.",
         "`cotter manifest show FILE` for both.",
         "put it back, or accept the finding if it was meant"),
      of("primary_dropped",
         "A primary that devices rely on is gone without having been a fallback first.",
         "`cotter manifest lint FILE --previous OLD` names it.",
         "keep it as fallback for a window: `cotter rotation plan --manifest FILE --target "
         "HOST:PORT --new CERT`"),
  };
  return pages;
}

}  // namespace cotter::command
