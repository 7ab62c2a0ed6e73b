# SPDX-License-Identifier: BSL-1.0
"""`cotter manifest` and `connect --manifest`: from the guide's documents to a connection."""

import base64
import hashlib
import json
import os
import re
import stat
import subprocess
import unittest

from lab import (Desk, certificate_sha256, cotter, guide, hold, main, openssl, over_tls, pki, read,
                 repository, serving, settings, spki_sha256, time_text)

payload_type = "application/vnd.cotter.pin-manifest+json"
guides_host = "platform-api.mypurecloud.com"
guides_primary = "cert-sha256:a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4a5b6c7d8e9f0a1b2"
guides_fallback = "cert-sha256:b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3"


def document(**changes):
    made = {"pinManifestVersion": "2.1.0", "sequence": 1, "issuedAt": time_text(),
            "expires": time_text(90), "targets": [{"host": "localhost", "port": 443, "pins": {
                "primary": "cert-sha256:" + certificate_sha256("good.pem")}}]}
    made.update(changes)
    return {key: value for key, value in made.items() if value is not None}


class Manifest(Desk):
    def signed(self, name, content, *keys):
        """Signs with each key in turn. Returns the envelope's path."""
        path = self.write(name, content)
        for key in keys:
            self.succeeds("manifest", "sign", path, "--key", key, "-o", self.path("s-" + name))
            path = self.path("s-" + name)
        return path

    def connect(self, host, port, envelope, public, *options):
        return cotter("connect", f"tls://{host}:443", "--connect", f"127.0.0.1:{port}", "--ca",
                      pki("ca.pem"), "--manifest", envelope, "--trust-key", public, "--json",
                      *options)

    def verify(self, envelope, *public, options=()):
        arguments = ["manifest", "verify", envelope, *options]
        for one in public:
            arguments += ["--trust-key", one]
        return arguments


class TheGuide(Manifest):
    """Its documents, byte for byte."""

    def init(self, *options):
        out = self.path("pins.json")
        self.succeeds("manifest", "init", "--from", guide("pin-manifest.json"), "--from",
                      guide("circuit-breaker.json"), "-o", out, *options)
        return out

    def test_they_are_the_ones_that_were_printed(self):
        for name, digest in (
                ("pin-manifest.json",
                 "26f5c14b4db54f3a2a28562213e8cc0bfbcc98a4e06fe52729214eade2af8475"),
                ("circuit-breaker.json",
                 "42573c1d29a78b2d82125bb9fd3e3db650ad110b7f9d05e28e52dc61db9330a5"),
                ("platform-certificates.json",
                 "447d134996fe03921e12af3154b09e329fbf3ed3ef6a08d0c2b1f8f9c1dfd104")):
            self.assertEqual(hashlib.sha256(read(guide(name), "rb")).hexdigest(), digest, name)

    def test_init_keeps_the_meaning_of_every_key(self):
        made = json.loads(read(self.init("--issued", "2026-11-20T10:00:00Z", "--sequence", "5")))
        self.assertEqual(made, {
            "pinManifestVersion": "2.1.0", "sequence": 5, "issuedAt": "2026-11-20T10:00:00Z",
            "expires": "2027-02-18T10:00:00Z",
            "targets": [{"host": guides_host, "port": 443, "pins": {
                "primary": guides_primary,
                "fallback": {"pin": guides_fallback, "notAfter": "2026-12-20T10:00:00Z"},
                "rotationWindowDays": 30}}],
            "verificationPolicy": "strict",
            "circuitBreakerConfig": {"maxConsecutiveFailures": 3, "cooldownSeconds": 300,
                                     "alertThreshold": 2, "fallbackBehavior": "block_and_notify"},
            "lockRecovery": "administrator",
            "reportingEndpoint": "https://internal-security-corp.com/api/v1/pin-audit"})

    def test_the_platforms_document_gives_its_fingerprint_with_a_warning(self):
        result = self.succeeds("manifest", "init", "--from", guide("platform-certificates.json"),
                               "--target", "a.example:8443")
        self.assertIn("platform_unproven", result.stderr)
        self.assertEqual(json.loads(result.stdout)["targets"], [
            {"host": "a.example", "port": 8443, "pins": {"primary": guides_primary}}])
        # Beside a manifest it belongs to its only target, and says the same.
        both = self.succeeds("manifest", "init", "--from", guide("platform-certificates.json"),
                             "--from", guide("pin-manifest.json"))
        self.assertEqual(json.loads(both.stdout)["targets"][0]["pins"]["primary"], guides_primary)
        self.fails(3, "usage", "manifest", "init", "--from", guide("platform-certificates.json"))

    def test_a_platform_that_contradicts_its_own_certificate_is_refused(self):
        platform = json.loads(read(guide("platform-certificates.json")))
        leaf = platform["certificates"]["leafCertificate"]
        leaf["pem"] = read(pki("good.pem"))
        path = self.write("platform.json", platform)
        self.fails(2, "conflicting_keys", "manifest", "init", "--from", path, "--target",
                   "a.example:1",
                   pointer="/certificates/leafCertificate/derEncodedFingerprintSha256")
        leaf["derEncodedFingerprintSha256"] = certificate_sha256("good.pem")
        good = self.succeeds("manifest", "init", "--from", self.write("platform.json", platform),
                             "--target", "a.example:1")
        self.assertNotIn("platform_unproven", good.stderr)

    def test_lint_says_what_to_do_with_them(self):
        for name, status, codes in (
                ("pin-manifest.json", 2, ["missing_key"] * 3 + [
                    "vendor_advises_against", "fallback_unproven", "cover_unknown"]),
                ("circuit-breaker.json", 1, ["missing_key"] * 4)):
            result = cotter("manifest", "lint", guide(name), "--json")
            self.assertEqual((result.status, [one["code"] for one in result.lines]),
                             (status, codes))
        self.fails(2, "missing_key", "manifest", "lint", guide("platform-certificates.json"))

    def test_they_cannot_be_signed_before_they_are_complete(self):
        private, _ = self.keys("k")
        self.fails(2, "missing_key", "manifest", "sign", guide("pin-manifest.json"), "--key",
                   private, pointer="/sequence")
        for name in "circuit-breaker.json", "platform-certificates.json":
            self.fails(2, "missing_key", "manifest", "sign", guide(name), "--key", private)

    def test_signed_verified_shown_and_made_a_header(self):
        private, public = self.keys("k")
        envelope = self.signed("pins.json", read(self.init()), private)
        self.assertEqual(json.loads(read(envelope))["payloadType"], payload_type)
        line = self.succeeds(*self.verify(envelope, public), "--json").line
        self.assertTrue(line["verified"])
        target, = line["targets"]
        self.assertEqual([(one["pin"], one["role"]) for one in target["pins"]],
                         [(guides_primary, "primary"), (guides_fallback, "fallback")])
        self.assertEqual(line["breaker"], {"max_consecutive_failures": 3, "alert_threshold": 2,
                                           "cooldown_ms": 300000})
        self.assertEqual(target["rotation_window_days"], 30)
        shown = self.succeeds("manifest", "show", envelope, "--json")
        self.assertIn("nothing was verified", shown.stderr)
        self.assertFalse(shown.line["verified"])
        self.assertEqual(shown.line["targets"], line["targets"])
        header = self.path("pins.hpp")
        self.succeeds("manifest", "header", envelope, "--trust-key", public, "--namespace",
                      "company::pins", "-o", header)
        self.compiles(header, f'''
            static_assert(company::pins::manifest.current().sequence == 1);
            static_assert(company::pins::breaker.max_consecutive_failures == 3);
            static_assert(company::pins::breaker.alert_threshold == 2);
            static_assert(company::pins::breaker.cooldown == std::chrono::minutes(5));
            static_assert(company::pins::targets.find({{"{guides_host}", 443}}, {{}}));
            static_assert(!company::pins::targets.find({{"{guides_host}", 444}}, {{}}));
        ''')

    def compiles(self, header, claims):
        source = self.write("claims.cpp", f'#include "{header}"\n{claims}\n')
        compiler = os.environ.get("CXX", "g++")
        made = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra",
                               "-Werror", "-fno-exceptions", "-fno-rtti", "-I",
                               os.path.join(repository, "include"), source],
                              capture_output=True, text=True, check=False)
        self.assertEqual(made.returncode, 0, made.stderr)

    def test_a_server_with_another_certificate_is_refused(self):
        private, public = self.keys("k")
        server = self.certificate("platform", host=guides_host)
        ours = cotter("fingerprint", server + ".pem", "--json").line["certificate_sha256"]
        with serving(over_tls(hold, server)) as port:
            envelope = self.signed("a.json", read(self.init()), private)
            result = self.connect(guides_host, port, envelope, public, "--state",
                                  self.path("state.json"))
            self.assertEqual((result.status, result.line["reason"], result.line["fingerprint"]),
                             (2, "pin_mismatch", ours))
            # The same document with this server's pin, otherwise byte for byte.
            text = read(guide("pin-manifest.json")).replace(
                guides_primary.removeprefix("cert-sha256:"), ours)
            source = self.write("ours.json", text)
            made = self.succeeds("manifest", "init", "--from", source, "--from",
                                 guide("circuit-breaker.json"), "--sequence", "2").stdout
            envelope = self.signed("b.json", made, private)
            for backend in "openssl", "wolfssl", "mbedtls":
                result = self.connect(guides_host, port, envelope, public, "--state",
                                      self.path("state.json"), "--backend", backend)
                self.assertEqual((result.status, result.line["verdict"], result.line["matched"],
                                  result.line["pin_label"]), (0, "accepted", "primary", "primary"))
            # The first one does not come back.
            result = self.connect(guides_host, port, self.path("s-a.json"), public, "--state",
                                  self.path("state.json"))
            self.assertEqual((result.status, result.line["reason"]), (2, "manifest_rollback"))
        self.assertEqual(json.loads(read(self.path("state.json")))["order"], 2)


class Signatures(Manifest):
    def test_one_key_and_no_other(self):
        private, public = self.keys("k")
        _, stranger = self.keys("stranger")
        envelope = self.signed("m.json", document(), private)
        self.succeeds(*self.verify(envelope, public))
        self.succeeds(*self.verify(envelope, public, stranger))
        self.fails(2, "unknown_signer", *self.verify(envelope, stranger))
        self.fails(3, "usage", *self.verify(envelope))

    def test_two_of_three(self):
        keys = [self.keys(name) for name in ("a", "b", "c")]
        public = [one[1] for one in keys]
        two = ["--threshold", "2"]
        one_short = self.signed("one.json", document(), keys[0][0])
        self.fails(2, "threshold_not_met", *self.verify(one_short, *public, options=two),
                   pointer="/signatures")
        # The same key twice counts once, by the tool and by hand.
        again = self.signed("again.json", document(), keys[0][0], keys[0][0])
        self.assertEqual(len(json.loads(read(again))["signatures"]), 1)
        forged = json.loads(read(one_short))
        forged["signatures"].append({**forged["signatures"][0], "keyid": "another"})
        self.fails(2, "duplicate_signature",
                   *self.verify(self.write("f.json", forged), *public, options=two))
        for pair in (0, 1), (1, 2), (2, 0):
            envelope = self.signed("two.json", document(), *[keys[i][0] for i in pair])
            self.succeeds(*self.verify(envelope, *public, options=two))
        with serving(over_tls(hold)) as port:
            for envelope, status, reason in ((one_short, 2, "manifest_signature"),
                                             (self.path("s-two.json"), 0, None)):
                result = self.connect("localhost", port, envelope, public[0], "--trust-key",
                                      public[1], "--trust-key", public[2], *two)
                self.assertEqual((result.status, result.line["reason"]), (status, reason))
        self.fails(2, "invalid_value", *self.verify(one_short, public[0], options=two))

    def test_both_algorithms(self):
        private, public = self.keys("ed", "ed25519")
        envelope = self.signed("m.json", document(), private)
        self.succeeds(*self.verify(envelope, public))
        with serving(over_tls(hold)) as port:
            for backend in "openssl", "wolfssl":
                self.assertEqual(self.connect("localhost", port, envelope, public, "--backend",
                                              backend).status, 0, backend)

    def test_outside_signers(self):
        for algorithm in "P-256", "ed25519":
            private, public = self.keys("hsm", algorithm)
            path = self.write("m.json", document())
            message = self.path("message")
            self.succeeds("manifest", "sign", path, "--print", "-o", message)
            payload = read(path)
            self.assertEqual(read(message), f"DSSEv1 {len(payload_type)} {payload_type} "
                                            f"{len(payload)} {payload}")
            how = ["-rawin"] if algorithm == "ed25519" else ["-rawin", "-digest", "sha256"]
            raw = openssl("pkeyutl", "-sign", "-inkey", private, *how, "-in", message)
            for signature in raw, base64.b64encode(raw), base64.encodebytes(raw):
                envelope = self.path("envelope.json")
                self.succeeds("manifest", "attach", path, "--signature",
                              self.write("signature", signature), "--public-key", public, "-o",
                              envelope)
                self.succeeds(*self.verify(envelope, public))
            _, other = self.keys("other")
            self.fails(2, "bad_signature", "manifest", "attach", path, "--signature",
                       self.write("signature", raw), "--public-key", other)
            self.fails(2, "bad_signature", "manifest", "attach",
                       self.write("changed.json", payload.replace("2.1.0", "2.1.1")),
                       "--signature", self.path("signature"), "--public-key", public)

    def test_what_was_signed_is_what_counts(self):
        private, public = self.keys("k")
        made = json.loads(read(self.signed("m.json", document(), private)))
        payload = base64.b64decode(made["payload"]).decode()

        def with_payload(text):
            return {**made, "payload": base64.b64encode(text.encode()).decode()}

        for name, content, code in (
                ("changed", with_payload(payload.replace('"sequence": 1', '"sequence": 2')),
                 "bad_signature"),
                ("spaced", with_payload(payload + " "), "bad_signature"),
                ("unsigned", {**made, "signatures": []}, "invalid_envelope"),
                ("nameless", {**made, "signatures": [{"sig": "AAAA", "keyid": ""}]},
                 "unknown_signer"),
                ("renamed", {**made, "payloadType": payload_type.replace("pin", "pen")},
                 "wrong_payload_type"),
                ("key set", {**made, "payloadType": "application/vnd.cotter.key-set+json"},
                 "wrong_payload_type"),
                ("bare", json.loads(payload), "invalid_envelope"),
                ("cut", json.dumps(made)[:-9], "invalid_json"),
                ("lined", {**made, "payload": made["payload"][:40] + "\n" + made["payload"][40:]},
                 "invalid_base64")):
            with self.subTest(name):
                self.fails(2, code, *self.verify(self.write("e.json", content), public))

    def test_a_key_that_others_may_read_does_not_sign(self):
        private, public = self.keys("k")
        os.chmod(private, 0o644)
        path = self.write("m.json", document())
        self.fails(2, "unfit_credentials", "manifest", "sign", path, "--key", private)
        self.fails(2, "unfit_credentials", "manifest", "sign", path, "--key",
                   self.private(public))
        self.fails(3, "unreadable", "manifest", "sign", path, "--key", self.path("absent"))
        weak = self.private(self.write("weak.key", openssl(
            "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")))
        self.fails(2, "unsupported_key", "manifest", "sign", path, "--key", weak)

    def private(self, path):
        os.chmod(path, 0o600)
        return path

    def test_key_sets(self):
        roots = [self.keys("root" + str(i)) for i in range(3)]
        signer, other = self.keys("signer"), self.keys("other")

        def key_set(version, who, *signers):
            arguments = ["manifest", "keys", "--version-number", str(version), "--signer", who[1],
                         "--root-threshold", "2", "-o", self.path(f"keys{version}.json")]
            for one in roots:
                arguments += ["--root", one[1]]
            self.succeeds(*arguments)
            path = self.path(f"keys{version}.json")
            for one in signers:
                self.succeeds("manifest", "sign", path, "--type", "key-set", "--key", one[0], "-o",
                              self.path(f"set{version}.json"))
                path = self.path(f"set{version}.json")
            return path

        first = key_set(1, signer, roots[0], roots[1])
        second = key_set(2, other, roots[1], roots[2])
        old = self.signed("old.json", document(), signer[0])
        new = self.signed("new.json", document(sequence=2), other[0])
        self.succeeds(*self.verify(old, first))
        self.fails(2, "unknown_signer", *self.verify(new, first))
        followed = ["--key-set", second]
        self.succeeds(*self.verify(new, first, options=followed))
        self.fails(2, "unknown_signer", *self.verify(old, first, options=followed))
        with serving(over_tls(hold)) as port:
            self.assertEqual(self.connect("localhost", port, new, first, *followed).status, 0)
        short = key_set(2, other, roots[1])
        self.fails(2, "key_set_untrusted", *self.verify(new, first, options=["--key-set", short]))
        gap = key_set(3, other, roots[0], roots[1])
        self.fails(2, "key_set_gap", *self.verify(new, first, options=["--key-set", gap]))
        self.fails(2, "wrong_payload_type", *self.verify(first, first))
        self.fails(2, "wrong_payload_type", "manifest", "sign", first, "--key", signer[0])

    def test_a_key_for_both_roles_is_mentioned(self):
        _, public = self.keys("k")
        result = self.succeeds("manifest", "keys", "--root", public, "--signer", public)
        self.assertIn("one_key_several_roles", result.stderr)


class Order(Manifest):
    def test_no_older_manifest_comes_back(self):
        private, public = self.keys("k")
        state = ["--state", self.path("state.json")]
        envelopes = {n: self.signed(f"{n}.json", document(sequence=n), private) for n in (1, 2, 3)}
        for n in (1, 2, 2):
            self.succeeds(*self.verify(envelopes[n], public, options=state))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("state.json")).st_mode), 0o600)
        self.fails(2, "sequence_rollback", *self.verify(envelopes[1], public, options=state),
                   pointer="/sequence")
        again = self.signed("again.json", document(sequence=2, observeUntil=time_text(3)), private)
        self.fails(2, "sequence_reused", *self.verify(again, public, options=state))
        with serving(over_tls(hold)) as port:
            result = self.connect("localhost", port, envelopes[3], public, *state)
            self.assertEqual(result.status, 0, result.stderr)
            result = self.connect("localhost", port, envelopes[2], public, *state)
            self.assertEqual((result.status, result.line["reason"]), (2, "manifest_rollback"))
            # Without memory there is no order.
            self.assertEqual(self.connect("localhost", port, envelopes[1], public).status, 0)

    def test_what_would_be_on_another_day_is_not_remembered(self):
        private, public = self.keys("k")
        envelope = self.signed("m.json", document(), private)
        self.succeeds(*self.verify(envelope, public, options=[
            "--state", self.path("state.json"), "--at", time_text(80)]))
        self.assertFalse(os.path.exists(self.path("state.json")))

    def test_damaged_memory_is_not_taken_for_none(self):
        private, public = self.keys("k")
        envelope = self.signed("m.json", document(), private)
        for content in "", "{}", '{"order":1}', "garbage":
            state = self.write("state.json", content)
            self.fails(2, "invalid_value", *self.verify(envelope, public,
                                                        options=["--state", state]))
            self.assertEqual(read(state), content)

    def test_nothing_is_good_for_ever(self):
        private, public = self.keys("k")
        envelope = self.signed("m.json", document(expires=time_text(10)), private)
        self.succeeds(*self.verify(envelope, public, options=["--at", time_text(9)]))
        self.fails(2, "document_expired", *self.verify(envelope, public,
                                                       options=["--at", time_text(11)]),
                   pointer="/expires")
        # Nor does a clock that was set back help: the latest time known counts.
        late = self.write("state.json", {"order": 0, "payloadSha256": "00" * 32, "keySetVersion": 0,
                                         "epoch": 0, "latest": time_text(11)})
        with serving(over_tls(hold)) as port:
            result = self.connect("localhost", port, envelope, public, "--state", late)
            self.assertEqual((result.status, result.line["reason"]), (2, "manifest_expired"))

    def test_what_sign_refuses(self):
        private, _ = self.keys("k")
        for code, pointer, changes in (
                ("missing_key", "/sequence", {"sequence": None}),
                ("missing_key", "/issuedAt", {"issuedAt": None}),
                ("missing_key", "/expires", {"expires": None}),
                ("document_expired", "/expires", {"issuedAt": time_text(-3),
                                                  "expires": time_text(-1)}),
                ("invalid_value", "/issuedAt", {"issuedAt": time_text(2)}),
                ("invalid_value", "/expires", {"issuedAt": time_text(), "expires": time_text(-1)}),
                ("unknown_key", "/verificationPolicie", {"verificationPolicie": "strict"}),
                ("unknown_critical", "/critical/0", {"critical": ["x-quantum"]}),
                ("observation_too_long", "/observeUntil", {"observeUntil": time_text(31)})):
            with self.subTest(pointer):
                path = self.write("m.json", document(**changes))
                self.fails(2, code, "manifest", "sign", path, "--key", private, pointer=pointer)
                self.fails(2, code, "manifest", "sign", path, "--print", pointer=pointer)
        self.fails(3, "usage", "manifest", "sign", path)

    def test_sign_compares_with_the_manifest_in_the_field(self):
        private, _ = self.keys("k")
        before = self.write("before.json", document(sequence=4))
        self.fails(2, "sequence_not_higher", "manifest", "sign",
                   self.write("m.json", document(sequence=4)), "--key", private, "--previous",
                   before)
        self.succeeds("manifest", "sign", self.write("m.json", document(sequence=5)), "--key",
                      private, "--previous", before)


class Enforcement(Manifest):
    def offered(self, content, reason, status=2, host="localhost", name="good", backend="openssl",
                options=()):
        private, public = self.keys("k")
        envelope = self.signed("m.json", content, private)
        with serving(over_tls(hold, name)) as port:
            result = self.connect(host, port, envelope, public, "--backend", backend, *options)
        self.assertEqual((result.status, result.line["reason"]), (status, reason), result.stderr)
        return result.line

    def test_only_what_the_manifest_names_is_connected_to(self):
        line = self.offered(document(), None, 0)
        self.assertEqual(line["matched"], "primary")
        self.offered(document(targets=[{**document()["targets"][0], "port": 444}]), "no_pins")
        self.offered(document(), "pin_mismatch", name="other")

    def test_manifest_and_pins_exclude_each_other(self):
        self.fails(3, "usage", "connect", "tls://localhost:443", "--manifest", "x", "--trust-key",
                   "y", "--pin", "cert-sha256:" + "00" * 32)
        self.fails(3, "usage", "connect", "tls://localhost:443", "--manifest",
                   self.write("m", "{}"))

    def test_the_running_library_is_held_to_runtime(self):
        for library, range_, reason in (
                ("openssl", {"atLeast": "3.0"}, None),
                ("openssl", {"below": "3.0.1"}, "runtime_mismatch"),
                ("openssl", {"atLeast": "4"}, "runtime_mismatch"),
                ("wolfssl", {}, "runtime_mismatch")):
            self.offered(document(runtime=[{"library": library, **range_}]), reason,
                         2 if reason else 0)
        self.offered(document(runtime=[{"library": "wolfssl"}]), None, 0, backend="wolfssl")

    def test_regions_by_the_address_connected_to(self):
        ours = {"primary": "cert-sha256:" + certificate_sha256("good.pem")}
        others = {"primary": "cert-sha256:" + certificate_sha256("other.pem")}
        target = {"host": "localhost", "port": 443, "regions": [
            {"name": "here", "prefixes": ["127.0.0.0/8"], "pins": ours},
            {"name": "rest", "default": True, "pins": others}]}
        self.assertEqual(self.offered(document(targets=[target]), None, 0)["pin_label"],
                         "here/primary")
        self.offered(document(targets=[target]), "pin_mismatch", name="other")

    def test_observation_lets_pass_and_reports(self):
        watching = document(observeUntil=time_text(7))
        line = self.offered(watching, None, 1, name="other")
        self.assertEqual((line["matched"], line["would_refuse"]), ("observed", "pin_mismatch"))
        self.assertEqual(self.offered(watching, None, 0)["matched"], "primary")
        self.offered(watching, "pkix", name="foreign")

    def test_a_fallback_past_its_end_is_refused(self):
        targets = document()["targets"]
        targets[0]["pins"] = {"primary": "cert-sha256:" + certificate_sha256("other.pem"),
                              "fallback": {"pin": "cert-sha256:" + certificate_sha256("good.pem"),
                                           "notAfter": time_text(1)}}
        self.assertEqual(self.offered(document(targets=targets), None, 0)["matched"], "fallback")
        targets[0]["pins"]["fallback"]["notAfter"] = time_text(-1)
        self.offered(document(targets=targets), "fallback_expired")

    def test_bad_envelopes_mean_no_connection(self):
        _, public = self.keys("k")
        for content, reason in (("{}", "manifest_invalid"), (json.dumps(document()),
                                                             "manifest_invalid")):
            with serving(over_tls(hold)) as port:
                result = self.connect("localhost", port, self.write("m.json", content), public)
            self.assertEqual((result.status, result.line["reason"], result.line["tcp"]),
                             (2, reason, False))


class BadDocuments(Manifest):
    """A code, a pointer, and the corrected value where there is one."""

    def refused(self, content, code, pointer="", suggestion=""):
        path = self.write("bad.json", content)
        for verb in ("lint", "show"):
            self.fails(2, code, "manifest", verb, path, pointer=pointer, suggestion=suggestion)
        self.fails(2, code, "manifest", "init", "--from", path)

    def target(self, **changes):
        return document(targets=[{**document()["targets"][0], **changes}])

    def pins(self, **changes):
        return self.target(pins={**document()["targets"][0]["pins"], **changes})

    def test_text_that_is_no_json(self):
        for content, code in ((b"", "empty_input"), (b"{", "invalid_json"),
                              (b"{} {}", "invalid_json"),
                              (b"\xef\xbb\xbf{}", "invalid_json"), (b'{"a":1,}', "invalid_json"),
                              (b'{"pinManifestVersion":"\xff"}', "invalid_utf8"),
                              (b'{"pinManifestVersion":"\xc0\xaf"}', "invalid_utf8"),
                              (b'{"pinManifestVersion":"\\ud800"}', "invalid_utf8"),
                              (b"[" * 100_000, "too_deep"),
                              (b'{"a":' * 17 + b"1" + b"}" * 17, "too_deep")):
            with self.subTest(content[:20]):
                path = self.write("bad.json", content)
                self.fails(2, code, "manifest", "lint", path)
        self.refused("[]", "wrong_type")

    def test_bombs(self):
        big = self.write("big.json", b'{"a":"' + b"x" * (9 << 20) + b'"}')
        self.fails(2, "too_large", "manifest", "lint", big)
        long_text = self.write("long.json", {"pinManifestVersion": "x" * 70_000})
        self.fails(2, "too_large", "manifest", "lint", long_text)
        many = self.write("many.json", b'{"targets":[' + b"1," * 1_000_001 + b"1]}")
        self.fails(2, "too_large", "manifest", "lint", many)
        crowd = [{**document()["targets"][0], "port": 1 + i % 60_000, "host": f"h{i}.example"}
                 for i in range(10_001)]
        self.fails(2, "too_many_targets", "manifest", "lint",
                   self.write("crowd.json", document(targets=crowd)), pointer="/targets")

    def test_duplicate_keys(self):
        text = json.dumps(document())
        self.refused(text.replace('"sequence": 1', '"sequence": 1, "sequence": 2'), "duplicate_key",
                     "/sequence")
        self.refused(text.replace('"port": 443', r'"port": 443, "\u0070ort": 444'), "duplicate_key",
                     "/targets/0/port")

    def test_wrong_types(self):
        for content, pointer in (
                (document(sequence="1"), "/sequence"), (document(sequence=1.0), "/sequence"),
                (document(targets={}), "/targets"), (document(targets=[7]), "/targets/0"),
                (self.target(port="443"), "/targets/0/port"),
                (self.target(host=5), "/targets/0/host"),
                (self.target(pins=[]), "/targets/0/pins"),
                (self.pins(primary=5), "/targets/0/pins/primary"),
                (self.pins(fallback={"pin": "0" * 64, "offlineBackup": "yes"}),
                 "/targets/0/pins/fallback/offlineBackup"),
                (self.pins(rotationWindowDays="30"), "/targets/0/pins/rotationWindowDays"),
                (document(issuedAt=1700000000), "/issuedAt"), (document(critical="a"), "/critical"),
                (document(verificationPolicy=True), "/verificationPolicy"),
                (document(runtime={}), "/runtime")):
            with self.subTest(pointer):
                self.refused(content, "wrong_type", pointer)

    def test_hosts_that_are_not_canonical(self):
        for host, suggestion in (
                ("Sip.Example.COM", "sip.example.com"), ("sip.example.com.", "sip.example.com"),
                ("https://sip.example.com/x", "sip.example.com"), ("sip.example.com:5061",
                                                                  "sip.example.com"),
                ("[2001:DB8::1]", "2001:db8::1"), ("2001:db8:0:0::1", "2001:db8::1"),
                ("bücher.example", ""), ("*.example.com", ""), ("", ""), ("a b.example", "")):
            with self.subTest(host):
                self.refused(self.target(host=host), "invalid_host", "/targets/0/host", suggestion)
        self.refused({"targetHost": "Sip.Example", "wssPort": 443, "pins": {"primary": "0" * 64}},
                     "invalid_host", "/targetHost", "sip.example")
        error = self.fails(2, "invalid_host", "manifest", "lint",
                           self.write("idn.json", self.target(host="bücher.example")))
        self.assertIn("A-label", error["expected"])

    def test_pins_that_are_none(self):
        digest = "AB" * 32
        colons = ":".join(["ab"] * 32)
        for pin, suggestion in (
                (digest, "cert-sha256:" + "ab" * 32), (colons, "cert-sha256:" + "ab" * 32),
                ("SHA256 Fingerprint=" + colons.upper(), "cert-sha256:" + "ab" * 32),
                ("spki-sha256:" + digest, "spki-sha256:" + "ab" * 32),
                ("ab" * 31, ""), ("ab" * 20, ""), ("sha1/AAAA", ""), ("3 1 1 " + "ab" * 32, ""),
                ("<64 hex>", "")):
            with self.subTest(pin):
                if pin.startswith("3 1 1"):
                    error = self.fails(2, "invalid_pin", "manifest", "lint",
                                       self.write("bad.json", self.pins(primary=pin)))
                    self.assertIn("usage 3", error["expected"])
                else:
                    self.refused(self.pins(primary=pin), "invalid_pin",
                                 "/targets/0/pins/primary", suggestion)

    def test_values_out_of_bounds(self):
        breaker = {"maxConsecutiveFailures": 3, "cooldownSeconds": 300, "alertThreshold": 2}
        region = {"name": "eu", "prefixes": ["192.0.2.0/24"], "pins": {"primary": "0" * 64}}
        for content, code, pointer, *more in (
                (document(sequence=0), "invalid_value", "/sequence"),
                (document(sequence=1 << 40), "invalid_value", "/sequence"),
                (self.target(port=0), "invalid_port", "/targets/0/port"),
                (self.target(port=65536), "invalid_port", "/targets/0/port"),
                (self.pins(rotationWindowDays=367), "invalid_value",
                 "/targets/0/pins/rotationWindowDays"),
                (self.pins(primary=[]), "invalid_value", "/targets/0/pins/primary"),
                (document(targets=[]), "invalid_value", "/targets"),
                (document(targets=document()["targets"] * 2), "duplicate_target", "/targets/1"),
                (document(targetHost="a.example"), "conflicting_keys", "/targetHost"),
                (document(verificationPolicy="lenient"), "invalid_value", "/verificationPolicy",
                 "strict"),
                (document(circuitBreakerConfig={**breaker, "alertThreshold": 4}), "invalid_value",
                 "/circuitBreakerConfig/alertThreshold"),
                (document(circuitBreakerConfig={**breaker, "maxConsecutiveFailures": 101}),
                 "invalid_value", "/circuitBreakerConfig/maxConsecutiveFailures"),
                (document(circuitBreakerConfig={**breaker, "fallbackBehavior": "allow"}),
                 "invalid_value", "/circuitBreakerConfig/fallbackBehavior", "block_and_notify"),
                (document(lockRecovery="probe"), "invalid_value", "/lockRecovery"),
                (document(expires="2027-01-01"), "invalid_timestamp", "/expires",
                 "2027-01-01T00:00:00Z"),
                (document(expires="2027-01-01T00:00:00.000Z"), "invalid_timestamp", "/expires",
                 "2027-01-01T00:00:00Z"),
                (document(expires="2027-01-01T00:00:00+02:00"), "invalid_timestamp", "/expires"),
                (document(reportingEndpoint="http://siem.example/"), "insecure_scheme",
                 "/reportingEndpoint"),
                (document(reportingEndpoint="https://u:p@siem.example/"), "invalid_url",
                 "/reportingEndpoint"),
                (document(runtime=[]), "invalid_value", "/runtime"),
                (document(runtime=[{"library": "OpenSSL"}]), "invalid_value", "/runtime/0/library",
                 "openssl"),
                (document(runtime=[{"library": "openssl", "atLeast": "three"}]), "invalid_version",
                 "/runtime/0/atLeast"),
                (document(runtime=[{"library": "openssl", "atLeast": "3", "below": "3"}]),
                 "invalid_value", "/runtime/0/below"),
                (self.pins(primary={"pin": "0" * 64, "notAfter": time_text(1)}), "conflicting_keys",
                 "/targets/0/pins/primary/notAfter"),
                (self.pins(fallback={"pin": "0" * 64, "notAfter": time_text(1),
                                     "offlineBackup": True}), "conflicting_keys",
                 "/targets/0/pins/fallback/offlineBackup"),
                (self.target(pins=None, regions=[region]), "wrong_type", "/targets/0/pins"),
                (self.target(regions=[region, region]), "duplicate_target",
                 "/targets/0/regions/1/name"),
                (self.target(regions=[{**region, "prefixes": ["192.0.2.1/24"]}]), "invalid_prefix",
                 "/targets/0/regions/0/prefixes/0", "192.0.2.0/24"),
                (self.target(regions=[{**region, "prefixes": ["::ffff:192.0.2.0/120"]}]),
                 "invalid_prefix", "/targets/0/regions/0/prefixes/0"),
                (self.target(regions=[{**region, "default": True}]), "conflicting_keys",
                 "/targets/0/regions/0/default"),
                (document(critical=["sequence", "x-new"]), "unknown_critical", "/critical/1")):
            with self.subTest(code=code, pointer=pointer):
                path = self.write("bad.json", content)
                self.fails(2, code, "manifest", "lint", path, pointer=pointer,
                           suggestion=more[0] if more else None)

    def test_secrets_are_not_repeated(self):
        for content in (document(reportingEndpoint="https://u:hunter2@siem.example/"),
                        self.target(host="u:hunter2@sip.example")):
            result = cotter("manifest", "lint", self.write("bad.json", content), "--json")
            self.assertNotIn("hunter2", result.stdout + result.stderr)

    def test_unknown_keys_are_named_with_what_may_have_been_meant(self):
        result = cotter("manifest", "lint", self.write("m.json", self.pins(rotationWindowDay=3)),
                        "--json")
        found = [one for one in result.lines if one["code"] == "unknown_key"]
        self.assertEqual([(one["pointer"], one["do"]) for one in found],
                         [("/targets/0/pins/rotationWindowDay", "write rotationWindowDays")])
        self.fails(2, "unknown_key", "manifest", "init", "--from", self.path("m.json"),
                   pointer="/targets/0/pins/rotationWindowDay", suggestion="rotationWindowDays")


class TheManual(unittest.TestCase):
    """docs/manifest.md names what the reader reads, and what it says when it refuses."""

    def rows(self, heading):
        manual = read(os.path.join(repository, "docs", "manifest.md"))
        section = re.search(rf"^## {heading}$(.*?)^## ", manual, re.M | re.S).group(1)
        table = section.split("\n\n|")[1]
        return [re.split(r" *\| *", line)[1:-1] for line in table.splitlines()[2:]
                if line.startswith("|")]

    def test_every_key_has_a_row(self):
        reader = read(os.path.join(repository, "integrations", "json", "cotter", "json",
                                   "manifest.hpp"))
        known = set()
        for one in re.findall(r"> \w+_keys\{(.*?)\};", reader, re.S):
            known |= set(re.findall(r'"(\w+)"', one))
        self.assertGreater(len(known), 30)
        named = {name for row in self.rows("Keys") for name in re.findall(r"`/?(\w+)`", row[0])}
        # `targets` hold `pins`, which the row of `/pins` explains.
        self.assertEqual(known, named)

    def test_every_code_is_one(self):
        errors = read(os.path.join(repository, "include", "cotter", "values", "error.hpp"))
        codes = set(re.findall(r'"([a-z0-9_]+)"', errors))
        for row in self.rows("Keys"):
            self.assertLessEqual(set(re.findall(r"`([a-z_]+)`", row[4])), codes, row)


class Files(Manifest):
    def test_a_result_is_written_whole_or_not_at_all(self):
        before = self.write("pins.json", "before")
        self.fails(3, "unreadable", "manifest", "init", "--from", self.path("absent"), "-o", before)
        self.assertEqual(read(before), "before")
        self.fails(3, "unwritable", "manifest", "init", "--from", self.write("m.json", document()),
                   "-o", self.path("no/such/place"))
        os.symlink("pins.json", self.path("link"))
        self.succeeds("manifest", "init", "--from", self.path("m.json"), "-o", self.path("link"))
        self.assertTrue(os.path.islink(self.path("link")))
        self.assertEqual(json.loads(read(before))["sequence"], 1)
        self.assertEqual(sorted(os.listdir(self.directory)), ["link", "m.json", "pins.json"])

    def test_certificates_and_backups(self):
        result = self.succeeds("manifest", "init", "--target", "sip.example:5061", "--cert",
                               pki("good.pem"), "--cert", pki("rsa.pem"), "--backup",
                               pki("other.pem"), "--spki", "--window-days", "20")
        self.assertEqual(json.loads(result.stdout)["targets"], [
            {"host": "sip.example", "port": 5061, "pins": {
                "primary": ["spki-sha256:" + spki_sha256(name) for name in ("good.pem", "rsa.pem")],
                "fallback": {"pin": "spki-sha256:" + spki_sha256("other.pem"), "label": "backup",
                             "offlineBackup": True}, "rotationWindowDays": 20}}])
        self.fails(2, "ca_pinned", "manifest", "init", "--target", "a.example:1", "--cert",
                   pki("ca.pem"))
        self.fails(3, "invalid_port", "manifest", "init", "--target", "a.example", "--cert",
                   pki("good.pem"))
        self.fails(3, "invalid_timestamp", "manifest", "init", "--issued", "yesterday", "--from",
                   guide("pin-manifest.json"))

    def test_two_writers_leave_the_newest_memory(self):
        private, public = self.keys("k")
        many = [self.signed(f"{n}.json", document(sequence=n), private) for n in range(1, 9)]
        running = [subprocess.Popen([settings.command, *self.verify(one, public), "--state",
                                     self.path("state.json")], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL) for one in many]
        for one in running:
            one.wait(timeout=60)
        self.assertEqual(json.loads(read(self.path("state.json")))["order"], 8)


if __name__ == "__main__":
    main()
