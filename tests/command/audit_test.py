# SPDX-License-Identifier: BSL-1.0
"""`--audit`, `cotter audit`: what a trail holds, and how it reaches who is to have it."""

import calendar
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time

from lab import (Desk, certificate_sha256, cotter, hold, main, over_tls, pki, read, read_until,
                 serving, settings)

backends = ["openssl", "wolfssl", "mbedtls"]
secret = "Bearer 5a17c0ffee5a17c0ffee"


class Collector:
    """An HTTPS server that keeps what it is POSTed; `answers` in turn, the last for ever."""

    def __init__(self, *answers):
        self.answers = list(answers) or [b"204 No Content"]
        self.bodies = []
        self.heads = []

    def __call__(self, tls):
        with contextlib.suppress(OSError):
            while True:
                head = read_until(tls, b"\r\n\r\n")
                head, _, rest = head.partition(b"\r\n\r\n")
                size = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
                while len(rest) < size:
                    rest += tls.recv(65536)
                self.heads.append(head.decode())
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer.startswith(b"2"):
                    self.bodies.append(json.loads(rest))
                tls.sendall(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n")

    @property
    def events(self):
        return [one for body in self.bodies for one in body]


class Audit(Desk):
    def setUp(self):
        super().setUp()
        self.spool = self.path("spool")
        self.succeeds("audit", "init", self.spool)

    def connect(self, port, name="good.pem", *options, backend="openssl"):
        return cotter("connect", f"tls://localhost:{port}", "--json", "--backend", backend,
                      "--ca", pki("ca.pem"), "--pin", "cert-sha256:" + certificate_sha256(name),
                      "--timeout", "5", "--audit", self.spool, *options)

    def some_events(self):
        """An acceptance and a refusal."""
        with serving(over_tls(hold)) as port:
            self.assertEqual(self.connect(port).status, 0)
            self.assertEqual(self.connect(port, "other.pem").status, 2)

    def shown(self, *options):
        return self.succeeds("audit", "show", self.spool, "--json", *options).lines

    def drain(self, to, status, *options, limit=60):
        result = cotter("audit", "drain", self.spool, "--to", to, "--json", *options, limit=limit)
        self.assertEqual(result.status, status, result.stdout + result.stderr)
        return result.line

    def post(self, port, status, *options, host="localhost", ca="ca.pem"):
        return self.drain(f"https://{host}:{port}/v1/pins", status, "--ca", pki(ca), "--output",
                          "siem", "--deadline", "5", *options)


class Trail(Audit):
    def test_every_decision_is_written_down_by_every_backend(self):
        with serving(over_tls(hold)) as port:
            for backend in backends:
                with self.subTest(backend):
                    self.assertEqual(self.connect(port, backend=backend, name="good.pem").status, 0)
                    refused = self.connect(port, "other.pem", "--client-id", "desk-7",
                                           backend=backend)
                    self.assertEqual(refused.line["reason"], "pin_mismatch")
                    accepted, event = sorted((one for one in self.shown()
                                              if one["backend"]["name"] == backend),
                                             key=lambda one: one["type"])
                    self.assertEqual((accepted["type"], accepted["matched"]),
                                     ("accepted", "primary"))
                    self.assertNotIn("clientId", accepted)
                    self.assertEqual((event["type"], event["reason"], event["clientId"]),
                                     ("refused", "pin_mismatch", "desk-7"))
                    for one in accepted, event:
                        self.assertEqual(one["schema"], "cotter.audit/1")
                        self.assertEqual(one["target"], {"host": "localhost", "port": port,
                                                         "kind": "host"})
                        self.assertEqual(one["backend"]["name"], backend)
                        self.assertEqual(one["fingerprint"], certificate_sha256("good.pem"))
                    self.assertEqual(event["diagnosis"]["cause"],
                                     refused.line["diagnosis"]["cause"])
                    self.assertIn("BEGIN CERTIFICATE", event["leaf"]["pem"])
        self.assertEqual(len({one["id"] for one in self.shown()}), 6)

    def test_repeats_are_counted_and_the_breaker_speaks(self):
        with serving(over_tls(hold)) as port:
            result = self.connect(port, "other.pem", "--attempts", "5", "--cooldown-ms", "1",
                                  "--max-failures", "3")
        reasons = [line["reason"] for line in result.lines]
        self.assertEqual(reasons, ["pin_mismatch"] * 3 + ["breaker_locked"] * 2)
        told = {}
        for one in self.shown():
            if one["type"] == "refused":
                told[one["reason"]] = told.get(one["reason"], 0) + 1 + one.get(
                    "suppressedCount", 0) - (1 if one.get("suppressedCount") else 0)
        self.assertEqual(told, {"pin_mismatch": 3, "breaker_locked": 2})
        states = [one["breaker"]["state"] for one in self.shown() if one["type"] == "breaker"]
        self.assertEqual(states, ["cooling", "locked"])

    def test_people_read_a_line_for_each_event_in_order(self):
        for _ in range(4):
            self.some_events()
        lines = self.succeeds("audit", "show", self.spool).stdout.splitlines()
        self.assertEqual([line.split()[1] for line in lines], ["accepted", "refused"] * 4)
        self.assertRegex(lines[0], r"^\d{4}-\d\d-\d\dT[\d:]{8}Z  accepted localhost:\d+: primary$")
        self.assertRegex(lines[-1], r"refused localhost:\d+: pin_mismatch \(inspection_proxy\)$")
        report, *_ = self.succeeds("audit", "show", self.spool, "--format", "hpkp").lines
        self.assertEqual(report["hostname"], "localhost")
        for event in self.succeeds("audit", "show", self.spool, "--format", "ecs").lines:
            self.assertEqual(event["specversion"], "1.0")

    def test_showing_leaves_no_trace_and_holds_nothing_back(self):
        self.some_events()
        before = sorted(os.listdir(self.spool))
        first = self.shown()
        self.assertEqual(self.shown(), first)
        viewer = subprocess.Popen([settings.command, "audit", "show", self.spool, "--follow"],
                                  stdout=subprocess.PIPE)
        viewer.stdout.readline()
        self.assertEqual(sorted(os.listdir(self.spool)), before)
        viewer.kill()
        viewer.communicate()
        self.assertEqual(sorted(os.listdir(self.spool)), before)
        # Nor does a view that is open keep a drainer from removing what everybody has had.
        viewer = subprocess.Popen([settings.command, "audit", "show", self.spool, "--follow"],
                                  stdout=subprocess.PIPE)
        viewer.stdout.readline()
        self.succeeds("audit", "drain", self.spool, "--to", f"file:{self.spool}.jsonl")
        self.assertFalse([name for name in os.listdir(self.spool) if name.endswith(".events")])
        viewer.kill()
        viewer.communicate()

    def test_follow_shows_what_comes_and_ends_when_told(self):
        viewer = subprocess.Popen([settings.command, "audit", "show", self.spool, "--json",
                                   "--follow"], stdout=subprocess.PIPE)
        self.some_events()
        types = [json.loads(viewer.stdout.readline())["type"] for _ in range(2)]
        self.assertEqual(types, ["accepted", "refused"])
        viewer.send_signal(signal.SIGTERM)
        self.assertEqual(viewer.wait(timeout=10), 0)
        viewer.stdout.close()
        self.assertFalse([name for name in os.listdir(self.spool) if name.startswith("cursor.")])

    def test_two_processes_at_once_lose_nothing(self):
        with serving(over_tls(hold)) as port:
            arguments = [settings.command, "connect", f"tls://localhost:{port}", "--ca",
                         pki("ca.pem"), "--pin", "cert-sha256:" + certificate_sha256("good.pem"),
                         "--audit", self.spool]
            running = [subprocess.Popen(arguments, stdout=subprocess.DEVNULL) for _ in range(6)]
            self.assertEqual([one.wait(timeout=60) for one in running], [0] * 6)
        events = self.shown()
        self.assertEqual([one["type"] for one in events], ["accepted"] * 6)
        self.assertEqual(len({one["id"].split("-")[0] for one in events}), 6)

    def test_a_spool_is_made_once_and_never_by_accident(self):
        self.fails(3, "state_exists", "audit", "init", self.spool)
        self.fails(3, "state_absent", "audit", "init", self.path("no/where"))
        self.fails(3, "usage", "audit", "init", self.path("tiny"), "--max-bytes", "1000")
        for verb in ["show"], ["status"], ["drain", "--to", "journald"]:
            self.fails(3, "state_absent", "audit", verb[0], self.path("none"), *verb[1:])
        self.assertFalse(os.path.exists(self.path("none")))
        self.spool = self.path("none")
        with serving(over_tls(hold)) as port:
            result = self.connect(port)
        self.assertEqual((result.status, result.line["error"]["code"]), (3, "state_absent"))
        self.spool = self.path("spool")
        os.chmod(self.spool, 0o755)
        self.fails(3, "state_foreign", "audit", "show", self.spool)

    def test_a_full_spool_changes_no_verdict_and_says_what_it_dropped(self):
        self.spool = self.path("small")
        self.succeeds("audit", "init", self.spool, "--max-bytes", str(512 << 10))
        # Whatever else lies there takes its room.
        self.write("small/ballast", b"x" * (512 << 10))
        with serving(over_tls(hold)) as port:
            result = self.connect(port)
        self.assertEqual((result.status, result.line["verdict"]), (1, "accepted"), result.stderr)
        self.assertIn("spool_full", result.stderr)
        self.assertIn("1 event was dropped", result.stderr)

    def test_a_rejected_manifest_is_told(self):
        envelope = self.write("manifest", json.dumps({"payloadType": "x", "payload": "",
                                                      "signatures": []}))
        _, public = self.keys("k")
        result = cotter("connect", "tls://localhost:443", "--manifest", envelope, "--trust-key",
                        public, "--audit", self.spool)
        self.assertEqual(result.status, 2)
        kinds = [(one["type"], one.get("reason") or one.get("manifest", {}).get("change"))
                 for one in self.shown()]
        self.assertIn(("manifest", "rejected"), kinds)
        self.assertEqual(kinds[-1][0], "refused")

    def test_a_reset_is_told(self):
        os.chmod(self.directory, 0o700)
        state, (private, public) = self.path("state"), self.keys("admin")
        store = self.succeeds("breaker", "init", "--state", state, "--json").line["store_id"]
        with serving(over_tls(hold)) as port:
            self.connect(port, "other.pem", "--breaker", state, "--attempts", "3",
                         "--cooldown-ms", "0")
            self.succeeds("breaker", "reset", "--target", f"localhost:{port}", "--store-id", store,
                          "--lock-epoch", "1", "--key", private, "--out", self.path("reset"))
            apply = ["breaker", "reset", "--state", state, "--apply", self.path("reset"),
                     "--trust-key", public, "--audit", self.spool]
            self.succeeds(*apply)
            event = self.shown()[-1]
            self.assertEqual(event["type"], "breaker")
            self.assertEqual((event["breaker"]["before"], event["breaker"]["state"]),
                             ("locked", "closed"))
            self.assertEqual(event["target"]["port"], port)
            known = len(self.shown())
            self.assertEqual(cotter(*apply).status, 2)
            self.assertEqual(len(self.shown()), known)


class Diagnosis(Audit):
    def diagnosis(self, name, *options, host="localhost", scheme="tls://"):
        with serving(over_tls(hold, name)) as port:
            result = cotter("connect", f"{scheme}{host}:5061", "--connect", f"127.0.0.1:{port}",
                            "--json", "--ca", pki("ca.pem"), "--pin",
                            "cert-sha256:" + certificate_sha256("good.pem"), *options)
        return result.line["diagnosis"]

    def test_what_was_accepted_before_tells_the_next_refusal_apart(self):
        state = ["--state", self.path("state")]
        first = self.diagnosis("other", *state)
        self.assertIn("history_absent", first["evidence"])
        self.assertFalse(os.path.exists(self.path("state")))
        self.assertIsNone(self.diagnosis("good", *state))
        known, = json.loads(read(self.path("state")))["leaves"]
        self.assertEqual((known["host"], known["port"]), ("localhost", 5061))
        self.assertRegex(known["issuer"], "^[0-9a-f]{16}$")
        self.assertEqual(os.stat(self.path("state")).st_mode & 0o777, 0o600)
        again = self.diagnosis("other", *state)
        self.assertIn("issuer_same", again["evidence"])
        self.assertNotIn("history_absent", again["evidence"])
        # Of another target nothing is known.
        elsewhere = self.diagnosis("other", *state, host="127.0.0.1")
        self.assertIn("history_absent", elsewhere["evidence"])
        stranger = self.diagnosis("foreign", *state)
        self.assertEqual(stranger["cause"], "inspection_proxy")
        self.assertIn("issuer_unseen", stranger["evidence"])

    def test_another_name_is_a_captive_portal_or_a_wrong_endpoint(self):
        # The names of sips: cotter alone judges, so that the chain's own trust is known.
        found = self.diagnosis("wrong-name", scheme="sips:")
        self.assertEqual(found["cause"], "wrong_endpoint")
        self.assertLessEqual({"chain_trusted", "name_differs"}, set(found["evidence"]))
        # Elsewhere the library faults the chain for the name: who issued the leaf tells them apart.
        self.assertEqual(self.diagnosis("wrong-name")["cause"], "captive_portal")
        state = ["--state", self.path("state")]
        self.assertIsNone(self.diagnosis("good", *state))
        found = self.diagnosis("wrong-name", *state)
        self.assertEqual(found["cause"], "wrong_endpoint")
        self.assertIn("issuer_same", found["evidence"])

    def test_people_are_sent_to_the_page(self):
        with serving(over_tls(hold, "other")) as port:
            result = cotter("connect", f"tls://localhost:{port}", "--ca", pki("ca.pem"), "--pin",
                            "cert-sha256:" + certificate_sha256("good.pem"))
        self.assertIn("see `cotter explain inspection_proxy`", result.stdout)

    def test_history_that_is_damaged_is_not_believed(self):
        for content in ('{"leaves": [{"host": "localhost"}]}', '{"leaves": {}}', '{}', "x",
                        '{"leaves": [], "order": 3}'):
            state = self.write("state", content)
            result = cotter("connect", "tls://localhost:1", "--pin", "cert-sha256:" + "00" * 32,
                            "--state", state, "--json")
            self.assertEqual((result.status, result.line["error"]["code"]), (3, "invalid_value"))
            self.assertEqual(read(state), content)


class Delivery(Audit):
    def test_a_file_gets_each_event_once(self):
        self.some_events()
        to = "file:" + self.path("events.jsonl")
        line = self.drain(to, 0)
        self.assertEqual((line["delivered"], line["left_bytes"], line["next_attempt"]),
                         (2, 0, None))
        written = [json.loads(one) for one in read(self.path("events.jsonl")).splitlines()]
        self.assertEqual(sorted(one["type"] for one in written), ["accepted", "refused"])
        self.assertEqual(self.drain(to, 0)["delivered"], 0)
        self.assertEqual(len(read(self.path("events.jsonl")).splitlines()), 2)
        # What has been delivered is gone from the spool, and a new output begins with what comes.
        self.assertEqual(self.shown(), [])

    def test_a_collector_gets_everything_whichever_library_asks(self):
        for backend in backends:
            with self.subTest(backend):
                self.some_events()
                collector = Collector()
                with serving(over_tls(collector)) as port:
                    line = self.post_elsewhere(port, 0, "--backend", backend)
                    self.assertEqual(line["delivered"], 2)
                    again = self.post_elsewhere(port, 0, "--backend", backend)
                    self.assertEqual(again["delivered"], 0)
                self.assertEqual(sorted(one["type"] for one in collector.events),
                                 ["accepted", "refused"])

    def test_events_about_the_collectors_own_host_are_withheld(self):
        self.some_events()
        collector = Collector()
        with serving(over_tls(collector)) as port:
            line = self.post(port, 1)
            self.assertEqual((line["delivered"], line["withheld"]), (0, 2))
        self.assertEqual(collector.heads, [])

    def test_an_output_that_is_no_more_can_be_ended(self):
        self.some_events()
        told = cotter("audit", "drain", self.spool, "--to", "https://127.0.0.1:9/", "--output",
                      "mistyped", "--deadline", "1")
        self.assertEqual(told.status, 1, told.stderr)
        self.succeeds("audit", "drain", self.spool, "--to", f"file:{self.spool}.jsonl")
        self.assertTrue(self.shown())
        self.fails(3, "state_absent", "audit", "withdraw", self.spool, "--output", "nobody")
        line = self.succeeds("audit", "withdraw", self.spool, "--output", "mistyped",
                             "--json").line
        self.assertEqual(line, {"output": "mistyped", "withdrawn": True})
        self.succeeds("audit", "drain", self.spool, "--to", f"file:{self.spool}.jsonl")
        self.assertFalse(self.shown())

    def test_the_secret_comes_from_a_file_and_goes_nowhere_else(self):
        self.some_events()
        token = self.write("token", secret + "\n")
        os.chmod(token, 0o644)
        self.fails(3, "unreadable", "audit", "drain", self.spool, "--to", "https://h.example/",
                   "--authorization-file", token)
        os.chmod(token, 0o600)
        collector = Collector(b"401 Unauthorized", b"204 No Content")
        with serving(over_tls(collector)) as port:
            told = [cotter("audit", "drain", self.spool, "--to", f"https://127.0.0.1:{port}/s3cret",
                           "--ca", pki("ca.pem"), "--authorization-file", token, "--now", *how)
                    for how in ([], ["--json"])]
        self.assertEqual([one.status for one in told], [1, 0])
        self.assertEqual(len(collector.heads), 2)
        for head in collector.heads:
            self.assertIn("Authorization: " + secret, head)
            self.assertTrue(head.startswith("POST /s3cret HTTP/1.1\r\n"))
        for one in told:
            self.assertNotIn(secret[7:], one.stdout + one.stderr)
            self.assertNotIn("s3cret", one.stdout + one.stderr)
        for folder, _, names in os.walk(self.spool):
            for name in names:
                self.assertNotIn(secret[7:].encode(), read(os.path.join(folder, name), "rb"))

    def post_elsewhere(self, port, status, *options):
        return self.post(port, status, *options, host="127.0.0.1")

    def test_what_a_collector_refuses_stays(self):
        self.some_events()
        for answer, code in ((b"500 Oops", "report_refused"), (b"429 Slow\r\nRetry-After: 77",
                                                               "report_refused"),
                             (b"302 Found\r\nLocation: https://127.0.0.1:1/", "report_redirected"),
                             (b"307 There\r\nLocation: /other", "report_redirected")):
            collector = Collector(answer)
            with self.subTest(answer), serving(over_tls(collector)) as port:
                line = self.post_elsewhere(port, 1, "--now")
                self.assertEqual((line["delivered"], line["error"]["code"]), (0, code))
                self.assertEqual(line["status"], int(answer[:3]))
                self.assertEqual(len(collector.heads), 1)
                self.assertIsNotNone(line["next_attempt"])
                if b"Retry-After" in answer:
                    # Nobody is asked before that time, unless somebody says so.
                    self.assertEqual(self.post_elsewhere(port, 1)["delivered"], 0)
                    self.assertEqual(len(collector.heads), 1)
                    at = time.strptime(line["next_attempt"], "%Y-%m-%dT%H:%M:%SZ")
                    self.assertGreaterEqual(calendar.timegm(at), time.time() + 70)
        status = cotter("audit", "status", self.spool, "--json")
        self.assertEqual(status.status, 1)
        output = status.lines[1]
        self.assertEqual((output["output"], output["waiting"], output["failures"]), ("siem", 2, 4))
        collector = Collector()
        with serving(over_tls(collector)) as port:
            self.assertEqual(self.post_elsewhere(port, 0, "--now")["delivered"], 2)
        self.assertEqual(cotter("audit", "status", self.spool, "--json").status, 0)

    def test_a_collector_that_is_not_there_or_not_the_one_gets_nothing(self):
        self.some_events()
        with socket.create_server(("127.0.0.1", 0)) as closed:
            nobody = closed.getsockname()[1]
        self.assertEqual(self.post_elsewhere(nobody, 1, "--now")["error"]["code"],
                         "connect_failed")
        for backend in backends:
            for name, code in (("foreign", "pkix"), ("wrong-name", "hostname"),
                               ("expired", "validity")):
                collector = Collector()
                with self.subTest(name, backend=backend), serving(over_tls(collector,
                                                                           name)) as port:
                    line = self.post_elsewhere(port, 1, "--now", "--backend", backend)
                    self.assertEqual((line["error"]["code"], line["delivered"]), (code, 0))
                    self.assertEqual(collector.heads, [])
            with serving(over_tls(Collector())) as port:
                for name, status in (("other.pem", 1), ("good.pem", 0)):
                    line = self.post_elsewhere(port, status, "--now", "--backend", backend,
                                               "--pin",
                                               "cert-sha256:" + certificate_sha256(name))
                    if status:
                        self.assertEqual(line["error"]["code"], "pin_mismatch")
            self.some_events()

    def test_syslog_and_other_formats(self):
        self.some_events()
        path = self.path("log")
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as log:
            log.bind(path)
            log.settimeout(10)
            self.assertEqual(self.drain("syslog:" + path, 0, "--format", "ecs")["delivered"], 2)
            messages = sorted((log.recv(65536).decode() for _ in range(2)),
                              key=lambda text: text.split()[5])
            for kind, message in zip(("accepted", "refused"), messages):
                self.assertRegex(message, rf"^<\d+>1 \S+ \S+ cotter \d+ {kind} - {{")
        self.fails(3, "usage", "audit", "drain", self.spool, "--to", "syslog:" + path, "--pin",
                   "cert-sha256:" + "00" * 32)

    def test_a_destination_that_there_is_not_is_usage(self):
        for to in "ftp:x", "file:", "nowhere", "wss://h.example/", "tls://h.example:1":
            with self.subTest(to):
                self.fails(3, "usage", "audit", "drain", self.spool, "--to", to)
        self.fails(3, "insecure_scheme", "audit", "drain", self.spool, "--to", "http://h.example/")
        told = cotter("audit", "drain", self.spool, "--to", "https://user:pa55@h.example/")
        self.assertEqual(told.status, 3)
        self.assertNotIn("pa55", told.stdout + told.stderr)
        for name in "Siem", "a b", "x" * 33:
            self.fails(3, "usage", "audit", "drain", self.spool, "--to", "journald", "--output",
                       name)
        self.assertFalse([name for name in os.listdir(self.spool) if name.startswith("cursor.")])

    def test_following_delivers_what_comes_and_ends_when_told(self):
        collector = Collector(b"503 Not Yet", b"204 No Content")
        with serving(over_tls(collector)) as port:
            drainer = subprocess.Popen(
                [settings.command, "audit", "drain", self.spool, "--to",
                 f"https://127.0.0.1:{port}/", "--ca", pki("ca.pem"), "--follow", "--json"],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.addCleanup(drainer.stdout.close)
            self.addCleanup(drainer.kill)
            self.some_events()
            refused = json.loads(drainer.stdout.readline())
            self.assertEqual(refused["error"]["code"], "report_refused")
            delivered = json.loads(drainer.stdout.readline())
            self.assertEqual(delivered["delivered"] + len(collector.events),
                             2 * len(collector.events))
            # While it follows, nobody else drains this output, and everybody may look.
            result = cotter("audit", "drain", self.spool, "--to", f"https://127.0.0.1:{port}/",
                            "--json")
            self.assertEqual((result.status, result.line["error"]["code"]), (3, "state_busy"))
            self.assertIn(cotter("audit", "status", self.spool).status, (0, 1))
            self.some_events()
            limit = time.monotonic() + 20
            while len(collector.events) < 4 and time.monotonic() < limit:
                time.sleep(0.05)
            drainer.send_signal(signal.SIGTERM)
            self.assertEqual(drainer.wait(timeout=40), 0)
        self.assertEqual(sorted(one["type"] for one in collector.events),
                         ["accepted"] * 2 + ["refused"] * 2)
        self.assertEqual(len({one["id"] for one in collector.events}), 4)

    def test_damage_and_losses_are_delivered_and_are_exit_2(self):
        self.some_events()
        segments = [name for name in os.listdir(self.spool) if name.endswith(".events")]
        self.assertEqual(len(segments), 2)
        path = os.path.join(self.spool, segments[0])
        octets = bytearray(read(path, "rb"))
        octets[-20] ^= 1
        with open(path, "wb") as file:
            file.write(octets)
        status = cotter("audit", "status", self.spool, "--json")
        self.assertEqual(status.status, 2)
        self.assertEqual((status.lines[0]["damaged"], status.lines[0]["events"]), (1, 1))
        line = self.drain("file:" + self.path("out"), 2)
        self.assertEqual((line["damaged"], line["dropped"]), (1, 0))
        kinds = sorted(json.loads(one)["type"] for one in read(self.path("out")).splitlines())
        self.assertEqual(len(kinds), 2)
        self.assertIn("loss", kinds)
        self.drain("file:" + self.path("out"), 0)


if __name__ == "__main__":
    main()
