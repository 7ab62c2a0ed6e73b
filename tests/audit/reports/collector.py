#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Collectors of every kind, good and bad, for the tests of the network senders.

usage: collector.py PKI
Listens on loopback, prints `ports NAME=PORT ...`, serves until its standard input ends. What it
sees it prints, a line each, fields between tabs:
  request NAME PATH FIELDS BODY   a POST that was read whole; FIELDS as name=value;..., BODY in hex
  frames NAME OCTETS              what a syslog collector read before the end, in hex
  end NAME COUNT HOW VERSION      a connection: octets of application data, `closed` by
                                  close_notify, `cut` without, or `refused` in the handshake
  touched NAME                    somebody connected to the trap

The path of a request says how it is answered:
  /raw/END/HEX    with these octets, then as END says: keep, close (close_notify), cut (no
                  close_notify), reset, hold (silence), deaf (reads nothing for DEAF_SECONDS)
  /early/END/HEX  the same, before the content of the request has been read
  /drip/HEX       an octet each tenth of a second
  /large/SIZE     with 200 and that many octets of content
  /flood          a header section without end
"""
import contextlib
import os
import socket
import ssl
import struct
import sys
import threading
import time

# NAME: certificate, TLS version or None, who serves
LISTENERS = {
    "good": ("good", None, "http"),
    "tls12": ("good", ssl.TLSVersion.TLSv1_2, "http"),
    "tls13": ("good", ssl.TLSVersion.TLSv1_3, "http"),
    "foreign": ("foreign", None, "http"),
    "wrong-name": ("wrong-name", None, "http"),
    "cn-only": ("cn-only", None, "http"),
    "expired": ("expired", None, "http"),
    "not-yet": ("not-yet", None, "http"),
    "mutual": ("good", None, "http"),
    "syslog": ("good", None, "syslog"),
    "syslog12": ("good", ssl.TLSVersion.TLSv1_2, "syslog"),
    "syslog-foreign": ("foreign", None, "syslog"),
    "syslog-cut": ("good", None, "syslog-cut"),
    "syslog-hasty": ("good", None, "syslog-hasty"),
    "syslog-deaf": ("good", None, "syslog-deaf"),
    "trap": (None, None, "trap"),
}
DEAF_SECONDS = 4
printing = threading.Lock()


def say(*fields):
    with printing:
        print(*fields, sep="\t", flush=True)


class Gone(Exception):
    """The client has closed, as `how` says."""

    def __init__(self, how):
        super().__init__(how)
        self.how = how


class Connection:
    def __init__(self, tls, name):
        self.tls = tls
        self.name = name
        self.count = 0
        self.unread = bytearray()

    def read(self):
        try:
            some = self.tls.recv(65536)
        except (ssl.SSLEOFError, ConnectionError) as e:
            raise Gone("cut") from e
        if not some:
            raise Gone("closed")
        self.count += len(some)
        self.unread += some

    def take(self, size):
        while len(self.unread) < size:
            self.read()
        taken = bytes(self.unread[:size])
        del self.unread[:size]
        return taken

    def send(self, octets):
        try:
            self.tls.sendall(octets)
        except OSError as e:
            raise Gone("cut") from e

    def finish(self, end):
        """Ends as it was asked to; returns only from `keep`."""
        if end == "keep":
            return
        if end == "close":
            with contextlib.suppress(OSError, ValueError):
                self.tls.unwrap()
            raise Gone("closed")
        if end == "reset":
            self.tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if end == "hold":
            while True:
                self.read()
        if end == "deaf":
            # The client's end would stand behind what nobody reads.
            time.sleep(DEAF_SECONDS)
        raise Gone("cut")  # the socket is closed below TLS

    def http(self):
        while True:
            while b"\r\n\r\n" not in self.unread:
                self.read()
            head = self.take(self.unread.index(b"\r\n\r\n") + 4)[:-4]
            lines = head.decode("latin-1").split("\r\n")
            method, path, _ = lines[0].split(" ")
            fields = dict(line.split(": ", 1) for line in lines[1:])
            parts = path.split("?")[0].split("/")
            if parts[1] == "early":
                self.send(bytes.fromhex(parts[3]))
                self.finish(parts[2])
            body = self.take(int(fields["Content-Length"]))
            say("request" if method == "POST" else method, self.name, path,
                ";".join(f"{k.lower()}={v}" for k, v in fields.items()), body.hex())
            if parts[1] == "raw":
                self.send(bytes.fromhex(parts[3]))
                self.finish(parts[2])
            elif parts[1] == "drip":
                for octet in bytes.fromhex(parts[2]):
                    self.send(bytes([octet]))
                    time.sleep(0.1)
            elif parts[1] == "large":
                self.send(b"HTTP/1.1 200 OK\r\nContent-Length: " + parts[2].encode() + b"\r\n\r\n")
                for _ in range(int(parts[2]) // 65536):
                    self.send(bytes(65536))
            elif parts[1] == "flood":
                self.send(b"HTTP/1.1 200 OK\r\n")
                for _ in range(65536):  # 1 GB
                    self.send(b"X-Flood: " + b"x" * 16373 + b"\r\n")

    def syslog(self, kind):
        if kind == "syslog-deaf":
            self.tls.setblocking(True)
            while os.read(self.tls.fileno(), 65536):
                pass
            raise Gone("cut")
        if kind == "syslog-hasty":
            self.read()
            self.tls.setblocking(False)
            with contextlib.suppress(OSError, ValueError):
                self.tls.unwrap()  # sends, and cannot wait
            self.tls.setblocking(True)
            while os.read(self.tls.fileno(), 65536):
                pass
            raise Gone("cut")
        try:
            while True:
                self.read()
        except Gone as end:
            if kind == "syslog":
                with contextlib.suppress(OSError, ValueError):
                    self.tls.unwrap()
            else:
                self.tls.close()
            say("frames", self.name, self.unread.hex())
            raise end


def serve(listener, name, context, kind):
    while True:
        plain, _ = listener.accept()
        threading.Thread(target=handle, args=(plain, name, context, kind), daemon=True).start()


def handle(plain, name, context, kind):
    with plain:
        if kind == "trap":
            say("touched", name)
            return
        plain.settimeout(30)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            tls = context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False)
        except OSError:
            say("end", name, 0, "refused", "")
            return
        connection = Connection(tls, name)
        version = tls.version()
        how = "cut"
        try:
            connection.http() if kind == "http" else connection.syslog(kind)
        except Gone as end:
            how = end.how
        except ssl.SSLError:
            # In TLS 1.3 a client refuses after the server's side of the handshake is over.
            how = "refused" if connection.count == 0 else "cut"
        except OSError:
            pass
        with contextlib.suppress(OSError):
            tls.close()
        say("end", name, connection.count, how, version)


def main():
    pki = sys.argv[1]
    ports = {}
    for name, (certificate, version, kind) in LISTENERS.items():
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.path.join(pki, certificate + ".pem"),
                                    os.path.join(pki, certificate + ".key"))
            if version is not None:
                context.minimum_version = context.maximum_version = version
            if name == "mutual":
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(os.path.join(pki, "ca.pem"))
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        ports[name] = listener.getsockname()[1]
        threading.Thread(target=serve, args=(listener, name, context, kind), daemon=True).start()
    say("ports", *(f"{name}={port}" for name, port in ports.items()))
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
