# SPDX-License-Identifier: BSL-1.0
"""`cotter breaker` and `cotter vault`: state that outlives the command, and what opens a lock."""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess

from lab import (Desk, certificate_sha256, cotter, counting, hold, main, over_tls, pki, serving,
                 settings)

nobody = 65534
backends = ["openssl", "wolfssl", "mbedtls"]


class Breaker(Desk):
    def setUp(self):
        super().setUp()
        os.chmod(self.directory, 0o700)
        self.state = self.path("state")

    def init(self, *options):
        return self.succeeds("breaker", "init", "--state", self.state, "--json", *options).line

    def connect(self, port, backend="openssl", attempts=1, name="good.pem", *options):
        return cotter("connect", f"tls://localhost:{port}", "--json", "--backend", backend,
                      "--ca", pki("ca.pem"), "--pin", "cert-sha256:" + certificate_sha256(name),
                      "--timeout", "5", "--breaker", self.state, "--attempts", str(attempts),
                      "--cooldown-ms", "0", *options)

    def lock(self, port, backend="openssl", *options):
        result = self.connect(port, backend, 3, "other.pem", *options)
        self.assertEqual([line["reason"] for line in result.lines], ["pin_mismatch"] * 3)
        return result

    def status(self, code=0, *options):
        result = cotter("breaker", "status", "--state", self.state, "--json", *options)
        self.assertEqual(result.status, code, result.stdout + result.stderr)
        return result.lines

    def statement(self, port, name="reset", **changes):
        """A payload for the lock that the state has; `changes` to what the command is given."""
        about = self.status(2)
        given = {"--target": f"localhost:{port}", "--store-id": about[0]["store_id"],
                 "--lock-epoch": str(about[1]["lock_epoch"]), "--out": self.path(name)}
        given.update({"--" + key.replace("_", "-"): value for key, value in changes.items()})
        self.succeeds("breaker", "reset", *[word for pair in given.items() for word in pair])
        return self.path(name)

    def test_a_lock_outlives_the_process_whichever_library_asks(self):
        made = self.init()
        self.assertEqual(made["resistance"], "none")
        self.assertEqual(len(made["store_id"]), 32)
        with counting("good") as (port, seen):
            self.lock(port, "openssl")
            self.assertEqual(len(seen(3)), 3)
            for backend in backends:
                line = self.connect(port, backend).line
                self.assertEqual((line["reason"], line["tcp"], line["breaker"]),
                                 ("breaker_locked", False, "locked"))
        store, key = self.status(2)
        self.assertEqual((store["store_id"], store["any_locked"]), (made["store_id"], True))
        self.assertEqual((key["host"], key["port"], key["state"], key["streak"],
                          key["mismatches_24h"], key["lock_epoch"]),
                         ("localhost", port, "locked", 3, 3, 1))

    def test_counts_go_on_from_process_to_process_and_a_success_clears_the_streak(self):
        self.init()
        with serving(over_tls(hold)) as port:
            for backend in backends[:2]:
                line = self.connect(port, backend, 1, "other.pem").line
                self.assertEqual(line["reason"], "pin_mismatch")
            self.assertEqual(self.status(1)[1]["streak"], 2)
            self.assertEqual(self.connect(port, "mbedtls").line["verdict"], "accepted")
            key = self.status()[1]
            self.assertEqual((key["state"], key["streak"], key["mismatches_24h"]), ("closed", 0, 2))

    def test_mismatches_in_one_network_do_not_lock_another(self):
        self.init()
        with serving(over_tls(hold)) as port:
            self.lock(port, "openssl", "--network", "hotel")
            line = self.connect(port, "openssl", 1, "good.pem", "--network", "hotel").line
            self.assertEqual(line["reason"], "breaker_locked")
            for network in ([], ["--network", "office"]):
                line = self.connect(port, "wolfssl", 1, "good.pem", *network).line
                self.assertEqual(line["verdict"], "accepted")
            states = {key["network"]: key["state"] for key in self.status(2)[1:]}
            self.assertEqual(states, {"hotel": "locked", None: "closed", "office": "closed"})

    def test_a_reset_is_refused_without_and_granted_with_the_signed_statement(self):
        self.init()
        private, public = self.keys("admin")
        stranger, _ = self.keys("stranger")
        with serving(over_tls(hold)) as port:
            self.lock(port)

            def apply(code, statement, *trust):
                self.fails(2, code, "breaker", "reset", "--state", self.state, "--apply", statement,
                           *(trust or ["--trust-key", public]))
                self.assertEqual(self.connect(port).line["reason"], "breaker_locked")

            payload = self.statement(port)
            apply("invalid_envelope", self.write("text", "[]"))
            apply("invalid_envelope", payload)
            apply("unknown_signer", self.statement(port, "theirs", key=stranger))
            apply("reset_not_for_this", self.statement(port, "host", key=private,
                                                       target="other.example:" + str(port)))
            apply("reset_not_for_this", self.statement(port, "port", key=private,
                                                       target="localhost:1"))
            apply("reset_not_for_this", self.statement(port, "store", key=private,
                                                       store_id="00" * 16))
            apply("reset_not_for_this", self.statement(port, "epoch", key=private, lock_epoch="2"))
            apply("reset_not_for_this", self.statement(port, "network", key=private,
                                                       network="hotel"))
            self.fails(3, "usage", "breaker", "reset", "--state", self.state, "--apply", payload)

            good = self.statement(port, "good", key=private)
            done = self.succeeds("breaker", "reset", "--state", self.state, "--apply", good,
                                 "--trust-key", public, "--json").line
            self.assertEqual((done["reset"], done["lock_epoch"]), (True, 1))
            self.assertEqual(self.connect(port).line["verdict"], "accepted")
            # The word was for that lock: the next one needs its own.
            self.fails(2, "reset_not_for_this", "breaker", "reset", "--state", self.state,
                       "--apply", good, "--trust-key", public)
            self.lock(port)
            apply("reset_not_for_this", good)
            self.assertEqual(self.status(2)[1]["lock_epoch"], 2)

    def test_an_outside_signer_signs_a_reset_as_any_other_document(self):
        self.init()
        private, public = self.keys("admin")
        with serving(over_tls(hold)) as port:
            self.lock(port)
            payload = self.statement(port)
            signed = self.path("signed")
            self.fails(2, "wrong_payload_type", "manifest", "sign", payload, "--type", "key-set",
                       "--key", private, "-o", signed)
            self.succeeds("manifest", "sign", payload, "--type", "breaker-reset", "--key", private,
                          "-o", signed)
            self.succeeds("breaker", "reset", "--state", self.state, "--apply", signed,
                          "--trust-key", public)
            self.assertEqual(self.status()[1]["state"], "closed")

    def test_a_statement_of_another_state_file_opens_nothing(self):
        self.init()
        private, public = self.keys("admin")
        with serving(over_tls(hold)) as port:
            self.lock(port)
            elsewhere = self.statement(port, "elsewhere", key=private)
            self.state = self.path("second")
            self.init()
            self.lock(port)
            self.fails(2, "reset_not_for_this", "breaker", "reset", "--state", self.state,
                       "--apply", elsewhere, "--trust-key", public)

    def test_state_that_is_gone_damaged_or_foreign_lets_nothing_through(self):
        with serving(over_tls(hold)) as port:
            def refused(code):
                line = self.connect(port).line
                self.assertEqual((line["verdict"], line["reason"], line["tcp"]),
                                 ("refused", "state_unavailable", False))
                self.assertEqual(line["error"]["code"], code)
                self.fails(2, code, "breaker", "status", "--state", self.state)

            refused("state_absent")
            self.init()
            self.assertEqual(self.connect(port).line["verdict"], "accepted")
            self.fails(2, "state_exists", "breaker", "init", "--state", self.state)
            with open(self.state, "r+b") as file:
                whole = file.read()
                file.seek(200)
                file.write(bytes([whole[200] ^ 1]))
            refused("state_damaged")
            with open(self.state, "wb") as file:
                file.write(whole[:-1])
            refused("state_damaged")
            with open(self.state, "wb") as file:
                file.write(whole)
            os.chmod(self.state, 0o644)
            refused("state_foreign")
            os.chmod(self.state, 0o600)
            self.assertEqual(self.connect(port).line["verdict"], "accepted")
            self.fails(2, "state_foreign", "breaker", "status", "--state", self.state, "--name",
                       "desk")
            self.fails(2, "state_foreign", "breaker", "status", "--state", self.state,
                       "--store-id", "00" * 16)
            os.remove(self.state + ".key")
            refused("state_absent")

    def test_a_file_that_is_no_socket_is_not_removed_for_one(self):
        precious = self.write("precious", "state of somebody else")
        os.mkdir(self.path("kept"), 0o700)
        self.fails(3, "usage", "vault", "serve", "--socket", precious, "--directory",
                   self.path("kept"), "--user", "root")
        with open(precious, encoding="utf-8") as file:
            self.assertEqual(file.read(), "state of somebody else")

    @contextlib.contextmanager
    def stuck(self):
        """Somebody holds the state's lock, and does not let go."""
        with open(self.state + ".lock", "r+b") as file:
            first_octet = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
            fcntl.fcntl(file, 37, first_octet)  # F_OFD_SETLK
            yield

    def test_a_stuck_lock_hangs_no_handshake_and_opens_nothing(self):
        self.init()
        with serving(over_tls(hold)) as port, self.stuck():
            result = self.connect(port)
            self.assertEqual((result.line["reason"], result.line["error"]["code"],
                              result.line["tcp"]), ("state_unavailable", "state_busy", False))
            self.assertLess(result.seconds, 2)
        holds = contextlib.ExitStack()

        def take_and_shake(connection):
            holds.enter_context(self.stuck())  # after the reservation, before the verdict
            over_tls(hold)(connection)

        with holds, serving(take_and_shake) as port:
            result = self.connect(port, "openssl", 1, "other.pem")
            self.assertEqual(result.line["reason"], "pin_mismatch")
            self.assertLess(result.seconds, 2)
            self.assertEqual(self.connect(port).line["reason"], "state_unavailable")

    def test_what_is_typed_wrong_is_said(self):
        self.fails(3, "usage", "breaker", "init", "--state", self.state, "--store-id", "00" * 16)
        with open("/proc/sys/kernel/overflowuid", encoding="ascii") as file:
            unknown = file.read().strip()
        self.fails(3, "usage", "vault", "serve", "--directory", self.directory, "--user", unknown,
                   "--socket", self.path("s"))
        for vault in "tape:/dev/st0", "file:", "service":
            self.fails(3, "usage", "breaker", "init", "--state", self.state, "--vault", vault)
        self.fails(3, "usage", "breaker", "status", "--state", self.state, "--store-id", "zz")
        self.fails(3, "usage", "breaker", "reset")
        self.fails(3, "usage", "vault", "serve", "--directory", self.directory, "--user",
                   "no-such-user-here", "--socket", self.path("s"))


class Service(Desk):
    """The key and the counter are kept by another user: this takes root."""

    def setUp(self):
        super().setUp()
        self.assertEqual(os.geteuid(), 0, "only root can start a service of another user")
        os.chmod(self.directory, 0o711)
        self.kept = self.path("kept")
        self.socket = self.path("run/socket")
        self.mine = self.path("mine")
        for path, owner, mode in (self.kept, nobody, 0o700), (self.path("run"), nobody, 0o755), \
                (self.mine, 0, 0o700):
            os.mkdir(path)
            os.chown(path, owner, owner)
            os.chmod(path, mode)
        self.options = ["--state", self.path("mine/state"), "--vault", "service:" + self.socket]

    @contextlib.contextmanager
    def serving(self, *users):
        # The built command may lie where that user cannot look.
        command = shutil.copy(settings.command, self.path("cotter"))
        os.chmod(command, 0o755)
        process = subprocess.Popen([command, "vault", "serve", "--socket", self.socket,
                                    "--directory", self.kept, *[word for user in users or ["root"]
                                                                for word in ("--user", user)]],
                                   user=nobody, group=nobody, extra_groups=[],
                                   stderr=subprocess.PIPE, text=True)
        try:
            self.assertIn("serving", process.stderr.readline())
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0)
        self.assertFalse(os.path.exists(self.socket))

    def test_state_put_back_is_noticed_and_deleted_state_stays_gone(self):
        with self.serving():
            made = self.succeeds("breaker", "init", *self.options, "--json").line
            self.assertEqual(made["resistance"], "other_principal")
            older = self.path("older")
            shutil.copytree(self.mine, older)
            with serving(over_tls(hold)) as port:
                def connect(name):
                    return cotter("connect", f"tls://localhost:{port}", "--json", "--ca",
                                  pki("ca.pem"), "--pin", "cert-sha256:" + certificate_sha256(name),
                                  "--breaker", *self.options[1:], "--timeout", "5").line
                self.assertEqual(connect("other.pem")["reason"], "pin_mismatch")
                newer = self.path("newer")
                shutil.copytree(self.mine, newer)
                shutil.rmtree(self.mine)
                shutil.copytree(older, self.mine)
                line = connect("good.pem")
                self.assertEqual((line["reason"], line["error"]["code"], line["tcp"]),
                                 ("state_unavailable", "state_rolled_back", False))
                shutil.rmtree(self.mine)
                os.mkdir(self.mine, 0o700)
                self.assertEqual(connect("good.pem")["error"]["code"], "state_absent")
                self.fails(2, "state_exists", "breaker", "init", *self.options)
                shutil.rmtree(self.mine)
                shutil.copytree(newer, self.mine)
                self.assertEqual(connect("good.pem")["verdict"], "accepted")

    def test_without_its_service_nothing_is_let_through(self):
        with self.serving():
            self.succeeds("breaker", "init", *self.options)
        self.fails(2, "state_absent", "breaker", "status", *self.options)
        with self.serving():
            self.succeeds("breaker", "status", *self.options)
        with self.serving("daemon"):
            self.fails(2, "state_foreign", "breaker", "status", *self.options)

    def test_a_second_service_does_not_take_the_socket_of_the_first(self):
        with self.serving():
            self.fails(3, "usage", "vault", "serve", "--socket", self.socket, "--directory",
                       self.mine, "--user", "root")
            self.succeeds("breaker", "init", *self.options)

    def test_a_socket_that_nobody_serves_any_more_is_replaced(self):
        with self.serving() as first:
            pass
        del first
        with self.serving() as process:
            process.kill()
            process.wait()
            with contextlib.suppress(FileNotFoundError):
                self.assertTrue(os.path.exists(self.socket))
            restarted = subprocess.Popen(
                [self.path("cotter"), "vault", "serve", "--socket", self.socket, "--directory",
                 self.kept, "--user", "root"], user=nobody, group=nobody, extra_groups=[],
                stderr=subprocess.PIPE, text=True)
            self.assertIn("serving", restarted.stderr.readline())
            self.succeeds("breaker", "init", *self.options)
            restarted.terminate()
            restarted.communicate(timeout=20)
            process.returncode = 0

    def test_the_manager_s_socket_is_served(self):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(self.socket)
        os.chmod(self.socket, 0o666)

        command = shutil.copy(settings.command, self.path("cotter"))
        script = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3<&%d' % listener.fileno()
        # The manager listens as root, which to this client is itself: the keeper listens anew.
        listener.listen()
        process = subprocess.Popen(["sh", "-c", script, "sh", command, "vault", "serve",
                                    "--directory", self.kept, "--user", "root"],
                                   user=nobody, group=nobody, extra_groups=[],
                                   pass_fds=[listener.fileno()], stderr=subprocess.PIPE, text=True)
        try:
            self.assertIn("serving", process.stderr.readline())
            self.succeeds("breaker", "init", *self.options)
        finally:
            process.terminate()
            process.communicate(timeout=20)
            listener.close()


if __name__ == "__main__":
    main()
