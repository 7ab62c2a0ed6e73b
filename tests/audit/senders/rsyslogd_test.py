#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Sends every event to an rsyslogd of its own, and reads what it made of them.

usage: rsyslogd_test.py RSYSLOGD SEND
SEND is send.cpp. Nothing of the system's own syslog is touched.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

RSYSLOGD = SEND = None

CONFIGURATION = """
global(workDirectory="{here}" maxMessageSize="8k" net.enableDNS="off")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{here}/rfc5424" UseSpecialParser="off" UseSysTimeStamp="off" IgnoreTimestamp="off"
  RateLimit.Interval="0")
input(type="imuxsock" Socket="{here}/local" RateLimit.Interval="0")
template(name="fields" type="list" option.jsonf="on") {{
{properties}
}}
action(type="omfile" file="{here}/out" template="fields")
"""
PROPERTIES = ["pri", "hostname", "app-name", "procid", "msgid", "structured-data", "protocol-version",
              "msg"]
SEVERITIES = {"accepted": {6}, "resumed": {6}, "would_refuse": {4}, "refused": {2, 3, 4},
              "breaker": {1, 2, 3, 4, 5}, "manifest": {2, 3, 5}, "clock": {4}, "loss": {3}}


class Rsyslogd(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.TemporaryDirectory(prefix="cotter-rsyslog-")
        self.addCleanup(self.home.cleanup)
        self.here = pathlib.Path(self.home.name)
        lines = [f' property(outname="{p}" name="{p}" format="jsonf")' for p in PROPERTIES]
        lines.append(' property(outname="time" name="timereported" dateFormat="rfc3339" '
                     'date.inUTC="on" format="jsonf")')
        (self.here / "conf").write_text(
            CONFIGURATION.format(here=self.here, properties="\n".join(lines)))
        self.errors = (self.here / "errors").open("wb+")
        self.addCleanup(self.errors.close)
        self.daemon = subprocess.Popen(
            [RSYSLOGD, "-n", "-f", str(self.here / "conf"), "-i", str(self.here / "pid")],
            stdout=self.errors, stderr=self.errors)
        self.addCleanup(self.stop)
        self.until(lambda: (self.here / "rfc5424").exists() and (self.here / "local").exists())

    def stop(self):
        if self.daemon.poll() is None:
            self.daemon.terminate()
            self.daemon.wait(timeout=20)

    def until(self, done):
        end = time.monotonic() + 20
        while not done():
            if time.monotonic() > end or self.daemon.poll() is not None:
                self.errors.seek(0)
                self.fail("rsyslogd: " + self.errors.read().decode(errors="replace"))
            time.sleep(0.05)

    def send(self, how):
        """Sends all; returns what was written of each."""
        sent = subprocess.run([SEND, how, str(self.here / how)], check=True, timeout=60,
                              stdout=subprocess.PIPE).stdout.decode()
        count, why = sent.split()
        self.assertEqual(why, "ok")
        out = self.here / "out"
        self.until(lambda: out.exists() and out.read_bytes().count(b"\n") >= int(count))
        self.stop()
        lines = out.read_bytes().decode("utf-8").split("\n")[:-1]
        self.assertEqual(len(lines), int(count))
        return [json.loads(line) for line in lines]

    def check(self, got, numbered):
        event = json.loads(got["msg"])
        self.assertEqual(event["id"].rsplit("-", 1)[1], str(numbered))
        facility, severity = divmod(int(got["pri"]), 8)
        self.assertEqual(facility, 16)
        self.assertIn(severity, SEVERITIES[event["type"]])
        return event

    def test_messages_of_rfc_5424_arrive_in_their_parts(self):
        all_of_them = self.send("rfc5424")
        for number, got in enumerate(all_of_them, 1):
            event = self.check(got, number)
            self.assertEqual(got["protocol-version"], "1")
            self.assertEqual((got["hostname"], got["app-name"], got["procid"]),
                             ("desk-7", "cotter-test", "42"))
            self.assertEqual(got["msgid"], event["type"])
            if event["time"][:4] not in ("0000", "1969", "9999"):
                self.assertEqual(got["time"], event["time"].replace("Z", ".000000+00:00"))
            data = got["structured-data"]
            self.assertTrue(data.startswith(f'[cotter@32473 id="{event["id"]}" type="'), data)
            self.assertTrue(data.endswith('"]'), data)
        self.assertEqual(event["schema"], "cotter.audit-cut/1")
        self.assertEqual({json.loads(g["msg"])["schema"] for g in all_of_them[:-1]},
                         {"cotter.audit/1"})

    def test_messages_of_the_local_form_arrive_with_their_tag(self):
        for number, got in enumerate(self.send("local"), 1):
            self.check(got, number)
            self.assertEqual((got["app-name"], got["procid"]), ("cotter-test", "42"))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    RSYSLOGD = sys.argv.pop(1)
    SEND = sys.argv.pop(1)
    unittest.main()
