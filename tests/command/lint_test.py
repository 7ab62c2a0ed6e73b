# SPDX-License-Identifier: BSL-1.0
"""`cotter manifest lint`: each finding by one document, and none by a good one."""

import copy
import json
import os
import re

from lab import (Desk, certificate_sha256, cotter, guide, hold, main, over_tls, pki, read,
                 repository, serving, spki_sha256, time_text)

lint_keys = ["code", "severity", "pointer", "seen", "why", "do"]
backup = "spki-sha256:" + "0b" * 32
never_seen = "cert-sha256:" + "0c" * 32


def codes_of_source():
    rules = read(os.path.join(repository, "tools", "cotter", "lint.cpp"))
    reading = read(os.path.join(repository, "tools", "cotter", "manifest_lint.cpp"))
    return (set(re.findall(r'\badd\("([a-z_]+)"', rules)) |
            set(re.findall(r'\bpush_back\(\{"([a-z_]+)"', reading)))


def good():
    return {"pinManifestVersion": "2.1.0", "sequence": 7, "issuedAt": time_text(),
            "expires": time_text(90), "targets": [
                {"host": "localhost", "port": 443, "pins": {
                    "primary": "cert-sha256:" + certificate_sha256("good.pem"),
                    "fallback": {"pin": backup, "offlineBackup": True},
                    "rotationWindowDays": 10}}],
            "runtime": [{"library": "openssl", "atLeast": "3.0", "below": "4"}],
            "verificationPolicy": "strict", "reportingEndpoint": "https://siem.example/pins"}


def change(edit):
    document = good()
    edit(document, document["targets"][0]["pins"])
    return document


def put(**values):
    return lambda document, pins: document.update(values)


def fallback(value):
    return lambda document, pins: pins.update(fallback=value)


def primary(value):
    return lambda document, pins: pins.update(primary=value)


def drop(*names):
    def edit(document, pins):
        for name in names:
            (pins if name in pins else document).pop(name)
    return edit


def good_pin(form="cert"):
    digest = certificate_sha256 if form == "cert" else spki_sha256
    return f"{form}-sha256:" + digest("good.pem")


def old_primary(document, pins):
    pins["primary"] = ["cert-sha256:" + certificate_sha256("other.pem"), good_pin()]


def split(document, pins):
    target = document["targets"][0]
    target["regions"] = [{"name": "eu", "prefixes": ["192.0.2.0/24"],
                          "pins": {k: v for k, v in pins.items() if k != "rotationWindowDays"}}]


def one_more_target(document, pins):
    document["targets"].append({**copy.deepcopy(document["targets"][0]), "port": 444})


def first_phase(end):
    def edit(document, pins):
        pins["primary"] = "cert-sha256:" + certificate_sha256("other.pem")
        pins["fallback"] = {"pin": good_pin(), "notAfter": end}
    return edit


class Lint(Desk):
    def options(self, deployment=20):
        """What a careful author gives besides the manifest."""
        if not os.path.exists(self.path("signer.pub")):
            self.keys("signer")
        return ["--cert", pki("good.pem"), "--cert", pki("other.pem"), "--deployment-days",
                str(deployment), "--signing-key", self.path("signer.pub")]

    def lint(self, document, *options, before=None):
        """Exit status and findings. A careful author's, unless `options` say otherwise."""
        given = list(options) if options else self.options()
        if before is not None:
            given += ["--previous", self.write("previous.json", before)]
        result = cotter("manifest", "lint", self.write("manifest.json", document), "--json", *given)
        for line in result.lines:
            self.assertEqual(list(line), lint_keys)
            for part in "code", "seen", "why", "do":
                self.assertTrue(line[part], line)
        return result.status, result.lines

    def test_a_good_manifest_is_not_complained_of(self):
        self.assertEqual(self.lint(good()), (0, []))
        before = change(put(sequence=6))
        self.assertEqual(self.lint(good(), before=before), (0, []))
        text = cotter("manifest", "lint", self.write("manifest.json", good()), *self.options())
        self.assertEqual((text.status, text.stdout), (0, "nothing to complain of\n"))

    def cases(self):
        """code -> (severity, pointer, document, options or None, previous or None)"""
        baseline = self.write("baseline.jsonl", self.baseline())
        known = ["--cert", pki("other.pem"), "--baseline", baseline, "--deployment-days", "20"]
        at = "/targets/0/pins"
        ends = time_text(5)
        ca_pin = "cert-sha256:" + certificate_sha256("ca.pem")
        return {
            "expires_before_deployment": ("error", "/expires", change(put(expires=time_text(19)))),
            "expires_late": ("warning", "/expires", change(put(expires=time_text(402)))),
            "runtime_excludes_security_updates": ("warning", "/runtime/0/below", change(
                put(runtime=[{"library": "openssl", "atLeast": "3.0.15", "below": "3.0.18"}]))),
            "observation_is_on": ("warning", "/observeUntil",
                                  change(put(observeUntil=time_text(7)))),
            "reports_go_to_pinned_host": ("error", "/reportingEndpoint", change(
                put(reportingEndpoint="https://localhost:8443/pins"))),
            "vendor_advises_against": ("warning", "/targets/0/host", change(
                lambda d, _: d["targets"][0].update(host="api.mypurecloud.com"))),
            "ca_pinned": ("error", at + "/primary/1", change(primary([good_pin(), ca_pin])),
                          [*self.options(), "--cert", pki("ca.pem")]),
            "one_key_several_roles": ("error", at + "/fallback", change(
                fallback({"pin": good_pin("spki"), "offlineBackup": True}))),
            "no_fallback": ("error", at, change(drop("fallback"))),
            "public_leaf_pinned": ("warning", at + "/primary", good(), known),
            "fallback_equals_primary": ("error", at + "/fallback", change(
                fallback({"pin": good_pin(), "offlineBackup": True}))),
            "fallback_over": ("warning", at + "/fallback", change(
                fallback({"pin": backup, "notAfter": "2026-01-01T00:00:00Z"}))),
            "fallback_unproven": ("error", at + "/fallback", change(fallback(never_seen))),
            "cover_unknown": ("warning", at, change(
                lambda d, pins: (pins.update(primary=never_seen, fallback={
                    "pin": "cert-sha256:" + "0d" * 32, "offlineBackup": True})))),
            "cover_too_short": ("error", at, change(
                fallback("cert-sha256:" + certificate_sha256("other.pem"))),
                self.options(deployment=60)),
            "regions_are_a_union": ("warning", "/targets/0/regions", change(split)),
            "window_longer_than_life": ("error", at + "/rotationWindowDays", change(
                lambda d, pins: pins.update(rotationWindowDays=60))),
            "sequence_not_higher": ("error", "/sequence", good(), None, good()),
            "target_dropped": ("warning", "/targets", good(), None,
                               change(lambda d, p: (d.update(sequence=6), one_more_target(d, p)))),
            "primary_dropped": ("error", "/targets/0", good(), None,
                                change(lambda d, p: (d.update(sequence=6), old_primary(d, p)))),
            "fallback_extended": ("error", at + "/fallback", change(first_phase(time_text(9))),
                                  None, change(lambda d, p: (d.update(sequence=6),
                                                       first_phase(ends)(d, p)))),
            "unknown_key": ("error", "/verificationPolicie", change(
                put(verificationPolicie="strict"))),
            "missing_key": ("warning", "/sequence", change(drop("sequence"))),
        }

    def baseline(self):
        """What `cotter extract` saw of a certificate that a public CA has issued."""
        with serving(over_tls(hold)) as port:
            return cotter("extract", "localhost:443", "--connect", f"127.0.0.1:{port}", "--ca",
                          pki("ca.pem"), "--public-ca", pki("ca.pem"), "--json").stdout

    def test_every_code_has_a_document_that_provokes_it_and_it_alone(self):
        cases = self.cases()
        self.assertEqual(set(cases), codes_of_source())
        for code, (severity, pointer, document, *more) in cases.items():
            options, before = (more + [None, None])[:2]
            with self.subTest(code):
                status, found = self.lint(document, *(options or []), before=before)
                real = [one for one in found if one["severity"] != "note"]
                self.assertEqual([(one["code"], one["severity"], one["pointer"]) for one in real],
                                 [(code, severity, pointer)])
                self.assertEqual(status, 2 if severity == "error" else 1)
                # Its author may take it upon himself; it is told all the same.
                given = (options or self.options()) + ["--accept", code]
                status, found = self.lint(document, *given, before=before)
                self.assertIn((code, "note" if code != "missing_key" else severity),
                              [(one["code"], one["severity"]) for one in found])
                self.assertEqual(status, 0 if code != "missing_key" else 1)

    def test_every_code_stands_in_the_manual_and_no_other(self):
        manual = read(os.path.join(repository, "docs", "manifest.md"))
        table = re.search(r"^## Lint$(.*?)^## ", manual, re.M | re.S).group(1)
        self.assertEqual(set(re.findall(r"^\| `([a-z_]+)` \|", table, re.M)), codes_of_source())

    def test_people_are_told_what_why_and_what_to_do(self):
        result = cotter("manifest", "lint", self.write("m.json", change(drop("fallback"))),
                        *self.options())
        self.assertEqual(result.status, 2)
        for part in "error  no_fallback  /targets/0/pins", "\n  seen  ", "\n  why   ", "\n  do    ":
            self.assertIn(part, result.stdout)

    def test_errors_weigh_more_than_warnings(self):
        document = change(lambda d, p: (drop("fallback")(d, p), split(d, p)))
        status, found = self.lint(document)
        self.assertEqual({one["severity"] for one in found}, {"warning", "error"})
        self.assertEqual(status, 2)

    def test_an_envelope_is_linted_as_what_it_carries(self):
        private, _ = self.keys("k")
        signed = self.path("signed.json")
        document = change(lambda d, p: (d.update(expires=time_text(10))))
        self.succeeds("manifest", "sign", self.write("m.json", document), "--key", private, "-o",
                      signed)
        self.assertEqual([one["code"] for one in self.lint(read(signed))[1]],
                         ["expires_before_deployment"])

    def test_pins_in_the_guides_shape_have_the_guides_pointers(self):
        document = {"targetHost": "localhost", "wssPort": 443, "pins": {
            "primary": certificate_sha256("good.pem"), "rotationWindowDays": 60}}
        found = {one["code"]: one["pointer"] for one in self.lint(document)[1]}
        self.assertEqual(found, {"missing_key": "/expires", "no_fallback": "/pins",
                                 "window_longer_than_life": "/pins/rotationWindowDays"})

    def test_a_key_that_signs_manifests_serves_no_connections(self):
        private, public = self.keys("both")
        name = self.certificate("server", key=self.write("both2.key", read(private, "rb"))[:-4])
        document = change(primary("cert-sha256:" + self.fingerprint(name)))
        status, found = self.lint(document, "--cert", name + ".pem", "--signing-key", public,
                                  "--deployment-days", "20")
        self.assertEqual((status, [one["code"] for one in found]), (2, ["one_key_several_roles"]))

    def fingerprint(self, name):
        return cotter("fingerprint", name + ".pem", "--json").line["certificate_sha256"]

    def test_pins_of_authorities_known_by_digest_alone(self):
        document = {"targetHost": "a.example", "wssPort": 443, "pins": {
            "primary": json.loads(read(guide("platform-certificates.json")))["certificates"]
            ["intermediateCertificates"][0]["derEncodedFingerprintSha256"],
            "fallback": {"pin": backup, "offlineBackup": True}}}
        status, found = self.lint(document, "--platform", guide("platform-certificates.json"))
        self.assertEqual(status, 2)
        self.assertIn(("ca_pinned", "/pins/primary"), [(f["code"], f["pointer"]) for f in found])

    def test_public_leaves_live_shorter_from_year_to_year(self):
        document = change(lambda d, p: (p.update(primary=never_seen, rotationWindowDays=150),
                                        p["fallback"].update(pin="cert-sha256:" + "0d" * 32),
                                        d.pop("expires"), d.pop("issuedAt")))
        for day, deployment, status in (("2026-11-21", "200", 1), ("2026-11-21", "201", 2),
                                        ("2027-03-14", "200", 1), ("2027-03-15", "100", 1),
                                        ("2027-03-15", "101", 2), ("2029-03-14", "100", 1),
                                        ("2029-03-15", "47", 1), ("2029-03-15", "48", 2)):
            with self.subTest(day=day, deployment=deployment):
                got, found = self.lint(document, "--at", day, "--deployment-days", deployment)
                self.assertEqual(got, status)
                self.assertEqual("cover_too_short" in [one["code"] for one in found], status == 2)

    def test_days_of_cover_end_with_the_longest_lived_pin(self):
        name = self.certificate("next", days=100)
        document = change(primary([good_pin(), "cert-sha256:" + self.fingerprint(name)]))
        pins = document["targets"][0]["pins"]
        pins["fallback"] = "cert-sha256:" + certificate_sha256("other.pem")
        known = [*self.options(deployment=80), "--cert", name + ".pem"]
        self.assertEqual(self.lint(document, *known), (0, []))
        pins["primary"] = good_pin()
        status, found = self.lint(document, *known)
        self.assertEqual((status, [one["code"] for one in found]), (2, ["cover_too_short"]))

    def test_a_fallback_in_the_field_is_proven(self):
        document = change(lambda d, p: p.update(fallback=never_seen))
        before = change(lambda d, p: (d.update(sequence=6), p.update(primary=[good_pin(),
                                                                             never_seen])))
        self.assertEqual(self.lint(document, before=before), (0, []))

    def test_an_end_moves_between_regions_and_stays(self):
        ends = time_text(5)

        def regional(document, pins):
            inner = {k: v for k, v in pins.items() if k != "rotationWindowDays"}
            del document["targets"][0]["pins"]
            document["targets"][0]["regions"] = [{"name": "all", "default": True, "pins": inner}]

        before = change(lambda d, p: (d.update(sequence=6), first_phase(ends)(d, p)))
        after = change(lambda d, p: (first_phase(time_text(9))(d, p), regional(d, p)))
        status, found = self.lint(after, before=before)
        self.assertEqual((status, [(one["code"], one["pointer"]) for one in found]),
                         (2, [("fallback_extended", "/targets/0/regions/0/pins/fallback")]))
        kept = change(lambda d, p: (first_phase(ends)(d, p), regional(d, p)))
        self.assertEqual(self.lint(kept, before=before)[0], 0)

    def test_what_cannot_be_read_is_no_clean_bill(self):
        self.fails(3, "unreadable", "manifest", "lint", self.path("absent"))
        self.fails(2, "invalid_json", "manifest", "lint", self.write("m.json", "{"))
        self.fails(3, "unreadable", "manifest", "lint", self.write("m.json", good()), "--cert",
                   self.path("absent"))
        self.fails(3, "unreadable", "manifest", "lint", self.write("m.json", good()),
                   "--previous", self.path("absent"))
        self.fails(2, "invalid_json", "manifest", "lint", self.write("m.json", good()),
                   "--baseline", self.write("b", "no line of JSON"))
        for line in '{"presented":[{}]}', '{"presented":[{"der":5}]}', '{"presented":["x"]}':
            self.fails(2, "invalid_base64", "manifest", "lint", self.write("m.json", good()),
                       "--baseline", self.write("b", line))
        for option in "--deployment-days", "--at":
            result = cotter("manifest", "lint", self.write("m.json", good()), option, "soon")
            self.assertEqual(result.status, 3, result.stderr)


if __name__ == "__main__":
    main()
