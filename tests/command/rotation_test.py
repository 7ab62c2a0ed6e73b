# SPDX-License-Identifier: BSL-1.0
"""`cotter rotation plan`: three manifests, each signed, verified and connected by."""

import calendar
import json
import time

from lab import (Desk, certificate_sha256, cotter, guide, hold, main, over_tls, pki, read, serving,
                 spki_sha256, time_text)

day = 86_400
backup = "spki-sha256:" + "0b" * 32


def seconds(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def pin_of(name):
    return "cert-sha256:" + certificate_sha256(name + ".pem")


class Rotation(Desk):
    """From `good` to `other`."""

    def last(self, **changes):
        """The manifest in the field, long since."""
        made = {"pinManifestVersion": "2.1.0", "sequence": 5, "issuedAt": time_text(-60),
                "expires": time_text(30), "targets": [{"host": "localhost", "port": 443, "pins": {
                    "primary": pin_of("good"),
                    "fallback": {"pin": backup, "offlineBackup": True}, "rotationWindowDays": 10}}],
                "verificationPolicy": "strict"}
        made.update(changes)
        return self.write("last.json", made)

    def arguments(self, *options, manifest=None, new=None, target="localhost:443"):
        return ["rotation", "plan", "--manifest", manifest or self.last(), "--target", target,
                "--new", new or pki("other.pem"), "--out", self.directory, *options]

    def plan(self, *options, **more):
        """The phases as documents, and what was said of them."""
        result = self.succeeds(*self.arguments("--json", *options, **more))
        self.assertEqual([list(line) for line in result.lines],
                         [["phase", "file", "sequence", "deploy_from", "old_pins_end"]] * 3)
        return [json.loads(read(line["file"])) for line in result.lines], result.lines

    def pins(self, phase):
        return phase["targets"][0]["pins"]

    def sign(self, *options):
        """Signs each phase after the one before. Returns the envelopes and the trust key."""
        private, public = self.keys("signer")
        previous = self.path("last.json")
        envelopes = []
        for number in (1, 2, 3):
            phase = self.path(f"phase-{number}.json")
            envelopes.append(self.path(f"phase-{number}.signed.json"))
            self.succeeds("manifest", "sign", phase, "--key", private, "--previous", previous, "-o",
                          envelopes[-1], *options)
            previous = phase
        return envelopes, public

    def test_the_three_phases(self):
        start = time_text(2)
        phases, lines = self.plan("--start", start)
        ends = lines[0]["old_pins_end"]
        self.assertEqual(seconds(ends) - seconds(start), 10 * day)
        self.assertEqual([line["sequence"] for line in lines], [6, 7, 8])
        self.assertEqual([seconds(line["deploy_from"]) - seconds(start) for line in lines],
                         [0, 5 * day, 10 * day + 1])
        waiting = {"pin": backup, "offlineBackup": True}
        for number, phase in enumerate(phases):
            self.assertEqual((phase["sequence"], phase["issuedAt"]),
                             (6 + number, lines[number]["deploy_from"]))
            self.assertEqual(seconds(phase["expires"]) - seconds(phase["issuedAt"]), 90 * day)
            self.assertEqual(self.pins(phase)["primary"], pin_of("other"))
        for phase in phases[:2]:
            self.assertEqual(self.pins(phase)["fallback"],
                             [{"pin": pin_of("good"), "notAfter": ends}, waiting])
        self.assertEqual(self.pins(phases[2])["fallback"], waiting)

    def test_every_phase_passes_lint_after_the_one_before(self):
        self.plan()
        previous = self.path("last.json")
        for number in (1, 2, 3):
            phase = self.path(f"phase-{number}.json")
            self.succeeds("manifest", "lint", phase, "--previous", previous, "--cert",
                          pki("good.pem"), "--cert", pki("other.pem"), "--deployment-days", "9",
                          "--at", json.loads(read(phase))["issuedAt"])
            previous = phase

    def test_signed_and_verified_in_order_and_never_back(self):
        self.plan("--start", time_text(-12))
        envelopes, public = self.sign()
        state = ["--trust-key", public, "--state", self.path("state.json")]
        for envelope in envelopes:
            self.succeeds("manifest", "verify", envelope, *state)
        for envelope in envelopes[:2]:
            self.fails(2, "sequence_rollback", "manifest", "verify", envelope, *state)
        self.succeeds("manifest", "verify", envelopes[2], *state)
        for earlier, later in ((1, 0), (2, 0), (2, 1)):
            private = self.path("signer.key")
            self.fails(2, "sequence_not_higher", "manifest", "sign",
                       self.path(f"phase-{later + 1}.json"), "--key", private, "--previous",
                       envelopes[earlier])

    def judged(self, envelope, public, name, *options):
        with serving(over_tls(hold, name)) as port:
            line = cotter("connect", "tls://localhost:443", "--connect", f"127.0.0.1:{port}",
                          "--ca", pki("ca.pem"), "--manifest", envelope, "--trust-key", public,
                          "--json", *options).line
        return line["matched"] or line["reason"]

    def test_connections_while_the_window_is_open(self):
        self.plan("--start", time_text(-6))
        private, public = self.keys("signer")
        for number in (1, 2):
            envelope = self.path("signed.json")
            self.succeeds("manifest", "sign", self.path(f"phase-{number}.json"), "--key", private,
                          "-o", envelope)
            self.assertEqual([self.judged(envelope, public, name)
                              for name in ("good", "other", "rsa")],
                             ["fallback", "primary", "pin_mismatch"])

    def test_connections_when_the_window_is_over(self):
        self.plan("--start", time_text(-12))
        envelopes, public = self.sign()
        state = ["--state", self.path("state.json")]
        # Whoever still has the first two refuses the old certificate by its date all the same.
        for envelope, answer in zip(envelopes, ("fallback_expired", "fallback_expired",
                                                "pin_mismatch")):
            for backend in "openssl", "wolfssl", "mbedtls":
                self.assertEqual([self.judged(envelope, public, name, "--backend", backend, *state)
                                  for name in ("good", "other")], [answer, "primary"])

    def test_the_new_certificate_by_pin_by_key_and_from_a_live_edge(self):
        for new, options, pin in (
                (pin_of("other"), [], pin_of("other")),
                (pki("other.pem"), ["--spki"], "spki-sha256:" + spki_sha256("other.pem")),
                ("1 1 1 " + spki_sha256("other.pem"), [],
                 "spki-sha256:" + spki_sha256("other.pem"))):
            phases, _ = self.plan(*options, new=new)
            self.assertEqual(self.pins(phases[0])["primary"], pin)
        live = ["--ca", pki("ca.pem"), "--connect"]
        with serving(over_tls(hold, "other")) as port:
            phases, _ = self.plan(*live, f"127.0.0.1:{port}", new="localhost:443")
            self.assertEqual(self.pins(phases[2])["primary"], pin_of("other"))
            with serving(over_tls(hold)) as second:
                self.fails(2, "edges_disagree", *self.arguments(
                    *live, f"127.0.0.1:{port}", "--connect", f"127.0.0.1:{second}",
                    new="localhost:443"))
        with serving(over_tls(hold, "foreign")) as port:
            self.fails(2, "not_trusted", *self.arguments(*live, f"127.0.0.1:{port}",
                                                         new="localhost:443"))

    def test_a_backup_that_comes_into_use_is_one_no_longer(self):
        spare = "spki-sha256:" + spki_sha256("other.pem")
        last = json.loads(read(self.last()))
        self.pins(last)["fallback"] = {"pin": spare, "offlineBackup": True}
        phases, _ = self.plan("--spki", manifest=self.write("last.json", last))
        self.assertEqual(self.pins(phases[0])["primary"], spare)
        self.assertEqual(self.pins(phases[0])["fallback"]["pin"], pin_of("good"))
        self.assertNotIn("fallback", self.pins(phases[2]))

    def test_an_end_once_fixed_is_kept(self):
        last = json.loads(read(self.last()))
        ends = time_text(4)
        self.pins(last)["fallback"] = {"pin": pin_of("rsa"), "notAfter": ends}
        phases, _ = self.plan(manifest=self.write("last.json", last))
        self.assertEqual([one["notAfter"] for one in self.pins(phases[1])["fallback"]
                          if one["pin"] == pin_of("rsa")], [ends])
        # One that the window implied is written down, for no later phase counts anew.
        last["targets"].append({"host": "b.example", "port": 1, "pins": {
            "primary": pin_of("large"), "fallback": pin_of("rsa"), "rotationWindowDays": 20}})
        last["issuedAt"] = time_text(-5)
        phases, _ = self.plan(manifest=self.write("last.json", last))
        implied = {phase["targets"][1]["pins"]["fallback"]["notAfter"] for phase in phases}
        self.assertEqual(len(implied), 1)
        self.assertEqual(seconds(implied.pop()) - seconds(last["issuedAt"]), 20 * day)

    def test_signing_never_prolongs_a_fallback(self):
        self.plan("--start", time_text(-1))
        private, _ = self.keys("signer")
        field = self.path("phase-1.json")
        for edit, code in ((lambda one: one.update(notAfter=time_text(30)), "fallback_extended"),
                           (lambda one: one.pop("notAfter"), "fallback_extended"),
                           (lambda one: (one.pop("notAfter"), one.update(offlineBackup=True)),
                            "fallback_extended"),
                           (lambda one: one.update(notAfter=time_text(3)), None)):
            later = json.loads(read(field))
            later.update(sequence=9, issuedAt=time_text())
            edit(self.pins(later)["fallback"][0])
            arguments = ["manifest", "sign", self.write("later.json", later), "--key", private,
                         "--previous", field]
            if code:
                self.fails(2, code, *arguments, pointer="/targets/0/pins/fallback/0")
            else:
                self.succeeds(*arguments)

    def test_one_region_at_a_time(self):
        regions = [{"name": name, "prefixes": [block], "pins": {"primary": pin_of(leaf)}}
                   for name, block, leaf in (("eu", "192.0.2.0/24", "good"),
                                             ("us", "198.51.100.0/24", "rsa"))]
        regions[0]["default"] = True
        last = json.loads(read(self.last()))
        last["targets"][0] = {"host": "localhost", "port": 443, "pins": {"rotationWindowDays": 10},
                              "regions": regions}
        path = self.write("last.json", last)
        phases, _ = self.plan("--region", "eu", manifest=path)
        eu, us = phases[0]["targets"][0]["regions"]
        self.assertEqual((eu["pins"]["primary"], eu["pins"]["fallback"]["pin"]),
                         (pin_of("other"), pin_of("good")))
        self.assertEqual(us, regions[1])
        self.fails(2, "no_pins", *self.arguments(manifest=path))
        self.fails(2, "no_pins", *self.arguments("--region", "asia", manifest=path))

    def test_what_stands_in_the_last_manifest_stays(self):
        last = json.loads(read(self.last(
            runtime=[{"library": "openssl", "atLeast": "3.0.0"}], critical=["runtime"],
            reportingEndpoint="https://siem.example/x", lockRecovery="verified_probe")))
        phases, _ = self.plan(manifest=self.write("last.json", last))
        for phase in phases:
            for key in "runtime", "critical", "reportingEndpoint", "lockRecovery":
                self.assertEqual(phase[key], last[key])
        observed = self.last(observeUntil=time_text(-40))
        self.assertNotIn("observeUntil", self.plan(manifest=observed)[0][0])

    def test_from_the_guides_document(self):
        made = self.path("made.json")
        self.succeeds("manifest", "init", "--from", guide("pin-manifest.json"), "-o", made)
        phases, _ = self.plan(manifest=made, target="platform-api.mypurecloud.com:443")
        self.assertEqual(len(self.pins(phases[0])["fallback"]), 2)

    def test_an_envelope_in_the_field_will_do(self):
        private, _ = self.keys("signer")
        envelope = self.path("envelope.json")
        self.succeeds("manifest", "sign", self.last(), "--key", private, "-o", envelope)
        self.assertEqual(self.plan(manifest=envelope)[0][0]["sequence"], 6)

    def test_people_are_told_the_dates(self):
        result = self.succeeds(*self.arguments())
        for part in ("phase 1", "phase 2", "phase 3", "the old pins end ",
                     "before the server changes"):
            self.assertIn(part, result.stdout)

    def test_plans_that_are_none(self):
        bare = json.loads(read(self.last()))
        self.pins(bare).pop("rotationWindowDays")
        windowless = self.write("windowless.json", bare)
        misspelt = self.write("misspelt.json", {**bare, "sequense": 1})
        for status, code, arguments in (
                (2, "rotation_pointless", self.arguments(new=pki("good.pem"))),
                (2, "ca_pinned", self.arguments(new=pki("ca.pem"))),
                (2, "no_pins", self.arguments(target="localhost:444")),
                (2, "missing_key", self.arguments(manifest=windowless)),
                (2, "unknown_key", self.arguments(manifest=misspelt)),
                (3, "invalid_host", self.arguments(target="LOCALHOST:443")),
                (3, "invalid_timestamp", self.arguments("--start", "soon")),
                (3, "unreadable", self.arguments(new=self.path("absent.pem"))),
                (3, "unreadable", self.arguments(manifest=self.path("absent.json"))),
                (3, "unwritable", [*self.arguments()[:-1], self.path("nowhere")]),
                (3, "no_leaf", self.arguments("--connect", "127.0.0.1:1", new="localhost:443"))):
            with self.subTest(code):
                self.fails(status, code, *arguments)
        self.plan("--window-days", "7", manifest=windowless)


if __name__ == "__main__":
    main()
