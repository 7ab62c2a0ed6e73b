# SPDX-License-Identifier: BSL-1.0
"""`cotter connect` with one backend: what it accepts, refuses and cannot judge."""

import base64
import json
import os
import tempfile
import time
import unittest

from lab import (accept_upgrade, certificate_sha256, cotter, counting, hold, main, openssl,
                 over_tls, pki, read_message, read_until, serving, settings, spki_sha256,
                 text_frame)

keys = ["attempt", "verdict", "reason", "diagnosis", "backend", "build", "fingerprint", "matched",
        "pin_label", "would_refuse", "resumed", "tls", "target", "peer", "tcp", "breaker", "received"]
wrong_pin = "cert-sha256:" + "00" * 32


def pin_of(name):
    return "cert-sha256:" + certificate_sha256(name)


def connect(url, *options, pin=None, ca=None, **more):
    arguments = ["connect", url, "--json", "--backend", settings.backend]
    if "--timeout" not in options:
        arguments += ["--timeout", "5"]
    if ca is not False:
        arguments += ["--ca", ca or pki("ca.pem")]
    if pin is not False:
        arguments += ["--pin", pin or pin_of("good.pem")]
    return cotter(*arguments, *options, **more)


def here(port, scheme="tls://"):
    return f"{scheme}localhost:{port}"


class Connect(unittest.TestCase):
    def accepted(self, result, matched="primary", status=0):
        self.assertEqual(result.status, status, result.stdout + result.stderr)
        line = result.line
        self.assertEqual(list(line), keys + (["error"] if status else []))
        self.assertEqual((line["verdict"], line["reason"], line["matched"]),
                         ("accepted", None, matched))
        self.assertEqual((line["backend"], line["resumed"], line["tcp"], line["diagnosis"]),
                         (settings.backend, False, True, None))
        self.assertIn(line["tls"], ["TLSv1.2", "TLSv1.3"])
        return line

    def refused(self, result, reason, name):
        self.assertEqual(result.status, 2, result.stdout + result.stderr)
        line = result.line
        self.assertEqual((line["verdict"], line["reason"], line["error"]["code"], line["matched"]),
                         ("refused", reason, reason, None))
        self.assertEqual(line["fingerprint"], certificate_sha256(name))
        self.assertIn(reason, result.stderr)
        return line

    def undecided(self, result, *codes):
        self.assertEqual(result.status, 3, result.stdout + result.stderr)
        line = result.line
        self.assertEqual((line["verdict"], line["reason"]), (None, None))
        self.assertIn(line["error"]["code"], codes)
        for part in "seen", "expected", "do":
            self.assertTrue(line["error"][part])
            self.assertNotIn("\n", line["error"][part])
        self.assertIn(line["error"]["code"], result.stderr)
        return line

    # What is accepted.

    def test_a_pinned_certificate_is_accepted_and_nothing_is_sent(self):
        with counting("good") as (port, seen):
            line = self.accepted(connect(here(port)))
            self.assertEqual(line["fingerprint"], certificate_sha256("good.pem"))
            self.assertEqual(line["target"], {"host": "localhost", "port": port})
            self.assertIn(str(port), line["peer"])
            served, = seen(1)
            self.assertEqual((served["handshake"], served["application_bytes"]), ("ok", 0))

    def test_every_scheme_with_tls_is_understood(self):
        with counting("good") as (port, _):
            for url in (here(port, "wss://") + "/", here(port, "https://") + "/x?y",
                        here(port, "sips:"), here(port, "TLS://"), f"tls://127.0.0.1:{port}"):
                with self.subTest(url):
                    self.accepted(connect(url))

    def test_every_spelling_of_a_pin_is_understood(self):
        key = bytes.fromhex(spki_sha256("good.pem"))
        with counting("good") as (port, _):
            for pin in (pin_of("good.pem"), "spki-sha256:" + key.hex(),
                        "sha256//" + base64.b64encode(key).decode()):
                with self.subTest(pin):
                    self.accepted(connect(here(port), pin=pin))

    def test_one_of_several_pins_is_enough_and_a_fallback_says_so(self):
        with counting("good") as (port, _):
            self.accepted(connect(here(port), "--pin", pin_of("good.pem"), pin=wrong_pin))
            self.accepted(connect(here(port), "--fallback-pin", pin_of("good.pem"), pin=wrong_pin),
                          matched="fallback")

    def test_chains_and_key_types(self):
        for name in "rsa", "large", "chained":
            with self.subTest(name), counting(name) as (port, _):
                self.accepted(connect(here(port), pin=pin_of(name + ".pem")))

    def test_connect_goes_elsewhere_and_expects_the_urls_host(self):
        with counting("good") as (port, _):
            line = self.accepted(connect("wss://localhost/", "--connect", f"127.0.0.1:{port}"))
            self.assertEqual(line["target"], {"host": "localhost", "port": 443})
            self.assertEqual(line["peer"], f"127.0.0.1:{port}")
            self.refused(connect("wss://other.example/", "--connect", f"127.0.0.1:{port}"),
                         "hostname", "good.pem")

    def test_a_message_over_a_websocket_is_answered(self):
        heard = []

        def behave(tls):
            heard.append(accept_upgrade(tls))
            heard.append(read_message(tls))
            tls.sendall(text_frame(b"SIP/2.0 200 OK\r\n\r\n"))
            hold(tls)

        with serving(over_tls(behave)) as port:
            result = connect(here(port, "wss://") + "/ws", "--send",
                             r"OPTIONS sip:x SIP/2.0\r\n\r\n")
            self.assertEqual(self.accepted(result)["received"], "SIP/2.0 200 OK\r\n\r\n")
            self.assertIn("GET /ws HTTP/1.1\r\n", heard[0])
            self.assertIn("Sec-WebSocket-Protocol: sip\r\n", heard[0])
            self.assertEqual(heard[1], b"OPTIONS sip:x SIP/2.0\r\n\r\n")
            self.accepted(connect(here(port, "wss://"), "--send", "hello"))
            self.assertNotIn("Sec-WebSocket-Protocol", heard[2])
            self.accepted(connect(here(port, "wss://"), "--send", "hello", "--subprotocol", "chat"))
            self.assertIn("Sec-WebSocket-Protocol: chat\r\n", heard[4])

    def test_https_reports_the_status_line(self):
        heard = []

        def behave(tls):
            heard.append(read_until(tls, b"\r\n\r\n"))
            tls.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

        with serving(over_tls(behave)) as port:
            line = self.accepted(connect(here(port, "https://") + "/health", "--request"))
            self.assertEqual(line["received"], "HTTP/1.1 204 No Content")
            self.assertTrue(heard[0].startswith(b"GET /health HTTP/1.1\r\nHost: localhost:"))

    def test_sips_reads_a_whole_header_however_it_is_cut(self):
        def behave(tls):
            read_until(tls, b"\r\n\r\n")
            for piece in b"SIP/2.0 2", b"00 OK\r\nCSeq: 1 OPTIONS\r", b"\n\r\n":
                tls.sendall(piece)
                time.sleep(0.05)
            hold(tls)

        with serving(over_tls(behave)) as port:
            line = self.accepted(connect(here(port, "sips:"), "--send",
                                         "OPTIONS sip:localhost SIP/2.0\r\n\r\n"))
            self.assertEqual(line["received"], "SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\n\r\n")

    def test_a_client_certificate_is_shown(self):
        def behave(tls):
            tls.sendall(tls.getpeercert()["subject"][0][0][1].encode() + read_until(tls, b"\n"))

        with serving(over_tls(behave, client_ca=pki("ca.pem"))) as port:
            line = self.accepted(connect(here(port), "--cert", pki("client.pem"), "--key",
                                         pki("client.key"), "--send", r"!\n"))
            self.assertEqual(line["received"], "client!\n")

    # What is refused: before one application byte.

    def test_refusals_name_their_reason_and_send_nothing(self):
        cases = [("other", "pin_mismatch", {}),
                 ("good", "pin_mismatch", {"pin": wrong_pin}),
                 ("good", "pin_mismatch", {"pin": "spki-sha256:" + "00" * 32}),
                 ("foreign", "pkix", {"pin": pin_of("foreign.pem")}),
                 ("expired", "validity", {"pin": pin_of("expired.pem")}),
                 ("not-yet", "validity", {"pin": pin_of("not-yet.pem")}),
                 ("wrong-name", "hostname", {"pin": pin_of("wrong-name.pem")}),
                 ("cn-only", "hostname", {"pin": pin_of("cn-only.pem")}),
                 ("expired-intermediate", "pkix", {"pin": pin_of("expired-intermediate.pem")})]
        for name, reason, options in cases:
            with self.subTest(name=name, reason=reason), counting(name) as (port, seen):
                for scheme in "wss://", "sips:":
                    self.refused(connect(here(port, scheme), "--send", "secret", **options), reason,
                                 name + ".pem")
                for served in seen(2):
                    self.assertTrue(served["handshake"].startswith("failed"), served)
                    self.assertEqual(served["application_bytes"], 0)

    def test_trust_comes_from_the_named_bundle_alone(self):
        with counting("good") as (port, _):
            self.refused(connect(here(port), ca=pki("other-ca.pem")), "pkix", "good.pem")
            environment = {"SSL_CERT_FILE": pki("ca.pem"), "SSL_CERT_DIR": settings.pki}
            self.refused(connect(here(port), ca=False, environment=environment), "pkix", "good.pem")

    def test_the_breaker_cools_then_locks_before_tcp(self):
        with counting("other") as (port, seen):
            result = connect(here(port), "--attempts", "6", "--cooldown-ms", "300")
            self.assertEqual(result.status, 2)
            self.assertEqual([(line["attempt"], line["reason"], line["tcp"], line["breaker"])
                              for line in result.lines],
                             [(1, "pin_mismatch", True, "closed"),
                              (2, "pin_mismatch", True, "cooling"),
                              (3, "breaker_cooling", False, "cooling"),
                              (4, "pin_mismatch", True, "locked"),
                              (5, "breaker_locked", False, "locked"),
                              (6, "breaker_locked", False, "locked")])
            self.assertEqual(len(seen(3)), 3)

    def test_max_failures_locks_sooner(self):
        with counting("other") as (port, _):
            result = connect(here(port), "--attempts", "2", "--max-failures", "1")
            self.assertEqual([line["reason"] for line in result.lines],
                             ["pin_mismatch", "breaker_locked"])

    # What gives no verdict.

    def test_a_port_where_nobody_listens(self):
        with serving(hold) as port:
            pass
        line = self.undecided(connect(here(port)), "connect_failed")
        self.assertIs(line["tcp"], False)

    def test_a_name_without_address(self):
        line = self.undecided(connect("tls://no-such-host.invalid:1"), "resolve_failed", "timeout")
        self.assertIs(line["tcp"], False)

    def test_a_server_that_hangs_is_left_at_the_deadline(self):
        with serving(hold) as port:
            result = connect(here(port), "--timeout", "0.5")
            line = self.undecided(result, "timeout")
            self.assertIs(line["tcp"], True)
            self.assertLess(result.seconds, 4)

    def test_a_server_that_trickles_is_left_at_the_deadline(self):
        def behave(connection):
            connection.sendall(b"\x16\x03\x03\x40\x00")
            while True:
                connection.sendall(b"\0")
                time.sleep(0.05)

        with serving(behave) as port:
            result = connect(here(port), "--timeout", "0.7")
            self.undecided(result, "timeout", "tls_failure")
            self.assertLess(result.seconds, 4)

    def test_servers_that_do_not_speak_tls(self):
        def closes(connection):
            connection.recv(1)

        def plain_http(connection):
            connection.recv(1)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            hold(connection)

        def garbage(connection):
            connection.recv(1)
            connection.sendall(bytes(range(256)) * 64)
            hold(connection)

        def an_alert(connection):
            connection.recv(1)
            connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
            hold(connection)

        for behave in closes, plain_http, garbage, an_alert:
            with self.subTest(behave.__name__), serving(behave) as port:
                result = connect(here(port, "wss://"), "--send", "secret")
                code = ["tls_truncated"] if behave is closes else ["tls_failure"]
                self.undecided(result, *code)
                self.assertLess(result.seconds, 4)

    def test_a_server_that_closes_at_once(self):
        with serving(lambda connection: None) as port:
            self.undecided(connect(here(port)), "tls_truncated", "tls_closed")

    # What is accepted, and then goes wrong: a warning.

    def warned(self, result, *codes):
        line = self.accepted(result, status=1)
        self.assertIn(line["error"]["code"], codes)
        self.assertIsNone(line["received"])

    def test_an_answer_that_does_not_come(self):
        with serving(over_tls(hold)) as port:
            for scheme in "wss://", "https://", "sips:", "tls://":
                with self.subTest(scheme):
                    result = connect(here(port, scheme), "--timeout", "0.7", "--send", "hello")
                    self.warned(result, "timeout")
                    self.assertLess(result.seconds, 5)

    def test_a_server_without_websocket(self):
        def behave(tls):
            read_until(tls, b"\r\n\r\n")
            tls.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            hold(tls)

        with serving(over_tls(behave)) as port:
            result = connect(here(port, "wss://"), "--send", "hello")
            self.warned(result, "upgrade_refused")
            self.assertIn("404", result.stderr)

    def test_a_server_that_closes_instead_of_answering(self):
        def behave(tls):
            tls.recv(1)

        with serving(over_tls(behave)) as port:
            self.warned(connect(here(port), "--send", "hello"), "tls_closed", "tls_truncated")

    def test_an_answer_without_end(self):
        def behave(tls):
            tls.recv(1)
            while True:
                tls.sendall(b"x" * 4096)

        with serving(over_tls(behave)) as port:
            self.warned(connect(here(port, "sips:"), "--send", "hello"), "message_too_big")

    def test_garbage_in_place_of_frames(self):
        def behave(tls):
            accept_upgrade(tls)
            tls.sendall(b"\xff" * 64)
            hold(tls)

        with serving(over_tls(behave)) as port:
            self.warned(connect(here(port, "wss://"), "--send", "hello"), "protocol_error")

    # What the command line got wrong.

    def test_bad_words(self):
        good = "cert-sha256:" + "ab" * 32
        cases = [("ws://localhost/", good, "insecure_scheme"),
                 ("http://localhost/", good, "insecure_scheme"),
                 ("sip:localhost", good, "insecure_scheme"),
                 ("gopher://localhost/", good, "invalid_url"),
                 ("localhost", good, "invalid_url"),
                 ("", good, "invalid_url"),
                 ("wss://user:hunter2@localhost/", good, "invalid_url"),
                 ("wss://localhost/#fragment", good, "invalid_url"),
                 ("wss://LOCALHOST/", good, "invalid_host"),
                 ("wss://localhost./", good, "invalid_host"),
                 ("wss://m\u00fcller.example/", good, "invalid_host"),
                 ("wss:///", good, "invalid_host"),
                 ("wss://localhost:0/", good, "invalid_port"),
                 ("wss://localhost:65536/", good, "invalid_port"),
                 ("tls://localhost", good, "invalid_port"),
                 ("wss://localhost/", "ab" * 32, "invalid_pin"),
                 ("wss://localhost/", "cert-sha256:" + "ab" * 31, "invalid_pin"),
                 ("wss://localhost/", "cert-sha256:" + "zz" * 32, "invalid_pin"),
                 ("wss://localhost/", "cert-sha1:" + "ab" * 20, "invalid_pin"),
                 ("wss://localhost/", "sha256//AAAA", "invalid_pin"),
                 ("wss://localhost/", "sha256/" + "A" * 42 + "=", "invalid_pin"),
                 ("wss://localhost/", "2 0 1 " + "ab" * 32, "invalid_pin"),
                 ("wss://localhost/", "", "invalid_pin")]
        for url, pin, code in cases:
            with self.subTest(url=url, pin=pin):
                result = cotter("connect", url, "--json", "--pin", pin)
                self.undecided(result, code)
                self.assertNotIn("hunter2", result.stdout + result.stderr)

    def test_it_never_connects_unpinned(self):
        with counting("good") as (port, seen):
            self.undecided(connect(here(port), pin=False), "usage")
            self.undecided(connect(here(port), "--fallback-pin", wrong_pin, pin=False), "usage")
            self.accepted(connect(here(port)))
            self.assertEqual(seen(1)[0]["connection"], 1)

    def test_bad_options(self):
        for options, code in ((["--connect", "localhost:1"], "invalid_host"),
                              (["--connect", "127.0.0.1"], "invalid_port"),
                              (["--connect", "127.0.0.1:0"], "invalid_port"),
                              (["--connect", "::1:443"], "invalid_host"),
                              (["--send", r"\q"], "usage"),
                              (["--cert", pki("client.pem"), "--key", "/no/such"], "unreadable"),
                              (["--cert", pki("client.pem"), "--key", pki("ca.pem")],
                               "unfit_credentials"),
                              (["--cert", pki("client.pem"), "--key", pki("good.key")],
                               "unfit_credentials")):
            with self.subTest(options):
                self.undecided(connect("tls://localhost:1", *options), code)
        for options in (["--timeout", "0"], ["--timeout", "soon"], ["--attempts", "0"],
                        ["--max-failures", "101"], ["--cert", "x"], ["--backend", "nss"]):
            with self.subTest(options):
                result = connect("tls://localhost:1", *options)
                self.assertEqual(result.status, 3)
                self.assertEqual(result.line["error"]["code"], "usage")

    def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked(self):
        with tempfile.TemporaryDirectory() as folder:
            locked = os.path.join(folder, "locked.key")
            openssl("pkey", "-in", pki("client.key"), "-aes256", "-passout", "pass:hunter2", "-out",
                    locked)
            result = connect("tls://localhost:1", "--cert", pki("client.pem"), "--key", locked)
            self.undecided(result, "unfit_credentials")

    def test_a_bundle_that_is_none(self):
        with tempfile.TemporaryDirectory() as folder:
            empty = os.path.join(folder, "empty.pem")
            with open(empty, "wb"):
                pass
            for ca, code in (("/no/such/file", "unreadable"), (folder, "unreadable"),
                             (empty, "unfit_trust_anchors"),
                             (pki("good.key"), "unfit_trust_anchors")):
                with self.subTest(ca):
                    self.undecided(connect("tls://localhost:1", ca=ca), code)

    def test_secrets_stay_where_they_are(self):
        with open(pki("client.key"), encoding="ascii") as file:
            key = file.read().split("\n")[1]
        with serving(hold) as port:
            result = connect(here(port, "wss://") + "/?token=hunter2", "--timeout", "0.3", "--send",
                             "hunter3", "--cert", pki("client.pem"), "--key", pki("client.key"))
            self.undecided(result, "timeout")
            for secret in "hunter2", "hunter3", key:
                self.assertNotIn(secret, result.stdout + result.stderr)

    def test_text_is_for_people_and_safe_for_their_terminal(self):
        def behave(tls):
            tls.recv(1)
            tls.sendall(b"one\x1b[2Jtwo\r\nthree\n")
            hold(tls)

        with serving(over_tls(behave)) as port:
            result = cotter("connect", here(port), "--pin", pin_of("good.pem"), "--ca",
                            pki("ca.pem"), "--backend", settings.backend, "--send", "x")
            self.assertEqual(result.status, 0)
            self.assertIn("accepted, primary pin", result.stdout)
            self.assertIn(pin_of("good.pem"), result.stdout)
            self.assertIn("three", result.stdout)
            self.assertNotIn("\x1b", result.stdout)
            self.assertRaises(json.JSONDecodeError, lambda: result.lines)


if __name__ == "__main__":
    main()
