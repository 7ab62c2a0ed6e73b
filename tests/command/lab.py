# SPDX-License-Identifier: BSL-1.0
"""What the command's tests share: running it, the certificates, and servers good and bad."""

import argparse
import base64
import contextlib
import functools
import hashlib
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

parser = argparse.ArgumentParser()
parser.add_argument("--command", required=True, help="the built cotter")
parser.add_argument("--pki", required=True, help="a directory that make-pki.sh filled")
parser.add_argument("--interceptor", help="the built cotter_lab_interceptor")
parser.add_argument("--backend", default="openssl")
settings = argparse.Namespace()


def main():
    """Runs the tests of the calling module with the arguments of the command line."""
    found, rest = parser.parse_known_args()
    vars(settings).update(vars(found))
    unittest.main(argv=[sys.argv[0], *rest])


def pki(name):
    return os.path.join(settings.pki, name)


def der_of(name):
    return openssl("x509", "-in", pki(name), "-outform", "der")


def openssl(*arguments, stdin=None):
    return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True,
                          check=True).stdout


@functools.cache
def certificate_sha256(name):
    return hashlib.sha256(openssl("x509", "-in", pki(name), "-outform", "der")).hexdigest()


@functools.cache
def spki_sha256(name):
    key = openssl("x509", "-in", pki(name), "-pubkey", "-noout")
    return hashlib.sha256(openssl("pkey", "-pubin", "-outform", "der", stdin=key)).hexdigest()


repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read(path, mode="r"):
    with open(path, mode, encoding=None if "b" in mode else "utf-8") as file:
        return file.read()


def guide(name):
    """A document of the guide, as printed there."""
    return os.path.join(repository, "tests", "json", "guide", name)


def time_text(days=0, hours=0):
    """That long from now."""
    at = time.time() + (days * 24 + hours) * 3600
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


class Desk(unittest.TestCase):
    """A directory to write documents into, and keys to sign them with."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = scratch.name

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, content):
        octets = content
        if not isinstance(content, bytes):
            octets = (content if isinstance(content, str) else json.dumps(content)).encode()
        with open(self.path(name), "wb") as file:
            file.write(octets)
        return self.path(name)

    def keys(self, name, algorithm="P-256"):
        """Makes a key. Returns the paths of its private and its public half."""
        kind = ["-algorithm", "ed25519"] if algorithm == "ed25519" else [
            "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        private = self.write(name + ".key", openssl("genpkey", *kind))
        os.chmod(private, 0o600)
        return private, self.write(name + ".pub", openssl("pkey", "-in", private, "-pubout"))

    def certificate(self, name, *, days=30, issuer="ca", algorithm="P-256", key=None,
                    host="localhost", ca=False):
        """A certificate of the lab's authority. Returns its path without the ending."""
        path = self.path(name)
        if key is None:
            self.keys(name, algorithm)
        elif key != path:
            self.write(name + ".key", read(key + ".key", "rb"))
        settings_file = self.write("request.cnf", "[req]\ndistinguished_name=d\n[d]\n")
        request = openssl("req", "-new", "-key", path + ".key", "-subj", "/CN=" + host, "-config",
                          settings_file)
        self.write(name + ".ext", "basicConstraints=critical,CA:" + ("TRUE" if ca else "FALSE") +
                   f"\nsubjectAltName=DNS:{host},IP:127.0.0.1\n")
        self.write(name + ".pem", openssl(
            "x509", "-req", "-CA", pki(issuer + ".pem"), "-CAkey", pki(issuer + ".key"),
            "-set_serial", str(int.from_bytes(os.urandom(8), "big")), "-days", str(days), "-sha256",
            "-extfile", path + ".ext", stdin=request))
        return path

    def succeeds(self, *arguments, **more):
        result = cotter(*arguments, **more)
        self.assertEqual(result.status, 0, result.stdout + result.stderr)
        return result

    def fails(self, status, code, *arguments, pointer=None, suggestion=None, **more):
        """Returns the error, which says everything that an error has to."""
        result = cotter(*arguments, "--json", **more)
        self.assertEqual(result.status, status, result.stdout + result.stderr)
        error = result.lines[-1]["error"]
        self.assertEqual(error["code"], code, error)
        for part in "seen", "expected", "do":
            self.assertTrue(error[part], error)
        self.assertIn(code, result.stderr)
        if pointer is not None:
            self.assertEqual(error.get("pointer", ""), pointer, error)
        if suggestion is not None:
            self.assertEqual(error.get("suggestion", ""), suggestion, error)
        return error


class Result:
    def __init__(self, process, seconds):
        self.status = process.returncode
        self.stdout = process.stdout.decode()
        self.stderr = process.stderr.decode()
        self.seconds = seconds

    @property
    def lines(self):
        """stdout as JSON Lines; raises if it is anything else."""
        if self.stdout and not self.stdout.endswith("\n"):
            raise ValueError("the last line has no end")
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def line(self):
        only, = self.lines
        return only


def cotter(*arguments, stdin=b"", environment=None, limit=60):
    started = time.monotonic()
    process = subprocess.run([settings.command, *arguments], input=stdin, capture_output=True,
                             env={**os.environ, **(environment or {})}, timeout=limit, check=False)
    result = Result(process, time.monotonic() - started)
    for sign in ("terminate called", "Sanitizer", "internal error", "Aborted", "core dumped"):
        if sign in result.stderr:
            raise AssertionError(result.stderr)
    if result.status not in (0, 1, 2, 3):
        raise AssertionError(f"exit {result.status}: {result.stderr}")
    return result


@contextlib.contextmanager
def serving(behave):
    """A TCP server on loopback: `behave(socket)` per connection, in a thread. Yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def handle(connection):
        with contextlib.suppress(OSError, ssl.SSLError), connection:
            connection.settimeout(20)
            behave(connection)

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if stopped.is_set():
                connection.close()
                return
            threading.Thread(target=handle, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stopped.set()
        with contextlib.suppress(OSError):
            socket.create_connection(listener.getsockname(), timeout=1).close()
        thread.join()
        listener.close()


def over_tls(behave, name="good", client_ca=None, only=None):
    """`behave(tls_socket)` after the server's side of a handshake. `name` is one of the lab's or
    the path of such a pair without its ending; `only` a TLS version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki(name + ".pem"), pki(name + ".key"))
    if only:
        context.minimum_version = context.maximum_version = only
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)

    def handle(connection):
        with context.wrap_socket(connection, server_side=True) as tls:
            behave(tls)

    return handle


def read_until(connection, end):
    octets = b""
    while end not in octets:
        some = connection.recv(4096)
        if not some:
            raise OSError("the client went away")
        octets += some
    return octets


def hold(connection):
    """Says nothing until the client gives up."""
    with contextlib.suppress(OSError):
        while connection.recv(4096):
            pass


def accept_upgrade(connection):
    """The server's side of RFC 6455 4.2; returns the request."""
    request = read_until(connection, b"\r\n\r\n").decode()
    fields = dict(line.split(": ", 1) for line in request.split("\r\n")[1:] if ": " in line)
    keyed = fields["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    answer = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
              "Sec-WebSocket-Accept: " + base64.b64encode(hashlib.sha1(keyed.encode()).digest())
              .decode()]
    if "Sec-WebSocket-Protocol" in fields:
        answer.append("Sec-WebSocket-Protocol: " + fields["Sec-WebSocket-Protocol"])
    connection.sendall(("\r\n".join(answer) + "\r\n\r\n").encode())
    return request


def exactly(connection, size):
    octets = b""
    while len(octets) < size:
        some = connection.recv(size - len(octets))
        if not some:
            raise OSError("the client went away")
        octets += some
    return octets


def read_message(connection):
    """One masked, unfragmented frame of a client."""
    head = exactly(connection, 2)
    size = head[1] & 0x7F
    if size == 126:
        size = int.from_bytes(exactly(connection, 2), "big")
    mask = exactly(connection, 4)
    return bytes(octet ^ mask[i % 4] for i, octet in enumerate(exactly(connection, size)))


def text_frame(payload):
    size = len(payload)
    head = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
    return b"\x81" + head + payload


@contextlib.contextmanager
def counting(name):
    """The lab's interceptor with that chain. Yields its port and a function that, called once the
    clients are done, gives what it saw of each connection."""
    process = subprocess.Popen([settings.interceptor, "--chain", pki(name + ".pem"), "--key",
                                pki(name + ".key")], stdout=subprocess.PIPE, text=True)
    port = json.loads(process.stdout.readline())["port"]

    def seen(count):
        return [json.loads(process.stdout.readline()) for _ in range(count)]

    try:
        yield port, seen
    finally:
        process.terminate()
        process.communicate(timeout=20)
