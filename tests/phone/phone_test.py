#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The example phone, cross-compiled for ARM and run by qemu-user, calls a real SIP server.

usage: phone_test.py --sysroot DIR --pki DIR --work DIR [--phone SOURCES] [unittest's arguments]
Exit: 0 passed, 1 failed, 77 there is no cross compiler, or no qemu-arm.
"""
import argparse
import contextlib
import hashlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

repository = pathlib.Path(__file__).resolve().parents[2]
parser = argparse.ArgumentParser()
parser.add_argument("--sysroot", required=True, help="made by scripts/cross-sysroot armhf")
parser.add_argument("--pki", required=True, type=pathlib.Path, help="made by tests/lab/make-pki.sh")
parser.add_argument("--work", required=True, type=pathlib.Path, help="to build in")
parser.add_argument("--phone", type=pathlib.Path, default=repository / "examples" / "phone")
settings = argparse.Namespace()

PREFIX = "arm-linux-gnueabihf-"
LIBC = "/usr/arm-linux-gnueabihf"
CONFIG = """#pragma once
#include <cotter/embedded.hpp>
namespace phone_config {
inline constexpr char host[] = "localhost";
inline constexpr std::uint16_t sips_port = 5061;
inline constexpr std::uint16_t wss_port = 443;
inline constexpr cotter::pin leaf = cotter::primary("cert-sha256:%s");
inline constexpr cotter::fixed_pin_set pins{cotter::fixed_target{host, sips_port, leaf},
                                            cotter::fixed_target{host, wss_port, leaf}};
inline constexpr cotter::breaker_config breaker{2, 2, std::chrono::minutes{5}};
}
"""
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23


def run(*command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def build():
    """The phone for this lab: pinned to `good` for SIP and for WSS; and what counts its heap."""
    run("openssl", "x509", "-in", settings.pki / "good.pem", "-outform", "der",
        "-out", settings.work / "good.der")
    leaf = (settings.work / "good.der").read_bytes()
    config = settings.work / "config"
    config.mkdir(exist_ok=True)
    text = CONFIG % hashlib.sha256(leaf).hexdigest()
    header = config / "phone_config.hpp"
    if not header.exists() or header.read_text() != text:
        header.write_text(text)
    launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    for folder, whose in (("build", config), ("as-shipped", settings.phone / "config")):
        run("cmake", "-S", settings.phone, "-B", settings.work / folder, "-G", "Ninja",
            "--toolchain", settings.phone / "arm-linux-gnueabihf.cmake",
            f"-DCOTTER_SYSROOT={settings.sysroot}", f"-DPHONE_CONFIG={whose}",
            "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON", *launcher)
        run("cmake", "--build", settings.work / folder)
    run(PREFIX + "g++", "-std=c++20", "-O1", "-shared", "-fPIC",
        repository / "tests/phone/counted_heap.cpp", "-o", settings.work / "counted_heap.so")


class Server:
    """A Kamailio with one of the lab's certificates."""

    def __init__(self, name):
        self.directory = tempfile.mkdtemp(prefix="cotter-phone-")
        told = run(repository / "tests/lab/kamailio-start.sh", "start", self.directory,
                   settings.pki / (name + ".pem"), settings.pki / (name + ".key"))
        about = dict(line.split("=", 1) for line in told.splitlines())
        self.ports = {"sips": int(about["sips_port"]), "wss": int(about["wss_port"])}

    def close(self):
        run(repository / "tests/lab/kamailio-start.sh", "stop", self.directory)
        shutil.rmtree(self.directory)


class Relay:
    """Stands before a server, counts connections, and keeps the TLS records that the phone sent."""

    def __init__(self, port):
        self.upstream = port
        self.connections = 0
        self.sent = bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.threads = []
        self.sockets = [self.listener]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.connections += 1
                server = socket.create_connection(("127.0.0.1", self.upstream))
                self.sockets += [client, server]
                for one in ((client, server, self.sent), (server, client, bytearray())):
                    self.threads.append(threading.Thread(target=self.carry, args=one, daemon=True))
                    self.threads[-1].start()

    @staticmethod
    def carry(source, sink, seen):
        with contextlib.suppress(OSError):
            while octets := source.recv(65536):
                seen += octets
                sink.sendall(octets)
        for one, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
            with contextlib.suppress(OSError):
                one.shutdown(how)

    def records(self):
        """The types of the records that came from the phone, once it has hung up."""
        for thread in self.threads:
            thread.join(10)
        types, rest = [], bytes(self.sent)
        while len(rest) >= 5:
            types.append(rest[0])
            rest = rest[5 + int.from_bytes(rest[3:5], "big"):]
        return types

    def close(self):
        # A thread that waits for a connection is not woken by a close alone.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(10)
        for one in self.sockets:
            one.close()


def setUpModule():
    settings.work.mkdir(parents=True, exist_ok=True)
    build()
    for name in ("good", "other"):
        server = Server(name)
        unittest.addModuleCleanup(server.close)
        setattr(settings, name, server)


class Phone(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.flash = os.path.join(scratch.name, "flash")
        self.assertEqual(self.phone("make-flash", self.flash).returncode, 0)

    def phone(self, *arguments, preload=()):
        """Runs it as a process of its own: each call is a restart."""
        return subprocess.run(
            ["qemu-arm", "-L", LIBC, *preload, settings.work / "build" / "phone", *arguments],
            capture_output=True, text=True, timeout=60)

    def call(self, how, port, **more):
        return self.phone(how, self.flash, settings.pki / "ca.pem", "127.0.0.1", str(port), **more)

    def relay(self, port):
        made = Relay(port)
        self.addCleanup(made.close)
        return made

    def refuses(self, reason, done):
        self.assertEqual((done.returncode, done.stdout.split()[:2]), (2, ["refused", reason]),
                         done.stdout + done.stderr)

    def test_the_pinned_server_answers_over_tls_and_over_wss(self):
        for how in ("sips", "wss"):
            with self.subTest(how):
                relay = self.relay(settings.good.ports[how])
                done = self.call(how, relay.port)
                self.assertEqual((done.returncode, done.stdout),
                                 (0, "accepted primary primary\nanswered 200 OK\n"), done.stderr)
                # What the next test does not find is there to be found.
                self.assertIn(CHANGE_CIPHER_SPEC, relay.records())
                self.assertIn(APPLICATION, relay.records())

    def test_another_key_gets_no_finished_and_no_application_octet(self):
        for how in ("sips", "wss"):
            with self.subTest(how):
                relay = self.relay(settings.other.ports[how])
                self.refuses("pin_mismatch", self.call(how, relay.port))
                self.assertEqual(relay.connections, 1)
                self.assertEqual(relay.records(), [HANDSHAKE, ALERT])

    def test_repeated_mismatches_lock_whatever_is_restarted(self):
        wrong = self.relay(settings.other.ports["sips"])
        for _ in range(2):
            self.refuses("pin_mismatch", self.call("sips", wrong.port))
        right = self.relay(settings.good.ports["sips"])
        for _ in range(2):
            self.refuses("breaker_locked", self.call("sips", right.port))
        self.assertEqual((wrong.connections, right.connections), (2, 0))
        # The lock is of one target.
        self.assertEqual(self.call("wss", settings.good.ports["wss"]).returncode, 0)

    def test_one_mismatch_is_forgotten_when_the_right_server_is_back(self):
        for _ in range(2):
            self.refuses("pin_mismatch", self.call("sips", settings.other.ports["sips"]))
            self.assertEqual(self.call("sips", settings.good.ports["sips"]).returncode, 0)

    def test_without_its_flash_or_with_a_torn_one_the_phone_calls_nobody(self):
        relay = self.relay(settings.good.ports["sips"])
        with open(self.flash, "r+b") as file:
            for block in (0, 4096):
                file.seek(block + 40)
                file.write(b"\xaa" * 4)
        self.refuses("state_unavailable", self.call("sips", relay.port))
        os.unlink(self.flash)
        self.refuses("state_unavailable", self.call("sips", relay.port))
        self.assertEqual(relay.connections, 0)

    def test_a_torn_write_costs_nothing_but_itself(self):
        self.refuses("pin_mismatch", self.call("sips", settings.other.ports["sips"]))
        with open(self.flash, "rb") as file:
            blocks = [file.read(4096), file.read(4096)]
        self.refuses("pin_mismatch", self.call("sips", settings.other.ports["sips"]))
        with open(self.flash, "rb") as file:
            written, = (i for i in (0, 1) if file.read(4096) != blocks[i])
        with open(self.flash, "r+b") as file:
            file.seek(written * 4096 + 100)
            file.write(b"\xff" * 3996)
        # Back at one mismatch: the next one locks.
        self.refuses("pin_mismatch", self.call("sips", settings.other.ports["sips"]))
        self.refuses("breaker_locked", self.call("sips", settings.good.ports["sips"]))

    def test_the_program_never_asks_for_memory(self):
        count = ("-E", f"LD_PRELOAD={settings.work / 'counted_heap.so'}")
        for how, server, status in (("sips", settings.good, 0), ("wss", settings.good, 0),
                                    ("wss", settings.other, 2)):
            with self.subTest(how=how, status=status):
                done = self.call(how, server.ports[how], preload=count)
                self.assertEqual(done.returncode, status, done.stdout + done.stderr)
                heap, _, program, _, libraries = done.stderr.split()[-5:]
                self.assertEqual((heap, program), ("heap:", "0"))
                self.assertGreater(int(libraries), 100)

    def test_the_program_names_no_heap_no_exceptions_and_no_rtti(self):
        named = run(PREFIX + "nm", "-C", settings.work / "build" / "phone")
        for word in ("operator new", "__cxa_throw", "__cxa_begin_catch", "typeinfo for", "__gxx_personality",
                     "std::locale", "std::ios", " U malloc", " U calloc", " U realloc",
                     "mbedtls_calloc"):
            with self.subTest(word):
                self.assertNotIn(word, named)
        self.assertIn("mbedtls_ssl_handshake", named)

    def test_the_pins_are_constants(self):
        symbols = run(PREFIX + "objdump", "-tC", settings.work / "build" / "phone")
        line, = (one for one in symbols.splitlines() if one.endswith(" phone_config::pins"))
        # They hold addresses, which the loader of a position-independent program fills in and seals.
        self.assertRegex(line, r"\s\.(rodata|data\.rel\.ro)\s")


if __name__ == "__main__":
    found, rest = parser.parse_known_args()
    vars(settings).update(vars(found))
    for needed in (PREFIX + "g++", "qemu-arm"):
        if not shutil.which(needed):
            print(f"skipped: there is no {needed}; scripts/bootstrap --test installs it")
            sys.exit(77)
    unittest.main(argv=[sys.argv[0], *rest])
