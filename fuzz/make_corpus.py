#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes the seeds of the fuzz targets, a folder per target, each file named for what it is.

usage: make_corpus.py VECTORS OUT     VECTORS: tests/vectors/vectors.json
"""
import base64
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent


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


def pem(der, label=b"CERTIFICATE", columns=64, end=b"\n", headers=b""):
    text = base64.b64encode(der)
    lines = [text[at:at + columns] for at in range(0, len(text), columns)]
    return end.join(
        [b"-----BEGIN " + label + b"-----" + headers, *lines, b"-----END " + label + b"-----", b""]
    )


def pem_files(der):
    sound = pem(der)
    key = pem(b"\x30\x03\x02\x01\x00", b"PRIVATE KEY")
    encrypted = b"\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n"
    yield "sound", sound
    yield "short", pem(der[:40])
    yield "two", sound + pem(der[:90])
    yield "key-first", key + sound
    yield "key-alone", key
    yield "behind-text", b"subject=CN = vectors.example\n\n" + sound
    yield "behind-a-byte-order-mark", b"\xef\xbb\xbf" + sound
    yield "behind-a-zero", b"\0\n" + sound
    yield "in-the-middle-of-a-line", b"# " + sound + sound
    yield "carriage-return-line-feed", pem(der, end=b"\r\n")
    yield "carriage-return", pem(der, end=b"\r")
    yield "76-columns", pem(der, columns=76)
    yield "one-line", pem(der, columns=10000)
    yield "trusted", pem(der, b"TRUSTED CERTIFICATE")
    yield "x509", pem(der, b"X509 CERTIFICATE")
    yield "request", pem(der, b"CERTIFICATE REQUEST")
    yield "encrypted", pem(der, headers=encrypted)
    yield "cut-short", sound[:-40]
    yield "without-last-line-feed", sound[:-1]
    yield "not-base64", sound.replace(b"M", b"!", 1)
    yield "padding-inside", sound[:60] + b"=" + sound[61:]
    yield "empty", pem(b"")
    yield "der", der


def toy_signature(key, message):
    """As in envelope.cpp: no signature, but found by mutation."""
    total = key
    for octet in message:
        total = (total * 33 + octet) & 0xFFFF
    return bytes([0x30, 6, 2, 1, 1, 2, 1, 1 + total % 4])


def envelope(document, payload, *signers):
    kind = f"application/vnd.cotter.{document}+json".encode()
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    text = lambda octets: base64.b64encode(octets).decode()
    return json.dumps({
        "payloadType": kind.decode(),
        "payload": text(payload),
        "signatures": [
            {"keyid": name, "sig": text(toy_signature("abc".index(name) + 1, message))}
            for name in signers
        ],
    }).encode()


def manifests():
    pin = "a" * 64
    target = {"host": "sip.example.com", "port": 5061, "pins": {"primary": pin}}
    complete = {
        "pinManifestVersion": "2.1.0", "sequence": 7, "issuedAt": "2027-05-20T00:00:00Z",
        "expires": "2027-12-01T00:00:00Z", "targets": [target],
    }
    for guide in sorted((HERE.parent / "tests/json/guide").glob("*.json")):
        yield guide.stem, guide.read_bytes()
    changes = {
        "complete": {},
        "empty-critical": {"critical": []},
        "critical": {"critical": ["regions"]},
        "unknown-critical": {"critical": ["quorum"], "quorum": 2},
        "observe": {"observeUntil": "2027-06-19T00:00:00Z"},
        "observe-too-long": {"observeUntil": "2027-06-20T00:00:00Z"},
        "runtime": {"runtime": [{"library": "openssl", "atLeast": "3.0.0", "below": "4.0.0"}]},
        "breaker": {"circuitBreakerConfig": {"maxConsecutiveFailures": 1}},
        "probe": {"lockRecovery": "verified_probe"},
        "endpoint": {"reportingEndpoint": "https://siem.example.com:8443/a?b"},
        "twice": {"targets": [target, target]},
        "both": {"targetHost": "sip.example.com"},
        "fallbacks": {"targets": [{**target, "pins": {
            "primary": ["cert-sha256:" + pin, "spki-sha256:" + pin],
            "fallback": [{"pin": pin, "label": "old", "notAfter": "2027-06-01T00:00:00Z"},
                         {"pin": "1 1 1 " + pin, "offlineBackup": True}, pin],
            "rotationWindowDays": 30}}]},
        "regions": {"targets": [{"host": "sip.example.com", "port": 443, "regions": [
            {"name": "emea", "prefixes": ["192.0.2.0/24", "2001:db8::/32"],
             "pins": {"primary": pin, "fallback": pin, "rotationWindowDays": 9}},
            {"name": "rest", "default": True, "pins": {"primary": pin}}]}]},
        "regions-without-a-default": {"targets": [{"host": "sip.example.com", "port": 443, "regions": [
            {"name": "emea", "prefixes": ["192.0.2.0/24"], "pins": {"primary": pin}}]}]},
        "host-not-canonical": {"targets": [{**target, "host": "SIP.Example.com."}]},
    }
    for name, change in changes.items():
        yield name, json.dumps({**complete, **change}).encode()
    yield "name-twice", b'{"a":1,"a":2}'
    yield "lone-surrogate", b'{"pinManifestVersion":"\\ud800"}'
    yield "not-utf8", b'{"pinManifestVersion":"\xff"}'
    yield "zero-behind", b"{}\0{}"
    yield "deep", b"[" * 40
    yield "number-too-large", b'{"sequence":1e400}'


def spellings():
    digits = "a" * 64
    for name, text in (
        ("bare", digits), ("upper", digits.upper()), ("cert", "cert-sha256:" + digits),
        ("spki", "spki-sha256:" + digits), ("spki-upper", "spki-sha256:" + digits.upper()),
        ("colons", ":".join(["AA"] * 32)), ("curl", "sha256//" + "q" * 42 + "o="),
        ("okhttp", "sha256/" + "q" * 42 + "o="), ("unpadded", "sha256//" + "q" * 42 + "o"),
        ("hpkp", 'pin-sha256="' + "q" * 42 + 'o="'), ("tlsa", "1 0 1 " + digits),
        ("tlsa-key", "1 1 1 " + digits.upper()), ("tlsa-ca", "2 0 1 " + digits),
        ("url", "wss://User@SIP.Example.com:5061/ws?x"), ("dot", "sip.example.com."),
        ("ipv6", "[2001:DB8:0::1]:443"), ("zone", "fe80::1%eth0"), ("block", "192.0.2.0/24"),
        ("block-with-rest", "192.0.2.1/24"), ("version", "3.0.17"),
        ("time", "2027-05-20T00:00:00Z"),
    ):
        yield name, text.encode()


def seeds(vectors):
    certificates = {
        vector["name"].replace("/", "."): octets(vector["der"])
        for vector in vectors
        if vector["key"] == "p256" and len(vector["der"]) < 4000
    }
    for target in (
        "der_reader", "certificate_form", "form_twin", "certificate_view", "backends_agree"
    ):
        for name, der in certificates.items():
            yield target, name, der

    yield from (("pem", name, text) for name, text in pem_files(certificates["p256.sound"]))

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

    yield from (("manifest", name, text) for name, text in manifests())
    yield from (("pin_spelling", name, text) for name, text in spellings())
    body = b'{"octets":"that nobody has to read"}'
    for name, choice, text in (
        ("one-of-one", 3, envelope("pin-manifest", body, "a")),
        ("two-of-two", 4, envelope("pin-manifest", body, "a", "c")),
        ("three-of-two", 4, envelope("pin-manifest", body, "a", "b", "c")),
        ("one-of-two", 4, envelope("pin-manifest", body, "b")),
        ("key-twice", 4, envelope("pin-manifest", body, "a", "a")),
        ("key-twice-renamed", 4,
         envelope("pin-manifest", body, "a", "a").replace(b'"a"', b'"x"', 1)),
        ("hints-swapped", 4, envelope("pin-manifest", body, "a", "b").replace(b'"a"', b'"b"', 1)),
        ("no-hint", 3, envelope("pin-manifest", body, "a").replace(b'"keyid": "a", ', b"")),
        ("another-kind", 3, envelope("key-set", body, "a")),
        ("key-set", 0, envelope("key-set", body, "a")),
        ("breaker-reset", 6, envelope("breaker-reset", body, "a")),
        ("renamed-kind", 3, envelope("key-set", body, "a").replace(b"key-set", b"pin-manifest")),
        ("spare-bits", 3, envelope("pin-manifest", body + b" ", "a").replace(b"In0g", b"In0h")),
    ):
        yield "envelope", name, bytes([choice]) + text

    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    accept = b"Sec-WebSocket-Accept: accepted\r\n"
    for name, text in (
        ("agreed", head + accept + b"Sec-WebSocket-Protocol: sip\r\n\r\n"),
        ("no-subprotocol", head + accept + b"\r\n"),
        ("wrong-accept", head + b"Sec-WebSocket-Accept: other\r\n\r\n"),
        ("without-accept", head + b"Sec-WebSocket-Protocol: sip\r\n\r\n"),
        ("redirect", b"HTTP/1.1 302 Found\r\nLocation: wss://other.example/\r\n\r\n"),
        ("extension", head + accept + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
        ("folded", head + b"Sec-WebSocket-Accept:\r\n accepted\r\n\r\n"),
        ("not-http", b"SIP/2.0 400 Bad Request\r\n\r\n"),
        ("http-1-0", head.replace(b"1.1", b"1.0") + accept + b"\r\n"),
    ):
        yield "upgrade", name, text

    yield from (("http_report", name, b"\x12\x34" + text) for name, text in report_answers())
    yield from (("audit_segment", name, text) for name, text in audit_segments())

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

    for name, data in audit_records():
        yield "audit_record", name, data

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


def report_answers():
    """What a collector may answer to a POST."""
    ok = b"HTTP/1.1 200 OK\r\n"
    yield "agreed", ok + b"Content-Length: 2\r\n\r\nok"
    yield "agreed-and-more-behind", ok + b"Content-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n"
    yield "no-content", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"
    yield "chunked", ok + b"Transfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n0\r\nTrailer: t\r\n\r\n"
    yield "chunked-cut", ok + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc"
    yield "content-cut", ok + b"Content-Length: 10\r\n\r\n123"
    yield "header-cut", ok + b"Content-Le"
    yield "until-the-end", b"HTTP/1.0 200 OK\r\n\r\nthank you"
    yield "interim-then-agreed", b"HTTP/1.1 100 Continue\r\n\r\n" + ok + b"Content-Length: 0\r\n\r\n"
    yield "interim-alone", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    yield "switching", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"
    yield "redirect", b"HTTP/1.1 307 Go\r\nLocation: https://other.example/\r\nContent-Length: 0\r\n\r\n"
    yield "wish", b"HTTP/1.1 429 No\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"
    yield "wish-date", (b"HTTP/1.1 503 No\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                        b"Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\nContent-Length: 0\r\n\r\n")
    yield "wish-too-long", b"HTTP/1.1 503 No\r\nRetry-After: 99999999999\r\nContent-Length: 0\r\n\r\n"
    yield "two-lengths", ok + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"
    yield "header-too-long", ok + b"X: " + b"x" * 16_384
    yield "content-too-long", ok + b"Content-Length: 99999\r\n\r\n" + b"x" * 66_000
    yield "content-behind-a-long-header", ok + b"X: " + b"x" * 16_000 + b"\r\n\r\n" + b"y" * 70_000
    yield "not-http", b"220 mail.example.com ESMTP\r\n"


def audit_records():
    """Records as values/audit_encoding.hpp keeps them."""
    def number(value, size):
        return value.to_bytes(size, "little")

    def text(some):
        return number(len(some), 2) + some

    def whom(host, port=443):
        return text(host) + number(port, 2) + b"\0"

    def problem(what=0, offset=0, native=0):
        return number(what, 1) + number(offset, 4) + number(native, 4)

    def pin(label):
        return bytes(range(32)) + b"\0\1" + number(1_900_000_000, 8) + text(label)

    def record(subject=0, host=b"sip.example.com", reason=6, matched=0, would=0, label=b"",
               fingerprint=bytes(range(32)), cause=0, evidence=0, owner=b"", change=0, clock=0,
               suppressed=0, pins=(b"one", b"two"), leaf=b""):
        detail = problem() if reason == 0 else problem(0, 0, 20)
        return b"".join((
            b"\1", number(subject, 1), number(1_800_000_000, 8), whom(host), text(b"openssl"),
            bytes((reason, matched, would)), detail,
            number(1 if fingerprint else 0, 1), fingerprint or bytes(32), text(label), b"\2",
            number(3, 2), number(0, 2), number(22, 2), b"\0", text(b"emea"),
            number(cause, 1), number(evidence, 2), whom(owner, 0), text(b""),
            number(1_700_000_000, 8), number(1_900_000_000, 8), b"\1\3", number(5, 4), b"\1",
            number(change, 1), number(7, 8), b"\0", problem(80 if change == 2 else 0),
            number(clock, 1), number(0, 8), number(suppressed, 4), number(1_799_999_999, 8),
            number(len(pins), 1), *(pin(one) for one in pins), number(len(leaf), 2), leaf))

    yield "refused", record(cause=3, evidence=0x99, leaf=b"\x30\x03\1\1\xff")
    yield "refused-and-matched", record(matched=1)
    yield "refused-before-tcp", record(reason=16, fingerprint=b"", pins=())
    yield "accepted", record(reason=0, matched=1, label=b"primary", pins=())
    yield "observed", record(reason=0, matched=3, would=6)
    yield "skew", record(cause=4, evidence=0x1001, owner=b"sip.example.com")
    yield "breaker", record(subject=1, reason=1, fingerprint=b"", pins=())
    yield "manifest-rejected", record(subject=2, host=b"", reason=1, change=2, pins=())
    yield "clock", record(subject=3, host=b"", reason=1, clock=1, pins=())
    yield "loss", record(subject=4, host=b"", reason=1, suppressed=12, pins=())
    yield "hostile-text", record(host=b"\xc3\x28\0\"\\\xed\xa0\x80", label=b"\xff\n")
    yield "empty", b""


def crc32c(data, seed=0):
    value = ~seed & 0xffff_ffff
    for octet in data:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0x82f6_3b78 if value & 1 else 0)
    return ~value & 0xffff_ffff


def audit_segments():
    """Segments as integrations/posix/cotter/posix/audit_segment.hpp has them, of one name."""
    def number(value, size=8):
        return value.to_bytes(size, "little")

    origin, segment = bytes(range(16)), 7
    seed = crc32c(number(segment), crc32c(origin))
    records = dict(audit_records())

    def part(fields):
        return 2 * (fields + number(crc32c(fields, seed), 4))

    def frame(ordinal, record, event=None, kind=0, settles=0):
        head = (b"\xc7CTR" + number(len(record), 4) + number(event or ordinal) + number(ordinal)
                + number(settles) + number(kind, 1) + number(crc32c(record, seed), 4))
        return head + number(crc32c(head, seed), 4) + record

    def file(*frames, drops=(0, 0), end=None, slots=(), before=(0, 0)):
        parts = {
            0: b"CTRAUDIT" + number(1, 4) + origin + number(segment) + number(before[0])
            + number(before[1]) + b"\4" + b"desk".ljust(64, b"\0"),
            512: number(drops[0]) + number(drops[1]) * 8 + number(1_800_000_000) * 2 + bytes(5),
            1024: number(0 if end is None else 1, 1) + number(end or 0),
            1536: number(131_072),
        }
        for i in range(16):
            first, offset, count = slots[i] if i < len(slots) else (0, 0, 0)
            parts[2048 + i * 72] = (number(first) + number(offset, 4) + number(count, 4)
                                    + number(1_800_000_000) * 2)
        header = bytearray(4096)
        for at, fields in parts.items():
            octets = part(fields)
            header[at:at + len(octets)] = octets
        return bytes(header) + b"".join(frames)

    refused, accepted, loss = records["refused"], records["accepted"], records["loss"]
    three = [frame(1, refused), frame(2, accepted), frame(3, refused)]
    yield "good", file(*three)
    yield "closed", file(*three, end=3)
    yield "empty", file()
    yield "header-cut", file()[:2000]
    yield "torn", file(*three)[:-7]
    yield "damaged-between", file(three[0], three[1][:60] + b"\xff" + three[1][61:], three[2])
    yield "missing-between", file(three[0], three[2], end=3)
    yield "garbage-behind", file(*three, b"x" * 40)
    yield "repeats", file(*three, slots=[(1, 4096, 5), (2, 4096, 6)])
    yield "repeats-told", file(*three, frame(4, refused, kind=1, settles=1), slots=[(1, 4096, 5)])
    yield "drops", file(*three, drops=(5, 1))
    yield "drops-told", file(*three, frame(4, loss, kind=2, settles=5), drops=(7, 1))
    yield "later", file(frame(9, refused, 12), before=(8, 3), drops=(3, 0), end=9)
    yield "no-identity", bytes(200) + file(*three)[200:]
    yield "not-a-record", file(frame(1, b"no record"), three[1])
    yield "frame-within-a-leaf", file(
        frame(1, refused[:-2] + number(len(three[1]), 2) + three[1]), three[1])
    yield "zeros", bytes(5000)
    yield "nothing", b""


def main():
    vectors = json.loads(pathlib.Path(sys.argv[1]).read_text())["vectors"]
    out = pathlib.Path(sys.argv[2])
    for target, name, data in seeds(vectors):
        folder = out / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


main()
