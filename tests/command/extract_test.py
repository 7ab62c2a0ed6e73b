# SPDX-License-Identifier: BSL-1.0
"""`cotter extract`: what it sees at edges good and bad, and what it makes of it."""

import base64
import contextlib
import json
import os
import re
import socket
import ssl
import struct
import subprocess

from lab import (Desk, certificate_sha256, cotter, der_of, exactly, hold, main, over_tls, pki, read,
                 repository, serving, spki_sha256)

line_keys = ["host", "port", "address", "tls", "presented", "validated", "trusted",
             "publicly_trusted", "fault", "backends"]
provoked = set()


def extract(*ports, host="localhost", public="other-ca"):
    """Of edges on loopback that are all said to be `host`, port 443."""
    arguments = ["extract", host + ":443", "--ca", pki("ca.pem"), "--timeout", "5", "--json"]
    if public:
        arguments += ["--public-ca", pki(public + ".pem")]
    for port in ports:
        arguments += ["--connect", f"127.0.0.1:{port}"]
    return cotter(*arguments)


def warnings(result):
    found = [one["code"] for one in result.lines[-1]["warnings"]]
    provoked.update(found)
    return sorted(set(found))


@contextlib.contextmanager
def s_server(name, *options):
    """The openssl command's own server. Yields its port."""
    process = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", pki(name + ".pem"), "-key",
         pki(name + ".key"), *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        for line in process.stdout:
            found = re.match(rb"ACCEPT .*:(\d+)", line)
            if found:
                break
        yield int(found.group(1))
    finally:
        process.kill()
        process.communicate()


def sends(der):
    """A server that answers in TLS 1.2 with this as its certificate, and stops there."""
    def message(kind, body):
        return bytes([kind]) + struct.pack(">I", len(body))[1:] + body

    def length(octets):
        return struct.pack(">I", len(octets))[1:] + octets

    hello = message(2, b"\x03\x03" + bytes(32) + b"\x00" + b"\xc0\x2b" + b"\x00" +
                    b"\x00\x05\xff\x01\x00\x01\x00")
    chain = message(11, length(length(der)))

    def behave(connection):
        head = exactly(connection, 5)
        exactly(connection, int.from_bytes(head[3:], "big"))
        for one in hello, chain:
            connection.sendall(b"\x16\x03\x03" + struct.pack(">H", len(one)) + one)
        connection.shutdown(socket.SHUT_WR)
        hold(connection)

    return behave


class Extract(Desk):
    def leaf(self, result, at=0):
        return result.lines[-1]["leaves"][at]

    def test_one_edge_seen_in_both_versions_by_every_library(self):
        with s_server("chained", "-cert_chain", pki("intermediate.pem")) as port:
            result = extract(port)
        first, second, summary = result.lines
        for line, version in (first, "TLSv1.2"), (second, "TLSv1.3"):
            self.assertEqual(list(line), line_keys)
            self.assertEqual((line["host"], line["port"], line["tls"], line["address"]),
                             ("localhost", 443, version, f"127.0.0.1:{port}"))
            self.assertEqual((line["trusted"], line["publicly_trusted"], line["fault"]),
                             (True, False, None))
            # As presented: without the anchor. As validated: with it.
            self.assertEqual([one["certificate_sha256"] for one in line["presented"]],
                             [certificate_sha256("chained.pem"),
                              certificate_sha256("intermediate.pem")])
            self.assertEqual([one["certificate_sha256"] for one in line["validated"]][2:],
                             [certificate_sha256("ca.pem")])
            self.assertEqual([one["ca"] for one in line["validated"]], [False, True, True])
            self.assertEqual(base64.b64decode(line["presented"][0]["der"]), der_of("chained.pem"))
            self.assertEqual(sorted(line["backends"]), ["mbedtls", "openssl", "wolfssl"])
            for one in line["backends"].values():
                if one["speaks"]:
                    self.assertEqual((one["fingerprint"], one["trusted"]),
                                     (certificate_sha256("chained.pem"), True))
        self.assertTrue(first["backends"]["mbedtls"]["speaks"])
        self.assertEqual((summary["edges"], summary["silent"], summary["agree"]), (2, 0, True))

    def test_pins_in_every_spelling(self):
        with serving(over_tls(hold)) as port:
            leaf = self.leaf(extract(port))
        certificate, key = certificate_sha256("good.pem"), spki_sha256("good.pem")
        encoded = base64.b64encode(bytes.fromhex(key)).decode()
        self.assertEqual(leaf["pins"], {
            "certificate": "cert-sha256:" + certificate, "key": "spki-sha256:" + key,
            "curl": "sha256//" + encoded, "okhttp": "sha256/" + encoded,
            "hpkp": f'pin-sha256="{encoded}"', "tlsa_certificate": "1 0 1 " + certificate,
            "tlsa_key": "1 1 1 " + key})
        for pin in leaf["pins"].values():
            document = {"targets": [{"host": "a.example", "port": 1, "pins": {"primary": pin}}]}
            self.succeeds("manifest", "show", self.write("one.json", document))

    def test_days_left(self):
        for days, near in (10, True), (29, True), (40, False), (100, False):
            name = self.certificate("days", days=days)
            with self.subTest(days), serving(over_tls(hold, name)) as port:
                result = extract(port)
                self.assertIn(self.leaf(result)["days_left"], (days - 1, days))
                self.assertEqual(warnings(result), ["renewal_near"] if near else [])
                self.assertEqual(result.status, 1 if near else 0)

    def test_edges_that_agree(self):
        with serving(over_tls(hold)) as one, serving(over_tls(hold)) as two:
            result = extract(one, two)
        summary = result.lines[-1]
        self.assertEqual((summary["edges"], summary["agree"], len(summary["leaves"])), (4, True, 1))
        self.assertNotIn("edges_disagree", warnings(result))

    def test_edges_that_disagree(self):
        with serving(over_tls(hold)) as one, serving(over_tls(hold, "other")) as two:
            result = extract(one, two)
        summary = result.lines[-1]
        self.assertEqual((summary["edges"], summary["agree"], result.status), (4, False, 1))
        self.assertIn("edges_disagree", warnings(result))
        self.assertEqual([one["pins"]["certificate"] for one in summary["leaves"]],
                         ["cert-sha256:" + certificate_sha256(name)
                          for name in ("good.pem", "other.pem")])
        self.assertEqual(len(summary["manifest_fragment"]["targets"][0]["pins"]["primary"]), 2)

    def test_the_versions_of_one_edge_may_disagree_too(self):
        def behave(connection):
            hello = connection.recv(16384, socket.MSG_PEEK)
            modern = b"\x00\x2b\x00\x03\x02\x03\x04" in hello  # supported_versions: TLS 1.3 alone
            over_tls(hold, "other" if modern else "good")(connection)

        with serving(behave) as port:
            result = extract(port)
        self.assertEqual(warnings(result), ["edges_disagree", "renewal_near"])

    def test_an_edge_without_one_of_the_versions_is_no_fault(self):
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            with self.subTest(version), serving(over_tls(hold, only=version)) as port:
                result = extract(port)
                summary = result.lines[-1]
                self.assertEqual((summary["edges"], summary["silent"], summary["agree"]),
                                 (1, 1, True))
                self.assertEqual(warnings(result), ["renewal_near"])

    def test_the_fragment_becomes_a_manifest(self):
        with serving(over_tls(hold)) as port:
            for public, pin in (("other-ca", "cert-sha256:" + certificate_sha256("good.pem")),
                                ("ca", "spki-sha256:" + spki_sha256("good.pem"))):
                result = extract(port, public=public)
                fragment = result.lines[-1]["manifest_fragment"]
                self.assertEqual(fragment, {"targets": [{
                    "host": "localhost", "port": 443, "pins": {"primary": pin}}]})
                made = json.loads(self.succeeds("manifest", "init", "--from",
                                                self.write("f.json", fragment)).stdout)
                self.assertEqual(made["targets"], fragment["targets"])
                live = self.succeeds("manifest", "init", "--live", "localhost:443", "--connect",
                                     f"127.0.0.1:{port}", "--ca", pki("ca.pem"), "--public-ca",
                                     pki(public + ".pem"))
                self.assertEqual(json.loads(live.stdout)["targets"], made["targets"])

    def test_people_are_told_the_same(self):
        with serving(over_tls(hold)) as one, serving(over_tls(hold, "other")) as two:
            result = cotter("extract", "localhost:443", "--ca", pki("ca.pem"), "--public-ca",
                            pki("ca.pem"), "--connect", f"127.0.0.1:{one}", "--connect",
                            f"127.0.0.1:{two}")
        for text in ("they do not all agree", "manifest fragment", "days left", "sha256//",
                     certificate_sha256("other.pem")):
            self.assertIn(text, result.stdout)
        for code in "edges_disagree", "public_leaf", "renewal_near":
            self.assertIn(code, result.stderr)

    def test_a_public_leaf_is_a_bad_idea(self):
        with serving(over_tls(hold)) as port:
            result = extract(port, public="ca")
        self.assertTrue(result.lines[0]["publicly_trusted"])
        self.assertIn("public_leaf", warnings(result))
        self.assertEqual(result.status, 1)

    def test_what_cotter_would_refuse_is_refused(self):
        for name, code in ("foreign", "not_trusted"), ("expired", "not_trusted"), (
                "wrong-name", "wrong_name"), ("cn-only", "wrong_name"):
            with self.subTest(name), serving(over_tls(hold, name)) as port:
                result = extract(port)
                self.assertEqual(result.status, 2)
                self.assertIn(code, warnings(result))
                self.fails(2, warnings(result)[0] if code != "wrong_name" else "not_trusted",
                           "manifest", "init", "--live", "localhost:443", "--ca", pki("ca.pem"),
                           "--public-ca", pki("other-ca.pem"), "--connect", f"127.0.0.1:{port}")

    def test_silent_edges(self):
        with serving(over_tls(hold)) as good, serving(lambda c: c.sendall(b"hello\r\n")) as dumb:
            result = extract(good, dumb)
            self.assertEqual((result.lines[-1]["silent"], result.status), (2, 1))
            self.assertIn("edge_silent", warnings(result))
            result = extract(dumb)
            self.assertIn("no_leaf", warnings(result))
            self.assertEqual((result.status, result.lines[-1]["manifest_fragment"],
                              result.lines[-1]["agree"]), (3, None, False))

    def test_a_library_that_does_not_get_through(self):
        name = self.certificate("modern", algorithm="ed25519", days=60)
        with serving(over_tls(hold, name)) as port:
            result = extract(port)
        self.assertEqual((warnings(result), result.status), (["library_blind"], 1))
        self.assertFalse(result.lines[-1]["agree"])
        self.assertIsNone(result.lines[0]["backends"]["mbedtls"]["fingerprint"])

    def test_libraries_that_see_different_certificates(self):
        count = iter(range(100))

        def behave(connection):
            over_tls(hold, "good" if next(count) % 4 == 0 else "other")(connection)

        with serving(behave) as port:
            result = extract(port)
        self.assertEqual(result.status, 2)
        self.assertIn("libraries_disagree", warnings(result))
        self.assertFalse(result.lines[-1]["agree"])

    def test_certificates_that_are_none(self):
        garbage = b"\x30\x03\x02\x01\x05"
        with serving(sends(garbage)) as port:
            result = extract(port)
        self.assertEqual(result.status, 2)
        self.assertIn("malformed_certificate", warnings(result))
        self.assertEqual(result.lines[-1]["leaves"], [])

    def test_certificates_without_a_place_for_their_validity(self):
        inside = bytes.fromhex("3003020101" "300a06082a8648ce3d040302" "03020001")
        hollow = b"\x30" + bytes([len(inside)]) + inside
        with serving(sends(hollow)) as port:
            result = extract(port)
        self.assertEqual(result.status, 2)
        self.assertIn("validity_unlocated", warnings(result))

    def test_certificates_in_another_spelling_than_der(self):
        der = der_of("good.pem")
        self.assertEqual(der[:2], b"\x30\x82")
        with serving(sends(b"\x30\x83\x00" + der[2:])) as port:
            result = extract(port)
        self.assertIn("not_canonical", warnings(result))
        self.assertEqual(self.leaf(result)["pins"]["certificate"],
                         "cert-sha256:" + certificate_sha256("good.pem"))

    def test_what_cannot_be_looked_at(self):
        for code, arguments in (
                ("invalid_port", ["localhost"]), ("invalid_port", ["localhost:0"]),
                ("invalid_port", ["localhost:65536"]), ("invalid_host", ["LOCALHOST:1"]),
                ("invalid_host", ["localhost.:1"]), ("invalid_host", ["bücher.example:1"]),
                ("invalid_host", ["::1:443"]), ("resolve_failed", ["nowhere.invalid:1"]),
                ("invalid_host", ["localhost:1", "--connect", "localhost:1"]),
                ("unfit_trust_anchors", ["localhost:1", "--public-ca", self.path("absent")])):
            with self.subTest(arguments):
                self.fails(3, code, "extract", *arguments)

    @classmethod
    def tearDownClass(cls):
        source = read(os.path.join(repository, "tools", "cotter", "extract.cpp"))
        codes = set(re.findall(r'\bsay\("([a-z_]+)"', source))
        if codes - provoked:
            raise AssertionError(f"no test provokes {sorted(codes - provoked)}")


if __name__ == "__main__":
    main()
