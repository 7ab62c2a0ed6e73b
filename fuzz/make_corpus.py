#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes the seeds of the fuzz targets, a folder per target, each file named for what it is.

usage: make_corpus.py VECTORS OUT     VECTORS: tests/vectors/vectors.json
"""
import base64
import json
import pathlib
import sys


def octets(der):
    """A vector's DER: base64, or a list of base64 and [count, octet]."""
    parts = [der] if isinstance(der, str) else der
    return b"".join(
        base64.b64decode(part) if isinstance(part, str) else bytes([part[1]]) * part[0]
        for part in parts
    )


def general_names(*names):
    content = b"".join(bytes([tag, len(value)]) + value for tag, value in names)
    return b"\x30\x82" + len(content).to_bytes(2, "big") + content


def seeds(vectors):
    certificates = {
        vector["name"].replace("/", "."): octets(vector["der"])
        for vector in vectors
        if vector["key"] == "p256" and len(vector["der"]) < 4000
    }
    for target in ("der_reader", "certificate_form", "certificate_view"):
        for name, der in certificates.items():
            yield target, name, der

    for name, host, san in (
        ("dns", "sip.example.com", general_names((0x82, b"sip.example.com"))),
        ("wildcard", "sip.example.com", general_names((0x82, b"*.example.com"))),
        ("wildcard-alone", "sip.example.com", general_names((0x82, b"*"))),
        ("upper-case", "sip.example.com", general_names((0x82, b"SIP.Example.COM"))),
        ("trailing-dot", "sip.example.com", general_names((0x82, b"sip.example.com."))),
        ("nul-inside", "sip.example.com", general_names((0x82, b"sip.example.com\0.net"))),
        ("ipv4", "127.0.0.1", general_names((0x87, b"\x7f\0\0\1"))),
        ("ipv6", "::1", general_names((0x87, b"\0" * 15 + b"\1"))),
        ("sip-uri", "example.com", general_names((0x86, b"sip:example.com"))),
        ("sip-uri-with-user", "example.com", general_names((0x86, b"sip:bob@example.com"))),
        ("sips-uri", "example.com", general_names((0x86, b"sips:example.com"))),
        ("uri-beside-dns", "example.com",
         general_names((0x82, b"example.com"), (0x86, b"sip:other.example"))),
        ("cut-short", "example.com", general_names((0x82, b"example.com"))[:-1]),
    ):
        yield "names", name, host.encode() + b"\0" + san

    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    accept = b"Sec-WebSocket-Accept: accepted\r\n"
    for name, text in (
        ("agreed", head + accept + b"Sec-WebSocket-Protocol: sip\r\n\r\n"),
        ("no-subprotocol", head + accept + b"\r\n"),
        ("wrong-accept", head + b"Sec-WebSocket-Accept: other\r\n\r\n"),
        ("redirect", b"HTTP/1.1 302 Found\r\nLocation: wss://other.example/\r\n\r\n"),
        ("extension", head + accept + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
        ("folded", head + b"Sec-WebSocket-Accept:\r\n accepted\r\n\r\n"),
        ("not-http", b"SIP/2.0 400 Bad Request\r\n\r\n"),
        ("http-1-0", head.replace(b"1.1", b"1.0") + accept + b"\r\n"),
    ):
        yield "upgrade", name, text

    for name, frames in (
        ("text", b"\x81\x05hello"),
        ("binary", b"\x82\x03\0\1\2"),
        ("fragments", b"\x01\x03hel\x80\x02lo"),
        ("ping-between-fragments", b"\x01\x03hel\x89\x01p\x80\x02lo"),
        ("bad-utf8", b"\x81\x02\xc3\x28"),
        ("utf8-cut", b"\x01\x01\xc3\x80\x01\xa9"),
        ("masked", b"\x81\x81\0\0\0\0a"),
        ("reserved-bit", b"\xc1\x01a"),
        ("reserved-opcode", b"\x83\x00"),
        ("long-control", b"\x89\x7e\0\x7e" + b"x" * 126),
        ("close-1000", b"\x88\x02\x03\xe8"),
        ("close-without-code", b"\x88\x00"),
        ("close-one-octet", b"\x88\x01\x03"),
        ("close-1005", b"\x88\x02\x03\xed"),
        ("length-64-bits", b"\x82\x7f" + b"\0" * 7 + b"\1z"),
        ("length-high-bit", b"\x82\x7f\x80" + b"\0" * 7),
        ("after-close", b"\x88\x02\x03\xe8\x81\x01a"),
    ):
        yield "websocket", name, frames

    alert = b"\x15\x03\x03\x00\x02\x02\x28"
    hello = b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03" + bytes(32) + b"\x00\xc0\x2f\x00"
    for name, records in (
        ("handshake-failure-alert", alert),
        ("server-hello", hello),
        ("server-hello-then-alert", hello + alert),
        ("empty-handshake-record", b"\x16\x03\x03\x00\x00"),
        ("application-data-first", b"\x17\x03\x03\x00\x05hello"),
        ("http", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        ("ssl3-alert", b"\x15\x03\x00\x00\x02\x02\x28"),
        ("record-too-long", b"\x16\x03\x03\xff\xff"),
        ("zeros", bytes(64)),
    ):
        for library in ("openssl", "wolfssl", "mbedtls"):
            yield f"engine_{library}", name, records


def main():
    vectors = json.loads(pathlib.Path(sys.argv[1]).read_text())["vectors"]
    out = pathlib.Path(sys.argv[2])
    for target, name, data in seeds(vectors):
        folder = out / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


main()
