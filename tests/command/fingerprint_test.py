# SPDX-License-Identifier: BSL-1.0
"""`cotter fingerprint`, as a person meets it."""

import os
import tempfile
import unittest

from lab import certificate_sha256, cotter, der_of, main, openssl, pki, spki_sha256


def element(tag, content, length_octets=None):
    """A DER element, or one whose length takes that many octets more than the first."""
    size = len(content)
    if length_octets is None:
        if size < 128:
            return bytes([tag, size]) + content
        length_octets = (size.bit_length() + 7) // 8
    return bytes([tag, 0x80 | length_octets]) + size.to_bytes(length_octets, "big") + content


def parts_of(der):
    """The elements inside the outer SEQUENCE: TBS, signatureAlgorithm, signatureValue."""
    parts = []
    at = header_size(der)
    while at < len(der):
        size = header_size(der[at:]) + content_size(der[at:])
        parts.append(der[at:at + size])
        at += size
    return parts


def header_size(der):
    return 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)


def content_size(der):
    return int.from_bytes(der[2:header_size(der)], "big") if der[1] & 0x80 else der[1]


def content_of(der):
    return der[header_size(der):]


class Fingerprint(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, octets, name="given"):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as out:
            out.write(octets)
        return path

    def error(self, *arguments, status=2, stdin=b""):
        result = cotter("fingerprint", "--json", *arguments, stdin=stdin)
        self.assertEqual(result.status, status, result.stderr)
        wrong = result.line["error"]
        self.assertEqual(set(wrong), {"code", "offset", "seen", "expected", "do"})
        self.assertIn(wrong["code"], result.stderr)
        return wrong

    def test_pem_der_and_stdin_give_what_openssl_gives(self):
        der = self.file(der_of("good.pem"))
        with open(pki("good.pem"), "rb") as pem:
            spellings = [("good.pem", [pki("good.pem")], b""), (der, [der], b""),
                         ("-", ["-"], pem.read()), ("-", ["-"], der_of("good.pem"))]
        for name, arguments, stdin in spellings:
            with self.subTest(name):
                result = cotter("fingerprint", "--json", *arguments, stdin=stdin)
                self.assertEqual(result.status, 0, result.stderr)
                self.assertEqual(result.stderr, "")
                line = result.line
                self.assertEqual(list(line), ["file", "certificate_sha256", "spki_sha256",
                                              "canonical", "not_after", "subject"])
                self.assertEqual(line["file"], arguments[0])
                self.assertEqual(line["certificate_sha256"], certificate_sha256("good.pem"))
                self.assertEqual(line["spki_sha256"], spki_sha256("good.pem"))
                self.assertIs(line["canonical"], True)
                self.assertEqual(line["subject"], "CN=localhost")

    def test_not_after_is_rfc_3339(self):
        line = cotter("fingerprint", "--json", pki("good.pem")).line
        said = openssl("x509", "-in", pki("good.pem"), "-noout", "-enddate", "-dateopt", "iso_8601")
        self.assertEqual(line["not_after"], said.decode().strip().removeprefix("notAfter=")
                         .replace(" ", "T"))

    def test_subject_is_rfc_4514_and_plain_ascii(self):
        path = os.path.join(self.folder.name, "made.pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", "/dev/null", "-out", path, "-utf8", "-subj",
                "/C=DE/O=M\u00fcller, S\u00f6hne/CN=a\u202eb")
        said = openssl("x509", "-in", path, "-noout", "-subject", "-nameopt", "RFC2253").decode()
        subject = cotter("fingerprint", "--json", path).line["subject"]
        self.assertEqual(subject, said.strip().removeprefix("subject="))
        self.assertTrue(subject.isascii())

    def test_text_gives_pins_ready_to_be_used(self):
        result = cotter("fingerprint", pki("good.pem"))
        self.assertEqual(result.status, 0)
        self.assertIn("cert-sha256:" + certificate_sha256("good.pem"), result.stdout)
        self.assertIn("spki-sha256:" + spki_sha256("good.pem"), result.stdout)

    def test_of_a_pem_file_the_first_certificate_counts(self):
        key = openssl("genpkey", "-algorithm", "ed25519")
        with open(pki("good.pem"), "rb") as one, open(pki("ca.pem"), "rb") as two:
            bundle = b"some words first\n" + key + one.read() + two.read()
        line = cotter("fingerprint", "--json", self.file(bundle)).line
        self.assertEqual(line["certificate_sha256"], certificate_sha256("good.pem"))

    def test_a_shell_spelled_otherwise_has_the_clean_pin_and_is_not_canonical(self):
        der = der_of("good.pem")
        tbs, algorithm, signature = parts_of(der)
        spellings = {
            "trailing octets": der + b"\0\0",
            "a second certificate": der + der_of("other.pem"),
            "outer length in 8 octets": element(0x30, content_of(der), 8),
            "outer length indefinite": b"\x30\x80" + content_of(der) + b"\0\0",
            "long signatureAlgorithm": element(
                0x30, tbs + element(0x30, content_of(algorithm), 4) + signature),
            "long signatureValue": element(
                0x30, tbs + algorithm + element(0x03, content_of(signature), 5)),
        }
        for name, spelled in spellings.items():
            with self.subTest(name):
                result = cotter("fingerprint", "--json", self.file(spelled))
                self.assertEqual(result.status, 0, result.stderr)
                self.assertEqual(result.line["certificate_sha256"], certificate_sha256("good.pem"))
                self.assertIs(result.line["canonical"], False)

    def test_a_field_that_cannot_be_located_is_null_and_named_and_the_pin_stands(self):
        der = der_of("good.pem")
        clean = cotter("fingerprint", "--json", self.file(der)).line
        validity = der.index(b"\x17\x0d")
        broken = {
            "not_after": der[:validity] + b"\x16" + der[validity + 1:],
            "subject": None,
        }
        subject = der.index(b"\x0c\x09localhost")
        broken["subject"] = der[:subject] + b"\x02" + der[subject + 1:]
        for name, octets in broken.items():
            with self.subTest(name):
                result = cotter("fingerprint", "--json", self.file(octets))
                self.assertEqual(result.status, 0, result.stderr)
                self.assertEqual(result.line["unlocated"], [name])
                self.assertIsNone(result.line[name])
                self.assertNotEqual(result.line["certificate_sha256"], clean["certificate_sha256"])

    def test_a_document_with_a_certificates_shell_has_a_pin_and_no_fields(self):
        request = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                          "-nodes", "-keyout", "/dev/null", "-outform", "der", "-subj", "/CN=x")
        line = cotter("fingerprint", "--json", self.file(request)).line
        self.assertEqual(line["unlocated"], ["spki_sha256", "not_after", "subject"])

    def test_every_truncation_is_an_error(self):
        der = der_of("good.pem")
        for size in [*range(1, 24), *range(24, len(der), 29), len(der) - 1]:
            with self.subTest(size):
                wrong = self.error(self.file(der[:size]))
                self.assertEqual(wrong["code"], "truncated")
                self.assertLessEqual(wrong["offset"], size)

    def test_bounds(self):
        der = der_of("good.pem")
        largest = cotter("fingerprint", "--json", self.file(der.ljust(65535, b"\0")))
        self.assertEqual(largest.line["certificate_sha256"], certificate_sha256("good.pem"))
        self.assertEqual(self.error(self.file(der.ljust(65536, b"\0")))["code"], "too_large")
        self.assertEqual(self.error(self.file(b"\x30" * (17 << 20)))["code"], "too_large")
        self.assertEqual(self.error("/dev/zero")["code"], "too_large")

    def test_what_is_no_certificate(self):
        with open(pki("good.pem"), "rb") as file:
            pem = file.read()
        with open(pki("good.key"), "rb") as file:
            key = file.read()
        lines = pem.split(b"\n")
        given = {
            "empty_input": b"",
            "not_a_certificate": b"hello, world\n",
            "pem_without_certificate": key,
            "truncated": b"\n".join(lines[:4]) + b"\n",
            "unexpected_tag": openssl("pkey", "-outform", "der", stdin=key),
        }
        for code, octets in given.items():
            with self.subTest(code):
                self.assertEqual(self.error(self.file(octets))["code"], code)
        garbled = b"\n".join([lines[0], b"!!!! this is not base64 !!!!", *lines[1:]])
        self.assertEqual(self.error(self.file(garbled))["code"], "not_a_certificate")
        self.assertEqual(self.error(self.file(b"\x89PNG\r\n\x1a\n\0"))["code"], "unexpected_tag")
        self.assertEqual(self.error("-", stdin=b"")["code"], "empty_input")

    def test_what_cannot_be_read_is_no_verdict(self):
        self.assertEqual(self.error(self.folder.name, status=3)["code"], "unreadable")
        self.assertEqual(self.error("/no/such/file", status=3)["code"], "unreadable")

    def test_several_files_give_a_line_each_and_the_worst_exit(self):
        empty = self.file(b"")
        result = cotter("fingerprint", "--json", pki("good.pem"), "/no/such/file", empty,
                        pki("other.pem"))
        self.assertEqual(result.status, 2)
        self.assertEqual(["error" in line for line in result.lines], [False, True, True, False])
        result = cotter("fingerprint", "--json", pki("good.pem"), "/no/such/file")
        self.assertEqual(result.status, 3)

    def test_names_of_files_are_shown_harmless(self):
        path = self.file(b"", "a\x1b[31mb")
        self.assertNotIn("\x1b", cotter("fingerprint", path).stderr)
        result = cotter("fingerprint", "--json", os.fsencode(self.folder.name) + b"/\xff")
        self.assertEqual(result.line["error"]["code"], "unreadable")

    def test_the_environment_changes_nothing(self):
        config = self.file(b"openssl_conf = missing\n[x]\n", "openssl.cnf")
        result = cotter("fingerprint", "--json", pki("good.pem"),
                        environment={"OPENSSL_CONF": config, "OPENSSL_MODULES": "/no/such/folder"})
        self.assertEqual(result.line["certificate_sha256"], certificate_sha256("good.pem"))


if __name__ == "__main__":
    main()
