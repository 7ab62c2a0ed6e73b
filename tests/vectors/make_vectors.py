#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes tests/vectors/vectors.json: certificates as no encoder would spell them, and what form C
makes of each according to form_c.py.

Everything is derived from words, so that the same octets come out each time; nothing but the
standard library is used.

usage: make_vectors.py [--check]     --check: exit 1 if the committed file differs
"""
import base64
import functools
import json
import pathlib
import sys

from ber import (Node, bit_string, boolean, explicit, indefinite, integer, nested, null,
                 octet_string, oid, padded, sequence, set_of)
from form_c import MAX_OCTETS, outcome
from sign import P256, P384, EcKey, Ed25519Key, RsaKey, ecdsa_sig_value, stretch

HOST = "vectors.example"
COMMON_NAME, COUNTRY, ORGANIZATION = "2.5.4.3", "2.5.4.6", "2.5.4.10"
UNKNOWN = "1.3.6.1.4.1.59999.1"  # an extension that nobody knows
END = b"\0\0"


class Family:
    def __init__(self, name, make_key, digest):
        self.name, self.digest = name, digest
        self.ca_key = make_key(f"cotter vectors {name} CA")
        self.leaf_key = make_key(f"cotter vectors {name} leaf")
        self.ca_name = f"cotter vectors {name} CA"


ALL = [Family("rsa2048", lambda words: RsaKey(2048, words), "sha256"),
       Family("p256", lambda words: EcKey(P256, words), "sha256"),
       Family("p384", lambda words: EcKey(P384, words), "sha384"),
       Family("ed25519", Ed25519Key, "")]
RSA, EC256, EC384, EDWARDS = ([family] for family in ALL)
ECDSA = EC256 + EC384
MAIN = RSA + EC256


# --- parts of a certificate --------------------------------------------------------------------

def string(kind, text):
    tag, coding = {"utf8": (0x0C, "utf-8"), "printable": (0x13, "ascii"), "t61": (0x14, "latin-1"),
                   "ia5": (0x16, "latin-1"), "numeric": (0x12, "ascii"),
                   "universal": (0x1C, "utf-32-be"), "bmp": (0x1E, "utf-16-be")}[kind]
    return Node(bytes([tag]), text.encode(coding))


def attribute(kind, value):
    return sequence(oid(kind), value)


def name(*attributes):
    return sequence(*(set_of(each) for each in attributes))


def common_name(text, kind="utf8"):
    return name(attribute(COMMON_NAME, string(kind, text)))


def utc(text):
    return Node(b"\x17", text.encode())


def generalized(text):
    return Node(b"\x18", text.encode())


def extension(dotted, value, critical=None):
    """`critical` is the BOOLEAN's octets, or None to leave it out"""
    flag = [] if critical is None else [boolean(critical)]
    return sequence(oid(dotted), *flag, octet_string(value))


def dns(text):
    return Node(b"\x82", text.encode("latin-1"))


def alternative_names(*names, critical=None):
    return extension("2.5.29.17", sequence(*names), critical)


def key_usage(octets=b"\x07\x80", critical=b"\xff"):
    return extension("2.5.29.15", Node(b"\x03", octets), critical)


def basic_constraints(*parts, critical=b"\xff"):
    return extension("2.5.29.19", sequence(*parts), critical)


def key_id(key):
    return stretch(key.spki().octets().hex(), 20)


class Certificate:
    """A sound certificate, open to every mutation before `octets` signs and spells it."""

    def __init__(self, subject, subject_key, issuer, issuer_key, digest, serial, extensions):
        self.issuer_key, self.digest = issuer_key, digest
        self.version = explicit(0, integer(2))
        self.serial = integer(serial)
        self.inner_algorithm = issuer_key.algorithm(digest)
        self.issuer = common_name(issuer)
        self.not_before, self.not_after = utc("200101000000Z"), utc("491231235959Z")
        self.validity = sequence(self.not_before, self.not_after)
        self.subject = common_name(subject)
        self.spki = subject_key.spki()
        self.extension_list = sequence(*extensions)
        self.extensions = explicit(3, self.extension_list)
        self.tbs = sequence(self.version, self.serial, self.inner_algorithm, self.issuer,
                            self.validity, self.subject, self.spki, self.extensions)
        self.algorithm = issuer_key.algorithm(digest)
        self.signature = bit_string(b"")
        self.whole = sequence(self.tbs, self.algorithm, self.signature)
        self.respell_signature = lambda octets: octets
        self.respell = lambda octets: octets
        self.signed = None  # what is signed instead of the TBSCertificate as it is

    def octets(self):
        signed = self.tbs.octets() if self.signed is None else self.signed
        value = self.respell_signature(self.issuer_key.sign(signed, self.digest))
        if len(self.signature.parts) > 1:
            self.signature.parts[1] = value
        return self.respell(self.whole.octets())

    def both_algorithms(self, node):
        self.inner_algorithm.become(node)
        self.algorithm.become(node)

    def sign_with(self, digest):
        self.digest = digest
        self.both_algorithms(self.issuer_key.algorithm(digest))

    def without(self, *parts):
        self.tbs.parts = [part for part in self.tbs.parts if part not in parts]

    def add(self, *extensions):
        self.extension_list.parts.extend(extensions)

    def append(self, octets):
        self.respell = lambda whole: whole + octets

    def keep_signature(self):
        self.signed = self.tbs.octets()


def leaf(family, issuer=None):
    """The sound leaf that all vectors of the family start from"""
    issuer_name, issuer_key = issuer or (family.ca_name, family.ca_key)
    made = Certificate(HOST, family.leaf_key, issuer_name, issuer_key,
                       family.digest if issuer is None else "sha256", 0x1234567890ABCDEF, [])
    made.constraints, made.usage = basic_constraints(), key_usage()
    made.purposes = extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.1")))
    made.names = alternative_names(dns(HOST))
    made.authority = extension("2.5.29.35", sequence(Node(b"\x80", key_id(issuer_key))))
    made.add(made.constraints, made.usage, made.purposes, made.names, made.authority)
    return made


def authority(subject, key, issuer, issuer_key, digest, serial):
    return Certificate(subject, key, issuer, issuer_key, digest, serial, [
        basic_constraints(boolean()), key_usage(b"\x01\x06"),
        extension("2.5.29.14", octet_string(key_id(key))),
        extension("2.5.29.35", sequence(Node(b"\x80", key_id(issuer_key))))])


@functools.lru_cache(maxsize=None)
def intermediate(depth):
    """(name, key) of the P-256 authority `depth` steps below the anchor"""
    if depth == 0:
        return EC256[0].ca_name, EC256[0].ca_key
    words = f"cotter vectors p256 intermediate {depth}"
    return words, EcKey(P256, words)


def intermediates():
    for depth in range(1, max(CHAIN_LENGTHS) + 1):
        subject, key = intermediate(depth)
        issuer, issuer_key = intermediate(depth - 1)
        yield authority(subject, key, issuer, issuer_key, "sha256", depth + 1).octets()


# --- the vectors -------------------------------------------------------------------------------

VECTORS = []
CHAIN_LENGTHS = (1, 2, 4, 8)


def vector(slug, mutate, families=MAIN, valid=True, depth=0):
    """`mutate` changes a sound leaf in place. `valid`: whether the signature holds over the
    TBSCertificate as sent. `depth`: how many intermediates stand between leaf and anchor."""
    for family in families:
        made = leaf(family, intermediate(depth) if depth else None)
        mutate(made)
        VECTORS.append((family, slug, made.octets(), valid, depth))


def unchanged(_):
    pass


def outer_vectors():
    vector("sound", unchanged, ALL)

    for more in range(1, 9):
        vector(f"outer-length-{more}-octets-more", lambda c: padded(c.whole, more), ALL)
    vector("outer-length-124-octets-more", lambda c: padded(c.whole, 124), ALL)
    vector("outer-length-octets-ff",
           lambda c: setattr(c.whole, "length", b"\xff" + bytes(125) + b"\x02\x00"))
    vector("outer-indefinite", lambda c: indefinite(c.whole), ALL)
    vector("outer-indefinite-without-end", lambda c: indefinite(c.whole, b""), ALL)
    vector("outer-indefinite-half-an-end", lambda c: indefinite(c.whole, b"\0"), ALL)
    vector("outer-indefinite-end-with-long-length", lambda c: indefinite(c.whole, b"\0\x81\0"))
    vector("outer-indefinite-end-not-empty", lambda c: indefinite(c.whole, b"\0\1\0"))
    vector("outer-indefinite-end-constructed", lambda c: indefinite(c.whole, b"\x20\0"))
    vector("outer-indefinite-two-ends", lambda c: indefinite(c.whole, END + END))
    vector("outer-indefinite-primitive",
           lambda c: (indefinite(c.whole), setattr(c.whole, "tag", b"\x10")))
    vector("outer-indefinite-four-elements",
           lambda c: (indefinite(c.whole), c.whole.parts.append(null())))
    vector("outer-and-algorithm-indefinite",
           lambda c: (indefinite(c.whole), indefinite(c.algorithm)), ALL)
    vector("outer-indefinite-algorithm-without-end",
           lambda c: (indefinite(c.whole, b""), indefinite(c.algorithm)))
    vector("outer-definite-end-follows", lambda c: c.append(END), ALL)
    vector("outer-definite-end-inside", lambda c: c.whole.parts.append(END), ALL)

    for tag, what in ((b"\x3f\x10", "3f10"), (b"\x3f\x80\x10", "3f8010"),
                      (b"\x3f" + b"\x80" * 8 + b"\x10", "with-eight-leading-zeros")):
        vector(f"outer-high-tag-{what}", lambda c: setattr(c.whole, "tag", tag), ALL)
    vector("outer-high-tag-and-long-length",
           lambda c: (padded(c.whole, 3), setattr(c.whole, "tag", b"\x3f\x10")))
    for tag, what in (("10", "sequence-primitive"), ("31", "set"), ("11", "set-primitive"),
                      ("24", "octet-string"), ("04", "octet-string-primitive"), ("02", "integer"),
                      ("03", "bit-string"), ("05", "null"), ("60", "application-0"),
                      ("70", "application-16"), ("a0", "context-0"), ("b0", "context-16"),
                      ("f0", "private-16"), ("00", "end-of-contents"), ("20", "universal-0"),
                      ("3f00", "universal-0-high"), ("3f1f", "universal-31"),
                      ("1f10", "sequence-primitive-high"), ("3f11", "set-high"),
                      ("3f9010", "universal-2064"), ("3fffffff7f", "universal-2-to-the-28-less-1"),
                      ("3f8180808000", "universal-2-to-the-28"), ("3f8f8f8f8f8f8f8f8f8f10", "huge"),
                      ("3f9080808000", "that-wraps-in-32-bits")):
        vector(f"outer-tag-{what}", lambda c: setattr(c.whole, "tag", bytes.fromhex(tag)))
    vector("outer-tag-never-ends",
           lambda c: setattr(c, "respell", lambda whole: b"\x3f" + b"\x80" * 64))

    def state_length(difference, octets=2):
        def mutate(c):
            c.respell = lambda whole: (
                b"\x30" + bytes([0x80 | octets])
                + (len(whole) - 4 + difference).to_bytes(octets, "big") + whole[4:])
        return mutate
    vector("outer-length-one-short", state_length(-1), ALL)
    vector("outer-length-signature-short", state_length(-72))
    vector("outer-length-one-beyond-the-input", state_length(1), ALL)
    vector("outer-length-64-beyond-the-input", state_length(64))
    vector("outer-length-64-KiB-beyond-the-input", state_length(65536, 3))
    vector("outer-length-2-to-the-31-beyond-the-input", state_length(1 << 31, 4))
    vector("outer-length-wraps-in-32-bits", state_length(1 << 32, 5), ALL)
    vector("outer-length-wraps-in-64-bits", state_length(1 << 64, 9), ALL)
    vector("outer-length-wraps-in-64-bits-octet-wise", state_length(255 << 64, 9))
    vector("outer-length-takes-in-a-following-zero",
           lambda c: c.whole.parts.append(b"\0"), ALL)

    for octets, what in ((b"\0", "a-zero"), (b"\xff", "ff"), (b"\n", "a-newline"),
                         (END + END, "four-zeros"), (b"\x30", "half-a-header"),
                         (null().octets(), "a-null"), (bytes(1024), "1024-zeros")):
        vector(f"followed-by-{what}", lambda c: c.append(octets), ALL)
    vector("followed-by-itself", lambda c: setattr(c, "respell", lambda whole: whole + whole), ALL)
    vector("followed-by-its-authority", lambda c: c.append(ANCHORS["p256"]), ALL)
    trusted = sequence(sequence(oid("1.3.6.1.5.5.7.3.1")), string("utf8", "alias")).octets()
    vector("followed-by-trust-settings", lambda c: c.append(trusted), ALL)
    vector("followed-by-broken-trust-settings", lambda c: c.append(trusted[:-1]))
    vector("outer-length-1-octet-more-followed-by-a-zero",
           lambda c: (padded(c.whole, 1), c.append(b"\0")), ALL)
    vector("outer-indefinite-followed-by-a-zero",
           lambda c: (indefinite(c.whole), c.append(b"\0")), ALL)

    def parts(*chosen):
        return lambda c: setattr(c.whole, "parts", [c.whole.parts[i] for i in chosen])
    for chosen, what in (((), "none"), ((0,), "tbs"), ((0, 1), "tbs-algorithm"),
                         ((0, 2), "tbs-signature"), ((1, 2), "algorithm-signature"),
                         ((2,), "signature"),
                         ((1, 0, 2), "algorithm-tbs-signature"),
                         ((0, 2, 1), "tbs-signature-algorithm"), ((0, 0, 1, 2), "tbs-twice"),
                         ((0, 1, 1, 2), "algorithm-twice"), ((0, 1, 2, 2), "signature-twice")):
        vector(f"elements-{what}", parts(*chosen))
    vector("elements-and-null", lambda c: c.whole.parts.append(null()), ALL)
    vector("elements-and-half-a-header", lambda c: c.whole.parts.append(b"\x05"))
    vector("elements-and-context-0", lambda c: c.whole.parts.append(explicit(0, null())))
    vector("elements-after-null", lambda c: c.whole.parts.insert(0, null()))
    vector("elements-null-before-signature", lambda c: c.whole.parts.insert(2, null()))
    vector("tbs-is-a-set", lambda c: (setattr(c.tbs, "tag", b"\x31")))
    vector("tbs-is-primitive", lambda c: (setattr(c.tbs, "tag", b"\x10")))
    vector("tbs-is-empty", lambda c: setattr(c.tbs, "parts", []))
    vector("tbs-is-noise", lambda c: setattr(c.tbs, "parts", [stretch("noise", 300)]))

    def around(before, after=b""):
        return lambda c: setattr(c, "respell", lambda whole: before + whole + after)
    vector("inside-a-sequence", lambda c: setattr(c, "respell",
                                                  lambda whole: sequence(whole).octets()))
    vector("inside-an-octet-string", lambda c: setattr(c, "respell",
                                                       lambda whole: octet_string(whole).octets()))
    vector("inside-a-chain-of-rfc-8446", around(b"\0\4\0", END))
    vector("preceded-by-a-zero", around(b"\0"))
    vector("preceded-by-a-newline", around(b"\n"))
    vector("preceded-by-utf-8-byte-order-mark", around(b"\xef\xbb\xbf"))
    vector("as-pem", lambda c: setattr(c, "respell", lambda whole: (
        b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(whole)
        + b"-----END CERTIFICATE-----\n")))
    vector("as-pkcs7", lambda c: setattr(c, "respell", lambda whole: sequence(
        oid("1.2.840.113549.1.7.2"), explicit(0, sequence(
            integer(1), set_of(), sequence(oid("1.2.840.113549.1.7.1")), Node(b"\xa0", whole),
            set_of()))).octets()))

    def only(octets):
        return lambda c: setattr(c, "respell", lambda whole: octets)
    for octets, what in ((b"", "nothing"), (b"\x30", "a-tag"), (b"\x30\x82", "half-a-length"),
                         (b"\x30\x82\x03", "three-octets-of-a-header"),
                         (b"\x30\0", "empty-sequence"), (b"\x30\0" * 3, "empty-sequences"),
                         (b"\x30\x80", "an-indefinite-header"),
                         (b"\x30\x80\0\0", "empty-indefinite"),
                         (b"\x30\x80" * 17, "17-indefinite-headers"),
                         (b"\x30\x80" * 16 + END * 16, "16-indefinite-sequences"),
                         (b"\x30\x80" * 30000, "30000-indefinite-headers")):
        vector(f"nothing-but-{what}" if octets else what, only(octets), EC256)


def cut_vectors():
    def sizes(c):
        return [len(part.octets()) for part in (c.tbs, c.algorithm, c.signature)]
    places = {  # counted from the outer contents
        "after-outer-header": lambda tbs, algorithm, signature: 0,
        "in-tbs-header": lambda tbs, algorithm, signature: 2,
        "after-tbs-header": lambda tbs, algorithm, signature: 4,
        "in-tbs": lambda tbs, algorithm, signature: tbs // 2,
        "one-octet-before-algorithm": lambda tbs, algorithm, signature: tbs - 1,
        "after-tbs": lambda tbs, algorithm, signature: tbs,
        "in-algorithm": lambda tbs, algorithm, signature: tbs + 5,
        "after-algorithm": lambda tbs, algorithm, signature: tbs + algorithm,
        "in-signature-header": lambda tbs, algorithm, signature: tbs + algorithm + 1,
        "in-signature": lambda tbs, algorithm, signature: tbs + algorithm + signature - 20,
        "last-octet": lambda tbs, algorithm, signature: tbs + algorithm + signature - 1,
    }

    def cut(header, at):
        return lambda c: setattr(c, "respell", lambda whole: whole[:header + at(*sizes(c))])
    for what, at in places.items():
        vector(f"cut-{what}", cut(4, at))
        vector(f"cut-{what}-outer-indefinite",
               lambda c: (indefinite(c.whole, b""), cut(2, at)(c)), EC256)
    vector("cut-first-octet", lambda c: setattr(c, "respell", lambda whole: whole[1:]))


def bound_vectors():
    def fill(c, size):
        """Makes the certificate `size` octets long, by an extension of zeros"""
        value = octet_string(b"")
        c.add(sequence(oid(UNKNOWN), value))
        value.parts[0] = bytes(size - 1000)
        for _ in range(3):
            value.parts[0] = bytes(len(value.parts[0]) + size - len(Certificate.octets(c)))
        assert len(Certificate.octets(c)) == size
    # The ECDSA signature's length depends on what is signed: with RSA, sizes come out as wished.
    for size in (16384, 65534, MAX_OCTETS, MAX_OCTETS + 1, MAX_OCTETS + 2):
        vector(f"size-{size}", lambda c: fill(c, size), RSA)
    vector("size-65535-with-one-that-follows",
           lambda c: (fill(c, MAX_OCTETS - 1), c.append(b"\0")), RSA)
    vector("size-65536-with-one-that-follows",
           lambda c: (fill(c, MAX_OCTETS), c.append(b"\0")), RSA)
    vector("size-65535-with-a-long-length",
           lambda c: (fill(c, MAX_OCTETS - 4), padded(c.whole, 4)), RSA)
    vector("size-65536-with-a-long-length",
           lambda c: (fill(c, MAX_OCTETS), padded(c.whole, 1)), RSA)
    vector("size-65535-outer-indefinite",
           lambda c: (fill(c, MAX_OCTETS), indefinite(c.whole)), RSA)
    for kilobytes in (5, 20, 60):
        vector(f"{kilobytes}-KB-extension", lambda c: c.add(
            extension(UNKNOWN, stretch(f"{kilobytes} KB", kilobytes * 1000))), EC256)
    vector("5-KB-signature", lambda c: setattr(
        c, "respell_signature", lambda octets: stretch("signature", 5000)), EC256, valid=False)
    vector("1000-names", lambda c: c.names.become(alternative_names(
        *(dns(f"{n}.{HOST}") for n in range(999)), dns(HOST))))
    vector("200-extensions", lambda c: c.add(
        *(extension(f"{UNKNOWN}.{n}", bytes([n])) for n in range(200))))
    vector("100-names-of-the-subject", lambda c: c.subject.become(name(
        *(attribute(COMMON_NAME, string("utf8", f"{n}.{HOST}")) for n in range(100)))))
    for depth in CHAIN_LENGTHS:
        vector(f"below-{depth}-intermediates", unchanged, EC256, depth=depth)


def algorithm_vectors():
    def inside(c, at=0):
        return c.algorithm.parts[at]
    for more in (1, 2, 3, 4, 8):
        vector(f"algorithm-length-{more}-octets-more", lambda c: padded(c.algorithm, more), ALL)
    for more in (1, 4, 8):
        vector(f"algorithm-oid-length-{more}-octets-more", lambda c: padded(inside(c), more), ALL)
        vector(f"algorithm-null-length-{more}-octets-more",
               lambda c: padded(inside(c, 1), more), RSA)
    vector("algorithm-and-all-in-it-long",
           lambda c: [padded(node, 2) for node in (c.algorithm, *c.algorithm.parts)], ALL)
    vector("algorithm-indefinite", lambda c: indefinite(c.algorithm), ALL)
    vector("algorithm-indefinite-without-end", lambda c: indefinite(c.algorithm, b""), ALL)
    vector("algorithm-indefinite-half-an-end", lambda c: indefinite(c.algorithm, b"\0"))
    vector("algorithm-oid-indefinite", lambda c: indefinite(inside(c)))
    vector("algorithm-high-tag", lambda c: setattr(c.algorithm, "tag", b"\x3f\x10"), ALL)
    vector("algorithm-oid-high-tag", lambda c: setattr(inside(c), "tag", b"\x1f\x06"), ALL)
    vector("algorithm-null-high-tag", lambda c: setattr(inside(c, 1), "tag", b"\x1f\x05"), RSA)
    for tag, what in ((0x10, "primitive"), (0x31, "set"), (0x24, "octet-string"),
                      (0xA0, "context-0"), (0x00, "end-of-contents")):
        vector(f"algorithm-tag-{what}", lambda c: setattr(c.algorithm, "tag", bytes([tag])))
    vector("algorithm-oid-constructed", lambda c: setattr(inside(c), "tag", b"\x26"))
    vector("algorithm-oid-as-relative", lambda c: setattr(inside(c), "tag", b"\x0d"))
    vector("algorithm-oid-as-octet-string", lambda c: setattr(inside(c), "tag", b"\x04"))
    vector("algorithm-oid-empty", lambda c: setattr(inside(c), "parts", []))
    vector("algorithm-oid-leading-80", lambda c: inside(c).parts.insert(0, b"\x80"))
    vector("algorithm-oid-cut", lambda c: setattr(inside(c), "length", b"\x7f"))
    vector("algorithm-empty", lambda c: setattr(c.algorithm, "parts", []), ALL)
    vector("algorithm-without-oid", lambda c: setattr(c.algorithm, "parts", [null()]))
    vector("algorithm-without-parameters", lambda c: c.algorithm.parts.pop(), RSA)
    vector("algorithm-with-null", lambda c: c.algorithm.parts.append(null()), ECDSA + EDWARDS)
    vector("algorithm-with-two-nulls",
           lambda c: setattr(c.algorithm, "parts", [inside(c), null(), null()]), ALL)

    def parameters(slug, make, families=MAIN):
        vector(f"algorithm-with-{slug}",
               lambda c: setattr(c.algorithm, "parts", [inside(c), make()]), families)
    parameters("null-of-one-octet", lambda: Node(b"\x05", b"\0"))
    parameters("null-constructed", lambda: Node(b"\x25"))
    parameters("empty-sequence", sequence)
    parameters("empty-indefinite-sequence", lambda: indefinite(sequence()))
    parameters("empty-set", set_of)
    parameters("primitive-sequence", lambda: Node(b"\x10"))
    parameters("boolean-of-1", lambda: boolean(b"\1"))
    parameters("padded-integer", lambda: Node(b"\x02", b"\0\1"))
    parameters("octet-string-in-pieces",
               lambda: Node(b"\x24", octet_string(b"a"), octet_string(b"b")))
    parameters("octet-string-indefinite",
               lambda: indefinite(Node(b"\x24", octet_string(b"a"), octet_string(b"b"))))
    parameters("context-0-primitive", lambda: Node(b"\x80", b"\0"))
    parameters("context-0-constructed", lambda: explicit(0, padded(null(), 1)))
    parameters("context-0-broken-inside", lambda: explicit(0, b"\x05"))
    parameters("context-31", lambda: Node(b"\x9f\x1f", b"\0"))
    parameters("context-31-padded", lambda: Node(b"\x9f\x80\x1f", b"\0"))
    parameters("context-30-high-tag", lambda: Node(b"\x9f\x1e", b"\0"))
    parameters("context-0-high-tag", lambda: Node(b"\xbf\0", null()))
    parameters("private-2-to-the-28-less-1", lambda: Node(b"\xdf\xff\xff\xff\x7f"))
    parameters("private-2-to-the-28", lambda: Node(b"\xdf\x81\x80\x80\x80\0"))
    parameters("universal-0", lambda: Node(b"\0", b"\0"))
    parameters("end-of-contents", lambda: Node(b"\0"))
    parameters("external-primitive", lambda: Node(b"\x08", b"\0"))
    parameters("external-constructed", lambda: Node(b"\x28", padded(null(), 1)))
    parameters("pss-like-parameters", lambda: padded(sequence(
        explicit(0, padded(sequence(oid("2.16.840.1.101.3.4.2.1"), padded(null(), 1)), 1)),
        explicit(1, indefinite(sequence(oid("1.2.840.113549.1.1.8")))),
        padded(explicit(2, padded(integer(32), 2)), 3)), 1))
    parameters("300-octets", lambda: padded(octet_string(bytes(300)), 1))
    for depth in (13, 14, 15, 16, 40):
        parameters(f"{depth}-nested-sequences", lambda: nested(depth, padded(sequence(), 1)), EC256)
        parameters(f"{depth}-nested-sequences-around-null",
                   lambda: nested(depth, padded(null(), 1)), EC256)

    def nested_indefinite(depth):
        node = sequence()
        for _ in range(depth):
            node = indefinite(sequence(node))
        return node
    for depth in (13, 14, 15, 16, 17):
        parameters(f"{depth}-nested-indefinite-sequences", lambda: nested_indefinite(depth), EC256)
    vector("algorithm-other-than-in-tbs", lambda c: c.algorithm.become(
        c.issuer_key.algorithm("sha512")), RSA + ECDSA)
    vector("algorithm-of-another-key", lambda c: c.algorithm.become(
        EDWARDS[0].ca_key.algorithm("")), MAIN)
    vector("algorithm-long-in-both-and-signed",
           lambda c: (padded(c.algorithm, 1), padded(c.inner_algorithm, 1)), ALL)
    vector("algorithms-without-parameters-and-signed",
           lambda c: (c.algorithm.parts.pop(), c.inner_algorithm.parts.pop()), RSA)
    vector("algorithms-with-null-and-signed",
           lambda c: (c.algorithm.parts.append(null()), c.inner_algorithm.parts.append(null())),
           ECDSA + EDWARDS)
    for slug, make in (("external", lambda: Node(b"\x28", null())),
                       ("context-0", lambda: explicit(0, null())),
                       ("long-null", lambda: padded(null(), 1)),
                       ("long-context-0", lambda: explicit(0, padded(null(), 1))),
                       ("octet-string-in-pieces", lambda: Node(b"\x24", octet_string(b"a")))):
        vector(f"algorithms-with-{slug}-and-signed", lambda c: c.both_algorithms(
            sequence(inside(c), make())))
    for digest in ("sha1", "sha384", "sha512"):
        vector(f"algorithms-{digest}-and-signed", lambda c: c.sign_with(digest))


def signature_vectors():
    for more in (1, 2, 3, 4, 8):
        vector(f"signature-length-{more}-octets-more", lambda c: padded(c.signature, more), ALL)
    vector("signature-high-tag", lambda c: setattr(c.signature, "tag", b"\x1f\x03"), ALL)
    vector("signature-indefinite-primitive", lambda c: indefinite(c.signature), ALL)
    for unused in (1, 7, 8, 255):
        vector(f"signature-{unused}-unused-bits",
               lambda c: c.signature.parts.__setitem__(0, bytes([unused])), ALL)

    def pieces(*make):
        def mutate(c):
            value = c.issuer_key.sign(c.tbs.octets(), c.digest)
            c.signature.tag, c.signature.parts = b"\x23", []
            half = len(value) // 2
            c.signature.parts = [{"whole": bit_string(value), "first": bit_string(value[:half]),
                                  "second": bit_string(value[half:]), "end": b""}[m] for m in make]
            if "end" in make:
                indefinite(c.signature)
            c.signature.parts = [b"".join(p if isinstance(p, bytes) else p.octets()
                                          for p in c.signature.parts)]
        return mutate
    vector("signature-constructed-of-one-piece", pieces("whole"), ALL)
    vector("signature-constructed-of-two-pieces", pieces("first", "second"), ALL)
    vector("signature-constructed-indefinite", pieces("whole", "end"), ALL)
    vector("signature-constructed-empty",
           lambda c: (setattr(c.signature, "tag", b"\x23"), setattr(c.signature, "parts", [])),
           valid=False)
    vector("signature-constructed-high-tag",
           lambda c: setattr(c.signature, "tag", b"\x3f\x03"))

    def contents(octets):
        return lambda c: setattr(c.signature, "parts", [octets])
    vector("signature-without-any-octet", contents(b""), ALL, valid=False)
    vector("signature-of-no-octets", contents(b"\0"), ALL, valid=False)
    vector("signature-of-no-octets-7-unused-bits", contents(b"\7"), valid=False)
    vector("signature-of-one-zero", contents(END), valid=False)
    for tag, what in ((b"\x04", "octet-string"), (b"\x02", "integer"), (b"\x30", "sequence"),
                      (b"\x83", "context-3"), (b"\x43", "application-3"),
                      (b"\0", "end-of-contents")):
        vector(f"signature-tag-{what}", lambda c: setattr(c.signature, "tag", tag))

    def respelled(slug, respell, families=ALL, valid=False):
        vector(slug, lambda c: setattr(c, "respell_signature", respell), families, valid)
    respelled("signature-one-bit-flipped", lambda o: o[:-1] + bytes([o[-1] ^ 1]))
    respelled("signature-all-zeros", lambda o: bytes(len(o)))
    respelled("signature-one-octet-short", lambda o: o[:-1])
    respelled("signature-followed-by-a-zero", lambda o: o + b"\0")
    respelled("signature-preceded-by-a-zero", lambda o: b"\0" + o)

    def pair(slug, spell, families=ECDSA, valid=False):
        def mutate(c):
            r, s = c.issuer_key.pair(c.tbs.octets(), c.digest)
            c.respell_signature = lambda _: spell(c.issuer_key.curve.n, r, s).octets()
        vector(f"ecdsa-{slug}", mutate, families, valid)
    pair("s-becomes-n-less-s", lambda n, r, s: ecdsa_sig_value(r, n - s), valid=True)
    pair("s-plus-n", lambda n, r, s: ecdsa_sig_value(r, s + n))
    pair("s-negated", lambda n, r, s: ecdsa_sig_value(r, -s))
    pair("r-is-zero", lambda n, r, s: ecdsa_sig_value(0, s))
    pair("r-padded", lambda n, r, s: sequence(
        Node(b"\x02", b"\0", integer(r).contents()), integer(s)))
    pair("r-length-long", lambda n, r, s: sequence(padded(integer(r), 1), integer(s)))
    pair("value-length-long", lambda n, r, s: padded(ecdsa_sig_value(r, s), 1))
    pair("value-indefinite", lambda n, r, s: indefinite(ecdsa_sig_value(r, s)))
    pair("value-with-a-third-number", lambda n, r, s: sequence(integer(r), integer(s), integer(1)))

    def plus_order(octets):
        s = int.from_bytes(octets[32:], "little") + Ed25519Key.order
        return octets[:32] + s.to_bytes(32, "little")
    respelled("ed25519-s-plus-order", plus_order, EDWARDS)


def unsigned_vectors():
    """TBSCertificate changed under the signature of the sound one"""
    def kept(slug, mutate, families=MAIN):
        vector(f"kept-signature-{slug}", lambda c: (c.keep_signature(), mutate(c)), families,
               valid=False)
    for more in (1, 4):
        kept(f"tbs-length-{more}-octets-more", lambda c: padded(c.tbs, more), ALL)
    kept("tbs-indefinite", lambda c: indefinite(c.tbs), ALL)
    kept("tbs-high-tag", lambda c: setattr(c.tbs, "tag", b"\x3f\x10"))
    kept("serial-length-long", lambda c: padded(c.serial, 1))
    kept("critical-of-1", lambda c: c.usage.become(key_usage(critical=b"\1")))
    kept("critical-false-spelled-out", lambda c: c.names.become(
        alternative_names(dns(HOST), critical=b"\0")))
    kept("another-serial", lambda c: c.serial.become(integer(5)), ALL)
    kept("another-name", lambda c: c.names.become(alternative_names(dns("other.example"))))


def tbs_vectors():
    def signed(slug, mutate, families=MAIN):
        vector(f"tbs-{slug}", mutate, families)

    for more in (1, 2, 4, 8):
        signed(f"length-{more}-octets-more", lambda c: padded(c.tbs, more), ALL)
    signed("indefinite", lambda c: indefinite(c.tbs), ALL)
    signed("indefinite-without-end", lambda c: indefinite(c.tbs, b""))
    signed("indefinite-outer-indefinite", lambda c: (indefinite(c.tbs), indefinite(c.whole)))
    signed("indefinite-one-end-for-both",
           lambda c: (indefinite(c.tbs, b""), indefinite(c.whole)))
    signed("high-tag", lambda c: setattr(c.tbs, "tag", b"\x3f\x10"), ALL)

    parts = {
        "version": lambda c: c.version, "version-number": lambda c: c.version[0],
        "serial": lambda c: c.serial, "algorithm": lambda c: c.inner_algorithm,
        "algorithm-oid": lambda c: c.inner_algorithm[0], "issuer": lambda c: c.issuer,
        "issuer-rdn": lambda c: c.issuer[0], "validity": lambda c: c.validity,
        "not-before": lambda c: c.not_before, "not-after": lambda c: c.not_after,
        "subject": lambda c: c.subject, "subject-rdn": lambda c: c.subject[0],
        "subject-attribute": lambda c: c.subject[0][0], "spki": lambda c: c.spki,
        "spki-algorithm": lambda c: c.spki[0], "spki-key": lambda c: c.spki[1],
        "extensions": lambda c: c.extensions, "extension-list": lambda c: c.extension_list,
        "extension": lambda c: c.names, "extension-oid": lambda c: c.names[0],
        "critical": lambda c: c.usage[1], "extension-value": lambda c: c.names[1],
        "names": lambda c: c.names[1][0], "dns-name": lambda c: c.names[1][0][0],
    }
    for what, part in parts.items():
        signed(f"{what}-length-long", lambda c: padded(part(c), 1))
        if part(leaf(EC256[0])).tag[0] & 0x20:
            signed(f"{what}-indefinite", lambda c: indefinite(part(c)))

    def high_tag(node):
        node.tag = bytes([node.tag[0] | 0x1F, node.tag[0] & 0x1F])
    for what in ("serial", "validity", "subject", "spki", "extension", "not-after"):
        signed(f"{what}-high-tag", lambda c: high_tag(parts[what](c)), EC256)
    for what in ("issuer", "subject", "extension-list"):
        signed(f"indefinite-{what}-indefinite",
               lambda c: (indefinite(c.tbs), indefinite(parts[what](c))), EC256)
        signed(f"indefinite-{what}-indefinite-without-end",
               lambda c: (indefinite(c.tbs), indefinite(parts[what](c), b"")), EC256)

    def deep(depth):
        node = sequence()
        for _ in range(depth):
            node = indefinite(sequence(node))
        return node
    for depth in (14, 15, 16, 17):
        signed(f"indefinite-around-{depth}-more", lambda c: (
            indefinite(c.tbs), c.tbs.parts.append(deep(depth))), EC256)
        signed(f"definite-around-{depth}-indefinite",
               lambda c: c.tbs.parts.append(deep(depth)), EC256)
    signed("indefinite-universal-0-inside",
           lambda c: (indefinite(c.tbs), c.tbs.parts.insert(3, b"\0\1\0")), EC256)
    signed("indefinite-tag-2-to-the-28-inside", lambda c: (
        indefinite(c.tbs), c.tbs.parts.append(Node(b"\x9f\x81\x80\x80\x80\0"))), EC256)
    signed("indefinite-cut-inside", lambda c: (
        indefinite(c.tbs), setattr(c.extensions, "length", b"\x82\x7f\xff")), EC256)
    signed("definite-extensions-beyond-it",
           lambda c: setattr(c.extensions, "length", b"\x82\x7f\xff"))


def value_vectors():
    def signed(slug, mutate, families=MAIN):
        vector(slug, mutate, families)

    # Booleans and defaults
    for octets, what in ((b"\1", "01"), (b"\x7f", "7f"), (b"\x80", "80"), (b"\0\xff", "two-octets"),
                         (b"", "no-octet")):
        signed(f"critical-true-as-{what}", lambda c: c.usage.become(key_usage(critical=octets)))
    signed("critical-false-spelled-out", lambda c: c.names.become(
        alternative_names(dns(HOST), critical=b"\0")))
    signed("critical-constructed", lambda c: setattr(c.usage[1], "tag", b"\x21"))
    signed("ca-false-spelled-out", lambda c: c.constraints.become(
        basic_constraints(boolean(b"\0"))))
    signed("ca-true", lambda c: c.constraints.become(basic_constraints(boolean())))
    signed("ca-true-as-01", lambda c: c.constraints.become(basic_constraints(boolean(b"\1"))))
    signed("ca-false-with-path-length", lambda c: c.constraints.become(
        basic_constraints(integer(0))), EC256)
    signed("basic-constraints-not-critical", lambda c: c.constraints.become(
        basic_constraints(critical=None)))

    # Versions
    def version(octets):
        return lambda c: setattr(c.version[0], "parts", [octets])
    signed("version-1-without-extensions", lambda c: c.without(c.version, c.extensions))
    signed("version-1-with-extensions", lambda c: c.without(c.version))
    signed("version-1-spelled-out", version(b"\0"))
    signed("version-1-spelled-out-without-extensions",
           lambda c: (version(b"\0")(c), c.without(c.extensions)))
    signed("version-2-with-extensions", version(b"\1"))
    signed("version-2-without-extensions", lambda c: (version(b"\1")(c), c.without(c.extensions)))
    signed("version-3-without-extensions", lambda c: c.without(c.extensions))
    for octets, what in ((b"\3", "4"), (b"\xff", "0"), (b"\x7f", "128"), (b"\0\2", "3-padded"),
                         (b"", "empty"), (b"\1\0\0\0\2", "2-to-the-32-and-3")):
        signed(f"version-{what}", version(octets))
    signed("version-implicit", lambda c: c.version.become(Node(b"\x80", b"\2")), EC256)
    signed("version-twice", lambda c: c.tbs.parts.insert(0, explicit(0, integer(2))), EC256)
    signed("version-of-two-numbers", lambda c: c.version.parts.append(integer(2)), EC256)
    unique = {1: lambda: Node(b"\x81", b"\0\1\2"), 2: lambda: Node(b"\x82", b"\0\3\4")}

    def unique_ids(*which):
        return lambda c: c.tbs.parts.__setitem__(
            slice(-1, -1), [unique[number]() for number in which])
    signed("issuer-unique-id", unique_ids(1))
    signed("subject-unique-id", unique_ids(2))
    signed("both-unique-ids", unique_ids(1, 2))
    signed("unique-ids-in-reverse", unique_ids(2, 1))
    signed("version-2-issuer-unique-id",
           lambda c: (unique_ids(1)(c), version(b"\1")(c), c.without(c.extensions)))
    signed("version-1-issuer-unique-id",
           lambda c: (unique_ids(1)(c), c.without(c.version, c.extensions)))
    signed("issuer-unique-id-constructed", lambda c: c.tbs.parts.insert(
        -1, Node(b"\xa1", bit_string(b"\1"))), EC256)
    signed("issuer-unique-id-unused-bits", lambda c: c.tbs.parts.insert(
        -1, Node(b"\x81", b"\3\xff")), EC256)

    # Serial numbers
    for octets, what in ((b"\0", "zero"), (b"\1", "one"), (b"\xff", "minus-one"),
                         (b"\x80", "minus-128"), (b"\xff\x7f", "minus-129"), (b"\0\1", "padded"),
                         (b"\0\0\0\0\1", "padded-by-four"), (b"\xff\xff", "minus-one-padded"),
                         (b"\x7f" * 20, "20-octets"), (b"\0" + b"\x80" * 20, "21-octets"),
                         (b"\x7f" * 32, "32-octets"), (b"\x7f" * 200, "200-octets"),
                         (b"", "empty")):
        signed(f"serial-{what}", lambda c: setattr(c.serial, "parts", [octets]))
    signed("serial-as-enumerated", lambda c: setattr(c.serial, "tag", b"\x0a"), EC256)

    # Times
    def times(slug, before=None, after=None, families=MAIN):
        signed(f"time-{slug}", lambda c: (before and c.not_before.become(before),
                                          after and c.not_after.become(after)), families)
    times("utc-without-seconds", utc("2001010000Z"))
    times("utc-without-seconds-both", utc("2001010000Z"), utc("4912312359Z"), EC256)
    times("utc-with-offset", utc("200101000000+0100"))
    times("utc-with-offset-zero", utc("200101000000+0000"), families=EC256)
    times("utc-without-seconds-with-offset", utc("2001010000-0800"), families=EC256)
    times("utc-without-zone", utc("200101000000"))
    times("utc-with-fraction", utc("200101000000.5Z"), families=EC256)
    times("utc-lower-case-z", utc("200101000000z"), families=EC256)
    times("utc-with-a-space", utc("200101 00000Z"), families=EC256)
    times("utc-of-1950", utc("500101000000Z"))
    times("utc-24-hours", after=utc("491231240000Z"), families=EC256)
    times("utc-leap-second", after=utc("491231235960Z"))
    times("utc-of-30-february", utc("200230000000Z"), families=EC256)
    times("utc-of-29-february", utc("200229000000Z"))
    times("utc-of-29-february-no-leap-year", utc("210229000000Z"), families=EC256)
    times("utc-of-month-13", utc("201301000000Z"), families=EC256)
    times("utc-of-month-0", utc("200001000000Z"), families=EC256)
    times("utc-of-day-0", utc("200100000000Z"), families=EC256)
    times("utc-empty", utc(""), families=EC256)
    times("utc-with-zero-octet", utc("200101000000Z\0"), families=EC256)
    times("generalized-before-2050", generalized("20200101000000Z"))
    times("generalized-both-before-2050", generalized("20200101000000Z"),
          generalized("20491231235959Z"))
    times("generalized-of-2050", after=generalized("20500101000000Z"))
    times("generalized-of-9999", after=generalized("99991231235959Z"))
    times("generalized-with-fraction", after=generalized("20500101000000.5Z"))
    times("generalized-with-fraction-of-zero", after=generalized("20500101000000.0Z"),
          families=EC256)
    times("generalized-with-comma", after=generalized("20500101000000,5Z"), families=EC256)
    times("generalized-without-seconds", after=generalized("205001010000Z"))
    times("generalized-without-minutes", after=generalized("2050010100Z"), families=EC256)
    times("generalized-with-offset", after=generalized("20500101000000+0100"))
    times("generalized-without-zone", after=generalized("20500101000000"))
    times("generalized-of-year-0", generalized("00000101000000Z"), families=EC256)
    times("generalized-of-1970", generalized("19700101000000Z"), families=EC256)
    times("generalized-of-1969", generalized("19691231235959Z"), families=EC256)
    times("generalized-29-february-2100", after=generalized("21000229000000Z"), families=EC256)
    times("as-visible-string", Node(b"\x1a", b"200101000000Z"), families=EC256)
    times("as-iso-8601", Node(b"\x1a", b"2020-01-01T00:00:00Z"), families=EC256)
    times("expired", after=utc("210101000000Z"))
    times("not-yet", utc("480101000000Z"))
    times("ends-before-it-begins", utc("490101000000Z"), utc("200101000000Z"))
    signed("time-only-one", lambda c: c.validity.parts.pop(), EC256)
    signed("time-three", lambda c: c.validity.parts.append(utc("491231235959Z")), EC256)

    # Names
    country = attribute(COUNTRY, string("printable", "DE"))
    organization = attribute(ORGANIZATION, string("utf8", "cotter"))
    host = attribute(COMMON_NAME, string("utf8", HOST))

    def subject(slug, *rdns, families=MAIN):
        signed(f"subject-{slug}", lambda c: c.subject.become(sequence(*rdns)), families)
    subject("empty")
    subject("of-three", set_of(country), set_of(organization), set_of(host))
    subject("set-in-order", set_of(country, organization))
    subject("set-out-of-order", set_of(organization, country))
    subject("set-of-three-out-of-order", set_of(host, organization, country))
    subject("set-with-one-twice", set_of(country, country), families=EC256)
    subject("set-empty", set_of(), families=EC256)
    subject("with-common-name-twice", set_of(host), set_of(host))
    for kind in ("printable", "t61", "ia5", "universal", "bmp"):
        subject(f"as-{kind}", set_of(attribute(COMMON_NAME, string(kind, HOST))))
    subject("as-numeric", set_of(attribute(COMMON_NAME, string("numeric", "0 1"))), families=EC256)
    subject("as-utf8-beyond-ascii", set_of(attribute(COMMON_NAME, string("utf8", "höst 例"))))
    subject("as-t61-beyond-ascii", set_of(attribute(COMMON_NAME, string("t61", "höst"))))
    subject("as-broken-utf8", set_of(attribute(COMMON_NAME, Node(b"\x0c", b"\xc3\x28"))))
    subject("as-overlong-utf8", set_of(attribute(COMMON_NAME, Node(b"\x0c", b"\xc0\xae"))),
            families=EC256)
    subject("as-odd-bmp", set_of(attribute(COMMON_NAME, Node(b"\x1e", b"\0a\0"))))
    subject("as-printable-with-an-asterisk", set_of(attribute(COMMON_NAME,
                                                              string("printable", "*.example"))))
    subject("with-a-zero-octet", set_of(attribute(COMMON_NAME, string("utf8", HOST + "\0.org"))))
    subject("with-an-empty-string", set_of(attribute(COMMON_NAME, string("utf8", ""))))
    subject("of-1000-octets", set_of(attribute(COMMON_NAME, string("utf8", "a" * 1000))))
    subject("with-an-unknown-attribute", set_of(attribute(UNKNOWN, string("utf8", "a"))))
    subject("with-an-attribute-of-no-string", set_of(attribute(COMMON_NAME, integer(1))),
            families=EC256)
    subject("in-pieces", set_of(attribute(COMMON_NAME, Node(
        b"\x2c", string("utf8", "vectors"), string("utf8", ".example")))))
    subject("as-sequence-for-set", sequence(host), families=EC256)
    signed("issuer-as-printable", lambda c: c.issuer.become(
        common_name(c.issuer[0][0][1].contents().decode(), "printable")))
    signed("issuer-in-upper-case", lambda c: c.issuer.become(
        common_name(c.issuer[0][0][1].contents().decode().upper())))
    signed("issuer-empty", lambda c: c.issuer.become(sequence()))
    signed("issuer-someone-else", lambda c: c.issuer.become(common_name("someone else")))

    # Keys
    signed("key-length-long-inside", lambda c: c.spki[1].become(bit_string(padded(sequence(
        integer(RSA[0].leaf_key.n), integer(RSA[0].leaf_key.e)), 1).octets())), RSA)
    signed("key-modulus-negative", lambda c: c.spki[1].become(bit_string(sequence(
        Node(b"\x02", RSA[0].leaf_key.n.to_bytes(256, "big")), integer(65537)).octets())), RSA)
    signed("key-algorithm-without-null", lambda c: c.spki[0].parts.pop(), RSA)
    signed("key-compressed", lambda c: c.spki[1].become(
        bit_string(EC256[0].leaf_key.compressed_point())), EC256)
    signed("key-curve-missing", lambda c: c.spki[0].parts.pop(), EC256)
    signed("key-one-unused-bit", lambda c: c.spki[1].parts.__setitem__(0, b"\1"))
    signed("key-in-pieces", lambda c: c.spki[1].become(
        Node(b"\x23", bit_string(c.spki[1].parts[1]))))
    signed("key-empty", lambda c: c.spki[1].parts.__setitem__(1, b""))
    signed("key-unknown-algorithm", lambda c: c.spki[0].become(sequence(oid(UNKNOWN))))
    signed("key-and-something-more", lambda c: c.spki.parts.append(null()), EC256)
    signed("key-missing", lambda c: c.without(c.spki), EC256)

    # Extensions
    signed("extensions-empty", lambda c: setattr(c.extension_list, "parts", []))
    signed("extensions-in-reverse", lambda c: c.extension_list.parts.reverse())
    signed("extensions-and-null", lambda c: c.extensions.parts.append(null()), EC256)
    signed("extensions-as-set", lambda c: setattr(c.extension_list, "tag", b"\x31"), EC256)
    signed("extensions-twice", lambda c: c.tbs.parts.append(
        explicit(3, sequence(key_usage()))), EC256)
    signed("extensions-followed-by-null", lambda c: c.tbs.parts.append(null()))
    signed("extensions-as-context-4", lambda c: setattr(c.extensions, "tag", b"\xa4"), EC256)
    signed("unknown-extension", lambda c: c.add(extension(UNKNOWN, b"\5\0")))
    signed("unknown-extension-critical", lambda c: c.add(extension(UNKNOWN, b"\5\0", b"\xff")))
    signed("unknown-extension-twice", lambda c: c.add(extension(UNKNOWN, b"\5\0"),
                                                      extension(UNKNOWN, b"\5\0")))
    signed("unknown-extension-of-no-octets", lambda c: c.add(extension(UNKNOWN, b"")))
    signed("extension-oid-empty", lambda c: c.add(sequence(Node(b"\x06"), octet_string(b""))))
    signed("extension-oid-of-200-octets",
           lambda c: c.add(sequence(Node(b"\x06", b"\x2a" + b"\x81" * 198 + b"\1"),
                                    octet_string(b""))))
    signed("extension-without-value", lambda c: c.add(sequence(oid(UNKNOWN))), EC256)
    signed("extension-of-four-parts", lambda c: c.names.parts.append(null()), EC256)
    signed("extension-value-in-pieces", lambda c: c.names[1].become(
        Node(b"\x24", octet_string(sequence(dns(HOST))))))
    signed("extension-value-followed-by-a-zero", lambda c: c.names[1].parts.append(b"\0"))
    signed("key-usage-trailing-bits", lambda c: c.usage.become(key_usage(b"\0\x80")))
    signed("key-usage-stray-bits", lambda c: c.usage.become(key_usage(b"\7\xff")), EC256)
    signed("key-usage-empty", lambda c: c.usage.become(key_usage(b"\0")))
    signed("key-usage-no-bit-set", lambda c: c.usage.become(key_usage(b"\7\0")), EC256)
    signed("key-usage-for-signing-certificates", lambda c: c.usage.become(key_usage(b"\2\4")))
    signed("key-usage-twice", lambda c: c.add(key_usage()))
    signed("purpose-client", lambda c: c.purposes.become(
        extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.2")))))
    signed("purpose-any", lambda c: c.purposes.become(
        extension("2.5.29.37", sequence(oid("2.5.29.37.0")))), EC256)
    signed("purposes-empty", lambda c: c.purposes.become(extension("2.5.29.37", sequence())))
    signed("purpose-twice",
           lambda c: c.purposes[1][0].parts.append(oid("1.3.6.1.5.5.7.3.1")), EC256)
    signed("authority-someone-else", lambda c: c.authority.become(
        extension("2.5.29.35", sequence(Node(b"\x80", bytes(20))))))
    signed("name-constraints-satisfied", lambda c: c.add(extension(
        "2.5.29.30", sequence(explicit(0, sequence(dns("example")))), b"\xff")), EC256)

    # Subject alternative names
    def names(slug, *which, critical=None, families=EC256):
        signed(f"names-{slug}", lambda c: c.names.become(
            alternative_names(*which, critical=critical)), families)
    names("critical", dns(HOST), critical=b"\xff", families=MAIN)
    names("empty", families=MAIN)
    names("twice-the-same", dns(HOST), dns(HOST))
    names("wildcard", dns("*.example"))
    names("upper-case", dns(HOST.upper()))
    names("trailing-dot", dns(HOST + "."))
    names("leading-dot", dns("." + HOST))
    names("with-a-zero-octet", dns(HOST + "\0.org"), families=MAIN)
    names("with-zero-octet-and-the-host", dns(HOST + "\0.org"), dns(HOST))
    names("beyond-ascii", dns("h\xf6st.example"), dns(HOST), families=MAIN)
    names("empty-dns-name", dns(""), dns(HOST))
    names("of-300-octets", dns("a." * 150 + "example"), dns(HOST))
    names("constructed-dns-name", Node(b"\xa2", string("ia5", HOST)))
    names("only-uri", Node(b"\x86", b"sip:" + HOST.encode()), families=MAIN)
    names("only-email", Node(b"\x81", b"a@" + HOST.encode()))
    names("only-another-host", dns("other.example"))
    names("ip-4", Node(b"\x87", bytes([127, 0, 0, 1])), dns(HOST))
    names("ip-16", Node(b"\x87", bytes(15) + b"\1"), dns(HOST))
    names("ip-5", Node(b"\x87", bytes(5)), dns(HOST))
    names("directory-name", Node(b"\xa4", common_name(HOST)), dns(HOST))
    names("other-name", explicit(0, oid(UNKNOWN), explicit(0, string("utf8", HOST))), dns(HOST))
    names("registered-id", Node(b"\x88", b"\x2a"), dns(HOST))
    names("context-9", Node(b"\x89", b"\0"), dns(HOST))
    names("universal-string", string("ia5", HOST), dns(HOST))
    signed("names-missing", lambda c: c.extension_list.parts.remove(c.names))
    signed("names-extension-twice", lambda c: c.add(alternative_names(dns(HOST))))
    signed("names-extension-twice-different", lambda c: c.add(
        alternative_names(dns("other.example"))))
    signed("names-extension-empty-value", lambda c: c.names.become(extension("2.5.29.17", b"")))
    signed("names-extension-not-a-sequence", lambda c: c.names.become(
        extension("2.5.29.17", string("ia5", HOST))), EC256)


# --- the file ----------------------------------------------------------------------------------

def anchors():
    return {family.name: authority(family.ca_name, family.ca_key, family.ca_name, family.ca_key,
                                   family.digest, 1).octets() for family in ALL}


def text(octets):
    return base64.b64encode(octets).decode()


def compact(octets):
    """Base64; or, where one octet repeats, a list of base64 and [count, octet]"""
    rows, plain, at = [], b"", 0
    while at < len(octets):
        run = len(octets) - at - len(octets[at:].lstrip(octets[at:at + 1]))
        if run >= 1000:
            rows += [text(plain), [run, octets[at]]]
            plain = b""
        else:
            plain += octets[at:at + run]
        at += run
    return text(octets) if not rows else rows + [text(plain)]


def record(family, slug, octets, valid, depth):
    digest, refusal = outcome(octets)
    made = {"name": f"{family.name}/{slug}", "key": family.name, "intermediates": depth,
            "signature_valid": valid, "der": compact(octets)}
    made.update({"form_c_sha256": digest} if digest else {"refused": refusal})
    return made


ANCHORS = anchors()


def document():
    for make in (outer_vectors, cut_vectors, bound_vectors, algorithm_vectors, signature_vectors,
                 unsigned_vectors, tbs_vectors, value_vectors):
        make()
    records = [record(*each) for each in VECTORS]
    assert len({each["name"] for each in records}) == len(records), "a name is given twice"
    head = {
        "made_by": "tests/vectors/make_vectors.py; do not edit",
        "host": HOST,
        "anchors": {name: text(der) for name, der in ANCHORS.items()},
        "intermediates": [text(der) for der in intermediates()],
        "keys_pkcs8": {family.name: text(family.leaf_key.pkcs8().octets()) for family in ALL},
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    rows = ",\n".join(json.dumps(each) for each in records)
    return "{\n" + "\n".join(lines) + '\n"vectors": [\n' + rows + "\n]\n}\n"


def main():
    target = pathlib.Path(__file__).resolve().parent / "vectors.json"
    wanted = document()
    if sys.argv[1:] == ["--check"]:
        current = target.is_file() and target.read_text() == wanted
        if not current:
            print(f"{target.name} is not what {pathlib.Path(__file__).name} makes", file=sys.stderr)
        return 0 if current else 1
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 3
    target.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
