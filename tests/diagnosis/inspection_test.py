#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""An inspection proxy whose CA the client trusts, between the command and real servers: mitmproxy
before Kamailio (SIP over TLS, SIP over WSS) and before nginx (HTTPS), for every backend."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import unittest

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / "command"))

from lab import certificate_sha256, cotter, main, pki  # noqa: E402

LAB = here.parent / "lab"
OPTIONS = ("OPTIONS sip:localhost SIP/2.0\r\nVia: SIP/2.0/TLS localhost;branch=z9hG4bKinspect\r\n"
           "Max-Forwards: 70\r\nFrom: <sip:a@localhost>;tag=1\r\nTo: <sip:localhost>\r\n"
           "Call-ID: inspect@localhost\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")

# What the proxy sees of its client: whether it finished the handshake, and every octet after it.
WITNESS = '''
import json

def say(**what):
    print(json.dumps(what), flush=True)

class Witness:
    def running(self):
        say(event="running")
    def tls_established_client(self, data):
        say(event="finished")
    def tls_failed_client(self, data):
        say(event="refused")
    def tcp_message(self, flow):
        if flow.messages[-1].from_client:
            say(event="octets", count=len(flow.messages[-1].content))
    def requestheaders(self, flow):
        say(event="octets", count=len(flow.request.path) + len(flow.request.headers))

addons = [Witness()]
'''


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Proxy:
    """One mitmdump in front of one server."""

    def __init__(self, directory, server_port, raw):
        self.port = free_port()
        self.log = directory / f"proxy-{self.port}.log"
        witness = directory / "witness.py"
        witness.write_text(WITNESS)
        arguments = ["mitmdump", "-q", "--listen-host", "127.0.0.1", "-p", str(self.port),
                     "--mode", f"reverse:https://localhost:{server_port}",
                     "--set", f"ssl_verify_upstream_trusted_ca={pki('ca.pem')}",
                     "--set", f"confdir={directory / 'confdir'}", "-s", str(witness)]
        if raw:
            arguments += ["--set", "tcp_hosts=.*"]
        self.file = open(self.log, "wb")
        self.process = subprocess.Popen(arguments, stdout=self.file, stderr=self.file)

    def seen(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()
                if line.startswith("{")]

    def wait_for(self, event, limit=60):
        end = time.monotonic() + limit
        while event not in [one["event"] for one in self.seen()]:
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"no {event} of mitmdump: {self.log.read_text()}")
            time.sleep(0.05)

    def since(self, count, *, settle=0.3):
        """What it saw after its first `count` events; waits until it has seen the end."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            new = self.seen()[count:]
            if {"refused", "finished"} & {one["event"] for one in new}:
                time.sleep(settle)
                return self.seen()[count:]
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.file.close()


def started(script, *arguments):
    out = subprocess.run([str(LAB / script), "start", *map(str, arguments)], check=True,
                         capture_output=True, text=True).stdout
    return dict(line.split("=", 1) for line in out.splitlines())


class Inspection(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with contextlib.ExitStack() as cleanup:
            directory = pathlib.Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
            (directory / "confdir").mkdir()
            kamailio = started("kamailio-start.sh", directory / "kamailio", pki("good.pem"),
                               pki("good.key"))
            cleanup.callback(subprocess.run, [str(LAB / "kamailio-start.sh"), "stop",
                                              str(directory / "kamailio")], check=True)
            nginx = started("nginx-start.sh", directory / "nginx", pki("good.pem"),
                            pki("good.key"))
            cleanup.callback(subprocess.run, [str(LAB / "nginx-start.sh"), "stop",
                                              str(directory / "nginx")], check=True)
            # The first one makes the CA that all of them use.
            cls.servers = {}
            for scheme, port, raw in (("sips", kamailio["sips_port"], True),
                                      ("wss", kamailio["wss_port"], False),
                                      ("https", nginx["port"], False)):
                proxy = Proxy(directory, port, raw)
                cleanup.callback(proxy.stop)
                proxy.wait_for("running")
                url = f"{scheme}:localhost:{port}" if scheme == "sips" else (
                    f"{scheme}://localhost:{port}/")
                cls.servers[scheme] = (url, proxy)
            cls.bundle = directory / "bundle.pem"
            cls.bundle.write_text((directory / "confdir/mitmproxy-ca-cert.pem").read_text() +
                                  pathlib.Path(pki("ca.pem")).read_text())
            cls.directory = directory
            cls.cleanup = cleanup.pop_all()

    @classmethod
    def tearDownClass(cls):
        cls.cleanup.close()

    def connect(self, backend, scheme, *more, through_proxy, pin=None):
        url, proxy = self.servers[scheme]
        arguments = ["connect", url, "--json", "--backend", backend, "--ca", str(self.bundle),
                     "--pin", "cert-sha256:" + (pin or certificate_sha256("good.pem")),
                     "--state", str(self.directory / f"{backend}-{scheme}.json"), *more]
        if scheme == "https":
            arguments += ["--request"]
        else:
            arguments += ["--send", OPTIONS]
        if through_proxy:
            arguments += ["--connect", f"127.0.0.1:{proxy.port}"]
        return cotter(*arguments)

    def check(self, backend, scheme):
        _, proxy = self.servers[scheme]
        direct = self.connect(backend, scheme, through_proxy=False)
        self.assertEqual(direct.line["verdict"], "accepted", direct.stderr)
        self.assertIsNone(direct.line["diagnosis"])

        before = len(proxy.seen())
        refused = self.connect(backend, scheme, through_proxy=True)
        self.assertEqual(refused.status, 2, refused.stderr)
        self.assertEqual(refused.line["reason"], "pin_mismatch")
        diagnosis = refused.line["diagnosis"]
        self.assertEqual(diagnosis["cause"], "inspection_proxy", diagnosis)
        for evidence in "chain_trusted", "private_issuance", "issuer_unseen":
            self.assertIn(evidence, diagnosis["evidence"])
        events = [one["event"] for one in proxy.since(before)]
        self.assertIn("refused", events)
        self.assertNotIn("octets", events)
        self.assertNotIn("finished", events)

        # The witness has eyes: the proxy's own leaf pinned, it sees the client's octets.
        before = len(proxy.seen())
        inspected = self.connect(backend, scheme, through_proxy=True,
                                 pin=refused.line["fingerprint"])
        self.assertEqual(inspected.line["verdict"], "accepted", inspected.stderr)
        self.assertIn("octets", [one["event"] for one in proxy.since(before)])

    def test_a_phone_that_never_connected_says_what_the_leaf_alone_shows(self):
        url, proxy = self.servers["sips"]
        refused = cotter("connect", url, "--json", "--ca", str(self.bundle), "--connect",
                         f"127.0.0.1:{proxy.port}", "--pin",
                         "cert-sha256:" + certificate_sha256("good.pem"))
        self.assertEqual(refused.line["diagnosis"]["cause"], "inspection_proxy")
        self.assertIn("history_absent", refused.line["diagnosis"]["evidence"])
        for people in cotter("connect", url, "--ca", str(self.bundle), "--connect",
                             f"127.0.0.1:{proxy.port}", "--pin",
                             "cert-sha256:" + certificate_sha256("good.pem")).stdout.splitlines():
            if "diagnosis" in people:
                self.assertIn("inspection_proxy", people)
                break
        else:
            self.fail("people are not told")

    def test_a_proxy_whose_ca_is_not_trusted_is_refused_by_pkix_and_counts_nothing(self):
        url, proxy = self.servers["sips"]
        refused = cotter("connect", url, "--json", "--ca", pki("ca.pem"), "--connect",
                         f"127.0.0.1:{proxy.port}", "--pin",
                         "cert-sha256:" + certificate_sha256("good.pem"))
        self.assertEqual(refused.line["reason"], "pkix")
        self.assertEqual(refused.line["breaker"], "closed")
        self.assertEqual(refused.line["diagnosis"]["cause"], "inspection_proxy")
        self.assertIn("chain_untrusted", refused.line["diagnosis"]["evidence"])


def case(backend, scheme):
    def test(self):
        self.check(backend, scheme)
    return test


for one in "openssl", "wolfssl", "mbedtls":
    for how in "sips", "wss", "https":
        setattr(Inspection, f"test_{one}_refuses_what_inspects_{how}", case(one, how))

if __name__ == "__main__":
    main()
