#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Sends every event to a systemd-journald of its own, and reads the journal.

usage: journald_test.py JOURNALD SEND
SEND is send.cpp. The journal lives in a mount namespace of the test's own, with /run and /var/log of its
own: nothing of the system's is touched, and no privilege is needed. Exit: 77 where the system allows no
such namespace.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

JOURNALD = SEND = None
SKIPPED = 77

# In the namespace: a journal of the name "t", all events sent to it, and what it has as JSON.
INSIDE = """
mount -t tmpfs none /run && mount -t tmpfs none /var/log || exit 77
mkdir /run/systemd /var/log/journal
"$1" t & journald=$!
for i in $(seq 100); do [ -S /run/systemd/journal.t/socket ] && break; sleep 0.1; done
"$2" journald /run/systemd/journal.t/socket || { kill $journald; exit 1; }
journalctl --namespace=t --sync || sleep 2
kill $journald; wait $journald
files=$(find /run /var/log -type f -name '*.journal')
journalctl --file $files --all --output=json SYSLOG_IDENTIFIER=cotter-test > "$3"
"""

IDS = {"accepted": "f93171c8dbab45d0b54ddddf54f980ca", "resumed": "f5bc4aef3cc44caa8768f2c03ce8f4ad",
       "would_refuse": "b61ef036650f4b76a05c4c4b87db8687", "refused": "d19b7270d7614e27892a3be296c67102",
       "breaker": "88ce6ce48b9f4f21a32b2ba88a6af76b", "manifest": "c8edded9d7eb4635968bccd4b674c77e",
       "clock": "ffb0fd3ff86a4024977cfa2699036177", "loss": "41a70d4e4bf146189c219cb5c4a76885"}


def text(value):
    """A field of the journal: octets where it is not printable."""
    return bytes(value).decode("utf-8") if isinstance(value, list) else value


class Journald(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory(prefix="cotter-journald-") as home:
            out = pathlib.Path(home) / "out"
            run = subprocess.run(
                ["unshare", "--map-root-user", "--mount", "sh", "-c", INSIDE, "sh", JOURNALD, SEND,
                 str(out)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=90)
            cls.log = run.stdout.decode(errors="replace")
            cls.status = run.returncode
            cls.entries = [json.loads(line) for line in out.read_text().splitlines()
                           ] if out.exists() else []

    def test_every_entry_is_in_the_journal_once_with_its_fields(self):
        self.assertEqual(self.status, 0, self.log)
        self.assertGreater(len(self.entries), 400, self.log)
        self.assertIn(f"{len(self.entries)} ok", self.log)
        for number, entry in enumerate(self.entries, 1):
            event = json.loads(text(entry["COTTER_EVENT"]))
            self.assertEqual(event["schema"], "cotter.audit/1")
            self.assertEqual(event["id"].rsplit("-", 1)[1], str(number))
            self.assertEqual(entry["COTTER_ID"], event["id"])
            self.assertEqual(entry["COTTER_TYPE"], event["type"])
            self.assertEqual(entry["COTTER_TIME"], event["time"])
            self.assertEqual(entry["MESSAGE_ID"], IDS[event["type"]])
            self.assertRegex(entry["PRIORITY"], "^[1-6]$")
            self.assertRegex(entry["MESSAGE"], "^[ -~]+$")
            self.assertEqual(entry.get("COTTER_REASON"), event.get("reason"))
            host = event.get("target", {}).get("host", "")
            self.assertEqual(text(entry.get("COTTER_HOST", "")).replace("\0", "\ufffd"), host)
            client = event.get("clientId", "")
            self.assertEqual(text(entry.get("COTTER_CLIENT", "")).replace("\0", "\ufffd"), client)

    def test_the_entry_that_came_as_a_file_is_whole(self):
        self.assertGreater(len(text(self.entries[-1]["COTTER_EVENT"])), 300 << 10)


def namespaces_are_allowed():
    return (shutil.which("unshare") and shutil.which("journalctl") and
            subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c",
                            "mount -t tmpfs none /run"], stderr=subprocess.DEVNULL).returncode == 0)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    JOURNALD = sys.argv.pop(1)
    SEND = os.path.abspath(sys.argv.pop(1))
    if not namespaces_are_allowed():
        print("no mount namespace here: not run")
        sys.exit(SKIPPED)
    unittest.main()
