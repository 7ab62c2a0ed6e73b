#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Follows every record from a guard to a collector, with all the parts between them that there are:
two processes that write, one that delivers, each ended at random with kill -9, a week of simulated
time, and a collector over TLS that does everything wrong that a collector can. Then counts.

usage: trail_test.py TRAIL PKI ROOT [SEED]     TRAIL: built from trail.cpp; ROOT: of the project
Prints a table of figures. Needs jsonschema 4.10 or later. As root it makes a small disk of its own.
"""
import collections
import ctypes
import email.utils
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import jsonschema

TRAIL = PKI = ROOT = None
HAS_DISKS = False
AUTHORIZATION = "Bearer 9f1c7d-this-is-the-secret"
QUERY = "key=e55a08-this-is-one-too"
SECRETS = ("9f1c7d", "e55a08")
DAY = 24 * 3600
WEEK = 7 * DAY
REPEATED_PORT = "7"
BATCH = 100  # audit_drain_options::max_events
FRAMES_AT = 4096  # where a segment's frames begin
# Records that were begun; of those, what the writer was told was kept or counted as a repeat; what of
# that arrived (what was in flight at a kill may, too), and was withheld from its own subject; how many
# events with an id of their own; those that a collector kept a second time; drops and damage that a
# loss tells of; drops of processes that were killed before they had a file; what is accounted for
# nowhere; processes that were killed; requests, and how many of them were kept.
COLUMNS = ("records", "accepted", "delivered", "withheld", "events", "duplicated", "dropped",
           "damaged", "uncounted", "lost", "kills w+d", "requests")
FIGURES = []


class Collector:
    """One port that answers as `mode` says, and remembers everything."""

    def __init__(self):
        self.contexts = {}
        for name in ("good", "foreign"):
            self.contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.contexts[name].load_cert_chain(f"{PKI}/{name}.pem", f"{PKI}/{name}.key")
        self.lock = threading.Lock()
        self.mode = "good"
        self.requests = []  # (mode, whether the events were kept, the octets of the content)
        self.strange = []  # what no sender of ours does
        self.touched = 0  # connections to the place that redirects lead to
        self.strangers_octets = 0  # that the one with the wrong certificate was sent
        self.strangers_handshakes = 0
        self.port = 0
        self.listener = self.bind()
        self.port = self.listener.getsockname()[1]
        self.trap = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.watch, daemon=True).start()

    def bind(self):
        """The port is ours, and nobody listens."""
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", self.port))
        return made

    def open(self):
        self.listener.listen(64)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.listener = self.bind()

    def end(self):
        for one in (self.listener, self.trap):
            one.close()

    def watch(self):
        while True:
            try:
                self.trap.accept()
            except OSError:
                return
            self.touched += 1

    def accept(self, listener):
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(plain,), daemon=True).start()

    def serve(self, plain):
        plain.settimeout(20)
        with plain:
            stranger = self.mode == "foreign"
            try:
                tls = self.contexts["foreign" if stranger else "good"].wrap_socket(
                    plain, server_side=True)
            except OSError:
                self.strangers_handshakes += stranger
                return
            with tls:
                try:
                    if stranger:
                        # In TLS 1.3 the server's side is over before the client refuses.
                        self.strangers_handshakes += 1
                        self.strangers_octets += len(tls.recv(65536))
                        return
                    while self.answer(tls):
                        pass
                except OSError:
                    pass  # killed, most of the time

    def answer(self, tls):
        """One request; false if no other one follows."""
        unread = b""
        while b"\r\n\r\n" not in unread:
            some = tls.recv(65536)
            if not some:
                return False
            unread += some
        head, body = unread.split(b"\r\n\r\n", 1)
        lines = head.decode("ascii").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        while len(body) < int(fields["content-length"]):
            some = tls.recv(1 << 20)
            if not some:
                return False
            body += some
        with self.lock:
            mode = self.mode
            number = len(self.requests)
            kept = mode in ("good", "half") or (mode == "413" and b'"pem"' not in body)
            self.requests.append((mode, kept, body))
            if lines[0] != f"POST /audit?{QUERY} HTTP/1.1":
                self.strange.append(lines[0])
            if fields.get("authorization") != AUTHORIZATION.lower():
                self.strange.append(str(fields))
        if mode == "half":
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nhalf of w"[: 9 + number % 50])
            if number % 2 == 0:
                tls.unwrap()
            return False
        status, more = {
            "good": ("200 OK", ""),
            "500": ("500 Internal Server Error", ""),
            "429": ("429 Too Many Requests", "Retry-After: 1200\r\n"),
            "429 date": ("429 Too Many Requests",
                         "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                         f"Retry-After: {email.utils.formatdate(784111777 + 1200, usegmt=True)}\r\n"),
            "redirect": (f"{(301, 302, 303, 307, 308)[number % 5]} Elsewhere",
                         f"Location: http{'s' * (number % 2)}://127.0.0.1:"
                         f"{self.trap.getsockname()[1]}/\r\n"),
            "413": ("200 OK" if kept else "413 Content Too Large", ""),
        }[mode]
        tls.sendall(f"HTTP/1.1 {status}\r\n{more}Content-Length: 2\r\n\r\nok".encode())
        return True


class Process:
    """One of trail.cpp's, and what it said until it ended."""

    def __init__(self, *arguments, limit=None):
        def prepare():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            if limit:
                import resource
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        self.lines = []
        self.errors = b""
        self.process = subprocess.Popen(
            [TRAIL, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=prepare if limit else None, env={**os.environ, "COTTER_LAB_PKI": PKI})
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode())
        self.errors = self.process.stderr.read()

    def over(self):
        return self.process.poll() is not None

    def kill(self):
        """True if it was still there to be killed."""
        self.process.kill()
        return self.wait() == -signal.SIGKILL

    def wait(self):
        result = self.process.wait(timeout=60)
        self.reader.join(timeout=60)
        self.process.stdout.close()
        self.process.stderr.close()
        return result


class Trail:
    """One spool, its processes, its collector, and the reckoning."""

    def __init__(self, test, name, seed, most=64 << 20, segment=128 << 10, disk=None, limit=None):
        self.test, self.name = test, name
        self.random = random.Random(f"{seed} {name}")
        self.place = pathlib.Path(tempfile.mkdtemp(
            prefix="cotter-trail-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
        test.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.spool = self.place / "spool"
        if disk:
            self.spool.mkdir(mode=0o700)
            mount(self.spool, disk)
            test.addCleanup(unmount, self.spool)
        self.collector = Collector()
        test.addCleanup(self.collector.end)
        self.begin = self.now = int(time.time())
        self.limit = limit
        self.lives = 0
        self.said = []  # by writers
        self.drained = []  # by drainers
        self.killed = collections.Counter()
        self.octets = 0
        init = Process("init", self.spool, most, segment)
        test.assertEqual(init.wait(), 0, init.errors)

    # Processes.

    def writer(self, decisions, pause_us=0, kind="mixed"):
        self.lives += 1
        name = f"w{self.lives}"
        made = Process("write", self.spool, name, self.begin + 1000 * self.lives, decisions,
                       pause_us, kind, limit=self.limit)
        made.name = name
        return made

    def writers(self, lives, decisions, longest, pause_us=0, kind="mixed", meanwhile=None):
        """So many lives of two processes at a time, each ended within `longest` seconds; on a machine
        that is busy, as soon as a quarter of the decisions has been made."""
        running = []
        while lives or running:
            while lives and len(running) < 2:
                running.append((self.writer(decisions, pause_us, kind),
                                time.monotonic() + self.random.uniform(0.02, longest)))
                lives -= 1
            for one in list(running):
                process, end = one
                made = len(process.lines) >= decisions // 4
                if process.over() or (made and time.monotonic() >= end):
                    self.killed["writers"] += process.kill()
                    self.take(process)
                    running.remove(one)
            if meanwhile:
                meanwhile()
            time.sleep(0.002)

    def take(self, writer):
        self.test.assertEqual(writer.errors, b"")
        self.said.append((writer.name, [line.split() for line in writer.lines]))

    def drainer(self, end):
        return Process("drain", self.spool, self.collector.port, self.now, end, AUTHORIZATION, QUERY)

    def take_drained(self, drainer, killed):
        self.test.assertEqual(drainer.errors, b"")
        rows = []
        for line in drainer.lines:
            self.scan("what a drainer says", line.encode())
            _, at, delivered, withheld, left, why, status, next_attempt = line.split()
            rows.append((int(at), int(delivered), int(withheld), int(left), why, int(status),
                         int(next_attempt)))
        self.drained += rows
        self.killed["drainers"] += killed
        if rows:
            self.now = max(rows[-1][0] + 1, rows[-1][6])
        return rows

    def drain(self, seconds, longest=None):
        """Delivers for so many seconds of simulated time; killed again and again if `longest` says
        after how many real ones at most."""
        end = self.now + seconds
        rows = []
        while self.now <= end:
            drainer = self.drainer(end)
            killed = False
            if longest:
                until = time.monotonic() + self.random.uniform(0.01, longest)
                while not drainer.over() and time.monotonic() < until:
                    time.sleep(0.002)
                killed = drainer.kill()
            else:
                self.test.assertEqual(drainer.wait(), 0, drainer.errors)
            rows += self.take_drained(drainer, killed)
            if not killed or (rows and rows[-1][3] == 0):
                break
        return rows

    @staticmethod
    def attempts(rows):
        """Without those of a process that found out that it had to wait."""
        return [row for row in rows if not (row[4] == "ok" and row[6] > row[0])]

    def drain_all(self, longest=None, lives=0):
        """Delivers until nothing is left."""
        for _ in range(lives):
            drainer = self.drainer(self.now + WEEK)
            time.sleep(self.random.uniform(0.01, longest))
            self.take_drained(drainer, drainer.kill())
        for _ in range(100):
            rows = self.drain(0)
            if rows and rows[-1][3] == 0 and rows[-1][4] == "ok":
                return
        self.test.fail(f"{self.name}: not drained: {self.drained[-1]}")

    def segments(self):
        return sorted(self.spool.glob("*.events"))

    def scan(self, what, octets):
        for secret in SECRETS:
            self.test.assertNotIn(secret.encode(), octets, what)

    def scan_spool(self):
        for file in self.spool.iterdir():
            self.scan(file.name, file.read_bytes())

    # The reckoning.

    def reckon(self, dropped=0, damaged=0, disk_full=False):
        """All that there is to hold: see COLUMNS. `dropped`, `damaged`: at least so many; one of the
        two is 0."""
        test = self.test
        self.scan_spool()
        test.assertEqual(self.segments(), [])
        collector = self.collector
        test.assertEqual(collector.strange, [])
        test.assertEqual(collector.touched, 0)
        test.assertEqual(collector.strangers_octets, 0)

        begun, told = collections.Counter(), collections.defaultdict(collections.Counter)
        unheard = 0  # drops of a process that never had a file to count them in
        for name, life in self.said:
            outcomes = collections.Counter(line[0] for line in life)
            if not outcomes["kept"]:
                unheard += outcomes["dropped"]
            for line in life:
                if line == ["closed"]:
                    continue
                outcome, key = line[0], (name, *line[1:])
                if outcome == "begun":
                    begun[key] += 1
                else:
                    told[outcome][key] += 1
        accepted = told["kept"] + told["counted"]

        events, duplicates, kept_requests = {}, 0, 0
        variants = {}
        for mode, kept, body in collector.requests:
            self.scan("a request", body)
            kept_requests += kept
            for event in json.loads(body):
                text = json.dumps(event, sort_keys=True)
                variants[text] = event
                identity = event["id"]
                bare = {key: value for key, value in event.items() if key != "leaf"}
                known, is_kept = events.get(identity, (bare, False))
                test.assertEqual(known, bare, "one id, two events")
                duplicates += kept and is_kept
                events[identity] = (bare, is_kept or kept)
        wrong = []
        for event in variants.values():
            wrong += [f"{error.message} in {event}" for error in VALIDATOR.iter_errors(event)]
        test.assertEqual(wrong[:3], [])
        test.assertEqual([i for i, (_, kept) in events.items() if not kept], [], "never kept")

        delivered, losses = collections.Counter(), 0
        for event, _ in events.values():
            if event["type"] == "loss":
                losses += event["suppressedCount"]
            else:
                where = event["target"]
                key = (event["clientId"], event["type"], where["host"], str(where["port"]))
                delivered[key] += event.get("suppressedCount", 1)
        own = {key for key in begun if key[2] == "localhost"}
        test.assertEqual(own & set(delivered), set(), "an event about the collector itself")

        missing = collections.Counter()
        for key in accepted.keys() - own:
            if delivered[key] < accepted[key]:
                missing[key] = accepted[key] - delivered[key]
        for key in delivered:
            most = begun[key] - (0 if disk_full else told["dropped"][key])
            test.assertLessEqual(delivered[key], most, f"{key}: more than there were")
        in_flight = sum(begun.values()) - sum(accepted.values()) - sum(told["dropped"].values())
        counted_damage, counted_drops = (losses, 0) if damaged else (0, losses)
        uncounted = max(0, sum(told["dropped"].values()) - counted_drops)
        # What has been damaged is missing, and counted.
        lost = max(0, sum(missing.values()) - counted_damage)
        withheld = sum(accepted[key] for key in own)
        FIGURES.append((self.name, sum(begun.values()), sum(accepted.values()),
                        sum(delivered.values()), withheld, len(events), duplicates, counted_drops,
                        counted_damage, uncounted, lost,
                        f"{self.killed['writers']}+{self.killed['drainers']}",
                        f"{len(collector.requests)}/{kept_requests}"))
        test.assertEqual(lost, 0, missing)
        test.assertLessEqual(counted_damage, sum(missing.values()) + in_flight)
        test.assertLessEqual(uncounted, unheard, "dropped, not counted")
        test.assertLessEqual(counted_drops, sum(told["dropped"].values()) + in_flight)
        test.assertGreaterEqual(counted_drops, dropped)
        test.assertGreaterEqual(counted_damage, damaged)
        if not dropped:
            test.assertEqual(counted_drops, 0)
        return {"duplicates": duplicates, "kept": kept_requests, "accepted": accepted,
                "own": own}


def mount(where, size):
    if LIBC.mount(b"none", str(where).encode(), b"tmpfs", 0, f"size={size},mode=0700".encode()):
        raise OSError(ctypes.get_errno(), "mount")


def unmount(where):
    LIBC.umount2(str(where).encode(), 2)


def make_room_for_disks():
    """A view of the file systems of our own, if we may have one."""
    new_namespace, recursive, private = 0x00020000, 0x4000, 1 << 18
    return (LIBC.unshare(new_namespace) == 0
            and LIBC.mount(None, b"/", None, recursive | private, None) == 0)


class TheTrail(unittest.TestCase):
    longMessage = True

    def test_a_week_without_a_collector_and_one_that_does_everything_wrong(self):
        trail = Trail(self, "a week", SEED)
        collector = trail.collector

        # All is well, but for those who are killed.
        collector.open()
        drainer = [trail.drainer(trail.now + WEEK), time.monotonic()]

        def keep_draining():
            process, since = drainer
            if process.over() or time.monotonic() - since > trail.random.uniform(0.05, 0.6):
                killed = process.kill()
                trail.take_drained(process, killed)
                drainer[:] = trail.drainer(trail.now + WEEK), time.monotonic()

        trail.writers(6, 600, 0.5, pause_us=1000, meanwhile=keep_draining)
        trail.take_drained(drainer[0], drainer[0].kill())
        if not collector.requests:  # each was killed before it came so far: a busy machine
            trail.drain(0)
        self.assertGreater(len(collector.requests), 0)

        # Nobody is there for a week, and the writers go on.
        collector.close()
        trail.writers(4, 600, 0.25, pause_us=500)
        before = len(collector.requests)
        down_since = trail.now
        rows = trail.attempts(trail.drain(WEEK, longest=1.0))
        self.assertGreaterEqual(trail.now, down_since + WEEK)
        self.assertEqual({row[4] for row in rows}, {"connect_failed"})
        waits = [row[6] - row[0] for row in rows]
        self.assertLessEqual(max(waits), 300)
        self.assertGreater(sorted(waits)[len(waits) // 2], 150)
        self.assertEqual(len(collector.requests), before)
        collector.open()

        # Everything that a collector can do wrong.
        for mode, why, status in (("500", "report_refused", 500), ("429", "report_refused", 429),
                                  ("429 date", "report_refused", 429), ("half", "report_truncated", None),
                                  ("redirect", "report_redirected", None),
                                  ("foreign", "tls_failure", None)):
            with self.subTest(mode):
                collector.mode = mode
                trail.writers(1, 200, 0.05)
                rows = trail.attempts(trail.drain(1500))
                self.assertEqual({row[4] for row in rows}, {why})
                self.assertEqual(sum(row[1] for row in rows), 0)
                self.assertEqual({row[5] for row in rows} - {0 if status is None else status},
                                 set() if status else {row[5] for row in rows} - {0})
                if mode.startswith("429"):
                    # Left alone as long as it asked, by other processes too, and not much longer.
                    at, wish = rows[-1][0], rows[-1][6]
                    self.assertGreaterEqual(wish - at, 1200)
                    self.assertLessEqual(wish - at, 1200 + 150)
                    before = len(collector.requests)
                    trail.now = wish - 600
                    for early in trail.drain(590):
                        self.assertEqual(early[6], wish)
                    self.assertEqual(len(collector.requests), before)
                    trail.now = wish
        self.assertGreater(collector.strangers_handshakes, 0)

        # Too large, as long as there is a leaf in it.
        collector.mode = "413"
        trail.drain(3)
        self.assertIn(True, [kept for mode, kept, _ in collector.requests if mode == "413"])
        self.assertIn(False, [kept for mode, kept, _ in collector.requests if mode == "413"])

        collector.mode = "good"
        trail.drain_all(longest=0.15, lives=6)
        is_so = trail.reckon()
        modes = collections.Counter(mode for mode, _, _ in collector.requests)
        self.assertEqual(set(modes), {"good", "500", "429", "429 date", "half", "redirect", "413"})
        # Kept twice is only what half an answer or a kill came after.
        self.assertGreater(is_so["duplicates"], 0)
        self.assertLessEqual(is_so["duplicates"],
                             BATCH * (modes["half"] + trail.killed["drainers"]))
        self.assertGreater(trail.killed["writers"], 5)
        self.assertGreater(trail.killed["drainers"], 5)
        # What this proves, it proves of something.
        for some in ({key for key in is_so["accepted"] if key[1] == kind}
                     for kind in ("accepted", "refused", "breaker")):
            self.assertGreater(len(some), 100)
        self.assertGreater(len(is_so["own"]), 0)
        self.assertGreater(sum(count for key, count in is_so["accepted"].items()
                               if key[3] == REPEATED_PORT), 100)

    def test_a_bound_that_is_too_small(self):
        trail = Trail(self, "a small bound", SEED, most=768 << 10)
        trail.writers(8, 2000, 0.12)
        self.assertLessEqual(sum(f.stat().st_size for f in trail.spool.iterdir()), 768 << 10)
        rows = trail.attempts(trail.drain(DAY, longest=0.5))
        self.assertEqual({row[4] for row in rows}, {"connect_failed"})
        trail.collector.open()
        trail.drain_all(longest=0.15, lives=3)
        # There is room again.
        trail.writers(3, 100, 2)
        trail.drain_all()
        trail.reckon(dropped=500)

    def test_a_spool_in_which_bits_have_flipped(self):
        trail = Trail(self, "bits flipped", SEED)
        trail.collector.open()
        flips = 0
        for _ in range(8):
            trail.writers(2, 200, 0.15, pause_us=400, kind="plain")
            for segment in trail.segments():
                octets = bytearray(segment.read_bytes())
                if len(octets) <= FRAMES_AT:
                    continue
                # One among the frames, and one in the header.
                for first, end in ((FRAMES_AT, len(octets)), (0, FRAMES_AT)):
                    octets[trail.random.randrange(first, end)] ^= 1 << trail.random.randrange(8)
                segment.write_bytes(octets)
                flips += 1
            trail.drain_all()
        trail.reckon(damaged=flips // 2)
        self.assertGreater(flips, 8)

    def test_a_disk_that_is_full(self):
        if HAS_DISKS:
            trail = Trail(self, "a full disk", SEED, disk="640k")
        else:
            trail = Trail(self, "files of 80 kB", SEED, limit=80_000)
        trail.writers(4, 1500, 0.12)
        trail.collector.open()
        trail.drain_all(longest=0.1, lives=2)
        trail.writers(2, 50, 2)
        trail.drain_all()
        trail.reckon(dropped=100, disk_full=True)


def show_figures():
    rows = [("", *COLUMNS), *(tuple(map(str, row)) for row in FIGURES)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))))


if __name__ == "__main__":
    TRAIL, PKI, ROOT = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    SEED = sys.argv[4] if len(sys.argv) > 4 else "20261121"
    schema = json.loads((ROOT / "docs/schemas/cotter-audit-1.schema.json").read_text())
    VALIDATOR = jsonschema.Draft202012Validator(schema)
    LIBC = ctypes.CDLL(None, use_errno=True)
    HAS_DISKS = make_room_for_disks()
    program = unittest.main(argv=[sys.argv[0], *sys.argv[5:]], exit=False, verbosity=2)
    show_figures()
    sys.exit(0 if program.result.wasSuccessful() else 1)
