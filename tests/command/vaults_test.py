# SPDX-License-Identifier: BSL-1.0
"""`cotter breaker` with vaults that not every machine has: a TPM, a keyring."""

import contextlib
import os
import shutil
import socket
import subprocess
import time

from lab import Desk, cotter, main, parser, settings

parser.add_argument("--vaults", default="", help="those that the command was built with")


class Vaults(Desk):
    def setUp(self):
        super().setUp()
        os.chmod(self.directory, 0o700)
        os.mkdir(self.path("state"), 0o700)
        self.state = self.path("state/state")

    def holds(self, vault, resistance, environment=None):
        """What every vault must do for the command, up to noticing an older copy."""
        where = ["--state", self.state, "--vault", vault]
        made = self.succeeds("breaker", "init", *where, "--json", environment=environment).line
        self.assertEqual(made["resistance"], resistance)
        shutil.copytree(self.path("state"), self.path("older"))
        first = cotter("breaker", "status", *where, "--json", environment=environment)
        self.assertEqual(first.status, 0, first.stderr)
        self.assertEqual(first.line["store_id"], made["store_id"])
        # An attempt is written down before it is made, though nobody answers.
        tried = cotter("connect", "tls://localhost:1", "--connect", "127.0.0.1:1", "--pin",
                       "cert-sha256:" + "00" * 32, "--breaker", self.state, "--vault", vault,
                       "--json", "--timeout", "5", environment=environment)
        self.assertEqual(tried.line["error"]["code"], "connect_failed", tried.stderr)
        self.assertEqual(len(self.succeeds("breaker", "status", *where, "--json",
                                           environment=environment).lines), 2)
        shutil.rmtree(self.path("state"))
        shutil.copytree(self.path("older"), self.path("state"))
        self.fails(2, "state_rolled_back", "breaker", "status", *where, environment=environment)
        self.fails(2, "state_exists", "breaker", "init", *where, environment=environment)

    def test_a_counter_in_a_tpm(self):
        if "tpm2" not in settings.vaults:
            self.assertNotIn("tpm2:", cotter("breaker", "init", "--help").stdout)
            return
        os.mkdir(self.path("tpm"))
        # tpm2-tss looks for the control channel at the next port.
        control = None
        while control is None:
            with socket.create_server(("127.0.0.1", 0)) as one, contextlib.suppress(OSError):
                port = one.getsockname()[1]
                with socket.create_server(("127.0.0.1", port + 1)):
                    control = port + 1
        tpm = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + self.path("tpm"),
                                "--server", f"type=tcp,port={port},bindaddr=127.0.0.1",
                                "--ctrl", f"type=tcp,port={control},bindaddr=127.0.0.1",
                                "--flags", "not-need-init,startup-clear"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                with contextlib.suppress(OSError), \
                        socket.create_connection(("127.0.0.1", control), timeout=1):
                    break
                time.sleep(0.05)
            # Who has no TPM at the usual place says where it is. Two commas in it are its own.
            vault = f"tpm2:{self.path('key.tpm')},0x01800042,16+23,swtpm:host=127.0.0.1,port={port}"
            self.holds(vault, "hardware", {"TSS2_LOG": "all+NONE"})
        finally:
            tpm.kill()
            tpm.wait()
        for wrong in "tpm2:", "tpm2:f,42,16", "tpm2:f,0x01800042", "tpm2:f,0x01800042,24", \
                "tpm2:,0x01800042,1":
            self.fails(3, "usage", "breaker", "init", "--state", self.state, "--vault", wrong)

    def test_a_counter_in_a_keyring(self):
        if "libsecret" not in settings.vaults:
            self.assertNotIn("secret:", cotter("breaker", "init", "--help").stdout)
            return
        home = self.path("home")
        os.mkdir(home, 0o700)
        bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        environment = {"HOME": home, "XDG_RUNTIME_DIR": home,
                       "DBUS_SESSION_BUS_ADDRESS": bus.stdout.readline().strip()}
        keyring = subprocess.Popen(["gnome-keyring-daemon", "--unlock", "--components=secrets",
                                    "--foreground"], stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**os.environ, **environment})
        keyring.stdin.write(b"test-pass")
        keyring.stdin.close()
        try:
            probe = ["--state", self.state, "--vault", "secret:probe"]
            for _ in range(100):
                if cotter("breaker", "status", *probe, "--json",
                          environment=environment).line["error"]["code"] == "state_absent":
                    break
                time.sleep(0.1)
            self.holds("secret:cotter", "partial", environment)
        finally:
            for process in keyring, bus:
                process.kill()
                process.wait()
            bus.stdout.close()


if __name__ == "__main__":
    main()
